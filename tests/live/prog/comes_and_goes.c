/* SPDX-License-Identifier: MIT */
/*
 * What is looked at changes meanwhile.
 *
 * comes_and_goes unmapped        threads wait on futexes whose pages another one takes away
 * comes_and_goes library FILE    threads fight for a mutex while FILE is loaded and unloaded all the time
 * comes_and_goes mapped FILE...  the same, while the files are merely mapped
 * comes_and_goes exec N          threads wait, and the process replaces itself, N times
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define WAITERS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *words[WAITERS];
static int over;

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void *sleep_on(void *arg)
{
	/* The expected value that a mutex would have, and nothing of one around it. */
	syscall(SYS_futex, words[(intptr_t)arg], FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL, NULL, 0);
	return NULL;
}

static void *fight(void *arg)
{
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&lock);
		pause_ms(1);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *forever(void *arg)
{
	pthread_mutex_lock(&lock);
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	void *(*run)(void *) = !strcmp(what, "unmapped") ? sleep_on : !strcmp(what, "exec") ? forever : fight;
	pthread_t threads[WAITERS];
	char count[16];

	if (run == forever)
		pthread_mutex_lock(&lock);
	for (intptr_t i = 0; i < WAITERS; i++) {
		if (run == sleep_on) {
			words[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			*words[i] = 2;
		}
		pthread_create(&threads[i], NULL, run, (void *)i);
	}
	if (run == sleep_on) {
		pause_ms(100);
		for (int i = 0; i < WAITERS; i++)
			munmap(words[i], PAGE);
		puts("gone");
		fflush(stdout);
	} else if (run == forever) {
		pause_ms(4);
		snprintf(count, sizeof(count), "%d", atoi(argv[2]) - 1);
		if (atoi(argv[2]) > 0)
			execl(argv[0], argv[0], what, count, NULL);
		return 0;
	}
	for (int i = 2; !strcmp(what, "mapped") && i < argc; i++)
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open(argv[i], O_RDONLY), 0);
	for (int i = 0; run == fight && i < 150; i++) {
		void *library = strcmp(what, "library") ? NULL : dlopen(argv[2], RTLD_NOW);

		pause_ms(1);
		if (library)
			dlclose(library);
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
