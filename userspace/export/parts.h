/* SPDX-License-Identifier: MIT */
/*
 * parts.h - several traces on one time line.
 *
 * A trace's times are its machine's CLOCK_MONOTONIC, and it carries one instant of both that clock
 * and CLOCK_REALTIME (META mono_ns, wall_ns). Traces of one boot share the first clock: their order
 * is exact. Traces of two machines, or of two boots, are laid side by side by the second: as well
 * as those clocks agree. Each trace says how far its own may be off (META wall_error_ns: the
 * kernel's estimate for a clock that NTP keeps, adjtimex(2) maxerror); two may be off by the sum.
 */
#ifndef CORUN_EXPORT_PARTS_H
#define CORUN_EXPORT_PARTS_H

#include "export/export.h"
#include "trace/trace.h"

struct part {
	struct export_part pub;
	struct trace_reader *reader;
	u64 begin_ns;       /* CLOCK_MONOTONIC where the window opens */
	u64 mono_ns, wall_ns;
	bool has_wall;
	s64 error_ns;       /* of wall_ns; -1: not known */
	char *host, *boot_id, *label;
};

struct parts {
	struct part *part;
	u32 n;
	u64 size, done;     /* bytes */
	s64 unsure_ns;      /* the worst pair */
};

/* Open and align @n traces. 0 or -errno with @err; close in both cases. */
int parts_open(struct parts *parts, const char *const *traces, u32 n, struct error *err);
void parts_close(struct parts *parts);

#endif
