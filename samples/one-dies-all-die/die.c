// SPDX-License-Identifier: MIT
// Hypothesis: a fault in one thread takes its whole process down, and every other thread with it, in the middle of their
// work. A fault in a child process leaves the parent alone.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corun.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void compute(double seconds)
{
	for (double until = now() + seconds; now() < until;)
		;
}

static void fault(void)
{
	volatile int *nowhere = NULL;

	compute(0.1);
	*nowhere = 1; // SIGSEGV
}

static void *faulty_thread(void *unused)
{
	fault();
	return unused;
}

static void *good_thread(void *unused)
{
	compute(0.6);
	corun_fact("{\"finished\": true}"); // only if nobody took it down
	return unused;
}

static void start(const char *name, void *(*what)(void *), pthread_t *thread)
{
	pthread_create(thread, NULL, what, NULL);
	pthread_setname_np(*thread, name);
}

int main(int argc, char **argv)
{
	int as_process = argc > 1 && !strcmp(argv[1], "process");
	pthread_t good, faulty;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	corun_fact("{\"finished\": false}");
	corun_begin("work");
	start("good", good_thread, &good);
	if (!as_process) {
		start("faulty", faulty_thread, &faulty);
		pthread_join(faulty, NULL);
	} else if (!fork()) {
		prctl(PR_SET_NAME, "faulty");
		fault();
	} else {
		wait(NULL);
	}
	pthread_join(good, NULL);
	corun_end("work");
}
