/* SPDX-License-Identifier: MIT */
#include "export/base64.h"

#include <errno.h>
#include <string.h>

int base64_begin(struct base64 *b, struct out *out)
{
	memset(&b->zlib, 0, sizeof(b->zlib));
	b->out = out;
	/* 16: a gzip header, which is what browsers' DecompressionStream knows best. */
	if (deflateInit2(&b->zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	b->zlib.next_out = b->packed;
	b->zlib.avail_out = sizeof(b->packed);
	return 0;
}

/* What is packed, as text. Only the last piece may have a length that 3 does not divide. */
static void flush(struct base64 *b)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = sizeof(b->packed) - b->zlib.avail_out, n = 0;

	for (size_t i = 0; i < len; i += 3) {
		u32 left = (u32)(len - i);
		u32 bits = (u32)b->packed[i] << 16 | (left > 1 ? (u32)b->packed[i + 1] << 8 : 0) |
			   (left > 2 ? b->packed[i + 2] : 0);

		b->text[n++] = digits[bits >> 18];
		b->text[n++] = digits[bits >> 12 & 63];
		b->text[n++] = left > 1 ? digits[bits >> 6 & 63] : '=';
		b->text[n++] = left > 2 ? digits[bits & 63] : '=';
	}
	out_put(b->out, b->text, n);
	b->zlib.next_out = b->packed;
	b->zlib.avail_out = sizeof(b->packed);
}

static void run(struct base64 *b, int mode)
{
	int code;

	do {
		if (!b->zlib.avail_out)
			flush(b);
		code = deflate(&b->zlib, mode);
	} while (b->zlib.avail_in || (mode == Z_FINISH && code != Z_STREAM_END));
}

void base64_put(struct base64 *b, const void *data, size_t len)
{
	b->zlib.next_in = (Bytef *)data;
	b->zlib.avail_in = (uInt)len;
	run(b, Z_NO_FLUSH);
}

void base64_end(struct base64 *b)
{
	run(b, Z_FINISH);
	flush(b);
	deflateEnd(&b->zlib);
}
