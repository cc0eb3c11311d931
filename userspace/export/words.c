/* SPDX-License-Identifier: MIT */
#include "export/words.h"

#include <inttypes.h>
#include <string.h>

#include "export/lanes.h"
#include "metrics/path.h"

void words_duration(struct buf *buf, u64 ns)
{
	static const struct {
		u64 ns;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
	size_t u = 0;
	double value;

	while (u < ARRAY_SIZE(units) - 1 && ns < units[u].ns)
		u++;
	value = (double)ns / (double)units[u].ns;
	if (value >= 100 || ns % units[u].ns == 0)
		buf_printf(buf, "%.0f %s", value, units[u].name);
	else
		buf_printf(buf, value >= 10 ? "%.1f %s" : "%.2f %s", value, units[u].name);
}

void words_wait(struct buf *buf, const struct model *model, const struct wait_info *wait)
{
	const char *label = kind_table[wait->kind].label;
	size_t len = strlen(label);

	/* "pipe:[4711]" says by itself what it is. */
	bool named = strncmp(wait->desc, label, len) || wait->desc[len] != ':';

	if (named)
		buf_puts(buf, label);
	if (wait->owner != NO_THREAD) {
		buf_puts(buf, " (held by ");
		buf_puts(buf, thread_label(model_thread(model, wait->owner)));
		buf_putc(buf, ')');
	} else if (wait->desc[0]) {
		buf_puts(buf, named ? " " : "");
		buf_puts(buf, wait->desc);
	} else if (wait->kind == KIND_SLEEP && wait->rec.flags & WAIT_TIMED) {
		buf_putc(buf, ' ');
		words_duration(buf, wait->rec.timeout_ns);
	}
}

void words_span(struct buf *buf, const struct model *model, const struct span *span)
{
	switch (span->state) {
	case STATE_RUNNING:
		buf_puts(buf, "On CPU");
		break;
	case STATE_READY:
		buf_puts(buf, "Ready");
		if (span->preempted) {
			buf_puts(buf, " (preempted");
			if (span->preempted_by != NO_THREAD) {
				buf_puts(buf, " by ");
				buf_puts(buf, thread_label(model_thread(model, span->preempted_by)));
			}
			buf_putc(buf, ')');
		}
		break;
	case STATE_WAITING:
		words_wait(buf, model, span->wait);
		break;
	case STATE_STOPPED:
		buf_puts(buf, "Stopped");
		break;
	default:
		buf_puts(buf, "Unknown (events lost)");
	}
}

void words_lock(struct buf *buf, enum wait_kind kind, u64 lock, const struct process *process)
{
	buf_puts(buf, kind_table[kind].label);
	if (kind != KIND_GIL)
		buf_printf(buf, " 0x%" PRIx64, lock);
	if (process)
		buf_printf(buf, " of %s %d", process->name, process->tgid);
}

const char *words_known(const struct lock_lane *lane)
{
	if (lane->kind != KIND_GIL)
		return "read when a wait began";
	return lane->exact ? "every change was told" : "seen at switches, inferred between them";
}

void words_holder(struct buf *buf, const struct model *model, const struct lock_lane *lane)
{
	if (lane->holder == NO_THREAD) {
		buf_puts(buf, lane->handed ? "handed on" : lane->known ? "held by nobody" :
			 "holder not known");
		return;
	}
	buf_puts(buf, "held by ");
	buf_puts(buf, thread_label(model_thread(model, lane->holder)));
}

void words_task(struct buf *buf, const struct task_span *span)
{
	const char *detail = strchr(span->what, ':');

	switch (span->state) {
	case STATE_RUNNING:
		buf_puts(buf, "running");
		if (span->thread) {
			buf_puts(buf, " on ");
			buf_puts(buf, thread_label(span->thread));
		}
		break;
	case STATE_WAITING:
		buf_puts(buf, kind_table[span->wait_kind].label);
		if (!span->thread && detail && detail[1]) {
			buf_putc(buf, ' ');
			buf_puts(buf, detail + 1);
		}
		break;
	case STATE_UNKNOWN:
		buf_puts(buf, "unknown (marks lost)");
		break;
	default:
		buf_puts(buf, state_names[span->state]);
	}
}

void words_path(struct buf *buf, const struct model *model, const struct path_segment *segment)
{
	if (segment->thread == NO_THREAD) {
		buf_puts(buf, "not known");
		return;
	}
	buf_puts(buf, thread_label(model_thread(model, segment->thread)));
	buf_puts(buf, ": ");
	buf_puts(buf, segment->state == STATE_RUNNING ? "On CPU" :
		 segment->state == STATE_WAITING ? kind_table[segment->kind].label :
		 state_names[segment->state]);
}
