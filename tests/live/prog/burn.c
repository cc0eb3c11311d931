/* SPDX-License-Identifier: MIT */
/*
 * burn.c - N threads that compute until a deadline and sleep a little in between; each prints its
 * tid and its own CPU clock at its end: the kernel's accounting of the same thread.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *burn(void *deadline)
{
	struct timespec nap = {0, 2000000};
	volatile unsigned long x = 0;
	struct timespec own;

	while (seconds(CLOCK_MONOTONIC) < *(double *)deadline) {
		for (int i = 0; i < 2000000; i++)
			x += (unsigned long)i;
		nanosleep(&nap, NULL);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
	printf("%ld %lld\n", syscall(SYS_gettid), own.tv_sec * 1000000000LL + own.tv_nsec);
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	double deadline = seconds(CLOCK_MONOTONIC) + (argc > 2 ? atof(argv[2]) : 1);
	pthread_t threads[64];

	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, burn, &deadline);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
