// SPDX-License-Identifier: MIT
// Hypothesis: six threads that each hold one lock for nine tenths of their work are one thread in disguise:
// one runs, the others wait for the lock, however many CPUs there are.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "corun.h"

#define THREADS 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static atomic_int arrived, inside, most_inside;

static long now(void) // ns
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void compute(double seconds)
{
	long until = now() + (long)(seconds * 1e9);

	while (now() < until)
		;
}

// The program's own word on who held the lock, to compare with what the recording says.
static void log_hold(long from, long to)
{
	corun_fact("{\"held\": {\"lock\": \"%p\", \"tid\": %d, \"from_ns\": %ld, \"to_ns\": %ld}}",
		   (void *)&lock, (int)gettid(), from, to);
}

static void begin_together(void)
{
	if (++arrived == THREADS)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
}

static void *work(void *unused)
{
	begin_together();
	for (long until = now() + 2000000000; now() < until;) {
		pthread_mutex_lock(&lock);
		long got_it = now();
		int together = ++inside;

		if (together > most_inside)
			most_inside = together;
		compute(0.0045);
		inside--;
		log_hold(got_it, now());
		pthread_mutex_unlock(&lock);
		compute(0.0005);
	}
	return unused;
}

// One holds the lock and does not let go; the others want it once.
static void *hog(void *unused)
{
	pthread_mutex_lock(&lock);
	long got_it = now();

	corun_fact("{\"hog\": %d}", (int)gettid());
	begin_together();
	compute(0.3);
	log_hold(got_it, now());
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *want(void *unused)
{
	begin_together();
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(int argc, char **argv)
{
	int hogged = argc > 1 && !strcmp(argv[1], "hog");
	pthread_t threads[THREADS];

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		char name[16];

		pthread_create(&threads[i], NULL, !hogged ? work : i ? want : hog, NULL);
		snprintf(name, sizeof(name), hogged && !i ? "hog" : "worker-%d", i + 1);
		pthread_setname_np(threads[i], name);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	corun_end("work");
	corun_fact("{\"most_inside\": %d}", most_inside);
}
