/* SPDX-License-Identifier: MIT */
/*
 * python_line.c - lines of a code object by its location table, as CPython has it since 3.11
 * (Objects/locations.md in its source). An entry is a byte 1kkkknnn, kind and units less one, and
 * bytes without the high bit.
 */
#include "record/python.h"

/* A number of 6 bits a byte, the lowest first; bit 6: more follow. False: the table ends before. */
static bool read_number(const u8 *table, size_t len, size_t *at, u32 *value)
{
	*value = 0;
	for (u32 shift = 0; *at < len && shift < 30; shift += 6) {
		u8 byte = table[(*at)++];

		*value |= (u32)(byte & 63) << shift;
		if (!(byte & 64))
			return true;
	}
	return false;
}

int python_line(const u8 *table, size_t len, int first, u32 unit)
{
	u32 line = (u32)first; /* wraps on a damaged table, which is no harm; an int must not */

	for (size_t at = 0; at < len;) {
		u8 head = table[at++];
		u32 kind = head >> 3 & 15, units = (head & 7u) + 1, delta = 0;

		if (!(head & 0x80))
			return 0;
		if (kind >= 10 && kind <= 12)
			line += kind - 10;
		if (kind == 13 || kind == 14) {
			if (!read_number(table, len, &at, &delta))
				return 0;
			line += delta & 1 ? -(delta >> 1) : delta >> 1;
		}
		if (unit < units)
			return kind == 15 ? 0 : (int)line;
		unit -= units;
		/* The columns: to where the next entry begins. */
		while (at < len && !(table[at] & 0x80))
			at++;
	}
	return 0;
}
