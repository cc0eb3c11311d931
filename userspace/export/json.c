/* SPDX-License-Identifier: MIT */
#include "export/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char pairs[] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
	"4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
	"949596979899";

int json_open(struct json *json, struct out *out)
{
	*json = (struct json){.out = out, .data = malloc(JSON_ROOM)};
	return json->data ? 0 : -ENOMEM;
}

void json_flush(struct json *json)
{
	out_put(json->out, json->data, json->len);
	json->len = 0;
}

int json_close(struct json *json)
{
	bool failed = json->failed;

	if (json->data && !failed)
		json_flush(json);
	free(json->data);
	buf_free(&json->scratch);
	*json = (struct json){0};
	return failed ? -ENOMEM : 0;
}

void json_put(struct json *json, const char *text, size_t len)
{
	if (JSON_ROOM - json->len < len)
		json_flush(json);
	if (len > JSON_ROOM) {
		out_put(json->out, text, len);
		return;
	}
	if (len)
		memcpy(json->data + json->len, text, len);
	json->len += len;
}

static void put_scratch(struct json *json)
{
	json->failed |= json->scratch.failed;
	json_put(json, json->scratch.data, json->scratch.failed ? 0 : json->scratch.len);
}

void json_string(struct json *json, const char *text)
{
	buf_clear(&json->scratch);
	buf_put_json(&json->scratch, text);
	put_scratch(json);
}

void json_printf(struct json *json, const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		json->failed = true; /* only for what is known to be short */
	else
		json_put(json, text, (size_t)len);
}

/* Four digits a division: two of them by each look into the table. */
static inline char *four(char *p, u32 value)
{
	memcpy(p, pairs + value / 100 * 2, 2);
	memcpy(p + 2, pairs + value % 100 * 2, 2);
	return p + 4;
}

/* 0 to 9999 without leading zeros. */
static inline char *up_to_four(char *p, u32 value)
{
	char text[4];
	u32 skip = value < 10 ? 3 : value < 100 ? 2 : value < 1000 ? 1 : 0;

	four(text, value);
	memcpy(p, text + skip, 4 - skip);
	return p + 4 - skip;
}

char *put_u64(char *p, u64 value)
{
	if (value < 10000)
		return up_to_four(p, (u32)value);
	if (value < 100000000) {
		p = up_to_four(p, (u32)value / 10000);
		return four(p, (u32)value % 10000);
	}
	p = put_u64(p, value / 100000000);
	p = four(p, (u32)(value % 100000000) / 10000);
	return four(p, (u32)(value % 100000000) % 10000);
}

char *put_us(char *p, u64 ns)
{
	u32 rest = (u32)(ns % 1000);

	p = put_u64(p, ns / 1000);
	*p++ = '.';
	*p++ = (char)('0' + rest / 100);
	memcpy(p, pairs + rest % 100 * 2, 2);
	return p + 2;
}
