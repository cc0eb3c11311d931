// SPDX-License-Identifier: MIT
// Hypothesis: in C three threads of one process chop at the same time too: nothing like the GIL stands between them.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "corun.h"

static pthread_barrier_t start;
static atomic_int arrived;
static atomic_flag over = ATOMIC_FLAG_INIT;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *chop(void *unused)
{
	if (++arrived == 3)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
	for (double until = now() + 1.0; now() < until;)
		;
	if (!atomic_flag_test_and_set(&over))
		corun_end("work"); // the first to be done: up to here all were in flight
	return unused;
}

int main(void)
{
	static const char *const dishes[] = {"ramen", "pasta", "cake"};
	pthread_t cooks[3];

	pthread_barrier_init(&start, NULL, 3);
	for (int i = 0; i < 3; i++) {
		pthread_create(&cooks[i], NULL, chop, NULL);
		pthread_setname_np(cooks[i], dishes[i]);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(cooks[i], NULL);
}
