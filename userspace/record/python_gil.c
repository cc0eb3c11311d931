/* SPDX-License-Identifier: MIT */
/*
 * python_gil.c - CPython's GIL, or those of its interpreters (3.12 and later).
 *
 * Python/ceval_gil.c: a bool `locked`, a mutex and a condition variable. A waiter sleeps `interval`
 * microseconds (5000) at a time on `cond`, then asks the holder to let go; who lets go on request
 * waits on `switch_cond` until another thread has taken it. All four words stand in one struct.
 *
 * Self-check of every layout before it is believed: the interval is one that
 * sys.setswitchinterval() could give, `locked` is -1, 0 or 1, the list of thread states ends, and
 * one of them names a thread that this process has; if the GIL is held, its holder is one of them.
 */
#include <stdlib.h>

#include "record/python.h"

#define INTERVAL_MAX 1000000000 /* µs: sys.setswitchinterval(1000) */

/* The GIL up to `switch_number`: what the check needs. */
struct gil_head {
	u64 interval;
	u64 holder;
	s32 locked;
	u32 pad;
};

struct gil {
	u64 at;
	u64 holder; /* a thread state that was not found yet; 0: none to find */
	int code;   /* of check_head() */
};

struct gils {
	const struct python *py;
	s32 tgid;
	bool starting;  /* an interpreter has none yet */
	bool known_tid; /* a thread state names a thread of the process */
	u32 threads;
	u32 n;
	struct gil list[PYTHON_INTERPRETERS_MAX]; /* of the newest interpreter first */
};

/* ---- where they are ---- */

/* The GIL of an interpreter, 3.12 and later; 0: it has none, or (*@code) it is only starting. */
static u64 find_gil(const struct gils *g, u64 interpreter, int *code)
{
	s32 enabled = 0;
	u64 gil;

	*code = process_read_u64(g->tgid, interpreter + g->py->layout.interpreter_gil, &gil);
	if (!*code && !gil)
		*code = -EAGAIN;
	if (*code || !g->py->layout.free_threaded)
		return gil;
	/* A free-threaded build puts `enabled` before it, which is 0 unless it was asked for. */
	*code = process_read(g->tgid, gil, &enabled, sizeof(enabled));
	return enabled ? gil + 8 : 0;
}

static void add_gil(struct gils *g, u64 at)
{
	for (u32 i = 0; i < g->n; i++)
		if (g->list[i].at == at)
			return;
	g->list[g->n++] = (struct gil){.at = at};
}

/* Each interpreter's GIL; they may share one. */
static int list_gils(struct gils *g)
{
	const struct python_layout *l = &g->py->layout;
	u64 interpreter, gil;
	int code = 0;

	if (l->gil != PYTHON_NONE) {
		add_gil(g, g->py->runtime + l->gil);
		return 0;
	}
	code = process_read_u64(g->tgid, g->py->runtime + l->interpreters, &interpreter);
	g->starting = !interpreter;
	for (u32 i = 0; !code && interpreter; i++) {
		if (i == PYTHON_INTERPRETERS_MAX)
			return -EINVAL;
		gil = find_gil(g, interpreter, &code);
		if (code == -EAGAIN) {
			g->starting = true;
			code = 0;
		} else if (!code && gil) {
			add_gil(g, gil);
		}
		if (!code)
			code = process_read_u64(g->tgid, interpreter + l->interpreter_next, &interpreter);
	}
	if (!code && !g->n && g->starting)
		return -EAGAIN;
	return code == -EFAULT ? -EINVAL : code;
}

/* ---- the self-check ---- */

/* 0; -EAGAIN: not set up yet, or caught in the middle of a change; -EINVAL: this is no GIL. */
static int check_head(s32 tgid, struct gil *gil)
{
	struct gil_head head;
	int code = process_read(tgid, gil->at, &head, sizeof(head));

	if (code)
		return code == -EFAULT ? -EINVAL : code;
	if (!head.interval)
		return -EAGAIN;
	if (head.interval > INTERVAL_MAX || head.locked < -1 || head.locked > 1)
		return -EINVAL;
	if (head.locked < 0)
		return -EAGAIN; /* not created yet */
	gil->holder = head.locked ? head.holder : 0;
	return 0;
}

static int check_thread(void *ctx, u64 address)
{
	struct gils *g = ctx;

	g->threads++;
	for (u32 i = 0; i < g->n; i++)
		if (g->list[i].holder == address)
			g->list[i].holder = 0;
	/* One is enough; several are tried, because threads come and go. */
	if (!g->known_tid && g->threads < 16)
		g->known_tid = process_has_thread(g->tgid, python_thread_tid(g->py, g->tgid, address));
	return 0;
}

/* Walk the thread states. 0; -EAGAIN: there is none yet; -EINVAL: this is no such list, or none of them names a
 * thread of the process. */
static int check_threads(struct gils *g)
{
	int code = python_each_thread(g->py, g->tgid, check_thread, g);

	if (code)
		return code == -EFAULT ? -EINVAL : code;
	if (!g->threads)
		return -EAGAIN;
	return g->known_tid ? 0 : -EINVAL;
}

/* ---- what is told of them ---- */

static bool is_known(const struct runtime_process *p, u64 gil)
{
	for (u32 i = 0; i < p->how.n_gils; i++)
		if (p->how.gil[i] == gil)
			return true;
	for (u32 i = 0; i < p->n_further; i++)
		if (p->further[i] == gil)
			return true;
	return false;
}

/*
 * The probes read those of the oldest interpreters, the main one among them: a new one is put at the
 * head of the list (Python/pystate.c). True: these are others than before.
 */
static bool set_gils(struct runtime_process *p, const struct gils *g)
{
	u32 n = g->n < EV_GILS ? g->n : EV_GILS, n_further = g->n - n;
	u64 *further = n_further ? realloc(p->further, n_further * sizeof(*further)) : NULL;
	bool same = n == p->how.n_gils && n_further == p->n_further;

	if (further)
		p->further = further;
	else
		n_further = 0;
	for (u32 i = 0; i < n; i++) {
		u64 gil = g->list[g->n - 1 - i].at;

		same = same && p->how.gil[i] == gil;
		p->how.gil[i] = gil;
		p->how.told[i] = EV_GIL_UNTOLD;
	}
	for (u32 i = 0; i < n_further; i++) {
		u64 gil = g->list[n_further - 1 - i].at;

		same = same && p->further[i] == gil;
		p->further[i] = gil;
	}
	p->how.n_gils = n;
	p->n_further = n_further;
	return !same;
}

int python_gils_find(struct runtime_process *p, const struct python *py)
{
	struct gils g = {.py = py, .tgid = p->tgid};
	int code = list_gils(&g);

	for (u32 i = 0; !code && i < g.n; i++)
		code = check_head(p->tgid, &g.list[i]);
	if (!code)
		code = check_threads(&g);
	for (u32 i = 0; !code && i < g.n; i++)
		code = g.list[i].holder ? -EINVAL : 0;
	if (!code)
		set_gils(p, &g);
	return code;
}

bool python_gils_refresh(struct runtime_process *p)
{
	const struct python *py = p->data;
	struct gils g = {.py = py, .tgid = p->tgid};
	bool more = false;
	int code = 0;
	u32 n = 0;

	if (py->layout.gil != PYTHON_NONE || list_gils(&g))
		return false;
	for (u32 i = 0; i < g.n; i++) {
		if (is_known(p, g.list[i].at))
			continue;
		g.list[i].code = check_head(p->tgid, &g.list[i]);
		more = true;
	}
	if (more)
		code = check_threads(&g);
	for (u32 i = 0; i < g.n; i++)
		if (is_known(p, g.list[i].at) || (!code && !g.list[i].code && !g.list[i].holder))
			g.list[n++] = g.list[i];
	/* The others are perhaps only being set up. */
	p->grew |= g.starting || n < g.n;
	g.n = n;
	return set_gils(p, &g);
}
