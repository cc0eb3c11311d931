/* SPDX-License-Identifier: MIT */
/*
 * call_sites.c - waits at known places, in functions that call each other, to be built with -O2 and
 * without frame pointers: a mutex that is fought over, a sleep, a pipe, a lock on a file. Each
 * function says on its line what it waits for: "WAIT name".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OWN __attribute__((noinline, noclone))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int sink;

static OWN void nap(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL); /* WAIT nap */
	sink++;
}

/* A frame whose size is not known before it runs: its unwinding goes by the frame pointer. */
static OWN void fight(int bytes)
{
	char room[bytes];

	memset(room, 1, (size_t)bytes);
	sink += room[bytes / 2];
	pthread_mutex_lock(&mutex); /* WAIT fight */
	nap(2);
	sink += room[bytes - 1];
	pthread_mutex_unlock(&mutex);
}

static OWN void outer_fight(int bytes)
{
	for (int i = 0; i < 20; i++) {
		fight(bytes + i % 3 * 16);
		sink++;
	}
}

static void *fighter(void *arg)
{
	outer_fight((int)(long)arg);
	return NULL;
}

static OWN void drain(int fd)
{
	char c;

	while (read(fd, &c, 1) == 1) /* WAIT drain */
		sink++;
}

static OWN void feed(void)
{
	int fds[2];
	pid_t child;

	if (pipe(fds))
		exit(1);
	child = fork();
	if (!child) {
		close(fds[1]);
		drain(fds[0]);
		nap(50); /* it would else be over before its parent waits for it, now and then */
		_exit(0);
	}
	close(fds[0]);
	for (int i = 0; i < 10; i++) {
		nap(3);
		if (write(fds[1], "x", 1) != 1)
			exit(1);
	}
	close(fds[1]);
	waitpid(child, NULL, 0); /* WAIT feed */
	sink++;
}

static OWN void own_file(const char *path)
{
	int fd = open(path, O_RDWR);

	flock(fd, LOCK_EX); /* WAIT own_file */
	close(fd);
	sink++;
}

static OWN void share_file(void)
{
	char path[] = "/tmp/corun-call-sites-XXXXXX";
	int fd = mkstemp(path);
	pid_t child;

	flock(fd, LOCK_EX);
	child = fork();
	if (!child) {
		close(fd);
		own_file(path);
		_exit(0);
	}
	nap(60);
	close(fd);
	waitpid(child, NULL, 0);
	unlink(path);
}

/* Code that no file holds: it calls @function as a compiler at run time would have it. */
static OWN void in_anonymous_code(void (*function)(long), long ms)
{
	/* push rbp; mov rbp, rsp; mov rax, rdi; mov rdi, rsi; call rax; pop rbp; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8, 0x48,
					     0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*go)(void (*)(long), long);

	memcpy(page, code, sizeof(code));
	memcpy(&go, &page, sizeof(go));
	go(function, ms);
	sink++;
}

/* And code that waits by itself: nanosleep({0, ns}) from anonymous memory. */
static OWN void anonymous_sleep(void)
{
	/* mov eax, 35; xor esi, esi; syscall; ret */
	static const unsigned char code[] = {0xb8, 35, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05, 0xc3};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec t = {0, 5000000};
	void (*go)(struct timespec *);

	memcpy(page, code, sizeof(code));
	memcpy(&go, &page, sizeof(go));
	go(&t);
	sink++;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	pthread_t threads[3];

	nap(30);
	if (!strcmp(what, "anonymous")) {
		in_anonymous_code(nap, 5);
		anonymous_sleep();
		return 0;
	}
	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, fighter, (void *)(64 + i * 40));
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL); /* WAIT main */
	feed();
	share_file();
	return 0;
}
