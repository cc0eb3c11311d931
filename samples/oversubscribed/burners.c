// SPDX-License-Identifier: MIT
// Hypothesis: four times as many computing threads as CPUs get no more work done. All of them are in flight,
// but only as many as there are CPUs run; the rest is ready and queues.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "corun.h"

static pthread_barrier_t start;
static double deadline;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *burn(void *unused)
{
	pthread_barrier_wait(&start);
	while (now() < deadline)
		for (volatile int i = 0; i < 10000; i++)
			;
	return unused;
}

int main(int argc, char **argv)
{
	int per_cpu = argc > 1 ? atoi(argv[1]) : 4;
	cpu_set_t usable;

	sched_getaffinity(0, sizeof(usable), &usable);
	int n = per_cpu * CPU_COUNT(&usable);
	pthread_t threads[n];

	pthread_barrier_init(&start, NULL, n + 1);
	for (int i = 0; i < n; i++) {
		char name[32];

		pthread_create(&threads[i], NULL, burn, NULL);
		snprintf(name, sizeof(name), "burner-%d", i + 1);
		pthread_setname_np(threads[i], name);
	}
	deadline = now() + 0.4;
	corun_begin("work");
	pthread_barrier_wait(&start);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	corun_end("work");
	corun_fact("{\"threads\": %d, \"cpus\": %d}", n, CPU_COUNT(&usable));
}
