/* SPDX-License-Identifier: MIT */
/* base64.h - gzip, then base64 (RFC 4648), as a stream into an output. */
#ifndef CORUN_EXPORT_BASE64_H
#define CORUN_EXPORT_BASE64_H

#include <zlib.h>

#include "base/out.h"

struct base64 {
	struct out *out;
	z_stream zlib;
	u8 packed[3 * 16384];
	char text[4 * 16384];
};

/* 0 or -ENOMEM. */
int base64_begin(struct base64 *b, struct out *out);
void base64_put(struct base64 *b, const void *data, size_t len);
void base64_end(struct base64 *b);

#endif
