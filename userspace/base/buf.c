/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

bool buf_grow(struct buf *buf, size_t extra)
{
	size_t need, cap;
	char *data;

	if (buf->failed)
		return false;
	if (extra >= SIZE_MAX - buf->len - 1) {
		buf->failed = true;
		return false;
	}
	need = buf->len + extra + 1;
	cap = buf->cap ? buf->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void buf_put(struct buf *buf, const void *data, size_t len)
{
	if (!buf_reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0 && buf_reserve(buf, (size_t)len)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void buf_put_u64(struct buf *buf, u64 value)
{
	char digits[20];
	int n = 0;

	do {
		digits[sizeof(digits) - 1 - n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_put(buf, digits + sizeof(digits) - n, (size_t)n);
}

static void put_json_byte(struct buf *buf, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	switch (c) {
	case '"':
		buf_put(buf, "\\\"", 2);
		break;
	case '\\':
		buf_put(buf, "\\\\", 2);
		break;
	case '\n':
		buf_put(buf, "\\n", 2);
		break;
	case '\t':
		buf_put(buf, "\\t", 2);
		break;
	case '\r':
		buf_put(buf, "\\r", 2);
		break;
	default:
		buf_put(buf, "\\u00", 4);
		buf_putc(buf, hex[c >> 4]);
		buf_putc(buf, hex[c & 15]);
	}
}

/*
 * Bytes that are no UTF-8 become U+FFFD each, so the result is always valid JSON. '<' is escaped
 * too: the text may end up inside a <script> element.
 */
void buf_put_json_n(struct buf *buf, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t plain = 0;

	buf_putc(buf, '"');
	for (size_t i = 0; i < len;) {
		int n = utf8_sequence(s + i, len - i);

		if (n > 1 || (n == 1 && s[i] >= 0x20 && s[i] != 0x7f && s[i] != '"' &&
			      s[i] != '\\' && s[i] != '<')) {
			i += (size_t)n;
			continue;
		}
		buf_put(buf, text + plain, i - plain);
		if (n == 1)
			put_json_byte(buf, s[i]);
		else
			buf_put(buf, "\xef\xbf\xbd", 3);
		plain = ++i;
	}
	buf_put(buf, text + plain, len - plain);
	buf_putc(buf, '"');
}

void buf_put_json(struct buf *buf, const char *text)
{
	buf_put_json_n(buf, text, strlen(text));
}

void buf_put_utf8(struct buf *buf, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		int n = utf8_sequence((const unsigned char *)text, len);

		buf_put(buf, n ? text : "\xef\xbf\xbd", n ? (size_t)n : 3);
		text += n ? n : 1;
		len -= (size_t)(n ? n : 1);
	}
}

void buf_put_leb128(struct buf *buf, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		buf_putc(buf, (char)(value | 0x80));
	buf_putc(buf, (char)value);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_INIT;
}

void buf_put_duration(struct buf *buf, u64 ns, int columns)
{
	static const struct {
		u64 ns;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
	char text[32];
	double value;
	size_t u = 0;

	while (u < ARRAY_SIZE(units) - 1 && ns < units[u].ns)
		u++;
	value = (double)ns / (double)units[u].ns;
	snprintf(text, sizeof(text), value >= 100 || units[u].ns == 1 ? "%.0f %s" :
		 value >= 10 ? "%.1f %s" : "%.2f %s", value, units[u].name);
	buf_printf(buf, "%*s", columns, text);
}

void buf_put_wrapped(struct buf *buf, const char *text, int column, int columns)
{
	int at = column;

	while (*text) {
		size_t n = strcspn(text, " ");
		int width = utf8_columns(text, n);

		if (at > column && at + 1 + width > columns) {
			buf_printf(buf, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			buf_putc(buf, ' ');
			at++;
		}
		for (size_t i = 0; i < n;) {
			int good = utf8_printable((const unsigned char *)text + i, n - i);

			buf_put(buf, good ? text + i : "?", good ? (size_t)good : 1);
			i += good ? (size_t)good : 1;
		}
		at += width;
		text += n;
		text += strspn(text, " ");
	}
	buf_putc(buf, '\n');
}
