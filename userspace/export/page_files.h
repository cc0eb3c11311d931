/* SPDX-License-Identifier: MIT */
/* page_files.h - the viewer's files as strings. Scripts in the order in which they are loaded. */
#ifndef CORUN_EXPORT_PAGE_FILES_H
#define CORUN_EXPORT_PAGE_FILES_H

extern const char viewer_style[], viewer_words[], viewer_data[], viewer_levels[], viewer_verdict[], viewer_look[],
	viewer_raster[], viewer_draw[], viewer_lanes[], viewer_joint[], viewer_panel[], viewer_details[], viewer_play[],
	viewer_cooks[], viewer_lesson[], viewer_picture[], viewer_arrows[], viewer_page[], viewer_user[], viewer_input[],
	viewer_svg[], viewer_save[], viewer_start[];

#endif
