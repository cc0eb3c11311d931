/* SPDX-License-Identifier: MIT */
/*
 * Threads that sleep from before the recording until after it, each in another call whose arguments
 * stand in user memory. Prints one line a thread when all are asleep: its tid, the call, and what it
 * waits for (a descriptor's kind, or the futex word), then waits for the end of standard input.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fds[2];
static unsigned int word = 0xabcd1234;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void line(const char *call, const char *on)
{
	pthread_mutex_lock(&lock);
	printf("%ld %s %s\n", syscall(SYS_gettid), call, on);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

static void *in_poll(void *unused)
{
	struct pollfd p = {.fd = fds[0], .events = POLLIN};

	line("poll", "pipe");
	poll(&p, 1, 60000);
	return unused;
}

static void *in_select(void *unused)
{
	struct timeval timeout = {60, 0};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	line("select", "pipe");
	syscall(SYS_select, fds[0] + 1, &set, NULL, NULL, &timeout);
	return unused;
}

static void *in_sleep(void *unused)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 60;
	line("clock_nanosleep", "-");
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return unused;
}

static void *in_futex(void *unused)
{
	struct timespec timeout = {60, 0};

	line("futex", "0xabcd1234");
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, word, &timeout, NULL, 0);
	return unused;
}

int main(void)
{
	void *(*const sleepers[])(void *) = {in_poll, in_select, in_sleep, in_futex};
	pthread_t threads[4];
	char byte;

	if (pipe(fds))
		return 1;
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, sleepers[i], NULL))
			return 1;
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
