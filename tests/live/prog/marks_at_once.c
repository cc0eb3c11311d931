// SPDX-License-Identifier: MIT
// Sixteen threads whose first marks come at the same moment: one opens the ring, the others wait for it.
#include <pthread.h>

#include "../../../userspace/corun.h"

#define THREADS 16

static pthread_barrier_t start;

static void *mark(void *number)
{
	pthread_barrier_wait(&start);
	corun_fact("{\"thread-%ld\": 1}", (long)number);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&start, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, mark, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}
