/* SPDX-License-Identifier: MIT */
/*
 * gen_trace FILE [RECORDS] - write a trace as a switch-heavy program makes it and read it back.
 * Prints what an event takes on disk and how many a second of CPU time are written and read.
 *
 * Two processes of six threads on two CPUs wake each other; they wait on pipes, sockets, mutexes
 * (held by one of them), the GIL, for a disk, for time to pass, and are preempted now and then; every
 * so often a thread ends and another is forked. All is consistent: each CPU's previous thread is
 * its last next one, and only who sleeps is woken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace/trace.h"

#define THREADS 12
#define CPUS 2
#define BEGIN_NS ((u64)1000000000000)
#define FORK_EVERY 16384 /* switches */

static const char *const names[THREADS / 2] = {
	"server", "worker-1", "worker-2", "worker-3", "logger", "timer",
};

struct machine {
	struct trace_writer *writer;
	u64 ts, written, switches;
	s32 tid[THREADS], next_tid;
	struct { u8 at[THREADS]; u32 head, n; } ready, asleep; /* first in, first out */
	u8 kind[THREADS]; /* what it sleeps in: row of `waits` */
	u8 on[CPUS];
};

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Times differ in their low bits as real ones do; a fixed seed makes every run the same. */
static u64 random_number(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static s32 tgid_of(u32 thread)
{
	return thread < THREADS / 2 ? 40212 : 50300;
}

static void put(struct machine *m, struct record *rec, u16 cpu)
{
	rec->ts = m->ts;
	rec->cpu = cpu;
	m->written += !trace_writer_put(m->writer, rec);
}

#define PUT(machine, on_cpu, ...)                                                                  \
	put(machine, &(struct record){__VA_ARGS__}, on_cpu)

#define PUSH(queue, thread) ((queue)->at[((queue)->head + (queue)->n++) % THREADS] = (u8)(thread))
#define POP(queue) ((queue)->n--, (queue)->at[(queue)->head++ % THREADS])

/* What threads wait in, and who ends it. */
enum { PIPE, SOCKET, MUTEX, GIL, DISK, SLEEP, WAITS };
static const u8 woken_from[WAITS] = {
	WAKER_TASK, WAKER_SOFTIRQ_SELF, WAKER_TASK, WAKER_TASK, WAKER_HARDIRQ, WAKER_HARDIRQ,
};

static void fill_wait(const struct machine *m, struct rec_wait *w, u32 kind, u32 thread)
{
	switch (kind) {
	case PIPE:
	case SOCKET:
		w->nr = kind == PIPE ? 0 : 45; /* read, recvfrom */
		w->args[0] = 3 + thread;
		w->args[1] = 0x7ffd5c0a1e2f + (u64)thread * 64;
		w->args[2] = kind == PIPE ? 1 : 4096;
		w->fd_kind = kind == PIPE ? FD_PIPE : FD_TCP;
		w->desc = (kind == PIPE ? 0x100 : 0x200) + thread;
		break;
	case MUTEX:
	case GIL:
		w->nr = 202; /* futex */
		w->lock = (kind == GIL ? 0x55d0c0ffe000 : 0x7f3a5c0a1e20) + (u64)(thread % 3) * 0x40;
		if (kind == GIL)
			w->lock = 0x55d0c0ffe000;
		w->args[0] = w->lock + (kind == GIL ? 72 : 0);
		w->args[1] = kind == GIL ? 0x89 : 0x80;
		w->lock_kind = kind == GIL ? LOCK_GIL : LOCK_MUTEX;
		w->word = w->args[2] = 2;
		w->flags = WAIT_OWNER;
		/* Somebody else of its process. */
		w->owner = m->tid[thread / 6 * 6 + (thread + 1 + random_number() % 5) % 6];
		break;
	case DISK:
		w->nr = 17; /* pread64 */
		w->args[0] = 9;
		w->fd_kind = FD_FILE;
		w->desc = 0x300 + thread / 6;
		w->flags = WAIT_IO;
		break;
	default:
		w->nr = 230; /* clock_nanosleep */
		w->flags = WAIT_TIMED;
		w->timeout_ns = 50000 * (1 + random_number() % 4);
	}
}

static void put_start(struct machine *m)
{
	char name[64];

	PUT(m, CORUN_NO_CPU, .type = REC_META, .meta = {"command", "server --threads 6"});
	PUT(m, CORUN_NO_CPU, .type = REC_META, .meta = {"cpus", "2"});
	PUT(m, CORUN_NO_CPU, .type = REC_META, .meta = {"host", "bench"});
	for (u32 t = 0; t < THREADS; t++) {
		bool running = t < CPUS;

		m->tid[t] = tgid_of(t) + (s32)(t % 6);
		PUT(m, running ? (u16)t : CORUN_NO_CPU, .type = REC_THREAD, .thread = {
			.tid = m->tid[t], .tgid = tgid_of(t), .ns_tid = m->tid[t],
			.ns_tgid = tgid_of(t), .comm = names[t % 6],
			.args = t % 6 ? "" : "server --threads 6",
			.flags = THREAD_SNAPSHOT | (running ? THREAD_RUNNING : THREAD_READY)});
		if (running)
			m->on[t] = (u8)t;
		else
			PUSH(&m->ready, t);
		snprintf(name, sizeof(name), "10.0.0.%u:5432", t);
		PUT(m, CORUN_NO_CPU, .type = REC_DESC, .desc = {0x200 + t, FD_TCP, name,
								 "10.0.0.1:40000"});
		PUT(m, CORUN_NO_CPU, .type = REC_DESC, .desc = {0x100 + t, FD_PIPE, "", ""});
	}
	for (u32 p = 0; p < 2; p++)
		PUT(m, CORUN_NO_CPU, .type = REC_DESC,
		    .desc = {0x300 + p, FD_FILE, p ? "/var/lib/b.db" : "/var/lib/a.db", ""});
	PUT(m, CORUN_NO_CPU, .type = REC_WINDOW, .window = {1});
}

static void wake_one(struct machine *m, u16 cpu)
{
	u8 t = POP(&m->asleep);

	PUT(m, cpu, .type = REC_WAKING, .waking = {.tid = m->tid[t], .waker = m->tid[m->on[cpu]],
						   .context = woken_from[m->kind[t]]});
	PUSH(&m->ready, t);
	m->ts += 300 + random_number() % 200;
}

/* The thread on @cpu ends, and one of its process's others has forked its successor: same place. */
static void replace(struct machine *m, u16 cpu, u8 t, u8 next)
{
	s32 old = m->tid[t], tid = 60000 + m->next_tid++ % 1000000;

	PUT(m, cpu, .type = REC_FORK, .fork = {.tid = tid, .tgid = tgid_of(t), .ns_tid = tid,
		.ns_tgid = tgid_of(t), .parent = old, .comm = names[t % 6], .args = ""});
	PUT(m, cpu, .type = REC_EXIT, .exit = {.tid = old, .tgid = tgid_of(t)});
	m->ts += 700;
	PUT(m, cpu, .type = REC_SWITCH, .sw = {.prev = old, .next = m->tid[next],
		.prev_state = TASK_BIT_DEAD, .prev_prio = 120, .next_prio = 120});
	m->tid[t] = tid;
	PUSH(&m->ready, t);
}

static void switch_one(struct machine *m, u16 cpu)
{
	u8 t = m->on[cpu], next = POP(&m->ready);
	struct record rec = {.type = REC_SWITCH};
	u64 dice = random_number();

	m->on[cpu] = next;
	if (++m->switches % FORK_EVERY == 0 && t % 6) {
		replace(m, cpu, t, next);
		return;
	}
	rec.sw = (struct rec_switch){.prev = m->tid[t], .next = m->tid[next], .prev_state = 1,
				     .prev_prio = 120, .next_prio = 120};
	if (dice % 16 == 0) {
		rec.sw.prev_state = 0;
		rec.sw.flags = SWITCH_PREEMPT;
		PUSH(&m->ready, t);
	} else {
		m->kind[t] = (u8)(dice / 16 % WAITS);
		fill_wait(m, &rec.sw.wait, m->kind[t], t);
		PUSH(&m->asleep, t);
	}
	put(m, &rec, cpu);
}

static int write_trace(const char *path, u64 n, struct error *err)
{
	struct machine *m = calloc(1, sizeof(*m));
	int code = m ? trace_writer_open(&m->writer, path, true, err) : -ENOMEM;

	if (code) {
		free(m);
		return code;
	}
	m->ts = BEGIN_NS;
	put_start(m);
	/* One record is the window's end. */
	while (m->written + 1 < n) {
		u64 dice = random_number();
		u16 cpu = (u16)(dice >> 20 & 1);

		m->ts += 900 + dice % 700;
		/* Half of the threads sleep in the end: as many are woken as fall asleep. */
		if (m->asleep.n >= THREADS / 2 || (m->asleep.n && dice >> 30 & 1))
			wake_one(m, cpu);
		if (m->written + 1 < n && m->ready.n)
			switch_one(m, cpu);
	}
	PUT(m, CORUN_NO_CPU, .type = REC_WINDOW, .window = {0});
	code = trace_writer_close(m->writer, m->ts, 0, err);
	free(m);
	return code;
}

static int read_trace(const char *path, u64 *bytes, u64 *records, struct error *err)
{
	struct trace_reader *reader;
	const struct record *rec;
	int code = trace_reader_open(&reader, path, err);

	if (code)
		return code;
	*records = 0;
	while ((code = trace_reader_next(reader, &rec, err)) > 0)
		++*records;
	*bytes = trace_reader_size(reader);
	if (!code && trace_reader_status(reader) != TRACE_WHOLE)
		code = error_set(err, -EIO, "the trace does not come back whole");
	trace_reader_close(reader);
	return code;
}

int main(int argc, char **argv)
{
	u64 n = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000, records, bytes;
	struct error err = {0};
	double begin, wrote, done;
	int code;

	if (argc < 2 || n < 100) {
		fprintf(stderr, "usage: gen_trace FILE [RECORDS]\n");
		return 2;
	}
	begin = cpu_seconds();
	code = write_trace(argv[1], n, &err);
	wrote = cpu_seconds();
	if (!code)
		code = read_trace(argv[1], &bytes, &records, &err);
	done = cpu_seconds();
	if (code) {
		fprintf(stderr, "gen_trace: %s\n", error_text(&err, code));
		return 1;
	}
	printf("%llu records, %.2f bytes an event, %.2f M/s written, %.2f M/s read\n",
	       (unsigned long long)records, (double)bytes / (double)n,
	       (double)n / 1e6 / (wrote - begin), (double)n / 1e6 / (done - wrote));
	return 0;
}
