/* SPDX-License-Identifier: MIT */
#include "trace/format.h"

#include <string.h>
#include <zlib.h>

#include "trace/fields.h"

/* ---- encoding ---- */

static u8 *put_varint(u8 *p, u64 value)
{
	while (value >= 0x80) {
		*p++ = (u8)(value | 0x80);
		value >>= 7;
	}
	*p++ = (u8)value;
	return p;
}

static u64 zigzag(s64 value)
{
	return (u64)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static s64 unzigzag(u64 value)
{
	return (s64)(value >> 1) ^ -(s64)(value & 1);
}

static u64 field_value(const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_CALL:
		return zigzag(*(const s16 *)at);
	case FIELD_S32:
		return zigzag(*(const s32 *)at);
	case FIELD_U64:
	case FIELD_HEX:
		return *(const u64 *)at;
	case FIELD_U32:
	case FIELD_STATE:
	case FIELD_FLAGS32:
		return *(const u32 *)at;
	default:
		return *(const u8 *)at;
	}
}

/* zigzag(-1): a call's default is "none". */
#define CALL_NONE 1

static bool field_present(const struct field *f, const void *at)
{
	const u64 *args = at;

	switch (f->type) {
	case FIELD_STRING:
		return **(const char *const *)at;
	case FIELD_ARGS:
		return args[0] | args[1] | args[2] | args[3];
	case FIELD_CALL:
		return field_value(f, at) != CALL_NONE;
	default:
		return field_value(f, at);
	}
}

void record_encode(struct buf *payload, const struct record *rec, u64 *last_ts)
{
	const struct field *fields = record_infos[rec->type].fields;
	/* Numbers only: type, ts, cpu, mask and at most 30 fields of at most 4 varints. */
	u8 head[10 * (3 + 30 * 4)], length[10];
	u8 *p = head;
	size_t start, text = 0;
	u32 mask = 0;

	*p++ = (u8)rec->type;
	p = put_varint(p, zigzag((s64)(rec->ts - *last_ts)));
	*last_ts = rec->ts;
	p = put_varint(p, rec->cpu == CORUN_NO_CPU ? 0 : rec->cpu + 1u);
	for (u32 i = 0; fields[i].name; i++) {
		const void *at = (const char *)rec + fields[i].offset;

		if (!field_present(&fields[i], at))
			continue;
		mask |= 1u << i;
		if (fields[i].type == FIELD_STRING)
			text += strlen(*(const char *const *)at) + 11;
	}
	p = put_varint(p, mask);
	if (!text) {
		for (u32 left = mask; left; left &= left - 1) {
			const struct field *f = &fields[__builtin_ctz(left)];
			const u64 *at = (const void *)((const char *)rec + f->offset);

			if (f->type == FIELD_ARGS)
				for (int i = 0; i < 4; i++)
					p = put_varint(p, at[i]);
			else
				p = put_varint(p, field_value(f, at));
		}
		buf_put(payload, length, (size_t)(put_varint(length, (u64)(p - head)) - length));
		buf_put(payload, head, (size_t)(p - head));
		return;
	}
	/* With strings: the length is only known at the end; leave room for the longest. */
	if (!buf_reserve(payload, (size_t)(p - head) + text + 10 * 30 * 4 + sizeof(length)))
		return;
	start = payload->len;
	payload->len += sizeof(length);
	buf_put(payload, head, (size_t)(p - head));
	for (u32 left = mask; left; left &= left - 1) {
		const struct field *f = &fields[__builtin_ctz(left)];
		const void *at = (const char *)rec + f->offset;

		p = head;
		if (f->type == FIELD_STRING) {
			const char *s = *(const char *const *)at;
			size_t len = strlen(s);

			buf_put(payload, head, (size_t)(put_varint(p, len) - head));
			buf_put(payload, s, len + 1);
			continue;
		}
		if (f->type == FIELD_ARGS)
			for (int i = 0; i < 4; i++)
				p = put_varint(p, ((const u64 *)at)[i]);
		else
			p = put_varint(p, field_value(f, at));
		buf_put(payload, head, (size_t)(p - head));
	}
	if (payload->failed)
		return;
	/* Close the gap between the real length's bytes and the room that was left. */
	{
		size_t body = payload->len - start - sizeof(length);
		size_t n = (size_t)(put_varint(length, body) - length);

		memcpy(payload->data + start, length, n);
		memmove(payload->data + start + n, payload->data + start + sizeof(length), body);
		payload->len = start + n + body;
	}
}

/* ---- decoding ---- */

struct input {
	const u8 *at, *end;
	bool bad;
};

static u64 get_long_varint(struct input *in)
{
	u64 value = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		u8 byte;

		if (in->at == in->end)
			break;
		byte = *in->at++;
		value |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	in->bad = true;
	return 0;
}

/* Most are one byte. */
static inline u64 get_varint(struct input *in)
{
	if (in->at < in->end && !(*in->at & 0x80))
		return *in->at++;
	return get_long_varint(in);
}

static void get_string(struct input *in, const char **out)
{
	u64 len = get_varint(in);

	if (in->bad || len >= (u64)(in->end - in->at) || in->at[len] ||
	    memchr(in->at, 0, (size_t)len)) {
		in->bad = true;
		return;
	}
	*out = (const char *)in->at;
	in->at += len + 1;
}

static void get_field(struct input *in, const struct field *f, void *at)
{
	u64 value;

	if (f->type == FIELD_STRING) {
		get_string(in, at);
		return;
	}
	value = get_varint(in);
	switch (f->type) {
	case FIELD_ARGS:
		((u64 *)at)[0] = value;
		for (int i = 1; i < 4; i++)
			((u64 *)at)[i] = get_varint(in);
		break;
	case FIELD_U64:
	case FIELD_HEX:
		*(u64 *)at = value;
		break;
	case FIELD_CALL:
		*(s16 *)at = (s16)unzigzag(value);
		break;
	case FIELD_S32:
		*(s32 *)at = (s32)unzigzag(value);
		break;
	case FIELD_U32:
	case FIELD_STATE:
	case FIELD_FLAGS32:
		*(u32 *)at = (u32)value;
		break;
	default:
		*(u8 *)at = (u8)value;
	}
}

ssize_t record_decode(const u8 *data, size_t len, struct record *rec, u64 *last_ts, bool *known)
{
	struct input in = {data, data + len, false};
	u64 body = get_varint(&in);
	const struct field *fields;
	const u8 *end;
	u64 cpu, mask;
	u32 n;

	if (in.bad || body < 1 || body > (u64)(in.end - in.at))
		return -EINVAL;
	end = in.end = in.at + body;
	rec->type = *in.at++;
	rec->ts = *last_ts + (u64)unzigzag(get_varint(&in));
	*last_ts = rec->ts;
	cpu = get_varint(&in);
	mask = get_varint(&in);
	if (in.bad)
		return -EINVAL;
	rec->cpu = cpu && cpu <= CORUN_NO_CPU ? (u16)(cpu - 1) : CORUN_NO_CPU;
	*known = rec->type < REC_TYPES && record_infos[rec->type].fields;
	if (!*known)
		return end - data;
	record_defaults(rec);
	fields = record_infos[rec->type].fields;
	n = record_infos[rec->type].n_fields;
	for (u64 left = mask; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		/* A newer version's field: it and what follows is ours to ignore. */
		if (i >= n)
			break;
		get_field(&in, &fields[i], (char *)rec + fields[i].offset);
	}
	return in.bad ? -EINVAL : end - data;
}

/* ---- chunks ---- */

static void put_le(u8 *p, u64 value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (u8)(value >> 8 * i);
}

static u64 get_le(const u8 *p, int bytes)
{
	u64 value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (u64)p[i] << 8 * i;
	return value;
}

void chunk_header_encode(const struct chunk_header *header, u8 bytes[CHUNK_HEADER_LEN])
{
	memcpy(bytes, CHUNK_MAGIC, 4);
	put_le(bytes + 4, header->kind, 4);
	put_le(bytes + 8, header->raw_len, 4);
	put_le(bytes + 12, header->stored_len, 4);
	put_le(bytes + 16, header->crc, 4);
	put_le(bytes + 20, header->records, 4);
	put_le(bytes + 24, header->first_ts, 8);
}

int chunk_header_decode(const u8 bytes[CHUNK_HEADER_LEN], struct chunk_header *header)
{
	if (memcmp(bytes, CHUNK_MAGIC, 4))
		return -EINVAL;
	header->kind = (u32)get_le(bytes + 4, 4);
	header->raw_len = (u32)get_le(bytes + 8, 4);
	header->stored_len = (u32)get_le(bytes + 12, 4);
	header->crc = (u32)get_le(bytes + 16, 4);
	header->records = (u32)get_le(bytes + 20, 4);
	header->first_ts = get_le(bytes + 24, 8);
	if (!header->raw_len || header->raw_len > CHUNK_MAX || !header->stored_len ||
	    header->stored_len > CHUNK_MAX + CHUNK_MAX / 1000 + 64)
		return -EINVAL;
	return 0;
}

u32 chunk_crc(const struct chunk_header *header, const u8 *stored)
{
	struct chunk_header plain = *header;
	u8 bytes[CHUNK_HEADER_LEN];
	uLong crc;

	plain.crc = 0;
	chunk_header_encode(&plain, bytes);
	crc = crc32(0, bytes, sizeof(bytes));
	return (u32)crc32(crc, stored, header->stored_len);
}
