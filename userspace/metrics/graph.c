/* SPDX-License-Identifier: MIT */
/* graph.c - builds the graph from what the model tells. */
#include "metrics/graph.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"

#define BLOCK_NODES 16384u
#define BLOCK_BYTES (BLOCK_NODES * sizeof(struct graph_node)) /* 224 pages */
#define BLOCKS_IN_MEMORY 64u

_Static_assert(sizeof(struct graph_node) == 56, "documented in graph.h");
_Static_assert(BLOCKS_IN_MEMORY * BLOCK_NODES == GRAPH_NODES_IN_MEMORY, "documented in graph.h");

struct lane {
	u32 first, last;
	u32 first_caused, last_caused;
	u64 outside_ns; /* graph.outside_ns when it became ready */
};

struct graph {
	const struct model *model;
	struct graph_node **blocks;
	u32 n_blocks, n;
	struct lane *lanes; /* by thread id */
	u32 n_lanes;
	struct graph_lock *locks;
	u32 n_locks, cap_locks;
	struct map lock_index; /* mixed key: index + 1 */
	int fd;             /* what does not stay in memory; -1: not needed yet */
	int error;
	u32 most;           /* nodes; more: not at all */
	u32 cpus, usable;   /* online; what the thread seen last may use */
	bool to_gil;        /* the latest record: who leaves a CPU goes to wait for a GIL */
	u64 at;             /* outside_ns is integrated up to here */
	u64 outside_ns;     /* what one ready thread lost to others, so far */
};

int graph_new(struct graph **out, const struct model *model)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->model = model;
	g->fd = -1;
	g->most = NO_NODE;
	*out = g;
	return 0;
}

void graph_at_most(struct graph *g, u32 nodes)
{
	g->most = nodes;
}

static void free_blocks(struct graph *g)
{
	for (u32 i = 0; i < g->n_blocks; i++)
		munmap(g->blocks[i], BLOCK_BYTES);
	g->n_blocks = 0;
}

void graph_free(struct graph *g)
{
	if (!g)
		return;
	free_blocks(g);
	if (g->fd >= 0)
		close(g->fd);
	map_free(&g->lock_index);
	free(g->blocks);
	free(g->lanes);
	free(g->locks);
	free(g);
}

/* A file that nobody else sees, as big as block @i needs. */
static int spill_file(struct graph *g, u32 i)
{
	const char *folder = getenv("TMPDIR");
	off_t at = (off_t)(i - BLOCKS_IN_MEMORY) * (off_t)BLOCK_BYTES;

	if (g->fd < 0)
		g->fd = open(folder && *folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (g->fd < 0)
		return -errno;
	/* posix_fallocate: a full disk is an error here, not a SIGBUS later. */
	return -posix_fallocate(g->fd, at, BLOCK_BYTES);
}

static int add_block(struct graph *g)
{
	struct graph_node **blocks = realloc(g->blocks, (g->n_blocks + 1) * sizeof(*blocks));
	bool spill = g->n_blocks >= BLOCKS_IN_MEMORY;
	void *block;
	int code = blocks ? 0 : -ENOMEM;

	if (blocks)
		g->blocks = blocks;
	if (!code && spill)
		code = spill_file(g, g->n_blocks);
	if (code)
		return code;
	block = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
		     spill ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, spill ? g->fd : -1,
		     spill ? (off_t)(g->n_blocks - BLOCKS_IN_MEMORY) * (off_t)BLOCK_BYTES : 0);
	if (block == MAP_FAILED)
		return -errno;
	g->blocks[g->n_blocks++] = block;
	return 0;
}

static struct lane *lane_of(struct graph *g, u32 thread)
{
	if (thread >= g->n_lanes) {
		u32 n = thread + thread / 2 + 64;
		struct lane *lanes = realloc(g->lanes, n * sizeof(*lanes));

		if (!lanes) {
			g->error = -ENOMEM;
			return NULL;
		}
		for (u32 i = g->n_lanes; i < n; i++)
			lanes[i] = (struct lane){NO_NODE, NO_NODE, NO_NODE, NO_NODE, 0};
		g->lanes = lanes;
		g->n_lanes = n;
	}
	return &g->lanes[thread];
}

static void open_node(struct graph *g, const struct thread *t, u32 from, u64 ts)
{
	struct graph_node *node;
	struct lane *lane = g->error ? NULL : lane_of(g, t->id);
	u32 index = g->n;

	if (!g->error && index >= g->most) {
		free_blocks(g);
		g->error = -E2BIG;
	}
	if (!g->error && index / BLOCK_NODES >= g->n_blocks)
		g->error = add_block(g);
	if (g->error)
		return;
	node = graph_node(g, index);
	*node = (struct graph_node){
		.start_ns = ts, .end_ns = ts, .thread = t->id, .prev = lane->last, .next = NO_NODE,
		.from = from, .from_next = NO_NODE, .owner = NO_THREAD, .lock = NO_LOCK, .nr = -1,
		.state = (u8)t->state, .flags = GRAPH_OPEN,
	};
	g->n++;
	if (lane->last != NO_NODE)
		graph_node(g, lane->last)->next = index;
	else
		lane->first = index;
	lane->last = index;
	lane->outside_ns = g->outside_ns;
	if (from == NO_THREAD || from == t->id)
		return;
	lane = lane_of(g, from);
	if (!lane)
		return;
	if (lane->last_caused != NO_NODE)
		graph_node(g, lane->last_caused)->from_next = index;
	else
		lane->first_caused = index;
	lane->last_caused = index;
}

static u32 lock_index(struct graph *g, s32 tgid, u64 lock, enum wait_kind kind)
{
	u64 key = (lock ^ (u64)(u32)tgid << 40) * 0x9e3779b97f4a7c15ull;
	struct graph_lock *locks;
	void *found;

	for (; (found = map_get(&g->lock_index, key)); key++) {
		u32 i = (u32)((uintptr_t)found - 1);

		if (g->locks[i].lock == lock && g->locks[i].tgid == tgid)
			return i;
	}
	if (g->n_locks == g->cap_locks) {
		g->cap_locks = g->cap_locks ? 2 * g->cap_locks : 64;
		locks = realloc(g->locks, g->cap_locks * sizeof(*locks));
		if (!locks) {
			g->error = -ENOMEM;
			return NO_LOCK;
		}
		g->locks = locks;
	}
	g->locks[g->n_locks] = (struct graph_lock){lock, tgid, kind};
	if (map_set(&g->lock_index, key, (void *)(uintptr_t)(g->n_locks + 1)))
		g->error = -ENOMEM;
	return g->n_locks++;
}

static void close_node(struct graph *g, const struct span *span)
{
	const struct thread *t = span->thread;
	struct lane *lane = lane_of(g, t->id);
	struct graph_node *node;

	if (!lane || lane->last == NO_NODE)
		return;
	node = graph_node(g, lane->last);
	node->end_ns = span->end_ns;
	/* Of several states that began at this instant only the last one lasted. */
	node->state = (u8)span->state;
	node->flags = (node->flags & GRAPH_GIL) | (span->state == STATE_READY && span->preempted ? GRAPH_PREEMPTED : 0);
	node->context = span->waker_context;
	if (span->state == STATE_READY) {
		u64 lost = g->outside_ns - lane->outside_ns;

		node->outside_ns = lost > UINT32_MAX ? UINT32_MAX : (u32)lost;
	}
	if (span->state != STATE_WAITING)
		return;
	node->kind = (u8)span->wait->kind;
	node->nr = span->wait->rec.nr;
	node->owner = span->wait->owner;
	if (span->wait->rec.lock_kind && span->wait->rec.lock)
		node->lock = lock_index(g, span->wait->rec.flags & WAIT_SHARED ? 0 : t->tgid,
					span->wait->rec.lock, span->wait->kind);
}

static void on_state(void *ctx, const struct span *span)
{
	struct graph *g = ctx;
	const struct thread *t = span->thread;
	u32 from = NO_THREAD;

	if (g->error)
		return;
	close_node(g, span);
	if (t->allowed_cpus)
		g->usable = t->allowed_cpus;
	if (t->state == STATE_NONE)
		return;
	if (span->state == STATE_WAITING || span->state == STATE_STOPPED)
		from = span->waker;
	else if (span->state == STATE_RUNNING && t->state == STATE_READY && !t->preempted)
		from = t->waker; /* woken on its way to sleep */
	open_node(g, t, from, span->end_ns);
	if (!g->error && span->state == STATE_RUNNING && from != NO_THREAD && g->to_gil)
		graph_node(g, g->n - 1)->flags |= GRAPH_GIL;
}

static void on_thread_start(void *ctx, const struct thread *t, u64 ts)
{
	open_node(ctx, t, t->parent, ts);
}

/* The time since the last record: what each ready thread lost while fewer ran than could have. */
static void on_record(void *ctx, const struct record *rec)
{
	struct graph *g = ctx;
	const struct counts *c = model_counts(g->model);
	u32 usable = g->usable && (!g->cpus || g->usable < g->cpus) ? g->usable : g->cpus;

	g->to_gil = rec->type == REC_SWITCH && (rec->sw.wait.lock_kind == LOCK_GIL ||
						rec->sw.wait.lock_kind == LOCK_GIL_SWITCH);
	if (rec->type == REC_META && !strcmp(rec->meta.key, "cpus"))
		g->cpus = (u32)strtoul(rec->meta.value, NULL, 10);
	if (rec->ts <= g->at)
		return;
	if (g->at && c->ready && c->running < usable) {
		u64 free_cpus = usable - c->running;
		u64 ns = rec->ts - g->at;

		g->outside_ns += free_cpus >= c->ready ? ns : ns * free_cpus / c->ready;
	}
	g->at = rec->ts;
}

static const struct model_sink sink = {
	.record = on_record,
	.thread_start = on_thread_start,
	.state = on_state,
};

const struct model_sink *graph_sink(void)
{
	return &sink;
}

int graph_error(const struct graph *g)
{
	return g->error;
}

const struct model *graph_model(const struct graph *g)
{
	return g->model;
}

u32 graph_n_nodes(const struct graph *g)
{
	return g->n;
}

struct graph_node *graph_node(const struct graph *g, u32 index)
{
	return &g->blocks[index / BLOCK_NODES][index % BLOCK_NODES];
}

u32 graph_n_threads(const struct graph *g)
{
	return g->n_lanes;
}

u32 graph_first(const struct graph *g, u32 thread)
{
	return thread < g->n_lanes ? g->lanes[thread].first : NO_NODE;
}

u32 graph_last(const struct graph *g, u32 thread)
{
	return thread < g->n_lanes ? g->lanes[thread].last : NO_NODE;
}

u32 graph_first_caused(const struct graph *g, u32 thread)
{
	return thread < g->n_lanes ? g->lanes[thread].first_caused : NO_NODE;
}

u32 graph_n_locks(const struct graph *g)
{
	return g->n_locks;
}

const struct graph_lock *graph_lock(const struct graph *g, u32 index)
{
	return &g->locks[index];
}
