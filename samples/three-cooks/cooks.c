// SPDX-License-Identifier: MIT
// Hypothesis: in C three threads of one process chop at the same time too: nothing like the GIL stands between them.
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>

#include "corun.h"

static pthread_barrier_t start;
static double until;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *chop(void *unused)
{
	pthread_barrier_wait(&start);
	while (now() < until)
		;
	return unused;
}

int main(void)
{
	static const char *const dishes[] = {"ramen", "pasta", "cake"};
	pthread_t cooks[3];

	pthread_barrier_init(&start, NULL, 4);
	for (int i = 0; i < 3; i++) {
		pthread_create(&cooks[i], NULL, chop, NULL);
		pthread_setname_np(cooks[i], dishes[i]);
	}
	until = now() + 1.0;
	corun_begin("work");
	pthread_barrier_wait(&start);
	for (int i = 0; i < 3; i++)
		pthread_join(cooks[i], NULL);
	corun_end("work");
}
