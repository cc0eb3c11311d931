/* SPDX-License-Identifier: MIT */
/*
 * format.h - the bytes of a .corun file, version 1. All numbers are little-endian.
 *
 * FILE
 *   offset  size
 *   0       8     magic "CORUN\x1a\r\n": a text-mode copy or a terminal stops at it
 *   8       2     major version, 1: a reader refuses another one
 *   10      2     minor version, 0: a reader takes newer ones, unknown records are skipped
 *   12      4     0
 *   16            chunks, one after another to the end of the file
 *
 * CHUNK, complete in itself: a file that is cut reads up to its last whole chunk
 *   0       4     magic "CHNK"
 *   4       4     kind: 1 records in order of time, 2 late records in any order
 *   8       4     length of the payload when inflated, 1 to 16 MiB
 *   12      4     length of the payload as stored
 *   16      4     crc32 (zlib's) of the header with this field 0, then the stored payload
 *   20      4     number of records
 *   24      8     ts of the first record, ns
 *   32            payload: one zlib stream (RFC 1950)
 *
 * PAYLOAD, inflated: records, each
 *   varint        length of what follows
 *   u8            type, enum record_type
 *   varint        ts less the ts of the record before in this chunk (the chunk's first ts for the
 *                 first), zigzag: late records go back in time
 *   varint        cpu + 1, 0 for none
 *   varint        bit i set: field i of the type (fields.c, in that order) differs from its default
 *   fields        those whose bit is set, by the field's type:
 *     string        varint length, bytes, NUL
 *     s32, call     zigzag varint
 *     args          four varints
 *     other         varint
 *
 * A varint has 7 bits a byte, low bits first, the high bit set in all but the last. Zigzag maps 0,
 * -1, 1, -2 ... to 0, 1, 2, 3 ... Fields are only ever added at the end of a type's list.
 *
 * The last record of a whole trace is REC_END, in a chunk of kind 1.
 */
#ifndef CORUN_TRACE_FORMAT_H
#define CORUN_TRACE_FORMAT_H

#include "base/buf.h"
#include "trace/record.h"

#define TRACE_MAGIC "CORUN\x1a\r\n"
#define TRACE_MAGIC_LEN 8
#define TRACE_MAJOR 1
#define TRACE_MINOR 0
#define TRACE_HEADER_LEN 16
#define CHUNK_HEADER_LEN 32
#define CHUNK_MAGIC "CHNK"
#define CHUNK_ORDERED 1
#define CHUNK_LATE 2
#define CHUNK_MAX ((u32)16 << 20)

struct chunk_header {
	u32 kind, raw_len, stored_len, crc, records;
	u64 first_ts;
};

/* Append @rec to a chunk's payload; *@last_ts is the ts of the record before and is updated. */
void record_encode(struct buf *payload, const struct record *rec, u64 *last_ts);
/*
 * Decode one record at @data. Returns the bytes used, or -EINVAL. *@known is false for a type that
 * this version does not know (skip it). Strings point into @data.
 */
ssize_t record_decode(const u8 *data, size_t len, struct record *rec, u64 *last_ts, bool *known);

void chunk_header_encode(const struct chunk_header *header, u8 bytes[CHUNK_HEADER_LEN]);
/* -EINVAL when it is no chunk header or its lengths are absurd. */
int chunk_header_decode(const u8 bytes[CHUNK_HEADER_LEN], struct chunk_header *header);
/* The checksum of a header and its stored payload. */
u32 chunk_crc(const struct chunk_header *header, const u8 *stored);

#endif
