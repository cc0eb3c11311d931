/* SPDX-License-Identifier: MIT */
/* what_if.c - the question, the check of the unchanged setting, the answer in words. */
#include "metrics/what_if.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS_MAX 4096

static int parse_word(const char *word, size_t len, struct what_if_options *o)
{
	char copy[64], *end = copy;

	if (!len || len >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, word, len);
	copy[len] = '\0';
	if (!strcmp(copy, "no-gil")) {
		o->no_gil = true;
	} else if (!strcmp(copy, "io=0")) {
		o->no_io = true;
	} else if (!strncmp(copy, "cpus=", 5)) {
		unsigned long n = strtoul(copy + 5, &end, 10);

		if (*end || !n || n > CPUS_MAX || copy[5] == '-')
			return -EINVAL;
		o->cpus = (u32)n;
	} else if (!strncmp(copy, "no-lock=", 8)) {
		o->no_lock = strtoull(copy + 8, &end, 16);
		if (*end || !o->no_lock)
			return -EINVAL;
	} else {
		return -EINVAL;
	}
	return 0;
}

int what_if_parse(const char *text, struct what_if_options *o, const char **bad)
{
	*o = (struct what_if_options){0};
	for (const char *word = text;; word++) {
		size_t len = strcspn(word, ",");

		if (parse_word(word, len, o)) {
			*bad = word;
			return -EINVAL;
		}
		word += len;
		if (!*word)
			return 0;
	}
}

/* Replay it; of a replay that comes to no end (-EDEADLK) the duration is 0. */
static int replay(const struct graph *g, const struct replay_setting *set, u64 *duration_ns)
{
	int code = replay_run(g, set, duration_ns);

	if (code != -EDEADLK)
		return code;
	*duration_ns = 0;
	return 0;
}

static enum what_if_refusal refuse(const struct what_if *a)
{
	double miss = (double)a->replayed_ns - (double)a->recorded_ns;
	double allowed = WHAT_IF_MISS * (double)a->recorded_ns;

	if (a->recording.unknown > WHAT_IF_MISS)
		return WHAT_IF_UNKNOWN;
	if ((double)a->recording.throttled_ns > allowed)
		return WHAT_IF_QUOTA;
	return (miss < 0 ? -miss : miss) > allowed ? WHAT_IF_MISSED : WHAT_IF_ANSWERED;
}

/* With locks that are taken by who comes first or, where that is not how it was, passed on as recorded. */
static int replay_unchanged(const struct graph *g, struct replay_setting *set, struct what_if *a)
{
	int code = replay(g, set, &a->replayed_ns);

	if (!code)
		a->refusal = refuse(a);
	if (code || !set->holds || a->refusal != WHAT_IF_MISSED)
		return code;
	set->holds = NULL;
	return replay_unchanged(g, set, a);
}

int what_if_ask(const struct graph *g, const struct what_if_recording *recording,
		const struct what_if_options *o, struct what_if *a)
{
	const struct model *m = graph_model(g);
	struct replay_setting set = {.cpus = recording->cpus ? recording->cpus : 1, .outside = true};
	struct holds *holds = NULL;
	int code = graph_error(g);

	*a = (struct what_if){.asked = *o, .recording = *recording, .recorded_cpus = set.cpus,
			      .cpus = o->cpus ? o->cpus : set.cpus,
			      .recorded_ns = model_window_end(m) - model_window_begin(m)};
	if (!code)
		code = holds_find(&holds, g);
	if (code && code != -E2BIG)
		return code;
	set.holds = holds;
	code = replay_unchanged(g, &set, a);
	if (!code && a->refusal == WHAT_IF_ANSWERED) {
		set = (struct replay_setting){.cpus = a->cpus, .no_gil = o->no_gil, .no_io = o->no_io,
					      .no_lock = o->no_lock, .holds = set.holds};
		code = replay(g, &set, &a->duration_ns);
		if (!code && !a->duration_ns && a->recorded_ns)
			a->refusal = WHAT_IF_MISSED;
	}
	holds_free(holds);
	return code;
}

static void put_assumptions(const struct what_if *a, struct buf *b, const char *before, const char *after)
{
	const char *const texts[] = {
		"the threads do the same work in the same pieces, whoever is first",
		"no other program takes the CPUs",
		"a wait that nobody traced ended lasts as long as it did",
		"locks that were free when asked for stay free: no new contention is foreseen",
		"spinning and work that depends on timing are not foreseen",
		a->asked.no_gil ? "Python's threads run side by side at the same speed" : NULL,
		a->asked.no_lock ? "what the lock protects needs no protection" : NULL,
		a->asked.no_io ? "disk, network and terminal answer at once" : NULL,
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!texts[i])
			continue;
		buf_printf(b, "%s%s%s%s", first || *before != '"' ? "" : ",", before, texts[i], after);
		first = false;
	}
}

void what_if_json(const struct what_if *a, struct buf *b)
{
	static const char *const why[] = {"", "replay-missed", "cpu-quota", "unknown-time"};

	buf_printf(b, "\"what_if\":{\"cpus\":%u,\"recorded_cpus\":%u,\"recorded_ns\":%" PRIu64
		   ",\"replayed_ns\":%" PRIu64 ",", a->cpus, a->recorded_cpus, a->recorded_ns,
		   a->replayed_ns);
	if (a->refusal)
		buf_printf(b, "\"refused\":true,\"refused_because\":\"%s\",", why[a->refusal]);
	else
		buf_printf(b, "\"duration_ns\":%" PRIu64 ",", a->duration_ns);
	buf_puts(b, "\"assumptions\":[");
	put_assumptions(a, b, "\"", "\"");
	buf_puts(b, "]}");
}

static void english(const struct what_if *a, bool same, struct buf *b)
{
	buf_puts(b, "Without the GIL this work would take about ");
	if (same)
		buf_puts(b, "as long");
	else
		buf_put_duration(b, a->duration_ns, 0);
	buf_printf(b, " on %u CPU%s", a->cpus, a->cpus == 1 ? "" : "s");
	if (!same) {
		buf_puts(b, " instead of ");
		buf_put_duration(b, a->recorded_ns, 0);
	}
	buf_putc(b, '.');
}

static void korean(const struct what_if *a, bool same, struct buf *b)
{
	buf_printf(b, "GIL이 없으면 이 일은 CPU %u개에서 ", a->cpus);
	if (same) {
		buf_puts(b, "비슷하게 걸릴 것이다.");
		return;
	}
	buf_put_duration(b, a->recorded_ns, 0);
	buf_puts(b, "가 아니라 약 ");
	buf_put_duration(b, a->duration_ns, 0);
	buf_puts(b, "가 걸릴 것이다.");
}

void what_if_sentence(const struct what_if *a, bool is_korean, struct buf *b)
{
	double change = a->recorded_ns ? (double)a->duration_ns / (double)a->recorded_ns - 1 : 0;
	bool same = change < WHAT_IF_MISS && change > -WHAT_IF_MISS; /* a replay tells no more than that */

	if (is_korean)
		korean(a, same, b);
	else
		english(a, same, b);
}

static void put_refusal(const struct what_if *a, struct buf *b)
{
	buf_puts(b, "    No prediction: ");
	switch (a->refusal) {
	case WHAT_IF_QUOTA:
		buf_puts(b, "a CPU quota held the threads back for ");
		buf_put_duration(b, a->recording.throttled_ns, 0);
		buf_puts(b, ", and a replay has none.\n");
		break;
	case WHAT_IF_UNKNOWN:
		buf_printf(b, "%.0f %% of the threads' time is unknown.\n", 100 * a->recording.unknown);
		break;
	default:
		buf_puts(b, "replayed as it was, this takes ");
		buf_put_duration(b, a->replayed_ns, 0);
		buf_puts(b, ", not ");
		buf_put_duration(b, a->recorded_ns, 0);
		buf_puts(b, ".\n");
	}
}

/* "    on 4 CPUs, no GIL             120 ms  -47.3 %" */
static void put_line(struct buf *b, const struct what_if *a, const char *what, u64 ns)
{
	buf_printf(b, "    %-54s", what);
	buf_put_duration(b, ns, 10);
	if (ns != a->recorded_ns && a->recorded_ns)
		buf_printf(b, " %+7.1f %%", 100 * ((double)ns / (double)a->recorded_ns - 1));
	buf_putc(b, '\n');
}

void what_if_text(const struct what_if *a, struct buf *b)
{
	char line[64];

	buf_printf(b, "\n  %-56s%10s\n", "what if", "wall time");
	snprintf(line, sizeof(line), "as recorded, %u CPU%s", a->recorded_cpus,
		 a->recorded_cpus == 1 ? "" : "s");
	put_line(b, a, line, a->recorded_ns);
	if (a->refusal) {
		put_refusal(a, b);
		return;
	}
	put_line(b, a, "the same, replayed", a->replayed_ns);
	snprintf(line, sizeof(line), "on %u CPU%s%s%s%s", a->cpus, a->cpus == 1 ? "" : "s",
		 a->asked.no_gil ? ", no GIL" : "", a->asked.no_lock ? ", no lock" : "",
		 a->asked.no_io ? ", I/O at once" : "");
	put_line(b, a, line, a->duration_ns);
	buf_puts(b, "    if\n");
	put_assumptions(a, b, "    - ", "\n");
}
