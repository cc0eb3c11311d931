/* SPDX-License-Identifier: MIT */
/* execer.c - a thread that is not the leader replaces the process by `true`. */
#include <pthread.h>
#include <unistd.h>

static void *replace(void *unused)
{
	usleep(20000);
	execl("/bin/true", "replaced", NULL);
	return unused;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, replace, NULL);
	pthread_join(thread, NULL);
	return 1;
}
