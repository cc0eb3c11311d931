/* SPDX-License-Identifier: MIT */
/*
 * Marks of a C program, and what they should come to.
 *
 *	jobs      8 jobs on 2 threads: each 3 steps of work with a wait of 2 ms between
 *	names     hostile names and 10,000 characters
 *	flood     marks faster than anybody can read
 *	many N    N tasks that live one after another
 *	abort     dies in the middle of a step
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../userspace/corun.h"

#define JOBS 8

static corun_id jobs[JOBS];
static atomic_int next_job;

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void burn(long long ns)
{
	for (long long end = now() + ns; now() < end;)
		;
}

static void *worker(void *arg)
{
	int i;

	(void)arg;
	while ((i = atomic_fetch_add(&next_job, 1)) < JOBS) {
		for (int step = 0; step < 3; step++) {
			long long begin, end;

			corun_task_step(jobs[i]);
			begin = now();
			burn(300000);
			end = now();
			if (step < 2) {
				corun_task_wait(jobs[i], "sleep:2ms", 0);
				printf("%d %lld %lld\n", i, begin, end);
				usleep(2000);
			} else {
				corun_task_end(jobs[i], i == 7 ? CORUN_EXCEPTION : CORUN_RESULT);
				printf("%d %lld %lld\n", i, begin, end);
			}
		}
	}
	return NULL;
}

static void run_jobs(void)
{
	pthread_t threads[2];

	corun_begin("work");
	for (int i = 0; i < JOBS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "job %d", i);
		jobs[i] = corun_task_begin("job", name, i ? jobs[0] : 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	corun_task_link(jobs[1], jobs[0]);
	corun_fact("{\"jobs\":%d}", JOBS);
	corun_end("work");
}

static void run_names(void)
{
	static char longest[10001];
	corun_id id;

	memset(longest, 'x', sizeof(longest) - 1);
	id = corun_task_begin("job", longest, 0);
	corun_task_step(id);
	corun_task_end(id, CORUN_RESULT);
	id = corun_task_begin("\xff\x01", "\x1b[31m\"\\\n\xc3(", 0);
	corun_task_step(id);
	corun_task_wait(id, "no such kind:\x80", 4711);
	corun_task_name(id, "");
	corun_begin("");
	corun_end("never begun");
	corun_fact("not json \x02");
	corun_task_end(id, CORUN_CANCELLED);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "jobs";

	if (!strcmp(what, "jobs")) {
		run_jobs();
	} else if (!strcmp(what, "names")) {
		run_names();
	} else if (!strcmp(what, "flood")) {
		corun_id id = corun_task_begin("job", "flood", 0);

		for (int i = 0; i < 3000000; i++)
			corun_task_step(id);
	} else if (!strcmp(what, "many")) {
		for (int i = 0; i < atoi(argv[2]); i++) {
			corun_id id = corun_task_begin("job", "n", 0);

			corun_task_step(id);
			corun_task_end(id, CORUN_RESULT);
			if (i % 1000 == 0)
				usleep(1000);
		}
	} else {
		corun_id id = corun_task_begin("job", "dies", 0);

		corun_task_step(id);
		burn(2000000);
		abort();
	}
	return 0;
}
