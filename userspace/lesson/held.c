/* SPDX-License-Identifier: MIT */
#include "lesson/held.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "model/model.h"
#include "trace/trace.h"

/* 285 years. cJSON reads doubles: after 104 days of uptime (2^53 ns) times are exact to some ns, which is enough here. */
#define TIME_MAX 9e18

struct hold {
	u64 lock, from_ns, to_ns;
	s32 tid;
};

struct log {
	struct model *model;
	struct hold *holds; /* by lock, then by time */
	struct held *held;
};

/* 0: there is none, or none that can be meant. */
static u64 number_of(const cJSON *object, const char *key, double most)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble <= most ? (u64)item->valuedouble : 0;
}

/* False: @fact is about something else. */
static bool parse(const char *fact, struct hold *hold)
{
	cJSON *json = cJSON_Parse(fact);
	const cJSON *held = cJSON_GetObjectItemCaseSensitive(json, "held");
	const char *lock = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(held, "lock"));
	bool good = lock;

	if (good)
		*hold = (struct hold){
			.lock = strtoull(lock, NULL, 16), .tid = (s32)number_of(held, "tid", INT32_MAX),
			.from_ns = number_of(held, "from_ns", TIME_MAX), .to_ns = number_of(held, "to_ns", TIME_MAX),
		};
	cJSON_Delete(json);
	return good;
}

static int by_lock_and_time(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	if (x->lock != y->lock)
		return x->lock < y->lock ? -1 : 1;
	return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

/* Who held @lock at @ts by the log, NULL: it does not say. */
static const struct hold *hold_at(const struct log *log, u64 lock, u64 ts)
{
	struct hold key = {.lock = lock, .from_ns = ts};
	size_t low = 0, high = log->held->logged;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (by_lock_and_time(&log->holds[mid], &key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || log->holds[low - 1].lock != lock || log->holds[low - 1].to_ns < ts)
		return NULL;
	return &log->holds[low - 1];
}

static void on_lock_wait(void *ctx, const struct lock_wait *wait)
{
	struct log *log = ctx;
	const struct hold *hold = wait->kind == KIND_MUTEX ? hold_at(log, wait->lock, wait->start_ns) : NULL;
	const struct thread *owner = wait->owner == NO_THREAD ? NULL : model_thread(log->model, wait->owner);

	log->held->waits += hold != NULL;
	log->held->right += hold && owner && (owner->ns_tid ? owner->ns_tid : owner->tid) == hold->tid;
}

int held_compare(struct held *held, const char *trace, char *const *facts, u32 n_facts, struct error *err)
{
	static const struct model_sink sink = {.lock_wait = on_lock_wait};
	struct log log = {.holds = calloc(n_facts + 1, sizeof(*log.holds)), .held = held};
	struct trace_reader *reader = NULL;
	int code = 0;

	*held = (struct held){0};
	if (!log.holds)
		return error_set(err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < n_facts; i++)
		held->logged += parse(facts[i], &log.holds[held->logged]);
	if (held->logged) {
		qsort(log.holds, held->logged, sizeof(*log.holds), by_lock_and_time);
		code = trace_reader_open(&reader, trace, err);
		if (!code)
			code = model_new(&log.model, err);
		if (!code)
			code = model_add_sink(log.model, &sink, &log);
		if (!code)
			code = model_read(log.model, reader, err);
	}
	model_free(log.model);
	trace_reader_close(reader);
	free(log.holds);
	return code;
}
