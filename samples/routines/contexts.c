// SPDX-License-Identifier: MIT
// Hypothesis: coroutines need no interpreter. With swapcontext() a C function too can be left in the middle and entered again.
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

#include "corun.h"

#define DISHES 3
#define STEPS 5

static ucontext_t kitchen, dishes[DISHES];
static corun_id tasks[DISHES];

static void chop(double seconds)
{
	struct timespec t;
	double until = 0, now;

	do {
		clock_gettime(CLOCK_MONOTONIC, &t);
		now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		until = until ? until : now + seconds;
	} while (now < until);
}

static void dish(int i)
{
	for (int step = 0; step < STEPS; step++) {
		corun_task_step(tasks[i]);
		chop(0.01);
		corun_task_ready(tasks[i], 0);
		swapcontext(&dishes[i], &kitchen); // an exit, and the next entry
	}
	corun_task_end(tasks[i], CORUN_RESULT);
}

int main(void)
{
	static const char *const names[DISHES] = {"ramen", "pasta", "cake"};

	for (int i = 0; i < DISHES; i++) {
		getcontext(&dishes[i]);
		dishes[i].uc_stack.ss_sp = malloc(65536);
		dishes[i].uc_stack.ss_size = 65536;
		dishes[i].uc_link = &kitchen;
		makecontext(&dishes[i], (void (*)(void))dish, 1, i);
		tasks[i] = corun_task_begin("ucontext", names[i], 0);
	}
	corun_begin("work");
	for (int round = 0; round <= STEPS; round++)
		for (int i = 0; i < DISHES; i++)
			swapcontext(&kitchen, &dishes[i]);
	corun_end("work");
}
