/* SPDX-License-Identifier: MIT */
/*
 * Threads that fight for one lock of the kind named, and tell what they did: a witness that knows
 * nothing of futexes. On standard output:
 *
 *     object KIND 0xADDRESS
 *     hold TID FROM UNTIL             a lock was held, CLOCK_MONOTONIC ns, read while holding it
 *
 * lock_kinds KIND          the lock stands among the program's own data
 * lock_kinds KIND start    as the first thing of a mapping, nothing before it
 * lock_kinds KIND end      as the last thing of one, nothing behind it
 * lock_kinds KIND FILE     a mutex at the start of FILE (made if it is not there), shared between processes
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define ROUNDS 400
#define PAGE 4096

static pthread_mutex_t own_mutex, *mutex = &own_mutex;
static pthread_rwlock_t own_rwlock, *rwlock = &own_rwlock;
static pthread_cond_t own_condition, *condition = &own_condition;
static pthread_barrier_t own_barrier, *barrier = &own_barrier;
static sem_t own_semaphore, *semaphore = &own_semaphore;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static int turn;

struct hold {
	int tid;
	int64_t from, until;
};
static struct hold holds[THREADS][ROUNDS];

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void work(int64_t ns)
{
	for (int64_t end = now() + ns; now() < end;)
		;
}

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){0, ns}, NULL);
}

static void *fight(void *arg)
{
	struct hold *mine = holds[(intptr_t)arg];

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(mutex);
		mine[i].from = now();
		mine[i].tid = (int)syscall(SYS_gettid);
		/* Half of the time asleep with the lock: the others must wait on any number of CPUs. */
		if (i & 1)
			pause_ns(100000);
		else
			work(100000);
		mine[i].until = now();
		pthread_mutex_unlock(mutex);
		work(20000);
	}
	return NULL;
}

static void *read_or_write(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if ((intptr_t)arg == i % THREADS)
			pthread_rwlock_wrlock(rwlock);
		else
			pthread_rwlock_rdlock(rwlock);
		pause_ns(100000);
		pthread_rwlock_unlock(rwlock);
	}
	return NULL;
}

static void *take_turns(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&inner);
		while (turn != (intptr_t)arg)
			pthread_cond_wait(condition, &inner);
		turn = (turn + 1) % THREADS;
		pthread_cond_broadcast(condition);
		pthread_mutex_unlock(&inner);
	}
	return NULL;
}

static void *count_down(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		sem_wait(semaphore);
		pause_ns((intptr_t)arg ? 20000 : 50000);
		sem_post(semaphore);
	}
	return NULL;
}

static void *meet(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pause_ns(((intptr_t)arg + i) % THREADS * 30000);
		pthread_barrier_wait(barrier);
	}
	return NULL;
}

static void *brief(void *arg)
{
	pause_ns(300000);
	return arg;
}

static void *join_many(void *arg)
{
	for (int i = 0; i < ROUNDS / 4; i++) {
		pthread_t t;

		pthread_create(&t, NULL, brief, arg);
		pthread_join(t, NULL);
	}
	return NULL;
}

static void *print(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		flockfile(stderr);
		pause_ns(50000);
		funlockfile(stderr);
	}
	return arg;
}

static int make_mutex(const char *kind, int pshared)
{
	static const struct {
		const char *name;
		int type, robust, protocol;
	} kinds[] = {
		{"normal", PTHREAD_MUTEX_NORMAL, 0, 0},
		{"recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0},
		{"errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0},
		{"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0},
		{"pi", PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT},
		{"robust", PTHREAD_MUTEX_NORMAL, 1, 0},
		{"robust-pi", PTHREAD_MUTEX_NORMAL, 1, PTHREAD_PRIO_INHERIT},
	};
	pthread_mutexattr_t attr;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, kind))
			continue;
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_settype(&attr, kinds[i].type);
		if (kinds[i].robust)
			pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		pthread_mutexattr_setprotocol(&attr, kinds[i].protocol);
		if (pshared)
			pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		return pthread_mutex_init(mutex, &attr) == 0;
	}
	return 0;
}

/* Room for @size bytes at the start or the end of a page that has nothing on either side. */
static void *at_edge(const char *edge, size_t size)
{
	char *none = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (none == MAP_FAILED || mprotect(none + PAGE, PAGE, PROT_READ | PROT_WRITE))
		exit(1);
	return none + PAGE + (strcmp(edge, "end") ? 0 : PAGE - size);
}

/* The mutex of a file; who makes the file makes the mutex, and says so behind it. */
static void share_mutex(const char *path, const char *kind)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600), first = fd >= 0;
	int *ready;

	if (!first)
		fd = open(path, O_RDWR);
	if (fd < 0 || ftruncate(fd, PAGE))
		exit(1);
	mutex = mmap(at_edge("start", 0), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	ready = (int *)(mutex + 1);
	if (first && make_mutex(kind, 1))
		__atomic_store_n(ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE))
		pause_ns(100000);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void **object;
		size_t size;
		void *(*run)(void *arg);
	} others[] = {
		{"rwlock", (void **)&rwlock, sizeof(*rwlock), read_or_write},
		{"condition", (void **)&condition, sizeof(*condition), take_turns},
		{"semaphore", (void **)&semaphore, sizeof(*semaphore), count_down},
		{"barrier", (void **)&barrier, sizeof(*barrier), meet},
		{"join", NULL, 0, join_many}, {"stdio", NULL, 0, print},
	};
	const char *kind = argc > 1 ? argv[1] : "normal", *where = argc > 2 ? argv[2] : "";
	int edge = !strcmp(where, "start") || !strcmp(where, "end");
	void *(*run)(void *arg) = fight;
	void **object = (void **)&mutex;
	size_t size = sizeof(*mutex);
	pthread_t threads[THREADS];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i].name, kind)) {
			run = others[i].run;
			object = others[i].object;
			size = others[i].size;
		}
	if (edge && object)
		*object = at_edge(where, size);
	if (*where && !edge)
		share_mutex(where, kind);
	else
		make_mutex(kind, 0);
	pthread_rwlock_init(rwlock, NULL);
	pthread_cond_init(condition, NULL);
	sem_init(semaphore, 0, 1);
	pthread_barrier_init(barrier, NULL, THREADS);
	printf("object %s %p\n", kind, object ? *object : NULL);
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int t = 0; run == fight && t < THREADS; t++)
		for (int i = 0; i < ROUNDS; i++)
			printf("hold %d %lld %lld\n", holds[t][i].tid, (long long)holds[t][i].from,
			       (long long)holds[t][i].until);
	return 0;
}
