/* SPDX-License-Identifier: MIT */
/*
 * pingpong CPU - two threads of one process pass a byte to and fro through two pipes on one CPU.
 *
 * Each line "SECONDS" on standard input is answered by one line: how many nanoseconds of CPU time a
 * round trip took (two switches, two wake-ups), over that time. CPU time, because on a shared machine
 * others take the CPU away; the threads never leave each other idle, so all that the kernel does at
 * a switch, tracing included, is charged to one of the two.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int ping[2], pong[2];

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *echo(void *unused)
{
	char byte;

	while (read(ping[0], &byte, 1) == 1)
		if (write(pong[1], &byte, 1) != 1)
			break;
	return unused;
}

static void burst(double length)
{
	double begin = seconds(CLOCK_PROCESS_CPUTIME_ID), until = seconds(CLOCK_MONOTONIC) + length;
	unsigned long rounds = 0;
	char byte = 0;

	do {
		for (int i = 0; i < 500; i++)
			if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
				exit(1);
		rounds += 500;
	} while (seconds(CLOCK_MONOTONIC) < until);
	printf("%.2f\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)rounds * 1e9);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;
	pthread_t thread;
	char line[64];

	CPU_ZERO(&cpus);
	CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || pipe(ping) || pipe(pong) ||
	    pthread_create(&thread, NULL, echo, NULL))
		return 1;
	while (fgets(line, sizeof(line), stdin))
		burst(atof(line));
	return 0;
}
