/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <wchar.h>

static bool is_tail(const unsigned char *s, size_t len, size_t i)
{
	return i < len && (s[i] & 0xc0) == 0x80;
}

int utf8_sequence(const unsigned char *s, size_t len)
{
	unsigned char c;

	if (!len)
		return 0;
	c = s[0];
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return is_tail(s, len, 1) ? 2 : 0;
	if (c >= 0xe0 && c <= 0xef) {
		if (!is_tail(s, len, 1) || !is_tail(s, len, 2))
			return 0;
		if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f))
			return 0;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		if (!is_tail(s, len, 1) || !is_tail(s, len, 2) || !is_tail(s, len, 3))
			return 0;
		if ((c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

static u32 decode(const unsigned char *s, int n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	u32 c = s[0] & first[n];

	for (int i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

int utf8_printable(const unsigned char *s, size_t len)
{
	int n = utf8_sequence(s, len);
	u32 c = n ? decode(s, n) : 0;

	if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

/* The ranges that terminals draw two columns wide (Unicode EastAsianWidth.txt, W and F, merged). */
static bool is_wide(u32 c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) ||
	       (c >= 0x3041 && c <= 0xa4cf) || (c >= 0xa960 && c <= 0xa97f) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff01 && c <= 0xff60) ||
	       (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	       (c >= 0x20000 && c <= 0x3fffd);
}

int utf8_columns(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	int columns = 0;

	for (size_t i = 0; i < len;) {
		int n = utf8_sequence(s + i, len - i);
		u32 c;

		if (n <= 1) {
			columns++;
			i++;
			continue;
		}
		c = decode(s + i, n);
		if (!(c >= 0x300 && c <= 0x36f) && c != 0x200b && c != 0x200d)
			columns += is_wide(c) ? 2 : 1;
		i += (size_t)n;
	}
	return columns;
}
