/* SPDX-License-Identifier: MIT */
/*
 * waker.bpf.h - in which context a wake-up happens: the only thing that tells a cause from a
 * bystander. `current` at a wake-up from a timer interrupt is whoever was interrupted.
 */
#ifndef CORUN_WAKER_H
#define CORUN_WAKER_H

/* include/linux/preempt.h: bits 16 to 19 count hard interrupts, 20 to 23 NMIs; bit 8 is set while a
 * soft interrupt is being served (in_serving_softirq). */
#define PREEMPT_HARDIRQ 0x00ff0000
#define PREEMPT_SERVING_SOFTIRQ 0x00000100

/* Calls by which a thread can make the network stack deliver to somebody on this machine: the
 * soft interrupt that follows runs on its back. */
static __always_inline bool nr_sends(long nr)
{
	switch (nr) {
	case 1:   /* write */
	case 3:   /* close */
	case 20:  /* writev */
	case 40:  /* sendfile */
	case 42:  /* connect */
	case 44:  /* sendto */
	case 46:  /* sendmsg */
	case 48:  /* shutdown */
	case 275: /* splice */
	case 307: /* sendmmsg */
	case 426: /* io_uring_enter */
		return true;
	}
	return false;
}

/*
 * The per-CPU preempt count cannot be read by name on kernels without KALLSYMS_ALL. But `current`
 * leads to its run queue, which lies in the same per-CPU area at an offset that BTF tells:
 * rq - offset(runqueues) + offset(__preempt_count).
 */
static __always_inline __u8 waker_context(struct task_struct *cur)
{
	struct rq *rq;
	__u32 count;

	if (!config.preempt_offset_ok || !bpf_core_field_exists(struct cfs_rq, rq))
		return EV_WAKER_UNKNOWN;
	rq = cur->se.cfs_rq->rq;
	if (!rq)
		return EV_WAKER_UNKNOWN;
	count = (__u32)peek_u64((__u64)rq - config.runqueues_offset + config.preempt_offset);
	if (count & PREEMPT_HARDIRQ)
		return EV_WAKER_HARDIRQ;
	if (count & PREEMPT_SERVING_SOFTIRQ) {
		struct pt_regs *regs;

		if (cur->flags & PF_KTHREAD || !cur->pid)
			return EV_WAKER_SOFTIRQ;
		regs = (struct pt_regs *)bpf_task_pt_regs(cur);
		return (long)regs->ax == -38 && nr_sends((long)regs->orig_ax) ?
			       EV_WAKER_SOFTIRQ_SELF :
			       EV_WAKER_SOFTIRQ;
	}
	return EV_WAKER_TASK;
}

#endif
