/* SPDX-License-Identifier: MIT */
/*
 * What `corun top` is made of, without a kernel: a trace that is read while it is written, its intervals,
 * which add up to the report of the whole, memory that does not grow with time, and the page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>

#include "base/utf8.h"
#include "metrics/frame_text.h"
#include "metrics/live.h"
#include "random_record.h"
#include "trace/pipe.h"
#include "trace/text.h"

#define GIL_TURN_NS 200000 /* model/state.h: who has the GIL shows only after this time */

/* ---- intervals against the whole ---- */

struct sums {
	struct usage time;
	u64 duration_ns, active_ns, known_ns, running, flight, high, demand, alive, lock_ns, lost;
	u64 threads_ns, preempted, blocked;
	u32 intervals;
};

static void add(struct sums *sums, const struct report *r)
{
	const struct figures *f = r->figures;
	struct usage threads = {0};

	usage_add(&sums->time, &f->time);
	sums->duration_ns += f->duration_ns;
	sums->active_ns += f->active_ns;
	sums->known_ns += f->known_ns;
	sums->running += f->parallelism.integral;
	sums->flight += f->concurrency.integral;
	sums->high += f->concurrency_high.integral;
	sums->demand += f->demand.integral;
	sums->alive += f->alive.integral;
	sums->lost += r->lost_events;
	sums->preempted += f->involuntary;
	sums->blocked += f->voluntary;
	sums->intervals++;
	for (u32 i = 0; i < f->n_locks; i++)
		sums->lock_ns += f->lock_list[i]->wait_ns;
	for (u32 i = 0; i < f->n_threads; i++)
		if (f->threads[i])
			usage_add(&threads, &f->threads[i]->time);
	/* Of every interval: alive = running + ready + waiting + stopped + unknown. */
	assert_int_equal(usage_alive(&threads), usage_alive(&f->time));
	assert_int_equal(usage_alive(&f->time), f->alive.integral);
	assert_int_equal(f->time.ns[USAGE_RUNNING], f->parallelism.integral);
	assert_int_equal(usage_flight(&f->time, model_parked(r->model)), f->concurrency.integral);
}

/* Cut @path every @step ns. */
static void cut_up(const char *path, u64 step, struct sums *sums)
{
	struct trace_reader *reader;
	const struct record *rec;
	const struct report *r;
	struct live *live;
	u64 next = 0;

	assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
	assert_int_equal(live_new(&live, NULL), 0);
	while (trace_reader_next(reader, &rec, NULL) > 0) {
		while (next && next < rec->ts && !live_ended(live)) {
			assert_int_equal(live_cut(live, next, &r), 0);
			assert_non_null(r);
			add(sums, r);
			next += step;
		}
		assert_int_equal(live_push(live, rec), 0);
		if (!next && live_begin(live))
			next = live_begin(live) + step;
	}
	assert_int_equal(live_cut(live, next, &r), 0);
	if (r)
		add(sums, r);
	if (live_ended(live)) {
		assert_int_equal(live_cut(live, next + step, &r), 0);
		assert_null(r);
	}
	live_free(live);
	trace_reader_close(reader);
}

static void compare(const char *path, const struct sums *whole, const struct sums *cut, u32 threads)
{
	/* Who is found to have had the GIL when it ran was counted as waiting until then. */
	u64 late = (u64)cut->intervals * threads * GIL_TURN_NS;

	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++)
		if (whole->time.ns[slot] != cut->time.ns[slot])
			fail_msg("%s: %s is %llu in all, %llu in intervals", path, usage_name(slot),
				 (unsigned long long)whole->time.ns[slot],
				 (unsigned long long)cut->time.ns[slot]);
	assert_int_equal(whole->duration_ns, cut->duration_ns);
	assert_int_equal(whole->active_ns, cut->active_ns);
	assert_int_equal(whole->known_ns, cut->known_ns);
	assert_int_equal(whole->running, cut->running);
	assert_int_equal(whole->flight, cut->flight);
	assert_int_equal(whole->high, cut->high);
	assert_int_equal(whole->alive, cut->alive);
	assert_int_equal(whole->lost, cut->lost);
	assert_int_equal(whole->preempted, cut->preempted);
	assert_int_equal(whole->blocked, cut->blocked);
	assert_in_range(cut->demand, whole->demand > late ? whole->demand - late : 0, whole->demand + late);
	assert_in_range(cut->lock_ns, whole->lock_ns, whole->lock_ns + late);
}

static void test_intervals_add_up(void **state)
{
	glob_t paths;
	u32 compared = 0;

	(void)state;
	assert_int_equal(glob("tests/golden/*.txt", 0, NULL, &paths), 0);
	assert_int_equal(glob("samples/demo/*.corun", GLOB_APPEND, NULL, &paths), 0);
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		static const u64 parts[] = {1, 2, 7, 61};
		struct report_options options = {0};
		struct sums whole = {0};
		struct report *r;

		assert_int_equal(report_read(&r, paths.gl_pathv[i], &options, NULL, NULL), 0);
		if (r->status == TRACE_WHOLE || meter_stretch(r->meter, 0)->duration_ns) {
			r->lost_events = meter_losses(r->meter)->events;
			add(&whole, r);
			for (size_t k = 0; k < ARRAY_SIZE(parts) && whole.duration_ns; k++) {
				struct sums cut = {0};

				cut_up(paths.gl_pathv[i], whole.duration_ns / parts[k] + 1, &cut);
				compare(paths.gl_pathv[i], &whole, &cut, model_n_threads(r->model));
				compared++;
			}
		}
		report_free(r);
	}
	globfree(&paths);
	assert_true(compared > 60);
}

/* ---- hours ---- */

static void push(struct live *live, const char *line)
{
	struct buf strings = BUF_INIT;
	struct error err = {0};
	struct record rec;

	if (text_parse(line, &rec, &strings, &err) != 1)
		fail_msg("%s: %s", line, error_text(&err, 0));
	assert_int_equal(live_push(live, &rec), 0);
	buf_free(&strings);
}

static void pushf(struct live *live, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void pushf(struct live *live, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	push(live, line);
}

/* A shell that starts a process a millisecond, for ever: who has ended is forgotten. */
static void test_the_dead_are_forgotten(void **state)
{
	const struct report *r;
	struct live *live;
	u64 running = 0;

	(void)state;
	assert_int_equal(live_new(&live, NULL), 0);
	push(live, "1.000000000 thread cpu=0 tid=1 tgid=1 ns-tid=1 flags=snapshot|running comm=\"shell\"");
	push(live, "1.000000000 window begin=1");
	for (u32 i = 0; i < 20000; i++) {
		u32 ms = 1000 + i, tid = 2 + i % 7000;

		pushf(live, "%u.%03u100000 fork cpu=0 tid=%u tgid=%u parent=1 flags=process comm=\"shell\"",
		      ms / 1000, ms % 1000, tid, tid);
		pushf(live, "%u.%03u200000 switch cpu=1 next=%u", ms / 1000, ms % 1000, tid);
		pushf(live, "%u.%03u250000 exec cpu=1 tid=%u tgid=%u comm=\"job-%u\" cmdline=\"./job-%u\"", ms / 1000,
		      ms % 1000, tid, tid, i, i);
		pushf(live, "%u.%03u700000 switch cpu=1 prev=%u state=0x80", ms / 1000, ms % 1000, tid);
		if (i % 100 != 99)
			continue;
		assert_int_equal(live_cut(live, (u64)(ms + 1) * NSEC_PER_MSEC, &r), 0);
		assert_non_null(r);
		running += r->figures->time.ns[USAGE_RUNNING];
		assert_true(model_n_threads(r->model) <= 102);
		assert_true(model_n_processes(r->model) <= 102);
		assert_int_equal(model_check(r->model, NULL), 0);
		if (i > 200) {
			struct frame frame = {0};
			u32 jobs = 0;

			assert_int_equal(frame_take(&frame, r), 0);
			assert_int_equal(frame.n_processes, 101);
			for (u32 k = 0; k < frame.n_processes; k++) {
				u32 job;

				if (sscanf(frame.processes[k].name, "job-%u", &job) != 1)
					continue;
				assert_in_range(job, i - 99, i);
				jobs++;
			}
			assert_int_equal(jobs, 100);
			frame_free(&frame);
		}
	}
	assert_int_equal(running, 20000ull * 500000 + 20000ull * NSEC_PER_MSEC);
	live_free(live);
}

/* A lock that somebody waits for all the time is in every interval, with its holder. */
static void test_a_wait_that_goes_on(void **state)
{
	struct frame frame = {0};
	const struct report *r;
	struct live *live;

	(void)state;
	assert_int_equal(live_new(&live, NULL), 0);
	push(live, "1.000000000 thread cpu=0 tid=10 tgid=10 ns-tid=10 flags=snapshot|running comm=\"holder\"");
	push(live, "1.000000000 thread cpu=1 tid=11 tgid=10 ns-tid=11 flags=snapshot|running comm=\"waiter\"");
	push(live, "1.000000000 window begin=1");
	push(live, "1.500000000 switch cpu=1 prev=11 state=0x1 call=futex wait=owner lock-kind=mutex lock=0x9000 owner=10");
	for (u32 i = 2; i < 6; i++) {
		assert_int_equal(live_cut(live, i * NSEC_PER_SEC, &r), 0);
		assert_int_equal(frame_take(&frame, r), 0);
		assert_int_equal(frame.n_locks, 1);
		assert_int_equal(frame.locks[0].wait_ns, i == 2 ? NSEC_PER_SEC / 2 : NSEC_PER_SEC);
		assert_int_equal(frame.locks[0].holder, 10);
		assert_string_equal(frame.locks[0].holder_name, "holder");
		assert_int_equal(frame.locks[0].holder_ns, frame.locks[0].wait_ns);
	}
	push(live, "5.250000000 waking cpu=0 tid=11 waker=10 context=task");
	push(live, "5.250000000 switch cpu=1 next=11");
	assert_int_equal(live_cut(live, 6 * NSEC_PER_SEC, &r), 0);
	assert_int_equal(frame_take(&frame, r), 0);
	assert_int_equal(frame.locks[0].wait_ns, NSEC_PER_SEC / 4);
	assert_int_equal(live_cut(live, 7 * NSEC_PER_SEC, &r), 0);
	assert_int_equal(frame_take(&frame, r), 0);
	assert_int_equal(frame.n_locks, 0);
	frame_free(&frame);
	live_free(live);
}

/* ---- a trace in memory ---- */

/* A sum over records that does not mind their order. */
static u64 hash_of(const struct record *rec)
{
	static struct buf line;
	u64 hash = 14695981039346656037ull; /* FNV-1a */

	buf_clear(&line);
	text_print(&line, rec);
	for (size_t i = 0; i < line.len; i++)
		hash = (hash ^ (unsigned char)line.data[i]) * 1099511628211ull;
	return hash;
}

/* Read what is older than @until; in order of time. */
static void drain(struct trace_pipe *pipe, u64 until, u64 *last, u64 *n, u64 *hash)
{
	const struct record *rec;

	while (trace_pipe_next(pipe, until, &rec) > 0) {
		assert_true(rec->ts >= *last && rec->ts <= until);
		*last = rec->ts;
		*hash -= hash_of(rec);
		++*n;
	}
}

static void test_pipe_is_the_trace(void **state)
{
	struct trace_pipe *pipe;
	struct trace_writer *writer;
	u64 last = 0, read = 0, written = 0, hash = 0;

	(void)state;
	srand(5);
	assert_int_equal(trace_pipe_new(&pipe), 0);
	assert_int_equal(trace_writer_pipe(&writer, pipe, NULL), 0);
	for (u64 ts = 1000; ts < 400000; ts += 1 + (u64)rand() % 20) {
		struct record out;
		bool late = !(rand() % 10);

		random_record(&out, late && ts > 3000 ? ts - (u64)rand() % 1000 : ts);
		if (out.type == REC_META || out.type == REC_SITE || out.type == REC_LOCK)
			continue; /* these come first, whatever their time */
		assert_int_equal(late ? trace_writer_put_late(writer, &out) : trace_writer_put(writer, &out), 0);
		hash += hash_of(&out);
		written++;
		if (rand() % 50)
			continue;
		/* What is late by less than this is read where it belongs. */
		assert_int_equal(trace_writer_flush(writer), 0);
		drain(pipe, ts - 1000, &last, &read, &hash);
	}
	assert_int_equal(trace_writer_flush(writer), 0);
	drain(pipe, UINT64_MAX, &last, &read, &hash);
	assert_int_equal(read, written);
	assert_int_equal(hash, 0);
	assert_true(read > 10000);
	assert_int_equal(trace_writer_cut(writer, NULL), 0);
	trace_pipe_free(pipe);
}

/* ---- the page ---- */

static void make_frame(struct frame *f, u32 n)
{
	static const char *const names[] = {
		"plain", "", "\033[2J\033]0;title\007", "\xc2\x9b" "31mC1", "\xff\xfe", "\xe2\x80\xae" "reversed",
		"한국어 이름이 아주 길어서 잘려야 하는 스레드", "tab\tnew\nline", "a-very-long-name-of-a-thread-that-does-not-fit-17",
	};

	*f = (struct frame){
		.begin_ns = NSEC_PER_SEC, .duration_ns = NSEC_PER_SEC, .active_ns = NSEC_PER_SEC,
		.known_ns = NSEC_PER_SEC, .flight = 3, .flight_high = 3, .running = 1, .demand = 1.5,
		.max_flight = 4, .max_running = 2, .max_demand = 2, .cpus = 2, .usable_cpus = 2,
		.parked = kind_default_parked(),
	};
	f->processes = calloc(n + 1, sizeof(*f->processes));
	f->threads = calloc(n + 1, sizeof(*f->threads));
	f->locks = calloc(n + 1, sizeof(*f->locks));
	f->n_processes = f->n_threads = f->n_locks = n;
	for (u32 i = 0; i < n; i++) {
		struct frame_row *row = &f->threads[i];
		struct frame_lock *lock = &f->locks[i];

		row->tgid = 1000000 + (s32)i;
		row->tid = 4000000 + (s32)i;
		row->time.ns[USAGE_RUNNING] = (u64)(n - i) * NSEC_PER_MSEC;
		row->time.ns[USAGE_KIND + i % KINDS] = NSEC_PER_SEC;
		snprintf(row->name, sizeof(row->name), "%s", names[i % ARRAY_SIZE(names)]);
		f->processes[i] = *row;
		f->processes[i].tid = 0;
		f->processes[i].threads = 7;
		usage_add(&f->time, &row->time);
		*lock = (struct frame_lock){.kind = i % 2 ? KIND_MUTEX : KIND_GIL, .tgid = row->tgid, .lock = ~0ull - i,
					    .waits = 1234567, .wait_ns = 9 * NSEC_PER_SEC, .max_ns = 1, .holder = i % 3 ? row->tid : 0,
					    .holder_ns = 5 * NSEC_PER_SEC};
		memcpy(lock->holder_name, row->name, sizeof(row->name));
		memcpy(lock->process, row->name, sizeof(row->name));
	}
}

/* Every line fits; nothing controls the terminal; runs tile the text. Returns the number of lines. */
static int check_page(const struct frame_page *page, int columns, bool utf8)
{
	const char *text = page->text.data;
	int lines = 1;
	size_t at = 0;

	assert_false(page->text.failed);
	for (size_t i = 0; i < page->n_runs; i++) {
		assert_true(page->runs[i].end >= at && page->runs[i].role < ROLES);
		at = page->runs[i].end;
	}
	assert_int_equal(at, page->text.len);
	assert_int_equal(strlen(text), page->text.len);
	for (size_t i = 0, start = 0; i <= page->text.len;) {
		int n = 1;

		if (i == page->text.len || text[i] == '\n') {
			if (utf8_columns(text + start, i - start) > columns)
				fail_msg("%d columns: %.*s", columns, (int)(i - start), text + start);
			lines += i < page->text.len;
			start = i + 1;
		} else {
			n = utf8_printable((const unsigned char *)text + i, page->text.len - i);
			if (!n || (n > 1 && !utf8))
				fail_msg("byte %#x in: %s", (unsigned char)text[i], text + start);
		}
		i += (size_t)n;
	}
	return lines;
}

static void test_page_fits_every_screen(void **state)
{
	struct frame_page page = {0};
	struct frame frame;

	(void)state;
	make_frame(&frame, 60);
	for (int columns = 1; columns < 200; columns += 9)
		for (int rows = 1; rows < 60; rows += 11)
			for (u32 how = 0; how < 32; how++) {
				struct frame_look look = {
					.utf8 = how & 1, .color = how & 2, .columns = columns, .rows = rows,
					.threads = how & 4, .locks = how & 8, .help = (how & 24) == 24, .paused = how & 16,
					.delay_ns = NSEC_PER_SEC, .skip = how, .note = how & 8 ? "ENDED" : NULL,
				};
				int lines;

				frame_text(&frame, &look, &page);
				lines = check_page(&page, columns, look.utf8);
				/* A small screen shows what is above; a larger one has the keys in its last line. */
				if (rows > 22)
					assert_int_equal(lines, rows);
			}
	frame_page_free(&page);
	frame_free(&frame);
}

static void expect(const struct frame_page *page, const char *line)
{
	if (!strstr(page->text.data, line))
		fail_msg("\"%s\" is missing in:\n%s", line, page->text.data);
}

static void test_page_says_what_the_frame_has(void **state)
{
	struct frame_look look = {.columns = 80, .delay_ns = NSEC_PER_SEC};
	struct frame_page page = {0};
	struct frame frame;

	(void)state;
	frame_text(NULL, &look, &page);
	expect(&page, "Recording the first interval");
	make_frame(&frame, 2);
	frame_text(&frame, &look, &page);
	expect(&page, "\n  in flight 3.0       ");
	expect(&page, "2 CPUs, 2.0 usable");
	expect(&page, "1.00 s, up to 2.00 s");
	expect(&page, "# running 0 %");
	expect(&page, "1000000       7      1.00    0.00  0.00  1.00 GIL            plain");
	expect(&page, "GIL of plain (1000000)");
	expect(&page, "not known");
	assert_null(strstr(page.text.data, "quit"));
	look.threads = true;
	frame_text(&frame, &look, &page);
	expect(&page, "1000001 4000001 ");
	/* What is not known is shown: a range, the loss, and its share of the bar. */
	frame.lost = 42;
	frame.flight_high = 5;
	frame.known_ns = NSEC_PER_SEC / 4;
	frame.time.ns[USAGE_UNKNOWN] = 2 * NSEC_PER_SEC;
	frame_text(&frame, &look, &page);
	expect(&page, "! 42 events were lost; every figure is known over 25.0 % of the interval.");
	expect(&page, "in flight 3.0-5.0   ");
	expect(&page, "? unknown 50 %");
	frame_page_free(&page);
	frame_free(&frame);
}

static void test_rows_are_sorted(void **state)
{
	struct frame frame;

	(void)state;
	make_frame(&frame, 50);
	for (enum frame_sort sort = 0; sort < FRAME_SORTS; sort++) {
		u64 last = UINT64_MAX;

		frame_sort(&frame, sort);
		for (u32 i = 0; i < frame.n_threads; i++) {
			const struct usage *time = &frame.threads[i].time;
			u64 flight = usage_flight(time, frame.parked);
			u64 key = sort == FRAME_BY_FLIGHT ? flight : sort == FRAME_BY_RUNNING ? time->ns[USAGE_RUNNING] :
				  sort == FRAME_BY_READY ? 0 : sort == FRAME_BY_WAITING ? flight - time->ns[USAGE_RUNNING] :
				  UINT64_MAX - 1 - (u64)frame.threads[i].tid;

			assert_true(key <= last);
			last = key;
		}
	}
	frame_free(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals_add_up),
		cmocka_unit_test(test_the_dead_are_forgotten),
		cmocka_unit_test(test_a_wait_that_goes_on),
		cmocka_unit_test(test_pipe_is_the_trace),
		cmocka_unit_test(test_page_fits_every_screen),
		cmocka_unit_test(test_page_says_what_the_frame_has),
		cmocka_unit_test(test_rows_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
