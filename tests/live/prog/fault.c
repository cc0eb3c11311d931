/* SPDX-License-Identifier: MIT */
/* fault.c - touches a mapped file that is not in memory: page faults that wait for the disk. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open(argc > 1 ? argv[1] : "/bin/sh", O_RDONLY);
	struct rusage before, after;
	volatile const char *data;
	struct stat st;
	long sum = 0;

	if (fd < 0 || fstat(fd, &st))
		return 1;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return 2;
	madvise((void *)data, (size_t)st.st_size, MADV_RANDOM);
	getrusage(RUSAGE_SELF, &before);
	for (long i = 0; i < st.st_size; i += 65536)
		sum += data[i];
	getrusage(RUSAGE_SELF, &after);
	printf("%ld\n", after.ru_majflt - before.ru_majflt);
	return sum == 42;
}
