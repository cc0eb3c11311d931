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

static long now(void) // ns
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void compute(int ms)
{
	for (long until = now() + ms * 1000000L; now() < until;)
		;
}

static void fault(void)
{
	volatile int *nowhere = NULL;

	compute(100);
	corun_fact("{\"fault_ns\": %ld}", now());
	*nowhere = 1; // SIGSEGV
}

static void *faulty_thread(void *unused)
{
	fault();
	return unused;
}

static void *good_thread(void *unused)
{
	for (int ms = 0; ms < 600; ms += 5) {
		compute(5);
		corun_fact("{\"good_ran_ns\": %ld}", now()); // the last of these that it lives to write
	}
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
