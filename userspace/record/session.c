/* SPDX-License-Identifier: MIT */
#include "record/session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "record/collect.h"
#include "record/loader.h"
#include "record/locks.h"
#include "record/runtime.h"
#include "record/stacks.h"
#include "record/target.h"
#include "record/tasks_go.h"
#include "record/tasks_usdt.h"

/*
 * How often the ring is emptied. Waking the recorder for every event costs 3 to 4 times the event;
 * looking every 10 ms costs nothing that can be measured, and at 500,000 events a second fills 600 kB
 * of 16 MiB between two looks.
 */
#define POLL_NS (10 * NSEC_PER_MSEC)

struct session {
	struct session_config config;
	struct loader *loader;
	struct collect *collect;
	struct trace_writer *writer;
	struct locks *locks;
	struct runtimes *runtimes; /* NULL with --gil=off */
	struct stacks *stacks;     /* NULL without --stacks and --kernel-stacks */
	struct tasks_go *tasks_go; /* NULL without --tasks=go */
	struct tasks_usdt *tasks_usdt; /* NULL without --probes */
	u64 lost;                  /* events, when last looked at */
	int late_error;            /* of a runtime's record */
	u64 now;    /* when the ring was last looked at */
	u64 settled; /* everything older was put out */
	bool ended; /* before it was stopped */
	struct buf args; /* last command line read from /proc */
};

static int put_record(void *ctx, const struct record *rec, bool late)
{
	struct session *s = ctx;
	int code = 0;

	/* What the programs themselves told of the time before goes first. */
	if (!late && s->config.marks)
		code = marks_flush(s->config.marks, rec->ts);
	if (code)
		return code;
	return late ? trace_writer_put_late(s->writer, rec) : trace_writer_put(s->writer, rec);
}

static int put_mark(void *ctx, const struct record *rec, bool late)
{
	struct session *s = ctx;

	return late ? trace_writer_put_late(s->writer, rec) : trace_writer_put(s->writer, rec);
}

/* Command line of a process that existed before recording. */
static const char *read_args(void *ctx, s32 tgid)
{
	struct session *s = ctx;
	char path[64];
	ssize_t n;
	int fd;

	buf_clear(&s->args);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (buf_reserve(&s->args, EV_ARGS_LEN)) {
		n = read(fd, s->args.data, EV_ARGS_LEN);
		while (n > 0 && !s->args.data[n - 1])
			n--;
		for (ssize_t i = 0; i < n; i++)
			if (!s->args.data[i])
				s->args.data[i] = ' ';
		s->args.len = n > 0 ? (size_t)n : 0;
		s->args.data[s->args.len] = '\0';
	}
	close(fd);
	return s->args.len ? s->args.data : NULL;
}

/* ---- runtimes with a global lock ---- */

static void put_runtime_record(void *ctx, const struct record *rec)
{
	struct session *s = ctx;
	int code = trace_writer_put_late(s->writer, rec);

	if (code && !s->late_error)
		s->late_error = code;
}

static void publish_runtime(void *ctx, s32 tgid, const struct ev_runtime *how, bool fork)
{
	struct session *s = ctx;

	/* A full table leaves the process to what the collector alone can tell: kinds, no holders. */
	loader_set_runtime(s->loader, tgid, how, fork);
}

static void publish_thread(void *ctx, s32 tid, u64 address)
{
	struct session *s = ctx;

	loader_set_runtime_thread(s->loader, tid, address);
}

static void probe_runtime(void *ctx, const char *path, u64 offset, bool taken)
{
	struct session *s = ctx;

	/* Without the uprobe the samples remain. */
	loader_probe_runtime(s->loader, path, offset, taken);
}

static s32 runtime_tid(void *ctx, s32 tgid, s32 ns_tid)
{
	struct session *s = ctx;

	return collect_tid(s->collect, tgid, ns_tid);
}

static void futex_wait(void *ctx, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait)
{
	struct session *s = ctx;

	/* What the words say first; a runtime knows better where the lock is its own. */
	locks_wait(s->locks, ev, tgid, wait);
	if (s->runtimes)
		runtimes_futex(s->runtimes, ev, tgid, wait);
}

/* Two processes in one pid namespace, as far as can be seen. */
static bool same_pid_ns(s32 a, s32 b)
{
	struct stat of_a, of_b;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", a);
	if (stat(path, &of_a))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", b);
	return !stat(path, &of_b) && of_a.st_ino == of_b.st_ino && of_a.st_dev == of_b.st_dev;
}

static s32 lock_owner_tid(void *ctx, s32 tgid, s32 ns_tid, bool shared)
{
	struct session *s = ctx;

	return shared ? collect_tid_shared(s->collect, tgid, ns_tid, same_pid_ns) :
			collect_tid(s->collect, tgid, ns_tid);
}

static bool gil_sample(void *ctx, const struct ev_gil *ev, struct record *rec)
{
	struct session *s = ctx;

	return s->runtimes && runtimes_gil(s->runtimes, ev, rec);
}

/* ---- call sites ---- */

static u64 session_now(void *ctx)
{
	return ((struct session *)ctx)->now;
}

static bool runtime_place(void *ctx, s32 tgid, u64 code, u64 instr, char *text, size_t size)
{
	struct session *s = ctx;

	return s->runtimes && runtimes_place(s->runtimes, tgid, code, instr, text, size);
}

static bool runtime_late(void *ctx, s32 tid, const struct ev_wait *wait, u64 *code, u64 *instr)
{
	struct session *s = ctx;

	return s->runtimes && runtimes_late(s->runtimes, tid, wait, code, instr);
}

static void call_sites(void *ctx, const struct ev_block *ev, const struct ev_stack *stack, size_t len,
		       struct collect_sites *sites)
{
	struct session *s = ctx;

	if (!s->stacks)
		return;
	if (ev->sw.head.stacks & EV_STACK_USER)
		sites->user = stacks_user(s->stacks, ev, stack, len);
	if (ev->sw.head.stacks & EV_STACK_KERNEL)
		sites->kernel = stacks_kernel(s->stacks, stack);
}

/* ---- tasks that the probes see ---- */

static void put_task(void *ctx, const struct record *rec)
{
	struct session *s = ctx;

	marks_task(s->config.marks, rec);
}

static int probe_program(void *ctx, const char *program, const char *path, u64 offset, u64 cookie)
{
	struct session *s = ctx;

	return loader_probe(s->loader, program, path, offset, cookie);
}

static int probe_usdt(void *ctx, const char *path, const char *provider, const char *name, u64 cookie)
{
	struct session *s = ctx;

	return loader_probe_usdt(s->loader, path, provider, name, cookie);
}

static int open_goroutines(struct session *s)
{
	static const struct tasks_go_ops ops = {.put = put_task, .probe = probe_program};
	char path[4096];
	int code = tasks_go_new(&s->tasks_go, &ops, s);

	/* `taskset 1 ./server`: any word may be the program that is run in the end. */
	for (char *const *word = s->config.command; !code && word && *word; word++)
		if (target_program(*word, path, sizeof(path)))
			tasks_go_program(s->tasks_go, path);
	return code;
}

static int open_tasks(struct session *s, struct error *err)
{
	static const struct tasks_usdt_ops ops = {.put = put_task, .probe = probe_usdt};
	int code = 0;

	if (!s->config.marks)
		return 0;
	if (s->config.tasks_go)
		code = open_goroutines(s);
	if (!code && s->config.probes)
		code = tasks_usdt_new(&s->tasks_usdt, s->config.probes, s->config.redact, &ops, s, err);
	return !code && s->tasks_usdt ? tasks_usdt_attach(s->tasks_usdt, err) : code;
}

static void task_event(struct session *s, const struct ev_head *event)
{
	bool lost = s->lost != collect_lost(s->collect);

	s->lost = collect_lost(s->collect);
	if (s->tasks_go) {
		if (lost)
			tasks_go_lost(s->tasks_go, event->ts);
		tasks_go_event(s->tasks_go, event);
	}
	if (s->tasks_usdt) {
		if (lost)
			tasks_usdt_lost(s->tasks_usdt, event->ts);
		tasks_usdt_event(s->tasks_usdt, event);
	}
}

static u32 stack_size(const struct session_config *config)
{
	if (config->user_stacks)
		return sizeof(struct ev_stack) + EV_STACK_BYTES;
	return config->kernel_stacks ? sizeof(struct ev_stack) : 0;
}

static u32 probe_target(enum target_kind target)
{
	switch (target) {
	case TARGET_COMM:
		return EV_TARGET_COMM;
	case TARGET_CGROUP:
		return EV_TARGET_CGROUP;
	case TARGET_ALL:
		return EV_TARGET_ALL;
	default:
		return EV_TARGET_LIST;
	}
}

int session_open(struct session **out, const struct session_config *config,
		 struct trace_writer *writer, struct error *err)
{
	static const struct collect_ops ops = {
		.put = put_record, .args = read_args, .futex = futex_wait, .gil = gil_sample,
		.sites = call_sites,
	};
	static const struct stacks_ops stack_ops = {
		.put = put_runtime_record, .now = session_now, .place = runtime_place,
		.late = runtime_late,
	};
	const struct runtimes_ops runtime_ops = {
		.put = put_runtime_record, .publish = publish_runtime, .thread = publish_thread,
		.tid = runtime_tid, .probe = config->gil == GIL_PROBE ? probe_runtime : NULL,
	};
	static const struct locks_ops lock_ops = {.put = put_runtime_record, .tid = lock_owner_tid};
	struct session *s = calloc(1, sizeof(*s));
	struct ev_config probes = {
		.target = probe_target(config->target),
		.self_tgid = getpid(),
		.cgroup_id = config->cgroup_id,
		.redact = config->redact,
		.user_stacks = config->user_stacks,
		.kernel_stacks = config->kernel_stacks,
		.stack_size = stack_size(config),
	};
	struct collect_config collect = {.redact = config->redact};
	int code;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	s->writer = writer;
	if (config->marks)
		marks_set_put(config->marks, put_mark, s);
	if (config->target == TARGET_COMMAND)
		collect.command_tgid = probes.command_tgid = config->tgids[0];
	if (config->comm_glob)
		snprintf(probes.comm_glob, sizeof(probes.comm_glob), "%s", config->comm_glob);
	code = loader_open(&s->loader, &probes, config->ring_bytes, err);
	if (!code)
		code = collect_new(&s->collect, &collect, &ops, s);
	if (!code)
		code = locks_new(&s->locks, &lock_ops, config->redact, s);
	if (!code && config->gil != GIL_OFF)
		code = runtimes_new(&s->runtimes, &runtime_ops, config->redact, s);
	if (!code && probes.stack_size)
		code = stacks_new(&s->stacks, &stack_ops, s);
	for (size_t i = 0; !code && config->target != TARGET_COMMAND && i < config->n_tgids; i++)
		code = loader_add_target(s->loader, config->tgids[i]);
	if (!code)
		code = loader_attach(s->loader, err);
	if (!code)
		code = open_tasks(s, err);
	if (code) {
		session_close(s);
		return code;
	}
	*out = s;
	return 0;
}

static int on_event(void *ctx, const void *data, size_t len)
{
	struct session *s = ctx;
	int code = collect_event(s->collect, data, len);

	if (!code && s->stacks)
		stacks_event(s->stacks, data);
	if (!code)
		locks_event(s->locks, data);
	if (!code && s->runtimes)
		runtimes_event(s->runtimes, data, s->now);
	if (!code)
		task_event(s, data);
	return code ? code : s->late_error;
}

/* Empty the ring and put out what has become old enough. */
static int consume(struct session *s)
{
	u64 watermark = 0;
	int code;

	s->now = loader_now();
	if (s->config.marks)
		marks_poll(s->config.marks, s->now, false);
	code = loader_consume(s->loader, on_event, s, &watermark);
	if (!code && watermark) {
		code = collect_advance(s->collect, watermark);
		s->settled = watermark > COLLECT_HOLD_NS ? watermark - COLLECT_HOLD_NS : 0;
	}
	return code;
}

int session_start(struct session *s, struct error *err)
{
	int code;

	if (s->config.target == TARGET_COMMAND)
		return 0;
	code = loader_iterate(s->loader, "snapshot", err);
	if (code)
		return code;
	code = collect_window(s->collect, loader_now());
	return code ? error_set(err, code, "out of memory") : 0;
}

int session_poll(struct session *s, int timeout_ms, bool wait_all, struct error *err)
{
	u64 until = loader_now() + (u64)timeout_ms * NSEC_PER_MSEC;
	int code;

	collect_set_wait_all(s->collect, wait_all);
	for (;;) {
		u64 now;
		struct timespec pause;

		code = consume(s);
		now = loader_now();
		if (!code)
			code = trace_writer_tick(s->writer, now);
		if (code)
			return error_set(err, code, "cannot write the trace: %s", strerror(-code));
		if (collect_ended(s->collect))
			return 1;
		if (now >= until)
			return 0;
		pause = (struct timespec){0, (long)(until - now < POLL_NS ? until - now : POLL_NS)};
		if (nanosleep(&pause, NULL))
			return 0; /* a signal: the caller looks */
	}
}

int session_settle(struct session *s, u64 *until, struct error *err)
{
	int code = loader_iterate(s->loader, "pending", err);
	u64 before, after, settled = s->settled;
	u32 *next_seq;
	size_t n_cpus;

	if (code)
		return code;
	next_seq = calloc(EV_MAX_CPUS, sizeof(*next_seq));
	if (!next_seq)
		return error_set(err, -ENOMEM, "out of memory");
	before = loader_now();
	n_cpus = loader_sequences(s->loader, next_seq, EV_MAX_CPUS);
	after = loader_now();
	/* An event has its place before it has its number: who has one of these is on the ring, or lost. */
	code = consume(s);
	if (!code && s->settled > settled)
		code = collect_settle(s->collect, next_seq, n_cpus, before, after);
	if (!code)
		code = trace_writer_flush(s->writer);
	*until = s->settled;
	free(next_seq);
	return code ? error_set(err, code, "cannot follow the records: %s", strerror(-code)) : 0;
}

void session_stats(const struct session *s, struct session_stats *stats)
{
	*stats = (struct session_stats){
		.events = collect_events(s->collect),
		.lost = collect_lost(s->collect),
		.running = collect_running(s->collect),
		.in_flight = collect_in_flight(s->collect),
		.threads = collect_threads(s->collect),
		.joined = collect_joined(s->collect),
	};
}

int session_stop(struct session *s, struct error *err)
{
	u32 *next_seq = calloc(EV_MAX_CPUS, sizeof(*next_seq));
	u64 stop = loader_now(), deadline = stop + NSEC_PER_SEC;
	size_t n_cpus;
	int code = 0;

	if (!next_seq)
		return -ENOMEM;
	s->ended = collect_ended(s->collect);
	if (!s->ended)
		loader_iterate(s->loader, "pending", NULL);
	loader_detach(s->loader);
	n_cpus = loader_sequences(s->loader, next_seq, EV_MAX_CPUS);
	/* A program that was running when it was detached may still be writing its record. */
	for (u64 watermark = 0; !code && !watermark && loader_now() < deadline;)
		code = loader_consume(s->loader, on_event, s, &watermark);
	locks_finish(s->locks, stop);
	if (s->runtimes)
		runtimes_finish(s->runtimes, stop);
	if (s->stacks)
		stacks_finish(s->stacks);
	if (s->config.marks)
		marks_poll(s->config.marks, loader_now(), true);
	if (!code)
		code = collect_finish(s->collect, stop, next_seq, n_cpus);
	if (!code && s->config.marks)
		code = marks_notes(s->config.marks, stop);
	if (!code && s->config.marks)
		code = marks_flush(s->config.marks, UINT64_MAX);
	free(next_seq);
	return code ? error_set(err, code, "cannot write the trace: %s", strerror(-code)) : 0;
}

bool session_ended(const struct session *s)
{
	return s->ended;
}

size_t session_survivors(const struct session *s, s32 *tgids, size_t max)
{
	return collect_alive(s->collect, tgids, max);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	locks_free(s->locks);
	stacks_free(s->stacks);
	runtimes_free(s->runtimes);
	tasks_go_free(s->tasks_go);
	tasks_usdt_free(s->tasks_usdt);
	collect_free(s->collect);
	loader_close(s->loader);
	buf_free(&s->args);
	free(s);
}
