/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the fields of every record type, once. Printing, parsing and comparing records go by
 * this table, so the text form cannot drift from the struct. Private to trace/.
 */
#ifndef CORUN_TRACE_FIELDS_H
#define CORUN_TRACE_FIELDS_H

#include "trace/record.h"

enum field_type {
	FIELD_U8,
	FIELD_U32,
	FIELD_S32,
	FIELD_U64,    /* decimal */
	FIELD_HEX,    /* u64, hexadecimal */
	FIELD_STATE,  /* u32, hexadecimal */
	FIELD_STRING, /* const char * */
	FIELD_NAME8,  /* u8, one of `names` */
	FIELD_FLAGS8, /* u8, bits named by `names` */
	FIELD_FLAGS32,
	FIELD_CALL,   /* s16, system call by name, -1 left out */
	FIELD_ARGS,   /* u64[4], hexadecimal, comma */
};

struct field {
	const char *name;
	enum field_type type;
	u16 offset; /* in struct record */
	const char *const *names; /* NULL-terminated; a hole is "" */
};

struct record_info {
	const char *name;
	const struct field *fields; /* ends with name NULL */
	u32 n_fields;
};

extern const struct record_info record_infos[REC_TYPES];

/* Set every field of @rec's type to its default: what the text form leaves out. */
void record_defaults(struct record *rec);
/* Same type, ts, cpu and fields; strings by content. */
bool record_equal(const struct record *a, const struct record *b);

#endif
