// SPDX-License-Identifier: MIT
// Hypothesis: one CPU is enough for two threads to make progress together, in turns. Two CPUs let them run at the same
// instant. Concurrency is the same in both; parallelism is not.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "corun.h"

static pthread_barrier_t start;
static atomic_int arrived;
static _Atomic double seen[2]; // when each last looked at the clock
static atomic_int met;         // both looked within a microsecond
static atomic_flag over = ATOMIC_FLAG_INIT;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Keep the calling thread, and those that it starts, on these CPUs.
static void keep_on(const int *cpus, int n)
{
	cpu_set_t chosen;

	CPU_ZERO(&chosen);
	for (int i = 0; i < n; i++)
		CPU_SET(cpus[i], &chosen);
	sched_setaffinity(0, sizeof(chosen), &chosen);
}

struct burner {
	int number, cpu, alone; // alone: there is one CPU for both
};

static void *burn(void *arg)
{
	struct burner *b = arg;
	double until, t;

	keep_on(&b->cpu, 1);
	if (++arrived == 2)
		corun_begin("work"); // both are there
	pthread_barrier_wait(&start);
	until = now() + 0.4;
	// On a busy machine each may get its CPU when the other has none: up to 3 s more, until they have met.
	while ((t = now()) < until || (!b->alone && !met && t < until + 3)) {
		seen[b->number] = t;
		double since = t - seen[!b->number];

		if (since >= 0 && since < 1e-6)
			met = 1;
	}
	if (!atomic_flag_test_and_set(&over))
		corun_end("work"); // the first to be done: up to here both were in flight
	return NULL;
}

int main(int argc, char **argv)
{
	int wanted = argc > 1 ? atoi(argv[1]) : 1, cpus[CPU_SETSIZE], n = 0;
	struct burner burners[2];
	pthread_t threads[2];
	cpu_set_t usable;

	sched_getaffinity(0, sizeof(usable), &usable);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < wanted; cpu++)
		if (CPU_ISSET(cpu, &usable))
			cpus[n++] = cpu;
	keep_on(cpus, n);
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++) {
		char name[16];

		burners[i] = (struct burner){i, cpus[i % n], n < 2};
		pthread_create(&threads[i], NULL, burn, &burners[i]);
		snprintf(name, sizeof(name), "burner-%d", i + 1);
		pthread_setname_np(threads[i], name);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	corun_fact("{\"cpus\": %d}", n);
}
