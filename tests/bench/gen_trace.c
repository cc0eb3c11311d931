/* SPDX-License-Identifier: MIT */
/*
 * gen_trace FILE [RECORDS] - write a trace as a switch-heavy program makes it (two threads that
 * wake each other through pipes and futexes on two CPUs) and read it back. Prints what an event
 * takes on disk and how many a second of CPU time are written and read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace/trace.h"

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Times differ in their low bits as real ones do; a fixed seed makes every run the same. */
static u64 jitter(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % 700;
}

static void make_switch(struct record *rec, u64 i)
{
	struct rec_switch *sw = &rec->sw;
	bool second = i / 2 & 1;

	rec->type = REC_SWITCH;
	sw->prev = second ? 40213 : 40212;
	sw->next = second ? 40212 : 40213;
	sw->prev_state = 1;
	sw->prev_prio = sw->next_prio = 120;
	if (i % 16 < 12) {
		sw->wait.nr = 0; /* read */
		sw->wait.args[0] = second ? 3 : 5;
		sw->wait.args[1] = 0x7ffd5c0a1e2f + (u64)second * 64;
		sw->wait.args[2] = 1;
		sw->wait.fd_kind = FD_PIPE;
		sw->wait.desc = second ? 0xe0001a2b3 : 0xe0001a2b4;
	} else {
		sw->wait.nr = 202; /* futex */
		sw->wait.args[0] = 0x7f3a5c0a1e20;
		sw->wait.args[1] = 0x80;
		sw->wait.args[2] = 2;
		sw->wait.lock_kind = LOCK_MUTEX;
		sw->wait.lock = 0x7f3a5c0a1e20;
		sw->wait.flags = WAIT_OWNER;
		sw->wait.word = 2;
		sw->wait.owner = sw->next;
	}
}

static int write_trace(const char *path, u64 n, struct error *err)
{
	struct trace_writer *writer;
	u64 ts = 1000000000000;
	int code = trace_writer_open(&writer, path, true, err);

	if (code)
		return code;
	for (u64 i = 0; i < n; i++) {
		struct record rec = {.ts = ts += 900 + jitter(), .cpu = (u16)(i / 64 % 2)};

		if (i & 1) {
			make_switch(&rec, i);
		} else {
			rec.type = REC_WAKING;
			rec.waking.tid = i / 2 & 1 ? 40212 : 40213;
			rec.waking.waker = i / 2 & 1 ? 40213 : 40212;
			rec.waking.context = 1;
		}
		if (trace_writer_put(writer, &rec))
			break;
	}
	return trace_writer_close(writer, ts, 0, err);
}

int main(int argc, char **argv)
{
	u64 n = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000, read = 0;
	struct trace_reader *reader;
	const struct record *rec;
	struct error err = {0};
	double begin, wrote, done;

	if (argc < 2 || !n) {
		fprintf(stderr, "usage: gen_trace FILE [RECORDS]\n");
		return 2;
	}
	begin = cpu_seconds();
	if (write_trace(argv[1], n, &err)) {
		fprintf(stderr, "gen_trace: %s\n", err.text);
		return 1;
	}
	wrote = cpu_seconds();
	if (trace_reader_open(&reader, argv[1], &err)) {
		fprintf(stderr, "gen_trace: %s\n", err.text);
		return 1;
	}
	while (trace_reader_next(reader, &rec, &err) > 0)
		read++;
	done = cpu_seconds();
	if (read != n + 1 || trace_reader_status(reader) != TRACE_WHOLE) {
		fprintf(stderr, "gen_trace: %llu records came back\n", (unsigned long long)read);
		return 1;
	}
	printf("%.2f bytes an event, %.2f M/s written, %.2f M/s read\n",
	       (double)trace_reader_size(reader) / (double)n, (double)n / 1e6 / (wrote - begin),
	       (double)n / 1e6 / (done - wrote));
	trace_reader_close(reader);
	return 0;
}
