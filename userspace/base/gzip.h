/* SPDX-License-Identifier: MIT */
/*
 * gzip.h - one gzip stream (RFC 1952) out of blocks that several threads deflate at once.
 *
 * Each block goes on from the 32 KiB before it and ends on a whole byte, as pigz does it
 * (zlib.net/pigz): any reader of gzip takes the result, and it is as small as that of one thread to a
 * part in a thousand. As many threads as there are CPUs, at most GZIP_THREADS; a few hundred kB each.
 */
#ifndef CORUN_BASE_GZIP_H
#define CORUN_BASE_GZIP_H

#include "base/types.h"

#define GZIP_THREADS 8

struct gzip;

/* Compress into @fd, which stays the caller's. 0 or -ENOMEM. */
int gzip_open(struct gzip **gzip, int fd);
/* 0, or the first error so far: -errno of write(2), -ENOMEM, -EIO. */
int gzip_put(struct gzip *gzip, const void *data, size_t len);
/* Write what is left and free. As gzip_put(). */
int gzip_close(struct gzip *gzip);
/* Free, the stream unfinished; NULL is fine. */
void gzip_drop(struct gzip *gzip);

#endif
