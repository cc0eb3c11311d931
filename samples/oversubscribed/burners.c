// SPDX-License-Identifier: MIT
// Hypothesis: four times as many computing threads as CPUs get no more work done. All of them are in flight,
// but only as many as there are CPUs run; the rest is ready and queues.
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
static atomic_flag over = ATOMIC_FLAG_INIT;
static int n;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *burn(void *unused)
{
	if (++arrived == n)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
	for (double until = now() + 0.4; now() < until;)
		;
	if (!atomic_flag_test_and_set(&over))
		corun_end("work"); // the first to be done: up to here all were in flight
	return unused;
}

int main(int argc, char **argv)
{
	int per_cpu = argc > 1 ? atoi(argv[1]) : 4;
	cpu_set_t usable;

	sched_getaffinity(0, sizeof(usable), &usable);
	n = per_cpu * CPU_COUNT(&usable);
	pthread_t threads[n];

	pthread_barrier_init(&start, NULL, (unsigned int)n);
	for (int i = 0; i < n; i++) {
		char name[32];

		pthread_create(&threads[i], NULL, burn, NULL);
		snprintf(name, sizeof(name), "burner-%d", i + 1);
		pthread_setname_np(threads[i], name);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	corun_fact("{\"threads\": %d, \"cpus\": %d}", n, CPU_COUNT(&usable));
}
