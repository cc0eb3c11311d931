/* SPDX-License-Identifier: MIT */
#include "metrics/figures.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/series.h"

int usage_slot_of(enum thread_state state, enum wait_kind kind)
{
	switch (state) {
	case STATE_RUNNING:
		return USAGE_RUNNING;
	case STATE_READY:
		return USAGE_READY;
	case STATE_STOPPED:
		return USAGE_STOPPED;
	case STATE_UNKNOWN:
		return USAGE_UNKNOWN;
	case STATE_WAITING:
		return USAGE_KIND + (int)kind;
	default:
		return -1;
	}
}

const char *usage_name(unsigned int slot)
{
	static const char *const names[] = {"running", "ready", "stopped", "unknown"};

	return slot < USAGE_KIND ? names[slot] : kind_table[slot - USAGE_KIND].name;
}

const char *usage_label(unsigned int slot)
{
	return slot < USAGE_KIND ? usage_name(slot) : kind_table[slot - USAGE_KIND].label;
}

bool usage_in_flight(unsigned int slot, u32 parked)
{
	if (slot >= USAGE_KIND)
		return !(parked & (1u << (slot - USAGE_KIND)));
	return slot == USAGE_RUNNING || slot == USAGE_READY;
}

void usage_add(struct usage *sum, const struct usage *more)
{
	for (unsigned int i = 0; i < USAGE_SLOTS; i++)
		sum->ns[i] += more->ns[i];
}

u64 usage_alive(const struct usage *usage)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < USAGE_SLOTS; i++)
		sum += usage->ns[i];
	return sum;
}

u64 usage_flight(const struct usage *usage, u32 parked)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < USAGE_SLOTS; i++)
		if (usage_in_flight(i, parked))
			sum += usage->ns[i];
	return sum;
}

u64 usage_blocked(const struct usage *usage)
{
	u64 sum = 0;

	for (unsigned int i = USAGE_KIND; i < USAGE_SLOTS; i++)
		sum += usage->ns[i];
	return sum;
}

/* Room for index @id in an array of pointers, zero-filled. */
static bool grow(struct figures *figures, void *array, u32 *n, u32 id)
{
	void **old, **grown;
	u32 want;

	memcpy(&old, array, sizeof(old));
	if (id < *n)
		return true;
	want = id + 1 + id / 2;
	grown = realloc(old, want * sizeof(*grown));
	if (!grown) {
		figures->failed = true;
		return false;
	}
	memset(grown + *n, 0, (want - *n) * sizeof(*grown));
	memcpy(array, &grown, sizeof(grown));
	*n = want;
	/* cppcheck-suppress memleak -- it went into *array */
	return true;
}

struct thread_figures *figures_thread(struct figures *figures, u32 id)
{
	struct thread_figures *thread;

	if (id < figures->n_threads && figures->threads[id])
		return figures->threads[id];
	if (!grow(figures, &figures->threads, &figures->n_threads, id))
		return NULL;
	thread = calloc(1, sizeof(*thread));
	if (!thread) {
		figures->failed = true;
		return NULL;
	}
	thread->last_cpu = -1;
	if (figures->n_hists < FIGURES_HISTS) {
		thread->hists = calloc(1, sizeof(*thread->hists));
		figures->failed |= !thread->hists;
		figures->n_hists++;
	}
	figures->threads[id] = thread;
	return thread;
}

struct process_figures *figures_process(struct figures *figures, u32 id)
{
	if (id < figures->n_processes && figures->processes[id])
		return figures->processes[id];
	if (!grow(figures, &figures->processes, &figures->n_processes, id))
		return NULL;
	figures->processes[id] = calloc(1, sizeof(*figures->processes[id]));
	if (!figures->processes[id])
		figures->failed = true;
	return figures->processes[id];
}

static void free_values(struct map *map)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(map, &i));)
		free(slot->value);
	map_free(map);
}

static void lock_free(struct lock_figures *lock)
{
	hist_free(&lock->waits_hist);
	map_free(&lock->threads);
	free_values(&lock->holder_map);
	free_values(&lock->releaser_map);
	free(lock->holders);
	free(lock->releasers);
	sites_free(&lock->sites);
	free(lock);
}

void figures_free(struct figures *figures)
{
	struct map_slot *slot;

	if (!figures)
		return;
	curve_free(&figures->parallelism);
	curve_free(&figures->concurrency);
	curve_free(&figures->concurrency_high);
	curve_free(&figures->demand);
	curve_free(&figures->alive);
	for (u32 i = 0; i < figures->n_joint; i++)
		curve_free(&figures->joint[i]);
	free(figures->joint);
	free(figures->pieces);
	for (u32 i = 0; i < figures->n_threads; i++) {
		struct thread_hists *hists = figures->threads[i] ? figures->threads[i]->hists : NULL;

		if (hists) {
			hist_free(&hists->delay);
			hist_free(&hists->slice);
		}
		free(hists);
		free(figures->threads[i]);
	}
	free(figures->threads);
	for (u32 i = 0; i < figures->n_processes; i++) {
		if (!figures->processes[i])
			continue;
		curve_free(&figures->processes[i]->parallelism);
		curve_free(&figures->processes[i]->concurrency);
		curve_free(&figures->processes[i]->demand);
		series_free(figures->processes[i]->series);
		free(figures->processes[i]);
	}
	free(figures->processes);
	series_free(figures->series);
	hist_free(&figures->delay);
	hist_free(&figures->slice);
	for (size_t i = 0; (slot = map_next(&figures->calls, &i));) {
		struct call_figures *call = slot->value;

		sites_free(&call->sites);
		sites_free(&call->functions);
	}
	free_values(&figures->calls);
	free_values(&figures->preemptions);
	for (u32 i = 0; i < figures->n_locks; i++)
		lock_free(figures->lock_list[i]);
	free(figures->lock_list);
	map_free(&figures->locks);
	free(figures->name);
	free(figures);
}

static void **values_sorted(const struct map *map, size_t *n,
			    int (*compare)(const void *, const void *))
{
	void **list = malloc((map->len + 1) * sizeof(*list));
	struct map_slot *slot;

	*n = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; (slot = map_next(map, &i));)
		list[(*n)++] = slot->value;
	qsort(list, *n, sizeof(*list), compare);
	return list;
}

/* Most time first; equal times by what they are, so that a report is the same every time. */
static int by_wait(const void *a, const void *b)
{
	const struct call_figures *x = *(struct call_figures *const *)a;
	const struct call_figures *y = *(struct call_figures *const *)b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns < y->wait_ns ? 1 : -1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	if (x->fd_kind != y->fd_kind)
		return x->fd_kind < y->fd_kind ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static int by_victim_time(const void *a, const void *b)
{
	const struct preemption *x = *(struct preemption *const *)a;
	const struct preemption *y = *(struct preemption *const *)b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->by != y->by)
		return x->by < y->by ? -1 : 1;
	return x->victim < y->victim ? -1 : x->victim > y->victim;
}

static int by_held(const void *a, const void *b)
{
	const struct holder_figures *x = *(struct holder_figures *const *)a;
	const struct holder_figures *y = *(struct holder_figures *const *)b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns < y->wait_ns ? 1 : -1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int by_lock_wait(const void *a, const void *b)
{
	const struct lock_figures *x = *(struct lock_figures *const *)a;
	const struct lock_figures *y = *(struct lock_figures *const *)b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns < y->wait_ns ? 1 : -1;
	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->lock < y->lock ? -1 : x->lock > y->lock;
}

struct call_figures **figures_calls(const struct figures *figures, size_t *n)
{
	return (struct call_figures **)values_sorted(&figures->calls, n, by_wait);
}

struct preemption **figures_preemptions(const struct figures *figures, size_t *n)
{
	return (struct preemption **)values_sorted(&figures->preemptions, n, by_victim_time);
}

void figures_sort_locks(struct figures *figures)
{
	if (figures->n_locks)
		qsort(figures->lock_list, figures->n_locks, sizeof(*figures->lock_list),
		      by_lock_wait);
	for (u32 i = 0; i < figures->n_locks; i++) {
		struct lock_figures *lock = figures->lock_list[i];
		size_t n;

		free(lock->holders);
		lock->holders = (struct holder_figures **)values_sorted(&lock->holder_map, &n,
									by_held);
		lock->n_holders = (u32)n;
		lock->releasers = (struct holder_figures **)values_sorted(&lock->releaser_map, &n,
									  by_held);
		lock->n_releasers = (u32)n;
	}
}
