/* SPDX-License-Identifier: MIT */
/*
 * corun.h - mark regions, tasks and facts of a C or C++ program for `corun record`.
 *
 *     #include "corun.h"
 *
 *     corun_begin("work");                                  // a region: figures of its own
 *     corun_id job = corun_task_begin("job", "resize 7", 0); // a unit of work: a lane of its own
 *     corun_task_step(job);                                 // this thread works on it from here
 *     corun_task_wait(job, "network:10.0.0.7:80", 0);       // ... and here no longer
 *     corun_task_end(job, CORUN_RESULT);
 *     corun_fact("{\"sum\":%d}", sum);                      // a line of JSON, for a claim to read
 *     corun_end("work");
 *
 * One header, nothing to link, any thread, also after fork(). Without a recorder each call is a load
 * and a branch (1 ns); with one about 40 ns: marks go into a ring in shared memory whose
 * format is record/MARKS.md. Nothing here blocks, and nothing is printed; when the recorder is too
 * slow the oldest marks are lost, and it counts them. errno is left as it was.
 *
 * It needs the GNU dialect (-std=gnu11, the compilers' default) or -D_GNU_SOURCE.
 */
#ifndef CORUN_H
#define CORUN_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t corun_id; /* of a task; 0: none */

enum corun_outcome { CORUN_RESULT = 0, CORUN_EXCEPTION = 1, CORUN_CANCELLED = 2, CORUN_UNKNOWN = 3 };

/* The wire, as record/MARKS.md tells it. */
#define CORUN_WIRE_MAGIC 0x316b72616d6e7572ull /* "runmark1" */
#define CORUN_WIRE_HEAD 4096
#define CORUN_WIRE_SLOTS 65536 /* 4 MiB; a quarter, or a 16th, where memory is short */
#define CORUN_WIRE_TEXT 16384 /* bytes of text in one mark at most */
#define CORUN_WIRE_MORE (1ull << 63) /* in the stamp: text that goes on */

enum corun_wire_op {
	CORUN_OP_TASK_BEGIN = 1, CORUN_OP_TASK_STEP, CORUN_OP_TASK_WAIT, CORUN_OP_TASK_READY,
	CORUN_OP_TASK_END, CORUN_OP_TASK_LINK, CORUN_OP_TASK_NAME,
	CORUN_OP_REGION_BEGIN = 16, CORUN_OP_REGION_END, CORUN_OP_FACT,
};

struct corun_slot {
	uint64_t ts, task, ref;
	uint32_t tid;
	uint8_t op, outcome;
	uint16_t len;
	char text[24];
	uint64_t stamp;
};

struct corun_head {
	uint64_t magic; /* stored last */
	uint32_t version, tgid, n_slots, strings;
	uint64_t slots_at;
};

struct corun_marks {
	int status;            /* 0 not looked yet, 1 nobody records, 2 on, 3 being opened */
	volatile int *alive;   /* a page that the kernel clears in a forked child */
	struct corun_slot *slots;
	uint64_t mask, next, next_task;
	int generation;        /* grows with every ring: a thread's cached id is of one */
};

/* One for the whole program, however many files include this. */
__attribute__((weak)) struct corun_marks corun_marks_;

static inline uint64_t corun_now_(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A new ring in the recorder's folder. The space is taken at once: a full memory file system must
 * not kill the program later. */
static inline int corun_ring_open_(struct corun_marks *m, const char *folder)
{
	uint32_t n_slots = CORUN_WIRE_SLOTS;
	uint64_t now = corun_now_();
	size_t size;
	struct corun_head *head;
	char path[4096];
	void *page;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%d-%llx.ring", folder, (int)getpid(),
		     (unsigned long long)now) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	for (;; n_slots /= 4) {
		size = CORUN_WIRE_HEAD + n_slots * sizeof(struct corun_slot);
		if (!posix_fallocate(fd, 0, (off_t)size))
			break;
		if (n_slots <= 4096) {
			close(fd);
			unlink(path);
			return -1;
		}
	}
	head = (struct corun_head *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (head == MAP_FAILED || page == MAP_FAILED || madvise(page, 4096, MADV_WIPEONFORK)) {
		unlink(path);
		return -1;
	}
	head->version = 1;
	head->tgid = (uint32_t)getpid();
	head->n_slots = n_slots;
	head->strings = 0;
	head->slots_at = CORUN_WIRE_HEAD;
	__atomic_store_n(&head->magic, CORUN_WIRE_MAGIC, __ATOMIC_RELEASE);
	m->slots = (struct corun_slot *)((char *)head + CORUN_WIRE_HEAD);
	m->mask = n_slots - 1;
	m->next = 0;
	/* Unique in the recording: an exec or a reused process id begins elsewhere. */
	m->next_task = (uint64_t)getpid() << 42 | ((now >> 20) & 0x3ff) << 32;
	m->generation++;
	m->alive = (volatile int *)page;
	*m->alive = 1;
	return 0;
}

int corun_open_(void);
__attribute__((weak, noinline)) int corun_open_(void)
{
	static const struct timespec pause = {0, 100000};
	struct corun_marks *m = &corun_marks_;
	int was = __atomic_load_n(&m->status, __ATOMIC_ACQUIRE), saved = errno;
	const char *folder;

	if (was == 2 && *m->alive)
		return 1; /* else forked: the parent's ring is not ours */
	if (was == 1)
		return 0;
	if (was == 3 || !__atomic_compare_exchange_n(&m->status, &was, 3, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* Another thread opens it: a moment. A second at most: its opener may be gone (a fork). */
		for (int i = 0; i < 10000 && __atomic_load_n(&m->status, __ATOMIC_ACQUIRE) == 3; i++)
			nanosleep(&pause, NULL);
		errno = saved;
		return __atomic_load_n(&m->status, __ATOMIC_ACQUIRE) == 2;
	}
	folder = getenv("CORUN_MARKS");
	was = folder && *folder && !corun_ring_open_(m, folder) ? 2 : 1;
	__atomic_store_n(&m->status, was, __ATOMIC_RELEASE);
	errno = saved;
	return was == 2;
}

/* Is somebody recording? For what costs something to prepare. */
static inline int corun_recording(void)
{
	int status = __atomic_load_n(&corun_marks_.status, __ATOMIC_ACQUIRE);

	if (__builtin_expect(status == 1, 1))
		return 0;
	if (status == 2 && *corun_marks_.alive)
		return 1;
	return corun_open_();
}

static inline uint32_t corun_tid_(void)
{
	static __thread int generation;
	static __thread uint32_t tid;

	if (generation != corun_marks_.generation) {
		tid = (uint32_t)syscall(SYS_gettid);
		generation = corun_marks_.generation;
	}
	return tid;
}

/* Write one mark: @texts joined by NUL bytes. The stamp of a slot is stored after all else. */
static inline void corun_put_(int op, int outcome, corun_id task, corun_id ref, const char *const *texts,
			      int n_texts)
{
	struct corun_marks *m = &corun_marks_;
	uint64_t now = corun_now_(), first, n = 1;
	size_t len = 0, at = 0;

	for (int i = 0; i < n_texts; i++)
		len += (texts[i] ? strlen(texts[i]) : 0) + (i > 0);
	if (len > CORUN_WIRE_TEXT)
		len = CORUN_WIRE_TEXT;
	if (len > 24)
		n += (len - 24 + 55) / 56;
	first = __atomic_fetch_add(&m->next, n, __ATOMIC_RELAXED);
	for (uint64_t i = 0, text = 0, offset = 0; i < n; i++) {
		struct corun_slot *slot = &m->slots[(first + i) & m->mask];
		char *to = i ? (char *)slot : slot->text;
		size_t room = i ? 56 : 24;

		if (!i) {
			slot->ts = now;
			slot->task = task;
			slot->ref = ref;
			slot->tid = corun_tid_();
			slot->op = (uint8_t)op;
			slot->outcome = (uint8_t)outcome;
			slot->len = (uint16_t)len;
		}
		for (; room && at < len; room--, at++) {
			const char *from = texts[text] ? texts[text] : "";

			*to++ = from[offset];
			if (from[offset++])
				continue;
			text++;
			offset = 0;
		}
		__atomic_store_n(&slot->stamp, (first + i + 1) | (i ? CORUN_WIRE_MORE : 0),
				 __ATOMIC_RELEASE);
	}
}

/* ---- regions ---- */

static inline void corun_begin(const char *name)
{
	if (corun_recording())
		corun_put_(CORUN_OP_REGION_BEGIN, 0, 0, 0, &name, 1);
}

static inline void corun_end(const char *name)
{
	if (corun_recording())
		corun_put_(CORUN_OP_REGION_END, 0, 0, 0, &name, 1);
}

/* ---- tasks ---- */

/* A new task: @kind "job", "request" ...; @parent made it, or 0. Returns 0 when nobody records; all
 * other calls take that 0. */
static inline corun_id corun_task_begin(const char *kind, const char *name, corun_id parent)
{
	const char *texts[2] = {kind, name};
	corun_id id;

	if (!corun_recording())
		return 0;
	id = __atomic_add_fetch(&corun_marks_.next_task, 1, __ATOMIC_RELAXED);
	corun_put_(CORUN_OP_TASK_BEGIN, 0, id, parent, texts, 2);
	return id;
}

/* The calling thread works on it from now on. */
static inline void corun_task_step(corun_id task)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_STEP, 0, task, 0, NULL, 0);
}

/* Nobody works on it: it waits for @what, a wait kind and optionally ':' and detail ("sleep",
 * "network:10.0.0.7:80"), or for task @awaited (0: none). */
static inline void corun_task_wait(corun_id task, const char *what, corun_id awaited)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_WAIT, 0, task, awaited, &what, 1);
}

/* It could go on and waits for its turn; @cause is the task that made it so, or 0. */
static inline void corun_task_ready(corun_id task, corun_id cause)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_READY, 0, task, cause, NULL, 0);
}

static inline void corun_task_end(corun_id task, enum corun_outcome outcome)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_END, (int)outcome, task, 0, NULL, 0);
}

/* An arrow: @from led to @task. */
static inline void corun_task_link(corun_id task, corun_id from)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_LINK, 0, task, from, NULL, 0);
}

static inline void corun_task_name(corun_id task, const char *name)
{
	if (task && corun_recording())
		corun_put_(CORUN_OP_TASK_NAME, 0, task, 0, &name, 1);
}

/* ---- facts ---- */

/* One JSON object that a claim may read, as for printf(). */
__attribute__((format(printf, 1, 2))) static inline void corun_fact(const char *format, ...)
{
	char line[1024], *text = line;
	const char *put;
	va_list args;
	int len;

	if (!corun_recording())
		return;
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len >= (int)sizeof(line)) {
		text = (char *)malloc((size_t)len + 1);
		if (!text)
			return;
		va_start(args, format);
		vsnprintf(text, (size_t)len + 1, format, args);
		va_end(args);
	}
	put = text;
	corun_put_(CORUN_OP_FACT, 0, 0, 0, &put, 1);
	if (text != line)
		free(text);
}

#ifdef __cplusplus
}
#endif

#endif
