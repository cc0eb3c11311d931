/* SPDX-License-Identifier: MIT */
/*
 * Waits that are known, for kernels that the test machine does not run: a sleep, a pipe read, a
 * contended mutex and a join, each of about 50 ms. Static, so that it runs from an initramfs.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int channel[2];

static void pause_ms(long ms)
{
	struct timespec t = {0, ms * 1000000};

	nanosleep(&t, NULL);
}

static void *writer(void *unused)
{
	(void)unused;
	pause_ms(50);
	if (write(channel[1], "x", 1) != 1)
		_exit(3);
	pthread_mutex_lock(&lock);
	pause_ms(50);
	pthread_mutex_unlock(&lock);
	pause_ms(50);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	char c;

	if (pipe(channel) || pthread_create(&thread, NULL, writer, NULL))
		return 1;
	if (read(channel[0], &c, 1) != 1)
		return 2;
	pause_ms(10); /* the writer has taken the lock by now */
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	return 0;
}
