/* SPDX-License-Identifier: MIT */
/*
 * stack.bpf.h - --stacks and --kernel-stacks: where in its code a thread blocks. The probe copies
 * registers and the top of the user stack; unwinding is the collector's (userspace/record/unwind.h),
 * because code without frame pointers can be unwound by its .eh_frame alone.
 *
 * Both options stand in .rodata: the verifier removes what is not asked for.
 */
#ifndef CORUN_STACK_H
#define CORUN_STACK_H

static __always_inline void stack_user(struct task_struct *task, struct task_ctx *own,
				       struct ev_stack *s)
{
	struct gil_place place;
	struct pt_regs *regs;

	/* Of a runtime's thread its own code is what counts, and that is known by two words. */
	if (own->gil.present && gil_place(task->tgid, task->pid, &own->gil, &place)) {
		s->code = place.code;
		s->instr = place.instr;
		return;
	}
	regs = user_regs(task, own);
	s->ip = regs->ip;
	s->sp = regs->sp;
	s->bp = regs->bp;
	s->bx = regs->bx;
	s->r12 = regs->r12;
	s->r13 = regs->r13;
	s->r14 = regs->r14;
	s->r15 = regs->r15;
	if (!bpf_probe_read_user(s->user, EV_STACK_BYTES, (void *)s->sp))
		s->len = EV_STACK_BYTES;
	else if (!bpf_probe_read_user(s->user, EV_STACK_LESS, (void *)s->sp))
		s->len = EV_STACK_LESS;
}

static __always_inline void stack_fill(void *ctx, struct task_struct *task, struct task_ctx *own,
				       struct ev_head *head, struct ev_stack *s)
{
	long len;

	s->code = s->instr = 0;
	s->len = s->n_kernel = 0;
	head->stacks = 0;
	if (config.user_stacks && !(task->flags & PF_KTHREAD)) {
		stack_user(task, own, s);
		head->stacks |= EV_STACK_USER;
	}
	if (config.kernel_stacks) {
		len = bpf_get_stack(ctx, s->kernel, sizeof(s->kernel), 0);
		if (len > 0) {
			s->n_kernel = (__u32)len / 8;
			head->stacks |= EV_STACK_KERNEL;
		}
	}
}

#endif
