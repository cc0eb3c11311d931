/* SPDX-License-Identifier: MIT */
#include "record/convert.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_LISTEN 10 /* include/net/tcp_states.h */

_Static_assert((int)EV_WAIT_FAULT == WAIT_FAULT && (int)EV_WAIT_IO == WAIT_IO &&
		       (int)EV_WAIT_TIMED == WAIT_TIMED,
	       "wait flags of probes and trace");
_Static_assert((int)EV_WAKER_HARDIRQ == WAKER_HARDIRQ && (int)EV_WAKER_TASK == WAKER_TASK,
	       "waker contexts of probes and trace");
_Static_assert((int)EV_THREAD_NEW_PROCESS == THREAD_NEW_PROCESS &&
		       (int)EV_THREAD_OUTSIDER == THREAD_OUTSIDER,
	       "thread flags of probes and trace");

size_t convert_event_size(u8 type)
{
	switch (type) {
	case EV_SWITCH: return sizeof(struct ev_switch);
	case EV_BLOCK: return sizeof(struct ev_block);
	case EV_FUTEX: return sizeof(struct ev_futex);
	case EV_FORK:
	case EV_OUTSIDER: return sizeof(struct ev_thread);
	case EV_SNAPSHOT: return sizeof(struct ev_snapshot);
	case EV_EXEC: return sizeof(struct ev_exec);
	case EV_EXIT: return sizeof(struct ev_exit);
	case EV_RENAME: return sizeof(struct ev_rename);
	case EV_DESC: return sizeof(struct ev_desc);
	case EV_AFFINITY: return sizeof(struct ev_affinity);
	case EV_WAKE:
	case EV_ARRIVAL: return sizeof(struct ev_pending);
	case EV_GIL: return sizeof(struct ev_gil);
	case EV_GO: return sizeof(struct ev_go);
	case EV_GO_WAIT: return sizeof(struct ev_go_wait);
	case EV_USDT: return sizeof(struct ev_usdt);
	}
	return 0;
}

void convert_wait(const struct ev_wait *from, struct rec_wait *to)
{
	*to = (struct rec_wait){
		.nr = from->nr,
		.flags = from->flags & (WAIT_FAULT | WAIT_IO | WAIT_TIMED),
		.fd_kind = from->fd_kind,
		.nfds = from->nfds,
		.desc = from->desc,
		.timeout_ns = from->timeout_ns,
	};
	memcpy(to->args, from->args, sizeof(to->args));
}

void convert_switch(const struct ev_switch *from, const struct ev_wait *wait, struct record *to)
{
	*to = (struct record){.ts = from->head.ts, .type = REC_SWITCH, .cpu = from->head.cpu};
	to->sw.prev = from->prev;
	to->sw.next = from->next;
	to->sw.prev_state = from->prev_state;
	to->sw.flags = from->flags & EV_PREEMPT ? SWITCH_PREEMPT : 0;
	if (from->prev && !(from->flags & EV_PREV_MEMBER))
		to->sw.flags |= SWITCH_PREV_OUTSIDER;
	if (from->next && !(from->flags & EV_NEXT_MEMBER))
		to->sw.flags |= SWITCH_NEXT_OUTSIDER;
	to->sw.prev_prio = from->prev_prio;
	to->sw.next_prio = from->next_prio;
	if (wait)
		convert_wait(wait, &to->sw.wait);
	else
		to->sw.wait.nr = -1;
}

void convert_arrival(const struct ev_pending *from, struct record *to)
{
	*to = (struct record){.ts = from->head.ts, .type = REC_SWITCH, .cpu = from->head.cpu};
	to->sw.prev = -1;
	to->sw.next = from->tid;
	to->sw.flags = SWITCH_ACCOUNTED;
	to->sw.next_prio = 120;
	to->sw.wait.nr = -1;
}

void convert_waking(const struct ev_wake *from, s32 tid, struct record *to)
{
	*to = (struct record){.ts = from->ts, .type = REC_WAKING, .cpu = from->cpu};
	to->waking.tid = tid;
	to->waking.waker = from->waker;
	to->waking.context = from->context;
}

void convert_thread(const struct ev_thread *from, struct record *to)
{
	*to = (struct record){
		.ts = from->head.ts,
		.type = from->head.type == EV_FORK ? REC_FORK : REC_THREAD,
		.cpu = from->head.cpu,
	};
	if (from->head.type == EV_SNAPSHOT)
		to->cpu = from->running_on < 0 ? CORUN_NO_CPU : (u16)from->running_on;
	to->thread.tid = from->tid;
	to->thread.tgid = from->tgid;
	to->thread.ns_tid = from->ns_tid;
	to->thread.ns_tgid = from->ns_tgid;
	to->thread.parent = from->parent;
	to->thread.flags = from->flags;
	to->thread.state = from->state;
	convert_wait(&from->wait, &to->thread.wait);
	to->thread.comm = from->comm;
	to->thread.args = "";
}

void convert_exec(const struct ev_exec *from, bool redact, struct record *to, struct buf *strings)
{
	u32 len = from->args_len < EV_ARGS_LEN ? from->args_len : EV_ARGS_LEN;

	buf_clear(strings);
	/* Words end in NUL; one blank stands between them, none at the end. */
	while (len && !from->args[len - 1])
		len--;
	for (u32 i = 0; i < len && !redact; i++)
		buf_putc(strings, from->args[i] ? from->args[i] : ' ');
	*to = (struct record){.ts = from->head.ts, .type = REC_EXEC, .cpu = from->head.cpu};
	to->exec.tid = from->tid;
	to->exec.old_tid = from->old_tid;
	to->exec.tgid = from->tgid;
	to->exec.comm = from->comm;
	to->exec.filename = redact ? "" : from->filename;
	to->exec.args = strings->len ? strings->data : "";
}

static void put_address(struct buf *out, u8 family, const u8 *addr, u16 port)
{
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6) {
		/* ::ffff:a.b.c.d is an IPv4 peer of a dual-stack socket: say it as people do. */
		static const u8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

		if (!memcmp(addr, mapped, sizeof(mapped))) {
			addr += 12;
			family = AF_INET;
		}
	}
	inet_ntop(family == AF_INET6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	buf_printf(out, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

static void put_path(struct buf *out, const struct ev_desc *from)
{
	int parts = from->parts;

	if (parts > EV_PATH_PARTS) {
		buf_puts(out, "...");
		parts = EV_PATH_PARTS;
	}
	/* A name without a directory ("pipe:[4026]" has none at all) stands as it is. */
	for (int i = parts - 1; i >= 0; i--) {
		buf_putc(out, '/');
		buf_put(out, from->path[i], strnlen(from->path[i], EV_PART_LEN));
	}
}

void convert_desc(const struct ev_desc *from, bool redact, struct record *to, struct buf *strings)
{
	size_t local;

	buf_clear(strings);
	*to = (struct record){.ts = from->head.ts, .type = REC_DESC, .cpu = from->head.cpu};
	to->desc.id = from->id;
	to->desc.kind = from->kind;
	to->desc.name = to->desc.local = "";
	if (redact)
		return;
	if (from->family == AF_INET || from->family == AF_INET6) {
		if (from->peer_port && from->state != TCP_LISTEN)
			put_address(strings, from->family, from->peer_addr, from->peer_port);
		buf_putc(strings, '\0');
		local = strings->len;
		put_address(strings, from->family, from->addr, from->port);
		if (!strings->failed) {
			to->desc.name = strings->data;
			to->desc.local = strings->data + local;
		}
		return;
	}
	if (from->kind == FD_UNIX && from->parts) {
		buf_put(strings, from->text, strnlen(from->text, sizeof(from->text)));
	} else if (from->kind == FD_PIPE && !from->parts) {
		buf_printf(strings, "pipe:[%llu]", (unsigned long long)from->ino);
	} else if (from->parts) {
		put_path(strings, from);
		/* A pseudo terminal's device name is its number alone. */
		if (from->kind == FD_TTY && !strncmp(strings->data, "/dev/", 5))
			to->desc.name = strings->data + 5;
	}
	if (strings->len && !to->desc.name[0])
		to->desc.name = strings->data;
}
