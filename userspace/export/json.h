/* SPDX-License-Identifier: MIT */
/*
 * json.h - JSON text in a hurry: a large buffer before an output, and numbers without printf.
 *
 * Nothing is checked for balance: the caller writes the brackets. Errors stick to the output.
 */
#ifndef CORUN_EXPORT_JSON_H
#define CORUN_EXPORT_JSON_H

#include <string.h>

#include "base/buf.h"
#include "base/out.h"

/* Large enough that the kernel takes it in large pages, small enough to stay in the cache. */
#define JSON_ROOM ((size_t)512 << 10)

struct json {
	struct out *out;
	char *data;
	size_t len;
};

/* 0 or -ENOMEM. @out is borrowed. */
int json_init(struct json *json, struct out *out);
void json_flush(struct json *json);
void json_free(struct json *json); /* what was not flushed is dropped */
/* More than the buffer has left. */
void json_put_slow(struct json *json, const char *text, size_t len);

static inline void json_put(struct json *json, const char *text, size_t len)
{
	if (__builtin_expect(len > JSON_ROOM - json->len, 0)) {
		json_put_slow(json, text, len);
		return;
	}
	memcpy(json->data + json->len, text, len);
	json->len += len;
}

/* A literal: its length is known, so the copy is a few moves. */
#define json_lit(json, literal) json_put(json, "" literal, sizeof(literal) - 1)

static inline void json_buf(struct json *json, const struct buf *buf)
{
	if (buf->len)
		json_put(json, buf->data, buf->len);
}

void json_text(struct json *json, const char *text);
void json_u64(struct json *json, u64 value);
/* Nanoseconds as the microseconds of the Chrome format, "12.345" or "12"; exact. */
void json_us(struct json *json, u64 ns);
/* A quoted string: any bytes in, valid JSON out (base/utf8.h). */
void json_string(struct json *json, const char *text);

#endif
