/* SPDX-License-Identifier: MIT */
/* record/ring.c and record/marks.c: what programs tell, and what hostile ones tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corun.h"
#include "record/marks.h"
#include "record/ring.h"

#define MAX 300000

static struct got {
	struct record records[MAX];
	char text[MAX][40];
	int n;
} got;

static const char *text_of(const struct record *rec)
{
	switch (rec->type) {
	case REC_REGION:
		return rec->region.name;
	case REC_FACT:
		return rec->fact.json;
	case REC_NAME:
		return rec->name.name;
	case REC_NOTE:
		return rec->note.text;
	default:
		return rec->task.op == TASK_WAIT ? rec->task.what : rec->task.name;
	}
}

static void keep(void *ctx, const struct record *rec)
{
	(void)ctx;
	assert_true(got.n < MAX);
	got.records[got.n] = *rec;
	snprintf(got.text[got.n++], sizeof(got.text[0]), "%s", text_of(rec));
}

static int put(void *ctx, const struct record *rec, bool late)
{
	u64 *last = ctx;

	if (!late) {
		assert_true(rec->ts >= *last);
		*last = rec->ts;
	}
	keep(NULL, rec);
	return 0;
}

/* ---- a ring made by hand ---- */

struct file {
	char path[32];
	int fd;
	u8 *bytes;
	size_t size;
	u32 n_slots;
	u64 next;
};

static void file_make(struct file *f, u32 n_slots, u32 strings)
{
	struct corun_head head = {CORUN_WIRE_MAGIC, 1, 77, n_slots, strings, 4096 + strings};

	*f = (struct file){.path = "/tmp/test-marks-XXXXXX", .n_slots = n_slots};
	f->fd = mkstemp(f->path);
	assert_true(f->fd >= 0);
	f->size = 4096 + strings + n_slots * sizeof(struct corun_slot);
	assert_int_equal(ftruncate(f->fd, (off_t)f->size), 0);
	f->bytes = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->bytes, MAP_FAILED);
	memcpy(f->bytes, &head, sizeof(head));
}

static void file_end(struct file *f)
{
	munmap(f->bytes, f->size);
	unlink(f->path);
}

static struct corun_slot *file_slot(struct file *f, u64 index)
{
	struct corun_head *head = (struct corun_head *)f->bytes;

	return (struct corun_slot *)(f->bytes + head->slots_at) + (index & (f->n_slots - 1));
}

static void file_put(struct file *f, u8 op, u64 task, u64 ts, const char *text)
{
	struct corun_slot *s = file_slot(f, f->next);

	*s = (struct corun_slot){.ts = ts, .task = task, .tid = 78, .op = op,
				 .len = (u16)strlen(text)};
	memcpy(s->text, text, strlen(text));
	s->stamp = ++f->next;
}

static struct ring *file_open(struct file *f)
{
	struct ring *ring = NULL;

	got.n = 0;
	assert_int_equal(ring_open(&ring, dup(f->fd)), 0);
	return ring;
}

static const struct ring_times times = {.begin = 100, .now = 1000000000000};

static void test_order_and_laps(void **state)
{
	struct file f;
	struct ring *ring;

	(void)state;
	file_make(&f, 4096, 0);
	ring = file_open(&f);
	for (u64 i = 0; i < 100000; i++) {
		file_put(&f, CORUN_OP_TASK_STEP, i + 1, 1000 + i, "");
		if (i % 3000 == 0)
			ring_read(ring, &times, false, keep, NULL);
	}
	ring_read(ring, &times, true, keep, NULL);
	assert_int_equal(got.n, 100000);
	for (int i = 0; i < got.n; i++)
		assert_int_equal(got.records[i].task.task, i + 1);
	assert_int_equal(ring_lost(ring), 0);
	ring_close(ring);
	file_end(&f);
}

/* A reader that comes too late: everything is read or counted as lost, and told once. */
static void test_lapped(void **state)
{
	struct file f;
	struct ring *ring;

	(void)state;
	file_make(&f, 4096, 0);
	ring = file_open(&f);
	for (u64 i = 0; i < 20000; i++)
		file_put(&f, CORUN_OP_TASK_STEP, i + 1, 1000 + i, "");
	ring_read(ring, &times, false, keep, NULL);
	assert_int_equal(got.records[0].task.op, TASK_LOST);
	assert_true(got.n > 1000 && got.n <= 4097);
	assert_int_equal(ring_lost(ring) + (u64)got.n - 1, 20000);
	assert_int_equal(got.records[got.n - 1].task.task, 20000);
	for (int i = 2; i < got.n; i++)
		assert_int_equal(got.records[i].task.task, got.records[i - 1].task.task + 1);
	ring_close(ring);
	file_end(&f);
}

/* A slot that was reserved and never written: what follows comes when it is given up. */
static void test_hole(void **state)
{
	struct ring_times now = times;
	struct file f;
	struct ring *ring;

	(void)state;
	file_make(&f, 4096, 0);
	ring = file_open(&f);
	file_put(&f, CORUN_OP_TASK_STEP, 1, 1000, "");
	f.next++;
	file_put(&f, CORUN_OP_TASK_STEP, 3, 1002, "");
	ring_read(ring, &now, false, keep, NULL);
	assert_int_equal(got.n, 1);
	now.now += NSEC_PER_SEC;
	ring_read(ring, &now, false, keep, NULL);
	assert_int_equal(got.n, 3);
	assert_int_equal(got.records[1].task.op, TASK_LOST);
	assert_int_equal(got.records[2].task.task, 3);
	assert_int_equal(ring_lost(ring), 1);
	ring_close(ring);
	file_end(&f);
}

static void test_whole_steps(void **state)
{
	static const u8 what[] = {5, 0, 's', 'l', 'e', 'e', 'p'};
	struct file f;
	struct ring *ring;
	struct corun_slot *s;
	u32 refs[2] = {8, 60000};
	u64 end_ready[2] = {3000, 1500};

	(void)state;
	file_make(&f, 4096, 65536);
	memcpy(f.bytes + 4096 + 8, what, sizeof(what));
	ring = file_open(&f);
	file_put(&f, 20, 9, 2000, "");
	s = file_slot(&f, 0);
	s->outcome = 3;
	memcpy(s->text, refs, 8);
	memcpy(s->text + 8, end_ready, 16);
	/* A cell: thread 5 has been at task 9 since 4000. */
	memcpy(f.bytes + 64, &(u64[]){9, 4000, 5}, 24);
	ring_read(ring, &times, true, keep, NULL);
	assert_int_equal(got.n, 4);
	assert_int_equal(got.records[0].task.op, TASK_READY);
	assert_int_equal(got.records[0].ts, 1500);
	assert_int_equal(got.records[1].task.op, TASK_STEP);
	assert_int_equal(got.records[1].ts, 2000);
	assert_int_equal(got.records[2].task.op, TASK_WAIT);
	assert_int_equal(got.records[2].ts, 3000);
	assert_string_equal(got.text[2], "sleep");
	assert_int_equal(got.records[3].task.op, TASK_STEP);
	assert_int_equal(got.records[3].ts, 4000);
	assert_int_equal(got.records[3].task.tid, 5);
	assert_int_equal(ring_bad(ring), 0);
	ring_close(ring);
	file_end(&f);
}

/* Random bytes wherever a program can write: nothing crashes, times stay inside, reading ends. */
static void test_hostile(void **state)
{
	u64 bad = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 40; seed++) {
		struct file f;
		struct ring *ring;

		srand(seed);
		file_make(&f, 4096, 65536);
		for (size_t i = 64; i < f.size; i++)
			f.bytes[i] = (u8)(rand() % 3 ? rand() : 0);
		for (u64 i = 0; i < 6000; i++) {
			struct corun_slot *s = file_slot(&f, i);

			s->stamp = i + 1;
			s->op = (u8)(rand() % 24);
			s->outcome = (u8)(rand() % 8);
			if (rand() % 8)
				s->ts = 1000 + (u64)rand() % 100000;
			if (!(rand() % 50))
				s->stamp = (u64)rand() * (u64)rand();
		}
		ring = file_open(&f);
		ring_read(ring, &times, false, keep, NULL);
		if (seed % 2)
			assert_int_equal(ftruncate(f.fd, seed % 4 == 1 ? 4096 : 4096 + 70000), 0);
		ring_read(ring, &times, true, keep, NULL);
		for (int i = 0; i < got.n; i++)
			assert_in_range(got.records[i].ts, times.begin, times.now + 10 * NSEC_PER_SEC);
		bad += ring_bad(ring);
		ring_close(ring);
		munmap(f.bytes, f.size);
		unlink(f.path);
	}
	assert_true(bad > 0);
}

static void test_bad_headers(void **state)
{
	static const struct corun_head heads[] = {
		{CORUN_WIRE_MAGIC, 2, 77, 4096, 0, 4096},
		{CORUN_WIRE_MAGIC, 1, 0, 4096, 0, 4096},
		{CORUN_WIRE_MAGIC, 1, 77, 4095, 0, 4096},
		{CORUN_WIRE_MAGIC, 1, 77, 1u << 21, 0, 4096},
		{CORUN_WIRE_MAGIC, 1, 77, 8192, 0, 4096}, /* longer than the file */
		{CORUN_WIRE_MAGIC, 1, 77, 4096, 0xffffffc0, 4096 + 0xffffffc0ull},
		{CORUN_WIRE_MAGIC, 1, 77, 4096, 0, 64},
		{0x1234, 1, 77, 4096, 0, 4096},
	};
	struct ring *ring = NULL;
	struct file f;

	(void)state;
	file_make(&f, 4096, 0);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		memcpy(f.bytes, &heads[i], sizeof(heads[i]));
		assert_int_equal(ring_open(&ring, f.fd), -EINVAL);
	}
	memset(f.bytes, 0, 64);
	assert_int_equal(ring_open(&ring, f.fd), -EAGAIN);
	assert_int_equal(ftruncate(f.fd, 10), 0);
	assert_int_equal(ring_open(&ring, f.fd), -EAGAIN);
	assert_null(ring);
	unlink(f.path);
}

/* ---- the header's own functions, and a whole folder ---- */

static struct marks *marks_here(u64 *last)
{
	struct marks *m = NULL;

	got.n = 0;
	*last = 0;
	assert_int_equal(marks_open(&m, NULL), 0);
	marks_set_put(m, put, last);
	setenv("CORUN_MARKS", marks_folder(m), 1);
	return m;
}

static void test_program(void **state)
{
	char name[10001], folder[64];
	struct marks *m;
	u64 last;
	int status;

	(void)state;
	m = marks_here(&last);
	snprintf(folder, sizeof(folder), "%s", marks_folder(m));
	memset(name, 'n', sizeof(name));
	name[10000] = '\0';
	fflush(NULL);
	if (!fork()) {
		corun_id job, child;

		corun_begin("work");
		job = corun_task_begin("job", name, 0);
		child = corun_task_begin("job", "\xff\xfe\x01 hostile", job);
		corun_task_step(job);
		if (!fork()) { /* inside a task */
			corun_task_link(job, child);
			corun_begin("forked");
			_exit(0);
		}
		wait(&status);
		corun_task_wait(job, "join:child", child);
		corun_task_end(child, CORUN_CANCELLED);
		corun_fact("{\"n\":%d}", 7);
		if (write(marks_facts(m), "{\"a\":1}\n\n{\"b\":2}", 16) != 16)
			_exit(1);
		corun_end("work");
		abort();
	}
	wait(&status);
	assert_true(WIFSIGNALED(status));
	marks_poll(m, corun_now_(), true);
	assert_int_equal(marks_flush(m, UINT64_MAX), 0);
	assert_int_equal(marks_notes(m, 0), 0);
	for (int i = 0; i < got.n; i++)
		if (got.records[i].type == REC_NOTE)
			fail_msg("%s", got.text[i]);
	assert_int_equal(got.n, 12);
	assert_string_equal(got.text[0], "work");
	assert_int_equal(got.records[1].task.task, 1);
	assert_int_equal(strspn(got.text[1], "n"), 39);
	assert_string_equal(got.text[2], "\xff\xfe\x01 hostile");
	assert_int_equal(got.records[2].task.ref, 1);
	/* The child knows its parent's tasks: one number each in the whole trace. */
	assert_int_equal(got.records[4].task.op, TASK_LINK);
	assert_int_equal(got.records[4].task.task, 1);
	assert_int_equal(got.records[4].task.ref, 2);
	assert_string_equal(got.text[5], "forked");
	assert_int_not_equal(got.records[5].region.tid, got.records[0].region.tid);
	assert_int_equal(got.records[6].task.ref, 2);
	assert_int_equal(got.records[7].task.outcome, 2);
	assert_string_equal(got.text[8], "{\"n\":7}");
	assert_int_equal(got.records[9].type, REC_REGION);
	assert_string_equal(got.text[10], "{\"a\":1}");
	assert_string_equal(got.text[11], "{\"b\":2}");
	marks_close(m);
	assert_int_not_equal(access(folder, F_OK), 0);
}

/* What else may lie in the folder is not opened, waited for or followed. */
static void test_folder(void **state)
{
	char path[128];
	struct marks *m;
	u64 last;

	(void)state;
	m = marks_here(&last);
	snprintf(path, sizeof(path), "%s/a.ring", marks_folder(m));
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/b.ring", marks_folder(m));
	assert_int_equal(symlink("/proc/self/mem", path), 0);
	snprintf(path, sizeof(path), "%s/c.ring", marks_folder(m));
	assert_int_equal(mkdir(path, 0700), 0);
	marks_poll(m, corun_now_(), false);
	marks_poll(m, corun_now_() + NSEC_PER_SEC, true);
	assert_int_equal(marks_notes(m, 0), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(atoi(got.text[0]), 3);
	snprintf(path, sizeof(path), "%s", marks_folder(m));
	marks_close(m);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_laps),
		cmocka_unit_test(test_lapped),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_whole_steps),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
