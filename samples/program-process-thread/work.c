// SPDX-License-Identifier: MIT
// Hypothesis: the same work, twice 0.15 s of CPU time, can be done by one thread, by two threads of one process, or by two
// processes. The kernel counts the same running time; who may run beside whom differs.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corun.h"

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void work(const char *name)
{
	double until = cpu_time() + 0.15;

	prctl(PR_SET_NAME, name);
	while (cpu_time() < until)
		;
}

static void *thread(void *name)
{
	work(name);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "one";
	pthread_t second;

	corun_begin("work");
	if (!strcmp(how, "processes")) {
		if (!fork()) {
			work("worker-2");
			_exit(0);
		}
		work("worker-1");
		wait(NULL);
	} else if (!strcmp(how, "threads")) {
		pthread_create(&second, NULL, thread, "worker-2");
		work("worker-1");
		pthread_join(second, NULL);
	} else {
		work("worker-1");
		work("worker-1");
	}
	corun_end("work");
}
