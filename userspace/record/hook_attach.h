/* SPDX-License-Identifier: MIT */
/* hook_attach.h - the Python hook let into programs that run already: CPython 3.14 and later that use asyncio. */
#ifndef CORUN_RECORD_HOOK_ATTACH_H
#define CORUN_RECORD_HOOK_ATTACH_H

#include "record/attach_python.h"
#include "record/marks.h"

#define HOOK_ATTACH_MAX 64

struct hook_attach {
	struct attach_python at[HOOK_ATTACH_MAX];
	u32 n;
};

/* Let it into @tgid. 0; or -errno, with @why, a sentence for the report. */
int hook_attach(struct hook_attach *h, const struct marks *marks, s32 tgid, struct error *why);
/* The recording ends: who has not taken it will not any more. Its process, for the report; -1: no more. */
s32 hook_attach_cancel(struct hook_attach *h);

#endif
