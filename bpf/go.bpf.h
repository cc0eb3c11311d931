/* SPDX-License-Identifier: MIT */
/*
 * go.bpf.h - --tasks=go: goroutines change their status, seen at the runtime's own functions by
 * uprobes. Attached only when asked for: each costs the program a trap.
 *
 * Arguments are in registers since Go 1.17 (AX, BX, CX: Go's abi-internal.md); frame pointers are
 * always kept on x86-64.
 */
#ifndef CORUN_GO_H
#define CORUN_GO_H

#define GO_WAITING 4
#define GO_SCHED_AT 56 /* in the g: its gobuf (runtime2.go, 1.18 to 1.25) */
#define GO_GOBUF_G 2   /* words in the gobuf: the g itself ... */
#define GO_GOBUF_BP 6  /* ... and the frame pointer, since 1.25 one word earlier */

/* Return addresses of a goroutine that has parked, by its frame pointers. */
static __always_inline void go_frames(__u64 g, __u64 *pcs)
{
	__u64 gobuf[GO_GOBUF_BP + 1], frame[2], bp;

	__builtin_memset(pcs, 0, EV_GO_FRAMES * sizeof(*pcs));
	if (bpf_probe_read_user(gobuf, sizeof(gobuf), (void *)(g + GO_SCHED_AT)) ||
	    gobuf[GO_GOBUF_G] != g)
		return;
	bp = gobuf[GO_GOBUF_BP] ? gobuf[GO_GOBUF_BP] : gobuf[GO_GOBUF_BP - 1];
#pragma unroll
	for (int i = 0; i < EV_GO_FRAMES; i++) {
		if (!bp || bpf_probe_read_user(frame, sizeof(frame), (void *)bp))
			return;
		pcs[i] = frame[1];
		if (frame[0] <= bp) /* the stack grows down: what called lies higher */
			return;
		bp = frame[0];
	}
}

static __always_inline void go_fill(struct pt_regs *regs, struct ev_go *e, struct task_struct *task,
				    struct task_ctx *own)
{
	e->g = regs->ax;
	e->ip = regs->ip;
	e->tid = task->pid;
	e->tgid = task->tgid;
	e->start = own->go_start;
	e->made = own->go_made;
	e->cookie = bpf_get_attach_cookie(regs);
	e->from = (__u32)regs->bx;
	e->to = (__u32)regs->cx;
	e->n_fields = EV_GO_FIELDS_LEN;
	e->pad = 0;
	if (bpf_probe_read_user(e->fields, EV_GO_FIELDS_LEN, (void *)(e->g + EV_GO_FIELDS_AT)))
		e->n_fields = 0;
}

/* At runtime.casgstatus(gp *g, oldval, newval uint32). */
SEC("uprobe")
int go_status(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_ctx *own = member(task);
	struct ev_go_wait *w;
	struct ev_go *e;

	if (!own)
		return 0;
	if ((__u32)regs->cx == GO_WAITING) {
		w = event_new(sizeof(*w), EV_GO_WAIT);
		if (!w)
			return 0;
		go_fill(regs, &w->go, task, own);
		go_frames(w->go.g, w->pcs);
		bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
		return 0;
	}
	e = event_new(sizeof(*e), EV_GO);
	if (!e)
		return 0;
	go_fill(regs, e, task, own);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * At runtime.newproc1(fn *funcval, callergp *g, callerpc uintptr, ...), which makes a g: its status
 * changes next, on this thread, from idle to dead if it is a fresh one, then from dead on.
 */
SEC("uprobe")
int go_new(struct pt_regs *regs)
{
	struct task_ctx *own = member(bpf_get_current_task_btf());
	__u64 start = 0;

	if (!own)
		return 0;
	bpf_probe_read_user(&start, sizeof(start), (void *)regs->ax);
	own->go_start = start;
	own->go_made = regs->cx;
	return 0;
}

#endif
