/* SPDX-License-Identifier: MIT */
/*
 * python_object.c - strings and attributes in the memory of a Python process. Everything read may
 * be garbage, because the process goes on meanwhile: lengths are bounded, texts must end where
 * they say.
 */
#include <string.h>

#include "record/python.h"

#define STRING_MAX 4096
#define ENTRIES_MAX 256

/* PyASCIIObject.state: bit fields behind `interned`. */
struct string_state {
	u32 kind;      /* bytes a character: 1, 2, 4 */
	bool compact, ascii;
};

/* `interned` takes 2 bits, in free-threaded builds a byte or two. */
static bool string_state(u32 word, struct string_state *state)
{
	static const u8 shifts[] = {2, 8, 16};

	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		u32 bits = word >> shifts[i];

		*state = (struct string_state){bits & 7, bits >> 3 & 1, bits >> 4 & 1};
		if (state->compact && (state->kind == 1 || state->kind == 2 || state->kind == 4))
			return true;
	}
	return false;
}

static size_t put_utf8(char *out, size_t room, u32 c)
{
	if (c < 0x80 && room > 1) {
		out[0] = (char)c;
		return 1;
	}
	if (c >= 0x80 && c < 0x800 && room > 2) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c >= 0x800 && c < 0x10000 && room > 3) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	if (c >= 0x10000 && c < 0x110000 && room > 4) {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
		return 4;
	}
	return 0;
}

bool python_string(const struct python *py, s32 tgid, u64 object, bool tail, char *text, size_t size)
{
	u8 head[24], data[1024];
	struct string_state state;
	u64 length, at, skip = 0;
	size_t used = 0;
	u32 word;

	if (!object || size < 2 || process_read(tgid, object + py->layout.object_head, head, sizeof(head)))
		return false;
	memcpy(&length, head + PYTHON_STRING_LENGTH, sizeof(length));
	memcpy(&word, head + PYTHON_STRING_STATE, sizeof(word));
	if (length > STRING_MAX || !string_state(word, &state))
		return false;
	at = object + py->layout.string_data;
	if (!state.ascii) /* PyCompactUnicodeObject: utf8_length, utf8, before 3.12 wstr_length */
		at += py->layout.string_data == 48 ? 24 : 16;
	if (tail && length > size - 1)
		skip = length - (size - 1);
	at += skip * state.kind;
	length -= skip;
	if (length * state.kind > sizeof(data))
		length = sizeof(data) / state.kind;
	if (length && process_read(tgid, at, data, length * state.kind))
		return false;
	for (u64 i = 0; i < length; i++) {
		u32 c = 0;
		size_t n;

		memcpy(&c, data + i * state.kind, state.kind);
		if (!c || (state.ascii && c >= 0x80))
			return false;
		n = put_utf8(text + used, size - used, c);
		if (!n)
			break;
		used += n;
	}
	text[used] = '\0';
	return true;
}

static int read_member(const struct python *py, s32 tgid, u64 object, enum python_object member,
		       u64 *value)
{
	return process_read_u64(tgid, object + py->layout.object_head + (u64)(s64)member, value);
}

bool python_type_name(const struct python *py, s32 tgid, u64 object, char *name, size_t size)
{
	u64 type, at;

	if (read_member(py, tgid, object, PYTHON_TYPE, &type) ||
	    read_member(py, tgid, type, PYTHON_TYPE_NAME, &at))
		return false;
	/* It may stand at the end of a mapping. */
	for (size_t n = size - 1; n; n /= 2) {
		if (process_read(tgid, at, name, n))
			continue;
		name[n] = '\0';
		return true;
	}
	return false;
}

/* ---- attributes ---- */

/* PyDictKeysObject: a head, indices, then `n` entries (Objects/dictobject.c). */
struct keys {
	u64 entries;    /* address of the first */
	u64 n;
	u32 stride;     /* bytes of an entry */
	u32 key;        /* of the key in an entry, the value follows */
};

static bool read_keys(const struct python *py, s32 tgid, u64 at, struct keys *keys)
{
	u64 head[5];
	u8 bytes[4];

	if (!at || process_read(tgid, at, head, sizeof(head)))
		return false;
	if (py->layout.minor <= 10) {
		u64 size = head[1]; /* dk_size, a power of two; indices of 1, 2 or 4 bytes */

		keys->n = head[4];
		keys->entries = at + 40 + size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
		keys->stride = 24;
		keys->key = 8;
		return keys->n <= ENTRIES_MAX && size >= keys->n && size <= 65536;
	}
	memcpy(bytes, &head[1], sizeof(bytes)); /* log2_size, log2_index_bytes, kind */
	keys->n = head[3];
	keys->entries = at + 32 + ((u64)1 << (bytes[1] & 31));
	keys->stride = bytes[2] ? 16 : 24; /* keys that are all str carry no hash */
	keys->key = bytes[2] ? 0 : 8;
	return keys->n <= ENTRIES_MAX && bytes[0] < 20 && bytes[1] < 24;
}

static bool find_key(const struct python *py, s32 tgid, const struct keys *keys, const char *name,
		     u64 *index)
{
	char text[64];
	u64 key;

	for (u64 i = 0; i < keys->n; i++) {
		if (process_read_u64(tgid, keys->entries + i * keys->stride + keys->key, &key))
			return false;
		if (key && python_string(py, tgid, key, false, text, sizeof(text)) &&
		    !strcmp(text, name)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* In a dict object: a table of its own, or values beside keys that its class shares. */
static u64 in_dict(const struct python *py, s32 tgid, u64 dict, const char *name)
{
	u64 keys_at, values, index, value = 0;
	struct keys keys;

	if (read_member(py, tgid, dict, PYTHON_DICT_KEYS, &keys_at) ||
	    read_member(py, tgid, dict, PYTHON_DICT_VALUES, &values) ||
	    !read_keys(py, tgid, keys_at, &keys) || !find_key(py, tgid, &keys, name, &index))
		return 0;
	if (!values)
		values = keys.entries + index * keys.stride + keys.key + 8;
	else
		values += (py->layout.minor >= 13 ? 8 : 0) + index * 8;
	return process_read_u64(tgid, values, &value) ? 0 : value;
}

/* Among the keys that the instances of a class share: PyHeapTypeObject.ht_cached_keys, at 872 in 3.11,
 * 880 in 3.12 to 3.14, 888 in 3.15, behind a head of 16 bytes. What stands elsewhere does not have the
 * name. */
static bool find_shared(const struct python *py, s32 tgid, u64 type, const char *name, u64 *index)
{
	static const u16 places[] = {872, 880, 888};
	struct keys keys;
	u64 at;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!process_read_u64(tgid, type + places[i] + py->layout.object_head - 16, &at) && read_keys(py, tgid, at, &keys) &&
		    find_key(py, tgid, &keys, name, index))
			return true;
	return false;
}

/*
 * Where an instance keeps its attributes (Objects/dictobject.c, pycore_object.h): 3.8 to 3.10 in a
 * dict after its head; 3.11 in values whose address stands 4 words before it, or in a dict 3
 * before; 3.12 in either, by one word 3 before it; 3.13 and later in values at its end, or in a
 * dict 3 words before it (free-threaded builds, without a collector's head: 1 word).
 */
u64 python_attribute(const struct python *py, s32 tgid, u64 object, const char *name)
{
	u64 type, basicsize, dict = 0, values = 0, index, value = 0;

	if (py->layout.minor <= 10)
		return process_read_u64(tgid, object + 16, &dict) || !dict
			       ? 0 : in_dict(py, tgid, dict, name);
	if (process_read_u64(tgid, object - (py->layout.free_threaded ? 8 : 24), &dict) ||
	    read_member(py, tgid, object, PYTHON_TYPE, &type))
		return 0;
	if (py->layout.minor == 11) {
		if (!dict && process_read_u64(tgid, object - 32, &values))
			return 0;
	} else if (py->layout.minor == 12) {
		/* PyDictOrValues: a pointer to values is stored less one, which sets bit 0 */
		if (dict & 1) {
			values = dict + 1;
			dict = 0;
		}
	} else if (!dict) {
		if (read_member(py, tgid, type, PYTHON_TYPE_BASICSIZE, &basicsize))
			return 0;
		values = object + basicsize + 8; /* after capacity, size, embedded, valid */
	}
	if (dict)
		return in_dict(py, tgid, dict, name);
	if (!values || !find_shared(py, tgid, type, name, &index) ||
	    process_read_u64(tgid, values + index * 8, &value))
		return 0;
	return value;
}
