// SPDX-License-Identifier: MIT
// Hypothesis: the language makes no difference to what is seen: the same work in C is one solid bar too. It only gets further.
#include <time.h>

#include "corun.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int is_prime(long n)
{
	long d = 2;

	while (d * d <= n && n % d)
		d++;
	return n > 1 && d * d > n;
}

int main(void)
{
	double until = now() + 0.4;
	long found = 0;

	corun_begin("work");
	for (long n = 0; now() < until; n++)
		found += is_prime(n);
	corun_end("work");
	corun_fact("{\"found\": %ld}", found);
}
