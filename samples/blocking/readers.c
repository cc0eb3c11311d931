// SPDX-License-Identifier: MIT
// Hypothesis: there are three ways to read from four pipes. Four threads that block sleep until their pipe has data; one
// thread with epoll sleeps until any has; one thread that asks without blocking never sleeps, and burns a CPU to learn nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "corun.h"

#define PIPES 4
#define ROUNDS 8

static int in[PIPES], out[PIPES];
static atomic_long bytes;

// Every 50 ms something comes through each pipe; then they are closed.
static void *writer(void *unused)
{
	for (int round = 0; round < ROUNDS; round++) {
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		for (int i = 0; i < PIPES; i++)
			if (write(out[i], "dish", 4) != 4)
				return NULL;
	}
	for (int i = 0; i < PIPES; i++)
		close(out[i]);
	return unused;
}

static void *blocking(void *number)
{
	char data[64];
	ssize_t n;

	while ((n = read(in[(long)number], data, sizeof(data))) > 0)
		bytes += n;
	return NULL;
}

static void *polling(void *unused)
{
	int set = epoll_create1(0), open = PIPES;
	struct epoll_event ready[PIPES];
	char data[64];

	for (int i = 0; i < PIPES; i++)
		epoll_ctl(set, EPOLL_CTL_ADD, in[i], &(struct epoll_event){.events = EPOLLIN, .data.fd = in[i]});
	while (open) {
		int n_ready = epoll_wait(set, ready, PIPES, -1);

		for (int i = 0; i < n_ready; i++) {
			ssize_t n = read(ready[i].data.fd, data, sizeof(data));

			bytes += n > 0 ? n : 0;
			if (!n) {
				epoll_ctl(set, EPOLL_CTL_DEL, ready[i].data.fd, NULL);
				open--;
			}
		}
	}
	return unused;
}

static void *spinning(void *unused)
{
	int closed[PIPES] = {0}, open = PIPES;
	char data[64];

	for (int i = 0; open; i = (i + 1) % PIPES) {
		ssize_t n = closed[i] ? -1 : read(in[i], data, sizeof(data)); // or EAGAIN, at once

		bytes += n > 0 ? n : 0;
		if (!n) {
			closed[i] = 1;
			open--;
		}
	}
	return unused;
}

static void start(pthread_t *thread, void *(*what)(void *), long number, const char *name)
{
	pthread_create(thread, NULL, what, (void *)number);
	pthread_setname_np(*thread, name);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "blocking";
	int n = strcmp(how, "blocking") ? 1 : PIPES;
	pthread_t feeder, readers[PIPES];

	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		if (pipe2(ends, strcmp(how, "blocking") ? O_NONBLOCK : 0))
			return 1;
		in[i] = ends[0];
		out[i] = ends[1];
	}
	corun_begin("work");
	for (long i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "reader-%ld", i + 1);
		start(&readers[i], !strcmp(how, "blocking") ? blocking : !strcmp(how, "epoll") ? polling : spinning,
		      i, name);
	}
	start(&feeder, writer, 0, "writer");
	for (int i = 0; i < n; i++)
		pthread_join(readers[i], NULL);
	corun_end("work");
	pthread_join(feeder, NULL);
	corun_fact("{\"bytes\": %ld}", bytes);
}
