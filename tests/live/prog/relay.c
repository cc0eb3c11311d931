/* SPDX-License-Identifier: MIT */
/*
 * relay.c - three runners, one after the other, each handing over through a pipe; beside them one who
 * runs alone. Who was on the critical path is thereby known: "stage TID BEGIN END" (CLOCK_MONOTONIC ns)
 * for each runner, "beside TID END" for the other, unless that one comes in last. A stage begins
 * when the runner has the baton and ends just before he hands it on; region "race" is all of them.
 *
 *     relay MS      CPU time of each stage
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../../userspace/corun.h"

#define RUNNERS 3

static int batons[RUNNERS + 1][2];
static long stage_ns;

static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void compute(long long ns)
{
	long long end = now(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void *runner(void *arg)
{
	long i = (long)arg;
	long long begin, end;
	char baton;

	if (read(batons[i][0], &baton, 1) != 1)
		exit(1);
	begin = now(CLOCK_MONOTONIC);
	compute(stage_ns);
	end = now(CLOCK_MONOTONIC);
	if (write(batons[i + 1][1], &baton, 1) != 1)
		exit(1);
	printf("stage %ld %lld %lld\n", (long)syscall(SYS_gettid), begin, end);
	return NULL;
}

static void *beside(void *arg)
{
	(void)arg;
	compute(stage_ns / 2);
	printf("beside %ld %lld\n", (long)syscall(SYS_gettid), now(CLOCK_MONOTONIC));
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[RUNNERS + 1];
	char baton = 'b';

	stage_ns = 1000000l * (argc > 1 ? atol(argv[1]) : 30);
	for (int i = 0; i <= RUNNERS; i++)
		if (pipe(batons[i]))
			return 1;
	for (long i = 0; i < RUNNERS; i++)
		pthread_create(&threads[i], NULL, runner, (void *)i);
	pthread_create(&threads[RUNNERS], NULL, beside, NULL);
	corun_begin("race");
	if (write(batons[0][1], &baton, 1) != 1 || read(batons[RUNNERS][0], &baton, 1) != 1)
		return 1;
	corun_end("race");
	for (int i = 0; i <= RUNNERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
