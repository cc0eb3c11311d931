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
static double until;
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

static void *burn(void *cpu)
{
	keep_on(cpu, 1);
	pthread_barrier_wait(&start);
	while (now() < until)
		;
	if (!atomic_flag_test_and_set(&over))
		corun_end("work"); // the first to be done: up to here both were in flight
	return NULL;
}

int main(int argc, char **argv)
{
	int wanted = argc > 1 ? atoi(argv[1]) : 1, cpus[CPU_SETSIZE], n = 0;
	pthread_t threads[2];
	cpu_set_t usable;

	sched_getaffinity(0, sizeof(usable), &usable);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < wanted; cpu++)
		if (CPU_ISSET(cpu, &usable))
			cpus[n++] = cpu;
	keep_on(cpus, n);
	pthread_barrier_init(&start, NULL, 3);
	for (int i = 0; i < 2; i++) {
		char name[16];

		pthread_create(&threads[i], NULL, burn, &cpus[i % n]); // each to a CPU of its own, if there are two
		snprintf(name, sizeof(name), "burner-%d", i + 1);
		pthread_setname_np(threads[i], name);
	}
	until = now() + 0.4;
	corun_begin("work");
	pthread_barrier_wait(&start);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	corun_fact("{\"cpus\": %d}", n);
}
