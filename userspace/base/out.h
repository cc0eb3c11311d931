/* SPDX-License-Identifier: MIT */
/*
 * out.h - an output file that appears under its final name whole or not at all.
 *
 * The data go to a new file beside the final name (O_EXCL | O_NOFOLLOW: a planted symbolic link is
 * never followed) and out_commit() renames it. "-" is standard output. A name that ends in ".gz",
 * or OUT_GZIP, compresses. Errors stick: the first one is kept and returned by out_commit(), so
 * that writers need not check every put. When corun runs under sudo the file is given to the
 * invoking user (SUDO_UID, SUDO_GID).
 */
#ifndef CORUN_BASE_OUT_H
#define CORUN_BASE_OUT_H

#include "base/error.h"
#include "base/types.h"

struct out;

enum out_flags {
	OUT_GZIP = 1,    /* compress whatever the name says */
	OUT_STREAM = 2,  /* write under the final name from the first byte (a trace while recording) */
	OUT_PRIVATE = 4, /* mode 0600 instead of 0666 less the umask */
};

int out_open(struct out **out, const char *path, unsigned int flags, struct error *err);
void out_put(struct out *out, const void *data, size_t len);
void out_puts(struct out *out, const char *text);
/* Push buffered bytes to the kernel. 0 or the first error so far. */
int out_flush(struct out *out);
/* Bytes put so far, before compression; bytes that reached the file. */
u64 out_bytes(const struct out *out);
u64 out_file_bytes(const struct out *out);
/* The first error so far, as -errno, or 0. */
int out_error(const struct out *out);
/* Finish, rename, free. 0 or the first error, which @err words; on error nothing is left behind. */
int out_commit(struct out *out, struct error *err);
/* Drop what was written and free. NULL is fine. */
void out_abort(struct out *out);

#endif
