// SPDX-License-Identifier: MIT
// Hypothesis: threads see the same memory. When several change one counter without agreeing on it, counts get lost; with a lock
// none does, and they wait for each other; with a counter each, none does and nobody waits.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "corun.h"

#define THREADS 4
#define TIMES 100

static volatile long counter;
static long own[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static atomic_int arrived;
static const char *how;

static void think(long ns)
{
	struct timespec begin, now; // of the thread's own CPU time

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < ns);
}

static void count(volatile long *it)
{
	long seen = *it;

	think(300000);
	sched_yield(); // somebody else may count now
	*it = seen + 1;
}

static void *counts(void *number)
{
	if (++arrived == THREADS)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
	for (int i = 0; i < TIMES; i++) {
		if (!strcmp(how, "own")) {
			count(&own[(long)number]);
		} else if (!strcmp(how, "lock")) {
			pthread_mutex_lock(&lock);
			count(&counter);
			pthread_mutex_unlock(&lock);
		} else {
			count(&counter);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	how = argc > 1 ? argv[1] : "race";
	pthread_barrier_init(&start, NULL, THREADS);
	for (long i = 0; i < THREADS; i++) {
		char name[16];

		pthread_create(&threads[i], NULL, counts, (void *)i);
		snprintf(name, sizeof(name), "counter-%ld", i + 1);
		pthread_setname_np(threads[i], name);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	corun_end("work");
	for (int i = 0; i < THREADS; i++)
		counter += own[i];
	corun_fact("{\"sum\": %ld, \"expected\": %d}", counter, THREADS * TIMES);
	printf("%ld of %d\n", counter, THREADS * TIMES);
}
