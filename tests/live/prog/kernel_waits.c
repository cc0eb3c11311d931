/* SPDX-License-Identifier: MIT */
/*
 * Threads that get into each other's way inside the kernel, for so many milliseconds.
 *
 * kernel_waits inode MS FILE  all write into one file: its inode's lock
 * kernel_waits mmap MS        all map and unmap memory: the address space's lock
 * kernel_waits full MS        all write into one pipe, which is full most of the time
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define BYTES (4 << 20)

static long long until;
static char *data;
static int fd, ends[2];

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *write_file(void *arg)
{
	while (now() < until)
		if (pwrite(fd, data, BYTES, 0) != BYTES)
			exit(1);
	return arg;
}

static void *map_memory(void *arg)
{
	while (now() < until) {
		char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED)
			exit(1);
		munmap(p, BYTES);
	}
	return arg;
}

static void *fill_pipe(void *arg)
{
	while (now() < until)
		if (write(ends[1], data, 65536) != 65536)
			exit(1);
	return arg;
}

static void *drain_pipe(void *arg)
{
	char part[4096];

	while (read(ends[0], part, sizeof(part)) > 0)
		nanosleep(&(struct timespec){0, 50000}, NULL);
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	void *(*run)(void *) = !strcmp(what, "inode") ? write_file : !strcmp(what, "mmap") ? map_memory : fill_pipe;
	pthread_t threads[THREADS], drain;

	data = calloc(1, BYTES);
	until = now() + atoll(argv[2]) * 1000000;
	if (run == write_file)
		fd = open(argv[3], O_RDWR | O_CREAT, 0600);
	else if (run == fill_pipe && (pipe(ends) || pthread_create(&drain, NULL, drain_pipe, NULL)))
		return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (run == fill_pipe) {
		close(ends[1]);
		pthread_join(drain, NULL);
	}
	return 0;
}
