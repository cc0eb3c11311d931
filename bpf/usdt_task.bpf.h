/* SPDX-License-Identifier: MIT */
/*
 * usdt_task.bpf.h - --probes: a program's own USDT probes that stand for what a task does. Which probe
 * means what the collector knows (record/tasks_usdt.h): here it is a number.
 */
#ifndef CORUN_USDT_TASK_H
#define CORUN_USDT_TASK_H

#include <bpf/usdt.bpf.h>

SEC("usdt")
int usdt_task(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long cookie = bpf_usdt_cookie(regs), id = 0, text = 0;
	struct ev_usdt *e;

	if (!member(task))
		return 0;
	e = event_new(sizeof(*e), EV_USDT);
	if (!e)
		return 0;
	if (EV_USDT_ID(cookie))
		bpf_usdt_arg(regs, EV_USDT_ID(cookie) - 1, &id);
	if (EV_USDT_TEXT(cookie))
		bpf_usdt_arg(regs, EV_USDT_TEXT(cookie) - 1, &text);
	e->tid = task->pid;
	e->tgid = task->tgid;
	e->line = EV_USDT_LINE(cookie);
	e->pad = 0;
	e->id = (__u64)id;
	if (!text || bpf_probe_read_user_str(e->text, sizeof(e->text), (void *)text) < 0)
		e->text[0] = '\0';
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
