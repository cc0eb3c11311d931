// SPDX-License-Identifier: MIT
// Hypothesis: four user-level threads are one thread to the kernel: it schedules one, and the program itself
// decides which of the four goes on. Four kernel-level threads are scheduled by the kernel, each for itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "corun.h"

#define THREADS 4
#define TURNS 8

static corun_id tasks[THREADS];

static void compute(double seconds)
{
	struct timespec t;
	double until = 0, now;

	do {
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		until = until ? until : now + seconds;
	} while (now < until);
}

// ---- user level: the program switches, with swapcontext() ----

static ucontext_t scheduler, green[THREADS];

static void green_thread(int i)
{
	for (int turn = 0; turn < TURNS; turn++) {
		corun_task_step(tasks[i]);
		compute(0.005);
		corun_task_ready(tasks[i], 0);
		swapcontext(&green[i], &scheduler); // let the next one go on
	}
	corun_task_end(tasks[i], CORUN_RESULT);
}

static void user_level(void)
{
	for (int i = 0; i < THREADS; i++) {
		getcontext(&green[i]);
		green[i].uc_stack.ss_sp = malloc(65536);
		green[i].uc_stack.ss_size = 65536;
		green[i].uc_link = &scheduler;
		makecontext(&green[i], (void (*)(void))green_thread, 1, i);
	}
	corun_begin("work");
	for (int turn = 0; turn <= TURNS; turn++)
		for (int i = 0; i < THREADS; i++)
			swapcontext(&scheduler, &green[i]);
}

// ---- kernel level: the kernel switches ----

static pthread_barrier_t start;
static atomic_int arrived;

static void *kernel_thread(void *number)
{
	int i = (int)(long)number;

	if (++arrived == THREADS)
		corun_begin("work"); // all are there
	pthread_barrier_wait(&start);
	corun_task_step(tasks[i]);
	for (int turn = 0; turn < TURNS; turn++)
		compute(0.005);
	corun_task_end(tasks[i], CORUN_RESULT);
	return NULL;
}

static void kernel_level(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&start, NULL, THREADS);
	for (long i = 0; i < THREADS; i++) {
		char name[16];

		pthread_create(&threads[i], NULL, kernel_thread, (void *)i);
		snprintf(name, sizeof(name), "kernel-%ld", i + 1);
		pthread_setname_np(threads[i], name);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	int user = argc > 1 && !strcmp(argv[1], "user");

	for (int i = 0; i < THREADS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "green-%d", i + 1);
		tasks[i] = corun_task_begin("thread", user ? name : name + strlen("green-"), 0);
	}
	if (user)
		user_level();
	else
		kernel_level();
	corun_end("work");
}
