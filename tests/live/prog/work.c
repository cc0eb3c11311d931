/* SPDX-License-Identifier: MIT */
/*
 * work.c - the same amount of work on any number of CPUs, for what-if: work KIND.
 *
 * threads, processes: four of them compute. pipe: one computes an item and sends it, the other one
 * computes on it. pipeline: three of those. lock: four threads compute half of their time under one
 * mutex; convoy: nearly all of it. queue: three threads wait on a condition for what a fourth computes.
 * one: one thread. sleepers: four threads sleep and compute in turns. straggler: one thread has three
 * times the work.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITEMS 48
#define UNIT 8000000L /* some 3 ms */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int n_items, n_taken;
static const char *kind;

static void compute(long n)
{
	for (volatile long i = 0; i < n; i++)
		;
}

static void *producer(void *arg)
{
	for (int i = 0; i < ITEMS; i++) {
		compute(UNIT / 2);
		pthread_mutex_lock(&mutex);
		n_items++;
		pthread_cond_signal(&more);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&mutex);
		while (!n_items && n_taken < ITEMS)
			pthread_cond_wait(&more, &mutex);
		if (!n_items)
			break;
		n_items--;
		if (++n_taken == ITEMS)
			pthread_cond_broadcast(&more);
		pthread_mutex_unlock(&mutex);
		compute(UNIT);
	}
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *thread(void *arg)
{
	long id = (long)arg;

	if (!strcmp(kind, "queue"))
		return id ? consumer(arg) : producer(arg);

	for (int i = 0; i < 24; i++) {
		if (!strcmp(kind, "sleepers"))
			usleep(3000);
		if (!strcmp(kind, "lock") || !strcmp(kind, "convoy")) {
			long free = !strcmp(kind, "lock") ? UNIT / 2 : UNIT / 10;

			compute(free);
			pthread_mutex_lock(&mutex);
			compute(UNIT - free);
			pthread_mutex_unlock(&mutex);
		} else {
			compute(!strcmp(kind, "straggler") && id == 0 ? 3 * UNIT : UNIT);
		}
	}
	return NULL;
}

/* Stage @i of @n: an item in, work, an item out. */
static void stage(int i, int n, int in, int out)
{
	char item = 0;

	for (int k = 0; k < 40; k++) {
		if (i > 0 && read(in, &item, 1) != 1)
			_exit(1);
		compute(UNIT);
		if (i < n - 1 && write(out, &item, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	int ends[4][2], n = 4;

	kind = argc > 1 ? argv[1] : "threads";
	if (!strncmp(kind, "pip", 3)) {
		n = !strcmp(kind, "pipe") ? 2 : 3;
		for (int i = 0; i < n; i++)
			if (pipe(ends[i]))
				return 1;
		for (int i = 0; i < n; i++)
			if (!fork())
				stage(i, n, i ? ends[i - 1][0] : -1, ends[i][1]);
	} else if (!strcmp(kind, "processes")) {
		for (int i = 0; i < n; i++)
			if (!fork())
				_exit(thread((void *)1) != NULL);
	} else if (!strcmp(kind, "one")) {
		thread((void *)1);
	} else {
		for (long i = 0; i < n; i++)
			pthread_create(&threads[i], NULL, thread, (void *)i);
		for (int i = 0; i < n; i++)
			pthread_join(threads[i], NULL);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
