/* SPDX-License-Identifier: MIT */
/* A program with USDT probes of its own, as PostgreSQL has them: 8 requests, served by 2 threads in two steps
 * each. Prints of each "ID BEGIN FROM UNTIL FROM UNTIL END", ns. */
#include <stdio.h>

#if !__has_include(<sys/sdt.h>)
int main(void)
{
	puts("no sys/sdt.h");
	return 77;
}
#else
#include <pthread.h>
#include <sys/sdt.h>
#include <time.h>

static long long noted[8][6];

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void work(void)
{
	long long until = now() + 1000000;

	while (now() < until)
		;
}

static void *serve(void *first)
{
	char name[32];

	for (int half = 0; half < 2; half++)
		for (long id = (long)first; id < 8; id += 2) {
			if (!half) {
				snprintf(name, sizeof(name), "GET /%ld", id);
				noted[id][0] = now();
				DTRACE_PROBE2(shop, request__start, id + 100, name);
			}
			noted[id][1 + 2 * half] = now();
			DTRACE_PROBE1(shop, request__run, id + 100);
			work();
			if (!half)
				DTRACE_PROBE1(shop, request__lookup, id + 100);
			else if (id == 7)
				DTRACE_PROBE1(shop, request__error, id + 100);
			else
				DTRACE_PROBE1(shop, request__done, id + 100);
			noted[id][2 + 2 * half] = now();
		}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, serve, (void *)1L);
	serve((void *)0L);
	pthread_join(thread, NULL);
	for (int id = 0; id < 8; id++)
		printf("%d %lld %lld %lld %lld %lld\n", id + 100, noted[id][0], noted[id][1], noted[id][2],
		       noted[id][3], noted[id][4]);
	return 0;
}
#endif
