/* SPDX-License-Identifier: MIT */
/* convoy N SECONDS: N threads that compute while they hold one mutex, 90 % of their time. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double deadline;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* By its own clock: an amount of work, however long it takes. */
static void compute(double seconds)
{
	double until = now(CLOCK_THREAD_CPUTIME_ID) + seconds;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static void *work(void *unused)
{
	while (now(CLOCK_MONOTONIC) < deadline) {
		pthread_mutex_lock(&lock);
		compute(0.0009);
		pthread_mutex_unlock(&lock);
		compute(0.0001);
	}
	return unused;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	pthread_t threads[64];

	deadline = now(CLOCK_MONOTONIC) + (argc > 2 ? atof(argv[2]) : 1);
	for (int i = 0; i < n && i < 64; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < n && i < 64; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
