/* SPDX-License-Identifier: MIT */
/* random_record.h - records with every field filled at random, hostile strings included. */
#ifndef CORUN_TESTS_RANDOM_RECORD_H
#define CORUN_TESTS_RANDOM_RECORD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/fields.h"

static u64 random_u64(void)
{
	u64 value = 0;

	/* Small and large numbers alike. */
	for (int i = rand() % 9; i > 0; i--)
		value = value << 8 | (u64)(rand() & 0xff);
	return value;
}

static const char *random_string(void)
{
	static char pool[64][40];
	static unsigned int next;
	char *s = pool[next++ % ARRAY_SIZE(pool)];
	int len = rand() % 3 ? rand() % 12 : rand() % 39;

	for (int i = 0; i < len; i++)
		s[i] = (char)(1 + rand() % 255);
	s[len] = '\0';
	return s;
}

static void random_record(struct record *rec, u64 ts)
{
	*rec = (struct record){.ts = ts, .type = (u16)(1 + rand() % (REC_TYPES - 1)),
			       .cpu = rand() % 4 ? (u16)(rand() % 300) : CORUN_NO_CPU};
	record_defaults(rec);
	for (const struct field *f = record_infos[rec->type].fields; f->name; f++) {
		void *at = (char *)rec + f->offset;

		if (!(rand() % 3))
			continue;
		switch (f->type) {
		case FIELD_STRING:
			*(const char **)at = random_string();
			break;
		case FIELD_CALL:
			*(s16 *)at = (s16)(rand() % 600 - 1);
			break;
		case FIELD_ARGS:
			for (int i = 0; i < 4; i++)
				((u64 *)at)[i] = random_u64();
			break;
		case FIELD_U64:
		case FIELD_HEX:
			*(u64 *)at = random_u64();
			break;
		case FIELD_U32:
		case FIELD_S32:
		case FIELD_STATE:
		case FIELD_FLAGS32:
			*(u32 *)at = (u32)random_u64();
			break;
		default:
			*(u8 *)at = (u8)rand();
		}
	}
}

#endif
