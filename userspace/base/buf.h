/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growable run of bytes.
 *
 * Start from BUF_INIT or zeroed memory; end with buf_free(). `data` is always NUL-terminated once
 * something was put, so a buf doubles as a string builder. An allocation that fails sets `failed`
 * and drops further puts: check it once at the end instead of after every call.
 */
#ifndef CORUN_BASE_BUF_H
#define CORUN_BASE_BUF_H

#include "base/types.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT {0}

bool buf_grow(struct buf *buf, size_t extra);
/* Room for @extra more bytes and a NUL; false (and buf->failed) when memory is out. */
static inline bool buf_reserve(struct buf *buf, size_t extra)
{
	return (extra < buf->cap - buf->len && !buf->failed) || buf_grow(buf, extra);
}
void buf_put(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Append @text as the inside and the quotes of a JSON string; see utf8.h for what is made of bytes
 * that are not UTF-8. */
void buf_put_json(struct buf *buf, const char *text);
void buf_put_json_n(struct buf *buf, const char *text, size_t len);
/* Append @text as valid UTF-8: U+FFFD for each byte that is none. */
void buf_put_utf8(struct buf *buf, const char *text);
/* Append @value in decimal; several times as fast as buf_printf("%llu"). */
void buf_put_u64(struct buf *buf, u64 value);
/* Append @value as 7 bits a byte, least first, the top bit set on all but the last (unsigned LEB128). */
void buf_put_leb128(struct buf *buf, u64 value);
void buf_clear(struct buf *buf);
void buf_free(struct buf *buf);

/* A time for people, three digits and its unit: "1.25 s", "41.2 ms", "340 us", "0 ns". Padded with blanks
 * to @columns, on the left (negative: on the right); 0: as it is. */
void buf_put_duration(struct buf *buf, u64 ns, int columns);

/* @text for a terminal of @columns, from column @column on: broken between words, each further line indented
 * to @column, a newline behind the last. Control characters, which would move the cursor, are shown as '?'. */
void buf_put_wrapped(struct buf *buf, const char *text, int column, int columns);

#endif
