/* SPDX-License-Identifier: MIT */
/*
 * chrome_wait.h - the JSON of a wait: its name and the facts in its args.
 *
 * A program waits in the same few places over and over: texts are made once and kept, in a table of
 * fixed size whose entries give way to one another.
 */
#ifndef CORUN_EXPORT_CHROME_WAIT_H
#define CORUN_EXPORT_CHROME_WAIT_H

#include "base/buf.h"
#include "export/rows.h"

#define WAIT_TEXTS 1024 /* a power of two */

struct wait_text {
	/* `pipe","name":"pipe:[4711]"`, from the category on; `"call":"read"`, the inside of args */
	char *name, *args;
	u32 name_len, args_len;
	struct wait_info of; /* what it is the text of */
};

struct wait_texts {
	struct rows *rows;
	struct wait_text table[WAIT_TEXTS];
	struct buf name, args; /* where texts are made */
	bool failed;
};

/* The system call that it waits in: "" where none is known, or where the lock says it already (a futex). */
const char *wait_call(const struct wait_info *wait);
/* Two waits have the same text. What no text shows (buffer addresses, the futex word) does not
 * count. */
bool wait_same(const struct wait_info *a, const struct wait_info *b);
u32 wait_hash(const struct wait_info *wait); /* below WAIT_TEXTS */
/* Valid until the next call. Never NULL: without memory it is a bare name. */
const struct wait_text *wait_text(struct wait_texts *texts, const struct wait_info *wait);
/* A thread has another name: forget the texts that may hold it. */
void wait_texts_clear(struct wait_texts *texts);
void wait_texts_free(struct wait_texts *texts);

#endif
