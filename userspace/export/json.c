/* SPDX-License-Identifier: MIT */
#include "export/json.h"

#include <errno.h>
#include <stdlib.h>

static const char pairs[] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
	"4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
	"949596979899";

int json_init(struct json *json, struct out *out)
{
	*json = (struct json){.out = out, .data = malloc(JSON_ROOM)};
	return json->data ? 0 : -ENOMEM;
}

void json_free(struct json *json)
{
	free(json->data);
	json->data = NULL;
}

void json_flush(struct json *json)
{
	out_put(json->out, json->data, json->len);
	json->len = 0;
}

void json_put_slow(struct json *json, const char *text, size_t len)
{
	json_flush(json);
	if (len > JSON_ROOM) {
		out_put(json->out, text, len);
		return;
	}
	memcpy(json->data, text, len);
	json->len = len;
}

void json_text(struct json *json, const char *text)
{
	json_put(json, text, strlen(text));
}

/* Two digits a division, backwards from @end; returns the first digit. */
static inline char *digits(char *end, u64 value)
{
	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + value * 2, 2);
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

void json_u64(struct json *json, u64 value)
{
	char text[20];
	char *first = digits(text + sizeof(text), value);

	json_put(json, first, (size_t)(text + sizeof(text) - first));
}

void json_us(struct json *json, u64 ns)
{
	char text[24];
	char *end = text + 20, *first = digits(end, ns / 1000);
	unsigned int rest = (unsigned int)(ns % 1000);

	if (rest) {
		end[0] = '.';
		end[1] = (char)('0' + rest / 100);
		memcpy(end + 2, pairs + rest % 100 * 2, 2);
		end += 4;
	}
	json_put(json, first, (size_t)(end - first));
}

void json_string(struct json *json, const char *text)
{
	struct buf quoted = BUF_INIT;

	buf_put_json(&quoted, text);
	if (quoted.failed)
		json_lit(json, "\"\"");
	else
		json_buf(json, &quoted);
	buf_free(&quoted);
}
