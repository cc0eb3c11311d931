/* SPDX-License-Identifier: MIT */
/*
 * pb.h - protobuf's wire format, by the field (protobuf.dev/programming-guides/encoding).
 *
 * A dozen message types of Perfetto's are written, all of them flat: putting fields one after the
 * other is less code than a generated library's structs would be to fill, and much faster.
 * Each function returns the end of what it wrote; a varint takes at most 10 bytes, a tag 5.
 */
#ifndef CORUN_EXPORT_PB_H
#define CORUN_EXPORT_PB_H

#include <string.h>

#include "base/types.h"

static inline u8 *pb_varint(u8 *p, u64 value)
{
	while (value >= 0x80) {
		*p++ = (u8)(value | 0x80);
		value >>= 7;
	}
	*p++ = (u8)value;
	return p;
}

/* How many bytes @value takes as a varint. */
static inline size_t pb_size(u64 value)
{
	return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

/* Field @number as a varint (int64, uint64, int32, bool, enum: negative ones as 64 bits). */
static inline u8 *pb_int(u8 *p, u32 number, u64 value)
{
	return pb_varint(pb_varint(p, number << 3), value);
}

/* Field @number as a fixed64. */
static inline u8 *pb_fixed64(u8 *p, u32 number, u64 value)
{
	p = pb_varint(p, number << 3 | 1);
	for (u32 i = 0; i < 8; i++)
		*p++ = (u8)(value >> 8 * i);
	return p;
}

/* Field @number as bytes: a string, a message, packed varints. */
static inline u8 *pb_bytes(u8 *p, u32 number, const void *data, size_t len)
{
	p = pb_varint(pb_varint(p, number << 3 | 2), len);
	if (len)
		memcpy(p, data, len);
	return p + len;
}

static inline u8 *pb_string(u8 *p, u32 number, const char *text)
{
	return pb_bytes(p, number, text, strlen(text));
}

#endif
