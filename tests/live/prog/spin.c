/* SPDX-License-Identifier: MIT */
/* spin N SECONDS: N threads that compute until a deadline, and nothing else. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static double deadline;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *spin(void *unused)
{
	while (now() < deadline)
		;
	return unused;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2;
	pthread_t threads[64];

	deadline = now() + (argc > 2 ? atof(argv[2]) : 1);
	for (int i = 1; i < n && i < 64; i++)
		pthread_create(&threads[i], NULL, spin, NULL);
	spin(NULL);
	for (int i = 1; i < n && i < 64; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
