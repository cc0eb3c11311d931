/* SPDX-License-Identifier: MIT */
/*
 * json.h - JSON text in a hurry: one big buffer before an output, and numbers without printf.
 *
 * Balance is the caller's: it writes the brackets. Write errors stick to the output, a lack of
 * memory to `failed`.
 */
#ifndef CORUN_EXPORT_JSON_H
#define CORUN_EXPORT_JSON_H

#include <string.h>

#include "base/buf.h"
#include "base/out.h"

#define JSON_ROOM ((size_t)1 << 20)

struct json {
	struct out *out; /* borrowed */
	char *data;      /* JSON_ROOM bytes */
	size_t len;
	struct buf scratch;
	bool failed;
};

/* 0 or -ENOMEM. */
int json_open(struct json *json, struct out *out);
void json_flush(struct json *json);
/* Flush and free. 0 or -ENOMEM if memory ran out on the way. */
int json_close(struct json *json);

/* At least @n free bytes, @n far below JSON_ROOM. */
static inline char *json_room(struct json *json, size_t n)
{
	if (__builtin_expect(JSON_ROOM - json->len < n, 0))
		json_flush(json);
	return json->data + json->len;
}

/* What was written from json_room() ends at @end. */
static inline void json_wrote(struct json *json, const char *end)
{
	json->len = (size_t)(end - json->data);
}

void json_put(struct json *json, const char *text, size_t len);
static inline void json_put_buf(struct json *json, const struct buf *buf)
{
	json_put(json, buf->data, buf->len);
}
static inline void json_puts(struct json *json, const char *text)
{
	json_put(json, text, strlen(text));
}

/* A quoted string: any bytes in, valid JSON out (utf8.h). */
void json_string(struct json *json, const char *text);
void json_printf(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- into memory that the caller has made room for: each returns the end ---- */

static inline char *put_bytes(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

/* A literal: its length is known, so the copy is a few moves. */
#define put_lit(p, literal) put_bytes(p, "" literal, sizeof(literal) - 1)

/* At most 20 bytes. */
char *put_u64(char *p, u64 value);
/* Nanoseconds as microseconds with three decimals: the Chrome format's unit, exactly. */
char *put_us(char *p, u64 ns);

#endif
