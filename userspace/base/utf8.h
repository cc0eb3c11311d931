/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - the names that processes choose are any bytes; what corun writes is valid UTF-8.
 */
#ifndef CORUN_BASE_UTF8_H
#define CORUN_BASE_UTF8_H

#include "base/types.h"

/*
 * Length in bytes of the well-formed UTF-8 sequence at @s (1 to 4), or 0 when the bytes there are
 * not one (overlong forms, surrogates and code points past U+10FFFF included).
 * Source: The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences".
 */
int utf8_sequence(const unsigned char *s, size_t len);

/*
 * The same of a character that only shows itself: 0 too for what controls a terminal (C0, DEL, C1) or turns
 * the direction of the text around it (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), and for the line
 * and paragraph separators.
 */
int utf8_printable(const unsigned char *s, size_t len);

/*
 * Columns that @len bytes of @s take on a terminal: 2 for East Asian wide characters and emoji, 0
 * for combining marks. Malformed bytes count one column each.
 */
int utf8_columns(const char *s, size_t len);

#endif
