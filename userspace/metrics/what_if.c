/* SPDX-License-Identifier: MIT */
/* what_if.c - the question, the check of the unchanged setting, the answer in words. */
#include "metrics/what_if.h"

#include <inttypes.h>
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

int what_if_ask(const struct graph *g, u32 cpus, const struct what_if_options *o, struct what_if *a)
{
	const struct model *m = graph_model(g);
	struct replay_setting set = {.cpus = cpus ? cpus : 1, .outside = true};
	double miss;
	int code = graph_error(g);

	*a = (struct what_if){.asked = *o, .recorded_cpus = set.cpus, .cpus = o->cpus ? o->cpus : set.cpus,
			      .recorded_ns = model_window_end(m) - model_window_begin(m)};
	if (!code)
		code = replay_run(g, &set, &a->replayed_ns);
	if (code)
		return code == -EDEADLK ? 0 : code;
	miss = (double)a->replayed_ns - (double)a->recorded_ns;
	if ((miss < 0 ? -miss : miss) > WHAT_IF_MISS * (double)a->recorded_ns)
		return 0;
	set = (struct replay_setting){.cpus = a->cpus, .no_gil = o->no_gil, .no_io = o->no_io,
				      .no_lock = o->no_lock};
	code = replay_run(g, &set, &a->duration_ns);
	if (code != -EDEADLK)
		return code;
	a->duration_ns = 0;
	return 0;
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
	buf_printf(b, "\"what_if\":{\"cpus\":%u,\"recorded_cpus\":%u,\"recorded_ns\":%" PRIu64
		   ",\"replayed_ns\":%" PRIu64 ",", a->cpus, a->recorded_cpus, a->recorded_ns,
		   a->replayed_ns);
	if (!a->duration_ns)
		buf_puts(b, "\"refused\":true,");
	else
		buf_printf(b, "\"duration_ns\":%" PRIu64 ",", a->duration_ns);
	buf_puts(b, "\"assumptions\":[");
	put_assumptions(a, b, "\"", "\"");
	buf_puts(b, "]}");
}

void what_if_text(const struct what_if *a, struct buf *b)
{
	const double ms = 1e6;

	buf_puts(b, "\n  what if\n");
	if (!a->duration_ns) {
		buf_printf(b, "    No prediction: replayed as it was, this takes %.1f ms, not %.1f ms.\n",
			   (double)a->replayed_ns / ms, (double)a->recorded_ns / ms);
		return;
	}
	buf_printf(b, "    On %u CPU%s%s%s%s this would take about %.1f ms instead of %.1f ms, if\n",
		   a->cpus, a->cpus == 1 ? "" : "s", a->asked.no_gil ? " without the GIL" : "",
		   a->asked.no_lock ? " without the lock" : "", a->asked.no_io ? ", instant I/O," : "",
		   (double)a->duration_ns / ms, (double)a->recorded_ns / ms);
	put_assumptions(a, b, "    - ", "\n");
}
