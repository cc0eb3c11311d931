/* SPDX-License-Identifier: MIT */
/*
 * getppid CPU - a system call that never blocks, over and over. Each line "SECONDS" on standard input
 * is answered by the nanoseconds of CPU time that a call took.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;
	char line[64];

	CPU_ZERO(&cpus);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
		double until = seconds(CLOCK_MONOTONIC) + atof(line);
		unsigned long calls = 0;

		do {
			for (int i = 0; i < 5000; i++)
				syscall(SYS_getppid);
			calls += 5000;
		} while (seconds(CLOCK_MONOTONIC) < until);
		printf("%.3f\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)calls * 1e9);
		fflush(stdout);
	}
	return 0;
}
