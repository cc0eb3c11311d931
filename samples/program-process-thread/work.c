// SPDX-License-Identifier: MIT
// Hypothesis: the same work, sixty pieces of 5 ms of CPU time, can be done by one thread, by two threads of one process, or by
// two processes. The kernel counts the same running time; who may run beside whom differs.
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

static int heap[2]; // a pipe with a byte for each piece of work: who wants one takes it

static void work(const char *name)
{
	char piece;

	prctl(PR_SET_NAME, name);
	while (read(heap[0], &piece, 1) == 1)
		for (double until = cpu_time() + 0.005; cpu_time() < until;)
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
	char pieces[60] = "";
	pthread_t second;

	if (pipe(heap) || write(heap[1], pieces, sizeof(pieces)) != sizeof(pieces))
		return 1;
	close(heap[1]); // nothing more comes
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
	}
	corun_end("work");
}
