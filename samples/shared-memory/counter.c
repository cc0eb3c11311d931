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
#include <unistd.h>

#include "corun.h"

#define THREADS 4
#define TIMES 100

static volatile long counter;
static long own[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static atomic_int arrived;
static const char *how;

static long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void think(long ns)
{
	long until = now(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static void count(volatile long *it)
{
	long seen = *it;

	think(300000);
	sched_yield(); // somebody else may count now
	*it = seen + 1;
}

// The program's own word on who held the lock, to compare with what the recording says.
static void log_hold(long from, long to)
{
	corun_fact("{\"held\": {\"lock\": \"%p\", \"tid\": %d, \"from_ns\": %ld, \"to_ns\": %ld}}",
		   (void *)&lock, (int)gettid(), from, to);
}

static void count_alone(volatile long *it)
{
	pthread_mutex_lock(&lock);
	long got_it = now(CLOCK_MONOTONIC);

	count(it);
	log_hold(got_it, now(CLOCK_MONOTONIC));
	pthread_mutex_unlock(&lock);
}

static void *counts(void *number)
{
	if (++arrived == THREADS)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
	for (int i = 0; i < TIMES; i++) {
		if (!strcmp(how, "own"))
			count(&own[(long)number]);
		else if (!strcmp(how, "lock"))
			count_alone(&counter);
		else
			count(&counter);
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
