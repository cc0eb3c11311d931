/* SPDX-License-Identifier: MIT */
#include "base/gzip.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"

#define BLOCK ((size_t)256 << 10)
#define WINDOW ((size_t)32 << 10) /* how far deflate looks back */
#define LEVEL 6
#define RAW_DEFLATE (-15)

enum state { EMPTY, FILLED, TAKEN, DONE };

struct block {
	enum state state;
	bool last;
	u8 *in;          /* WINDOW bytes of what came before, then its own */
	size_t before, len;
	u8 *out;
	size_t out_cap, out_len;
	u32 crc;
	int error;
};

struct gzip {
	int fd, error;
	pthread_mutex_t mutex;
	pthread_cond_t filled, done;
	pthread_t thread[GZIP_THREADS];
	u32 n_threads;
	bool stop;
	struct block block[GZIP_THREADS + 2]; /* a ring of n_blocks */
	u32 n_blocks;
	u64 fill, take, write;      /* numbers of the next block to be filled, deflated, written */
	u64 len;
	u32 crc;
};

static void deflate_block(struct block *b)
{
	z_stream z = {0};
	int code;

	b->crc = (u32)crc32(0, b->in + WINDOW, (uInt)b->len);
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, RAW_DEFLATE, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		b->error = -ENOMEM;
		return;
	}
	if (b->before)
		deflateSetDictionary(&z, b->in + WINDOW - b->before, (uInt)b->before);
	z.next_in = b->in + WINDOW;
	z.avail_in = (uInt)b->len;
	z.next_out = b->out;
	z.avail_out = (uInt)b->out_cap;
	code = deflate(&z, b->last ? Z_FINISH : Z_SYNC_FLUSH);
	b->out_len = b->out_cap - z.avail_out;
	b->error = code == (b->last ? Z_STREAM_END : Z_OK) && !z.avail_in ? 0 : -EIO;
	deflateEnd(&z);
}

static void *work(void *ctx)
{
	struct gzip *g = ctx;

	pthread_mutex_lock(&g->mutex);
	for (;;) {
		struct block *b = &g->block[g->take % g->n_blocks];

		if (b->state != FILLED) {
			if (g->stop)
				break;
			pthread_cond_wait(&g->filled, &g->mutex);
			continue;
		}
		b->state = TAKEN;
		g->take++;
		pthread_mutex_unlock(&g->mutex);
		deflate_block(b);
		pthread_mutex_lock(&g->mutex);
		b->state = DONE;
		pthread_cond_signal(&g->done);
	}
	pthread_mutex_unlock(&g->mutex);
	return NULL;
}

/* The oldest block that is not written: wait until it is deflated, and write it. */
static void write_block(struct gzip *g)
{
	struct block *b = &g->block[g->write++ % g->n_blocks];

	pthread_mutex_lock(&g->mutex);
	while (b->state != DONE)
		pthread_cond_wait(&g->done, &g->mutex);
	b->state = EMPTY;
	pthread_mutex_unlock(&g->mutex);
	if (!g->error)
		g->error = b->error;
	if (!g->error)
		g->error = fd_write(g->fd, b->out, b->out_len);
	g->crc = (u32)crc32_combine(g->crc, b->crc, (z_off_t)b->len);
}

/* The block being filled goes to the threads, and the next one starts with what it may look back to. */
static void submit(struct gzip *g, bool last)
{
	struct block *b = &g->block[g->fill % g->n_blocks], *next = &g->block[(g->fill + 1) % g->n_blocks];

	b->last = last;
	if (g->n_threads) {
		pthread_mutex_lock(&g->mutex);
		b->state = FILLED;
		pthread_cond_signal(&g->filled);
		pthread_mutex_unlock(&g->mutex);
	} else {
		deflate_block(b);
		b->state = DONE;
	}
	g->fill++;
	/* One is being filled, the others may be with the threads. */
	while (g->fill - g->write == g->n_blocks || (g->write < g->fill && (last || !g->n_threads)))
		write_block(g);
	/* It has no less than WINDOW bytes, unless it is the last. */
	next->before = last ? 0 : WINDOW;
	next->len = 0;
	if (!last)
		memcpy(next->in, b->in + BLOCK, WINDOW);
}

static void start_threads(struct gzip *g)
{
	sigset_t all, old;
	cpu_set_t set;
	u32 cpus = sched_getaffinity(0, sizeof(set), &set) ? 1 : (u32)CPU_COUNT(&set);

	/* Signals are for who began this. The threads wait for the ring's size, too. */
	pthread_mutex_lock(&g->mutex);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (cpus > 1 && g->n_threads < cpus && g->n_threads < GZIP_THREADS &&
	       !pthread_create(&g->thread[g->n_threads], NULL, work, g))
		g->n_threads++;
	g->n_blocks = g->n_threads + 2;
	pthread_mutex_unlock(&g->mutex);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int gzip_open(struct gzip **out, int fd)
{
	/* No name, no time (it would differ from run to run), Unix. */
	static const u8 header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->fd = fd;
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->filled, NULL);
	pthread_cond_init(&g->done, NULL);
	start_threads(g);
	for (u32 i = 0; i < g->n_blocks; i++) {
		struct block *b = &g->block[i];

		b->out_cap = compressBound(BLOCK) + 64;
		b->in = malloc(WINDOW + BLOCK);
		b->out = malloc(b->out_cap);
		if (!b->in || !b->out) {
			gzip_drop(g);
			return -ENOMEM;
		}
	}
	g->error = fd_write(fd, header, sizeof(header));
	*out = g;
	return 0;
}

int gzip_put(struct gzip *g, const void *data, size_t len)
{
	const u8 *from = data;

	g->len += len;
	while (len && !g->error) {
		struct block *b = &g->block[g->fill % g->n_blocks];
		size_t n = BLOCK - b->len < len ? BLOCK - b->len : len;

		memcpy(b->in + WINDOW + b->len, from, n);
		b->len += n;
		from += n;
		len -= n;
		if (b->len == BLOCK)
			submit(g, false);
	}
	return g->error;
}

int gzip_close(struct gzip *g)
{
	u8 tail[8];
	int error;

	submit(g, true);
	for (int i = 0; i < 4; i++) {
		tail[i] = (u8)(g->crc >> 8 * i);
		tail[4 + i] = (u8)(g->len >> 8 * i);
	}
	if (!g->error)
		g->error = fd_write(g->fd, tail, sizeof(tail));
	error = g->error;
	gzip_drop(g);
	return error;
}

void gzip_drop(struct gzip *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->mutex);
	g->stop = true;
	pthread_cond_broadcast(&g->filled);
	pthread_mutex_unlock(&g->mutex);
	for (u32 i = 0; i < g->n_threads; i++)
		pthread_join(g->thread[i], NULL);
	for (u32 i = 0; i < g->n_blocks; i++) {
		free(g->block[i].in);
		free(g->block[i].out);
	}
	pthread_cond_destroy(&g->done);
	pthread_cond_destroy(&g->filled);
	pthread_mutex_destroy(&g->mutex);
	free(g);
}
