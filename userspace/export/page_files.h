/* SPDX-License-Identifier: MIT */
/* page_files.h - the viewer's files as strings. Scripts in the order in which they are loaded. */
#ifndef CORUN_EXPORT_PAGE_FILES_H
#define CORUN_EXPORT_PAGE_FILES_H

extern const char viewer_style[], viewer_words[], viewer_data[], viewer_levels[], viewer_look[],
	viewer_draw[], viewer_raster[], viewer_path[], viewer_panel[], viewer_play[], viewer_lesson[], viewer_picture[],
	viewer_page[], viewer_start[];

#endif
