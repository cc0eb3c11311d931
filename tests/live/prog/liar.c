/* SPDX-License-Identifier: MIT */
/* A program that says it is a Python and is none: its _PyRuntime is garbage. Two threads fight for a
 * mutex that stands inside it. Arguments: what the garbage begins with; how often they take it (60). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

unsigned long Py_Version = 0x030b02f0;
union {
	char bytes[8192];
	unsigned long words[1024];
	pthread_mutex_t lock;
} _PyRuntime;

static pthread_mutex_t *lock;
static int rounds = 60;

static void *fight(void *arg)
{
	for (int i = 0; i < rounds; i++) {
		pthread_mutex_lock(lock);
		nanosleep(&(struct timespec){0, 5000000}, NULL);
		pthread_mutex_unlock(lock);
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	for (int i = 0; i < 1024; i++) {
		/* pointers that lead in circles */
		_PyRuntime.words[i] = (unsigned long)&_PyRuntime.words[(i * 7) % 1000];
	}
	if (argc > 1 && !strcmp(argv[1], "interval"))
		_PyRuntime.words[45] = 5000; /* 3.11's GIL begins here */
	else if (argc > 1)
		memcpy(_PyRuntime.bytes, argv[1], strlen(argv[1]));
	if (argc > 2)
		rounds = atoi(argv[2]);
	lock = (pthread_mutex_t *)(_PyRuntime.bytes + 360 + 80);
	pthread_mutex_init(lock, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, fight, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
