/* SPDX-License-Identifier: MIT */
/*
 * waits.c - blocks once in a call that is known, named by the argument, for about 60 ms, and prints
 * "BEGIN END" (CLOCK_MONOTONIC, ns) around it: the witness that a recording is compared with.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 60

static const char *kind;
static int wake_fd = -1, lock_fd = -1;

static void fail(const char *what)
{
	perror(what);
	_exit(9);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_ms(long ms)
{
	struct timespec t = {0, ms * 1000000};

	nanosleep(&t, NULL);
}

/* Sets the waiter free, from a process of its own. */
static pid_t helper(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	pause_ms(PAUSE_MS);
	if (lock_fd >= 0)
		flock(lock_fd, LOCK_UN);
	else if (wake_fd >= 0 && write(wake_fd, "12345678", 8) < 0)
		_exit(1);
	_exit(0);
}

static void stream_pair(int family, int fds[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener;

	if (family == AF_UNIX) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
			fail("socketpair");
		return;
	}
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &len))
		fail("listen");
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fds[1], (void *)&address, sizeof(address)))
		fail("connect");
	fds[0] = accept(listener, NULL, NULL);
}

static int readable_end(const char *what)
{
	int fds[2];

	if (!strcmp(what, "tcp"))
		stream_pair(AF_INET, fds);
	else if (!strcmp(what, "unix"))
		stream_pair(AF_UNIX, fds);
	else if (!strcmp(what, "eventfd"))
		fds[0] = fds[1] = eventfd(0, 0);
	else if (!strcmp(what, "terminal")) {
		if (openpty(&fds[1], &fds[0], NULL, NULL, NULL))
			fail("openpty");
	} else if (pipe(fds)) {
		fail("pipe");
	}
	wake_fd = fds[1];
	return fds[0];
}

static void wait_in_call(int fd)
{
	struct pollfd polls[2] = {{.fd = fd, .events = POLLIN}, {.fd = fd, .events = POLLPRI}};
	struct timeval tv = {0, PAUSE_MS * 1000};
	struct epoll_event event = {.events = EPOLLIN};
	char data[64];
	int epoll;

	if (!strcmp(kind, "poll-one")) {
		poll(polls, 1, 5000);
	} else if (!strcmp(kind, "poll-two")) {
		poll(polls, 2, 5000);
	} else if (!strcmp(kind, "select-none")) {
		select(0, NULL, NULL, NULL, &tv);
	} else if (!strcmp(kind, "epoll")) {
		epoll = epoll_create1(0);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
		epoll_wait(epoll, &event, 1, 5000);
	} else if (!strcmp(kind, "terminal")) {
		if (write(wake_fd, "", 0) < 0 || read(fd, data, 1) < 0)
			fail("read");
	} else if (read(fd, data, sizeof(data)) < 0) {
		fail("read");
	}
}

int main(int argc, char **argv)
{
	long long begin, end;
	pid_t child = 0;
	int fd = -1;

	kind = argc > 1 ? argv[1] : "";
	if (!strcmp(kind, "nanosleep")) {
		begin = now();
		pause_ms(PAUSE_MS);
	} else if (!strcmp(kind, "wait4")) {
		child = helper();
		begin = now();
		waitpid(child, NULL, 0);
		child = 0;
	} else if (!strcmp(kind, "vfork")) {
		begin = now();
		if (!vfork()) {
			struct timespec t = {0, PAUSE_MS * 1000000};

			nanosleep(&t, NULL);
			_exit(0);
		}
	} else if (!strcmp(kind, "flock")) {
		/* The lock belongs to the open file: the child opens its own. */
		int ready[2], own = open(argv[2], O_RDWR | O_CREAT, 0600);

		if (pipe(ready))
			fail("pipe");
		child = fork();
		if (!child) {
			lock_fd = open(argv[2], O_RDWR);
			flock(lock_fd, LOCK_EX);
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			pause_ms(PAUSE_MS);
			flock(lock_fd, LOCK_UN);
			_exit(0);
		}
		if (read(ready[0], &(char){0}, 1) != 1)
			fail("read");
		begin = now();
		flock(own, LOCK_EX);
	} else {
		fd = readable_end(!strcmp(kind, "tcp") || !strcmp(kind, "unix") ||
						  !strcmp(kind, "eventfd") || !strcmp(kind, "terminal") ?
					  kind : "pipe");
		if (!strcmp(kind, "terminal")) {
			child = fork();
			if (!child) {
				pause_ms(PAUSE_MS);
				_exit(write(wake_fd, "x\n", 2) != 2);
			}
		} else {
			child = helper();
		}
		begin = now();
		wait_in_call(fd);
	}
	end = now();
	printf("%lld %lld\n", begin, end);
	fflush(stdout);
	if (child > 0)
		waitpid(child, NULL, 0);
	return 0;
}
