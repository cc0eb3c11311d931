/* SPDX-License-Identifier: MIT */
/*
 * sites.h - waits added up by where in the code they were (recordings with --stacks), or by the
 * kernel's function (--kernel-stacks). Start from zeroed memory; end with sites_free().
 */
#ifndef CORUN_METRICS_SITES_H
#define CORUN_METRICS_SITES_H

#include "base/buf.h"
#include "base/map.h"

struct site_figures {
	char *text;      /* innermost call first, one a line */
	u64 waits, wait_ns;
};

struct sites {
	struct map map;  /* struct site_figures by their text's hash */
};

/* @text "": not known, nothing is added. 0 or -ENOMEM. */
int sites_add(struct sites *sites, const char *text, u64 ns);
void sites_free(struct sites *sites);
/* Sorted by time, most first; the caller frees the array, not what it points to. */
struct site_figures **sites_sorted(const struct sites *sites, size_t *n);
/* ',"KEY":[{"site":"a.c:12 (f)","stack":["a.c:12 (f)",...],"waits":1,"wait_ns":1},...]', at most 10;
 * nothing if there are none. */
void sites_put_json(const struct sites *sites, const char *key, struct buf *b);
/* The call site with most time as a JSON string, or null. */
void sites_put_top(const struct sites *sites, struct buf *b);
/* A line for people, "      at a.c:12 (f) 75 %, b.c:3 (g) 25 %": the two with most of @total_ns. Nothing if
 * there are none. */
void sites_put_line(const struct sites *sites, u64 total_ns, struct buf *b);

#endif
