/* SPDX-License-Identifier: MIT */
/* tasks_verdict_words.c - the verdict over tasks as people say it, in English and in Korean. */
#include "metrics/report.h"
#include "metrics/tasks_verdict.h"

#define STALL_NAME 30 /* columns */

static int percent(double share)
{
	return (int)(100 * share + 0.5);
}

/* Or is it the CPUs that there are too few of? */
static bool few_threads(const struct task_verdict *v)
{
	return v->threads <= v->of.facts.usable_cpus;
}

/* ---- English ---- */

static void put_head(struct buf *b, const struct task_verdict *v, const char *summary)
{
	const struct verdict_facts *f = &v->of.facts;

	buf_printf(b, "%.1f tasks in flight on %u thread%s, %.1f running: %s.\n", f->in_flight, v->threads,
		   v->threads == 1 ? "" : "s", f->running, summary);
}

static void english_not_parallel(struct buf *b, const struct task_verdict *v)
{
	const struct verdict_facts *f = &v->of.facts;

	put_head(b, v, "concurrent, not parallel");
	if (v->of.cause == CAUSE_EVENT_LOOP)
		buf_printf(b, "Their thread runs one step at a time: for %d %% of their time in flight\nthey were ready "
			   "while it was at another's.\n", percent(f->ready_share));
	else if (v->of.cause == CAUSE_GIL)
		buf_printf(b, "The GIL let one of their threads run at a time; %d %% of their time was for it.\n",
			   percent(f->gil_share));
	else
		buf_printf(b, "They mostly waited: %d %% of their time in flight (%s).\n",
			   percent(v->of.cause == CAUSE_LOCK ? f->lock_share : f->wait_share),
			   kind_table[v->of.kind].label);
}

static void english(struct buf *b, const struct task_verdict *v)
{
	const struct verdict_facts *f = &v->of.facts;

	switch (v->of.class) {
	case VERDICT_IDLE:
		buf_printf(b, "Tasks were in flight for %d %% of the time only.\n",
			   percent((double)f->active_ns / (double)f->duration_ns));
		break;
	case VERDICT_IO_BOUND:
		put_head(b, v, "bound by waiting");
		buf_printf(b, "%d %% of their time in flight was waiting, most of it: %s.\nTheir waits overlap; "
			   "more CPUs change nothing.\n", percent(f->wait_share), kind_table[v->of.kind].label);
		break;
	case VERDICT_NOT_PARALLEL:
		english_not_parallel(b, v);
		break;
	case VERDICT_PARALLEL:
		put_head(b, v, "parallel");
		break;
	default:
		put_head(b, v, few_threads(v) ? "parallel, too few threads"
					      : "parallel, too few CPUs");
		buf_printf(b, "%d %% of their time in flight was queueing for one.\n", percent(f->ready_share));
	}
}

static void english_stall(struct buf *b, const struct task_stall *s, bool utf8)
{
	buf_puts(b, "One step held up the others for ");
	buf_put_duration(b, s->end_ns - s->start_ns, 0);
	buf_puts(b, ": ");
	tasks_put_name(b, s->name, utf8, STALL_NAME);
	buf_puts(b, ".\n");
}

/* ---- Korean ---- */

static void head_korean(struct buf *b, const struct task_verdict *v, const char *summary)
{
	const struct verdict_facts *f = &v->of.facts;

	buf_printf(b, "스레드 %u개에서 태스크 %.1f개 진행 중, %.1f개 실행 중: %s.\n", v->threads, f->in_flight,
		   f->running, summary);
}

static void korean_not_parallel(struct buf *b, const struct task_verdict *v)
{
	const struct verdict_facts *f = &v->of.facts;

	head_korean(b, v, "동시성은 있고 병렬성은 없다");
	if (v->of.cause == CAUSE_EVENT_LOOP)
		buf_printf(b, "스레드는 한 번에 한 단계만 실행한다: 진행 시간의 %d %% 동안\n"
			   "준비된 채로 다른 태스크의 단계가 끝나기를 기다렸다.\n", percent(f->ready_share));
	else if (v->of.cause == CAUSE_GIL)
		buf_printf(b, "GIL이 한 번에 한 스레드만 실행시켰다: 진행 시간의 %d %%를 GIL에 썼다.\n",
			   percent(f->gil_share));
	else
		buf_printf(b, "거의 기다렸다: 진행 시간의 %d %%(%s).\n",
			   percent(v->of.cause == CAUSE_LOCK ? f->lock_share : f->wait_share),
			   kind_table[v->of.kind].label_ko);
}

static void korean(struct buf *b, const struct task_verdict *v)
{
	const struct verdict_facts *f = &v->of.facts;

	switch (v->of.class) {
	case VERDICT_IDLE:
		buf_printf(b, "태스크가 진행 중이던 시간은 %d %%뿐이다.\n", percent((double)f->active_ns / (double)f->duration_ns));
		break;
	case VERDICT_IO_BOUND:
		head_korean(b, v, "기다림이 길다");
		buf_printf(b, "진행 시간의 %d %%를 기다렸고, 가장 긴 것은 %s이다.\n기다림이 겹친다. CPU를 늘려도 빨라지지 "
			   "않는다.\n", percent(f->wait_share), kind_table[v->of.kind].label_ko);
		break;
	case VERDICT_NOT_PARALLEL:
		korean_not_parallel(b, v);
		break;
	case VERDICT_PARALLEL:
		head_korean(b, v, "병렬이다");
		break;
	default:
		head_korean(b, v, few_threads(v) ? "병렬이지만 스레드 부족" : "병렬이지만 CPU 부족");
		buf_printf(b, "진행 시간의 %d %%를 줄을 서서 보냈다.\n", percent(f->ready_share));
	}
}

static void korean_stall(struct buf *b, const struct task_stall *s, bool utf8)
{
	tasks_put_name(b, s->name, utf8, STALL_NAME);
	buf_puts(b, "의 한 단계가 다른 태스크를 ");
	buf_put_duration(b, s->end_ns - s->start_ns, 0);
	buf_puts(b, " 동안 붙들었다.\n");
}

/* ---- both ---- */

void task_verdict_text(const struct task_verdict *v, bool is_korean, bool utf8, struct buf *b)
{
	if (is_korean)
		korean(b, v);
	else
		english(b, v);
	if (v->stall && is_korean)
		korean_stall(b, v->stall, utf8);
	else if (v->stall)
		english_stall(b, v->stall, utf8);
}

static void put_text(struct buf *b, const char *key, const struct task_verdict *v, bool is_korean)
{
	struct buf text = BUF_INIT;

	task_verdict_text(v, is_korean, true, &text);
	buf_printf(b, ",\"%s\":", key);
	buf_put_json(b, text.data ? text.data : "");
	b->failed |= text.failed;
	buf_free(&text);
}

void task_verdict_json(const struct task_verdict *v, struct buf *b)
{
	buf_printf(b, "{\"class\":\"%s\",\"cause\":\"%s\",\"leads\":%s,\"threads\":%u", verdict_class_name(v->of.class),
		   verdict_cause_name(&v->of), v->leads ? "true" : "false", v->threads);
	put_text(b, "text", v, false);
	put_text(b, "text_ko", v, true);
	buf_putc(b, ',');
	verdict_evidence_json(&v->of.facts, b);
	buf_putc(b, '}');
}
