/* SPDX-License-Identifier: MIT */
/* go_wait.h - what a goroutine waits for, and in which line, from the runtime's word and its callers. */
#ifndef CORUN_RECORD_GO_WAIT_H
#define CORUN_RECORD_GO_WAIT_H

#include "base/map.h"
#include "record/go_file.h"

struct go_wait {
	char what[64];  /* as in rec_task.what: "condition:chan receive" */
	char site[160]; /* "app.go:12 (main.fetch)" of the program's own code; "" not known */
};

/* Those of one program; start from zeroed memory. */
struct go_waits {
	struct map known; /* hash of reason and callers -> struct go_wait */
};

/* @pcs: @n return addresses from runtime.gopark outwards, in the file's own terms; 0: no more. NULL: no
 * memory. It stays until go_waits_free(). */
const struct go_wait *go_waits_get(struct go_waits *waits, const struct go_file *file, const char *reason,
				   const u64 *pcs, size_t n);
void go_waits_free(struct go_waits *waits);

#endif
