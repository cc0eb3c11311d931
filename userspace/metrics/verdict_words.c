/* SPDX-License-Identifier: MIT */
/* verdict_words.c - the verdict as people say it, in English and in Korean. */
#include <math.h>

#include "metrics/verdict.h"

/* "4", "2.6": a whole number where it is one. */
static void put_count(struct buf *b, double n)
{
	if (fabs(n - round(n)) < 0.05)
		buf_printf(b, "%.0f", n);
	else
		buf_printf(b, "%.1f", n);
}

static bool one(double n)
{
	return fabs(n - 1) < 0.05;
}

static int percent(double share)
{
	return (int)(100 * share + 0.5);
}

/* ---- English ---- */

/* "the other three" of @n in all. */
static void put_others(struct buf *b, double n)
{
	static const char *const words[] = {"one", "two", "three", "four", "five", "six", "seven",
					    "eight", "nine"};
	int others = (int)(n + 0.5) - 1;

	if (fabs(n - round(n)) < 0.15 && others >= 2 && others <= 9)
		buf_printf(b, "the other %s", words[others - 1]);
	else
		buf_puts(b, others == 1 ? "the other one" : "the others");
}

static void put_figures(struct buf *b, const struct verdict_facts *f, const char *summary)
{
	put_count(b, f->in_flight);
	buf_printf(b, " thread%s in flight, %.1f running: %s.\n", one(f->in_flight) ? "" : "s",
		   f->running, summary);
}

static void put_cpus(struct buf *b, double cpus)
{
	put_count(b, cpus);
	buf_puts(b, one(cpus) ? " CPU" : " CPUs");
}

static void put_limit(struct buf *b, const struct verdict *v)
{
	const struct verdict_facts *f = &v->facts;

	switch (v->cause) {
	case CAUSE_QUOTA:
		buf_printf(b, "The cgroup's quota leaves %.2f of %u CPUs; a larger one lets more run.\n",
			   f->quota_cpus, f->cpus);
		break;
	case CAUSE_AFFINITY:
		buf_printf(b, "The threads may use %u of %u CPUs (taskset, cpuset).\nLifting that lets more "
			   "run.\n", f->affinity_cpus, f->cpus);
		break;
	case CAUSE_ONE_CPU:
		buf_puts(b, "There is one CPU: they take turns on it. A second one would let two run.\n");
		break;
	default:
		buf_puts(b, "More CPUs, or fewer threads, would end the queueing.\n");
	}
}

static void english_not_parallel(const struct verdict *v, struct buf *b)
{
	const struct verdict_facts *f = &v->facts;

	put_figures(b, f, "concurrent, not parallel");
	switch (v->cause) {
	case CAUSE_GIL:
		buf_puts(b, "The GIL let one thread run at a time; ");
		put_others(b, f->in_flight);
		buf_puts(b, " waited for it.\nProcesses, or C code that lets go of the GIL, would run "
			 "side by side.\n");
		break;
	case CAUSE_LOCK:
		buf_printf(b, "They waited for each other: %d %% of the time in flight was for a %s.\n"
			   "Hold it for shorter stretches, or split it, to let more run.\n",
			   percent(f->lock_share), kind_table[v->kind].label);
		break;
	case CAUSE_WAIT:
		buf_printf(b, "They mostly waited: %d %% of the time in flight (%s).\n",
			   percent(f->wait_share), kind_table[v->kind].label);
		break;
	default:
		put_limit(b, v);
	}
}

static void english(const struct verdict *v, struct buf *b)
{
	const struct verdict_facts *f = &v->facts;

	switch (v->class) {
	case VERDICT_IDLE:
		if (!f->active_ns)
			buf_puts(b, "Idle: nothing was in flight.\n");
		else
			buf_printf(b, "Idle: something was in flight for %d %% of the time only.\n",
				   percent((double)f->active_ns / (double)(f->duration_ns ? f->duration_ns : 1)));
		if (v->cause == CAUSE_EVENT_LOOP)
			buf_puts(b, "An event loop waited for something to happen.\n");
		break;
	case VERDICT_SERIAL:
		put_figures(b, f, "serial, one thing at a time");
		buf_printf(b, "It ran, or could have, for %d %% of the time in flight.\nMore CPUs change "
			   "nothing for one thread.\n", percent(f->run_share + f->ready_share));
		break;
	case VERDICT_IO_BOUND:
		put_figures(b, f, "bound by waiting, not by the CPU");
		if (v->cause == CAUSE_EVENT_LOOP)
			buf_printf(b, "An event loop waited in poll for %d %% of the time.\nIts tasks are not "
				   "threads.\n", percent(f->poll_share));
		else
			buf_printf(b, "%d %% of the time in flight was waiting, most of it: %s.\nMore CPUs "
				   "change nothing.\n", percent(f->wait_share), kind_table[v->kind].label);
		break;
	case VERDICT_NOT_PARALLEL:
		english_not_parallel(v, b);
		break;
	case VERDICT_PARALLEL:
		put_figures(b, f, "parallel");
		if (v->cause == CAUSE_OTHER_LOAD) {
			put_count(b, f->demand);
			buf_puts(b, " could have run at once; other programs had the CPUs part of the time.\n");
		} else {
			buf_puts(b, "They ran side by side on ");
			put_cpus(b, f->usable_cpus);
			buf_puts(b, ".\n");
		}
		break;
	default:
		put_figures(b, f, "parallel, and more threads than CPUs");
		put_count(b, f->demand);
		buf_puts(b, " wanted to run on ");
		put_cpus(b, f->usable_cpus);
		buf_printf(b, "; %d %% of the time in flight was queueing.\n", percent(f->ready_share));
		put_limit(b, v);
	}
}

/* ---- Korean ---- */

static void figures_korean(struct buf *b, const struct verdict_facts *f, const char *summary)
{
	buf_puts(b, "스레드 ");
	put_count(b, f->in_flight);
	buf_printf(b, "개가 진행 중, 실행 중은 %.1f개: %s.\n", f->running, summary);
}

static void limit_korean(struct buf *b, const struct verdict *v)
{
	const struct verdict_facts *f = &v->facts;

	switch (v->cause) {
	case CAUSE_QUOTA:
		buf_printf(b, "cgroup 할당량이 CPU %u개 가운데 %.2f개만큼만 허락한다.\n늘리면 더 실행된다.\n", f->cpus,
			   f->quota_cpus);
		break;
	case CAUSE_AFFINITY:
		buf_printf(b, "CPU %u개 가운데 %u개만 쓰도록 묶여 있다(taskset, cpuset).\n풀면 더 실행된다.\n", f->cpus,
			   f->affinity_cpus);
		break;
	case CAUSE_ONE_CPU:
		buf_puts(b, "CPU가 하나뿐이라 번갈아 실행된다.\n하나 더 있으면 둘이 함께 실행된다.\n");
		break;
	default:
		buf_puts(b, "CPU를 늘리거나 스레드를 줄이면 줄을 서지 않는다.\n");
	}
}

static void not_parallel_korean(const struct verdict *v, struct buf *b)
{
	const struct verdict_facts *f = &v->facts;

	figures_korean(b, f, "동시성은 있고 병렬성은 없다");
	switch (v->cause) {
	case CAUSE_GIL:
		buf_puts(b, "GIL이 한 번에 한 스레드만 실행시켰고, 나머지는 기다렸다.\n"
			 "프로세스로 나누거나 GIL을 놓아 주는 C 코드를 쓰면 나란히 실행된다.\n");
		break;
	case CAUSE_LOCK:
		buf_printf(b, "서로를 기다렸다: 진행 시간의 %d %%가 락(%s)을 기다린 시간이다.\n"
			   "락을 더 짧게 잡거나 나누면 더 많이 실행된다.\n", percent(f->lock_share),
			   kind_table[v->kind].label_ko);
		break;
	case CAUSE_WAIT:
		buf_printf(b, "거의 기다렸다: 진행 시간의 %d %%(%s).\n", percent(f->wait_share),
			   kind_table[v->kind].label_ko);
		break;
	default:
		limit_korean(b, v);
	}
}

static void korean(const struct verdict *v, struct buf *b)
{
	const struct verdict_facts *f = &v->facts;

	switch (v->class) {
	case VERDICT_IDLE:
		if (!f->active_ns)
			buf_puts(b, "쉬고 있다: 진행 중인 일이 없었다.\n");
		else
			buf_printf(b, "쉬고 있다: 진행 중인 일이 있던 시간은 %d %%뿐이다.\n",
				   percent((double)f->active_ns / (double)(f->duration_ns ? f->duration_ns : 1)));
		if (v->cause == CAUSE_EVENT_LOOP)
			buf_puts(b, "이벤트 루프가 이벤트를 기다렸다.\n");
		break;
	case VERDICT_SERIAL:
		figures_korean(b, f, "한 번에 한 가지씩");
		buf_printf(b, "진행 시간의 %d %% 동안 실행되었거나 실행될 수 있었다.\n"
			   "스레드가 하나면 CPU를 늘려도 빨라지지 않는다.\n", percent(f->run_share + f->ready_share));
		break;
	case VERDICT_IO_BOUND:
		figures_korean(b, f, "CPU가 아니라 기다림이 길다");
		if (v->cause == CAUSE_EVENT_LOOP)
			buf_printf(b, "이벤트 루프가 시간의 %d %%를 poll에서 기다렸다.\n그 태스크는 스레드가 아니다.\n",
				   percent(f->poll_share));
		else
			buf_printf(b, "진행 시간의 %d %%를 기다렸고, 가장 긴 것은 %s이다.\nCPU를 늘려도 빨라지지 않는다.\n",
				   percent(f->wait_share), kind_table[v->kind].label_ko);
		break;
	case VERDICT_NOT_PARALLEL:
		not_parallel_korean(v, b);
		break;
	case VERDICT_PARALLEL:
		figures_korean(b, f, "병렬이다");
		if (v->cause == CAUSE_OTHER_LOAD) {
			put_count(b, f->demand);
			buf_puts(b, "개가 함께 실행될 수 있었지만, 다른 프로그램도 CPU를 썼다.\n");
		} else {
			buf_puts(b, "CPU ");
			put_count(b, f->usable_cpus);
			buf_puts(b, "개에서 나란히 실행되었다.\n");
		}
		break;
	default:
		figures_korean(b, f, "병렬이지만 CPU가 모자란다");
		buf_puts(b, "CPU ");
		put_count(b, f->usable_cpus);
		buf_puts(b, "개에서 실행하려던 스레드가 ");
		put_count(b, f->demand);
		buf_printf(b, "개였다.\n진행 시간의 %d %%를 줄을 서서 보냈다.\n", percent(f->ready_share));
		limit_korean(b, v);
	}
}

void verdict_text(const struct verdict *v, bool is_korean, struct buf *b)
{
	if (is_korean)
		korean(v, b);
	else
		english(v, b);
}

static void put_text(struct buf *b, const char *key, const struct verdict *v, bool is_korean)
{
	struct buf text = BUF_INIT;

	verdict_text(v, is_korean, &text);
	buf_printf(b, ",\"%s\":", key);
	buf_put_json(b, text.data ? text.data : "");
	b->failed |= text.failed;
	buf_free(&text);
}

void verdict_evidence_json(const struct verdict_facts *f, struct buf *b)
{
	const struct {
		const char *key;
		double value;
	} evidence[] = {
		{"in_flight", f->in_flight},     {"running", f->running},
		{"demand", f->demand},           {"usable_cpus", f->usable_cpus},
		{"run_share", f->run_share},     {"ready_share", f->ready_share},
		{"gil_share", f->gil_share},     {"lock_share", f->lock_share},
		{"wait_share", f->wait_share},   {"poll_share", f->poll_share},
	};

	buf_puts(b, "\"evidence\":{");
	for (size_t i = 0; i < ARRAY_SIZE(evidence); i++)
		buf_printf(b, "%s\"%s\":%.4f", i ? "," : "", evidence[i].key, evidence[i].value);
	buf_putc(b, '}');
}

void verdict_json(const struct verdict *v, struct buf *b)
{
	buf_printf(b, "{\"class\":\"%s\",\"cause\":\"%s\"", verdict_class_name(v->class),
		   verdict_cause_name(v));
	put_text(b, "text", v, false);
	put_text(b, "text_ko", v, true);
	buf_putc(b, ',');
	verdict_evidence_json(&v->facts, b);
	buf_putc(b, '}');
}
