/* SPDX-License-Identifier: MIT */
/*
 * wait.bpf.h - in what a thread that has just been switched out is blocked, from its saved user
 * registers: orig_ax is the call, ax is -ENOSYS while it is inside (arch/x86/entry/common.c), the
 * arguments stand in di, si, dx, r10, r8. orig_ax -1: it entered the kernel without a call (a page
 * fault or an interrupt). Nothing here runs for a system call that does not block.
 *
 * A page fault inside a system call shows the call, not the fault: the user registers are the
 * call's. It is reported as the call's wait.
 */
#ifndef CORUN_WAIT_H
#define CORUN_WAIT_H

#define ENOSYS_AX (-38L)
#define NO_FD 0xffffffffu

struct timespec_user {
	__s64 sec, nsec;
};

struct pollfd_user {
	__s32 fd;
	__s16 events, revents;
};

/* Which argument of a call is the descriptor that it can block on, -1: none. */
static __always_inline int fd_argument(long nr)
{
	switch (nr) {
	case 0: case 1: case 17: case 18: case 19: case 20: /* read write pread pwrite readv writev */
	case 3: case 16: case 72: case 73:                  /* close ioctl fcntl flock */
	case 40: case 42: case 43: case 44: case 45: case 46: case 47: case 48: /* sockets, sendfile */
	case 74: case 75: case 77: case 217: case 277: case 285: case 306: /* fsync ... syncfs */
	case 232: case 281: case 441:                       /* epoll_wait, pwait, pwait2 */
	case 242: case 243:                                 /* mq_timedsend, mq_timedreceive */
	case 275: case 276: case 278: case 326:             /* splice tee vmsplice copy_file_range */
	case 288: case 299: case 307:                       /* accept4 recvmmsg sendmmsg */
	case 295: case 296: case 327: case 328: case 426:   /* preadv pwritev ... io_uring_enter */
		return 0;
	}
	return -1;
}

/* User memory of the thread that runs here, or of @remote (from a program that may sleep). */
static __always_inline long user_read(void *to, __u32 size, __u64 from, struct task_struct *remote)
{
	return remote ? bpf_copy_from_user_task(to, size, (void *)from, remote, 0) :
			bpf_probe_read_user(to, size, (void *)from);
}

static __always_inline __u32 bits_set(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(x * 0x0101010101010101ULL >> 56);
}

/* The three sets of select(), descriptors 0 to 255. */
struct fd_sets {
	__u64 in[4], out[4], ex[4];
};

/*
 * Descriptors in the sets below number @n: how many in the upper half, the one if there is one in the
 * lower. A global function, verified once by itself, and without branches: the verifier of 6.1 would
 * walk each combination at each call.
 */
__noinline __u32 select_count(__u64 n, struct fd_sets *sets)
{
	__u64 whole = n >> 6, tail = (1ULL << (n & 63)) - 1, fd = 0;
	__u32 count = 0;

	if (n > 256 || !sets)
		return 255u << 16;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u64 before = (__u64)((__s64)(i - whole) >> 63);        /* all ones if i < whole */
		__u64 last = (__u64)((__s64)((i ^ whole) - 1) >> 63);    /* all ones if i == whole */
		__u64 bits = (sets->in[i] | sets->out[i] | sets->ex[i]) & (before | (last & tail));
		__u64 some = (__u64)((__s64)(bits | -bits) >> 63);

		count += bits_set(bits);
		fd |= (i * 64 + bits_set((bits & -bits) - 1)) & some;
	}
	return (count > 255 ? 255 : count) << 16 | (__u32)(fd & 0xff);
}

static __always_inline __u32 wait_select(struct ev_wait *w, struct task_struct *remote)
{
	struct fd_sets sets = {};

	/* A set that is not given is a null pointer: the read fails and leaves zeroes. */
	user_read(sets.in, sizeof(sets.in), w->args[1], remote);
	user_read(sets.out, sizeof(sets.out), w->args[2], remote);
	user_read(sets.ex, sizeof(sets.ex), w->args[3], remote);
	return select_count(w->args[0], &sets);
}

static __always_inline void wait_timespec(struct ev_wait *w, __u64 address, bool absolute,
					  bool realtime, struct task_struct *remote)
{
	struct timespec_user t;
	__s64 ns;

	if (!address || user_read(&t, sizeof(t), address, remote))
		return;
	ns = t.sec * 1000000000LL + t.nsec;
	if (absolute)
		ns -= (__s64)bpf_ktime_get_ns() + (realtime ? config.realtime_offset : 0);
	w->timeout_ns = ns > 0 ? ns : 0;
	w->flags |= EV_WAIT_TIMED;
}

static __always_inline void wait_ms(struct ev_wait *w, __s32 ms)
{
	if (ms < 0)
		return;
	w->timeout_ns = (__u64)ms * 1000000;
	w->flags |= EV_WAIT_TIMED;
}

/* Timeouts and descriptors that stand in user memory. Returns the descriptor or NO_FD. */
static __always_inline __u32 wait_user_memory(struct ev_wait *w, struct pt_regs *regs,
					      struct task_struct *remote)
{
	struct pollfd_user poll;
	__u32 found;

	switch (w->nr) {
	case 35: /* nanosleep */
		wait_timespec(w, w->args[0], false, false, remote);
		break;
	case 230: /* clock_nanosleep: flag 1 is TIMER_ABSTIME */
		wait_timespec(w, w->args[2], w->args[1] & 1, w->args[0] == 0,
			      remote);
		break;
	case 202: /* futex: WAIT is relative, WAIT_BITSET and LOCK_PI are absolute */
		found = (__u32)w->args[1] & 0x7f;
		if (found == 0 || found == 9 || found == 6 || found == 11 || found == 13)
			wait_timespec(w, w->args[3], found != 0,
				      found == 6 || (w->args[1] & 0x100), remote);
		break;
	case 7: /* poll */
		wait_ms(w, (__s32)w->args[2]);
		/* fallthrough */
	case 271: /* ppoll */
		if (w->nr == 271)
			wait_timespec(w, w->args[2], false, false, remote);
		w->nfds = w->args[1] > 255 ? 255 : (__u8)w->args[1];
		if (w->args[1] == 1 &&
		    !user_read(&poll, sizeof(poll), w->args[0], remote))
			return (__u32)poll.fd;
		break;
	case 23: /* select: a timeval, microseconds */
		wait_timespec(w, regs->r8, false, false, remote);
		if (w->flags & EV_WAIT_TIMED)
			w->timeout_ns = w->timeout_ns / 1000000000 * 1000000000 +
					w->timeout_ns % 1000000000 * 1000;
		/* fallthrough */
	case 270: /* pselect6 */
		if (w->nr == 270)
			wait_timespec(w, regs->r8, false, false, remote);
		found = wait_select(w, remote);
		w->nfds = (__u8)(found >> 16);
		if (w->nfds == 1)
			return found & 0xff;
		break;
	case 232: /* epoll_wait, epoll_pwait */
	case 281:
		wait_ms(w, (__s32)w->args[3]);
		break;
	case 441: /* epoll_pwait2 */
	case 220: /* semtimedop */
		wait_timespec(w, w->args[3], false, false, remote);
		break;
	case 128: /* rt_sigtimedwait */
		wait_timespec(w, w->args[2], false, false, remote);
		break;
	}
	return NO_FD;
}

/* The saved user registers stand at the same place of a thread's kernel stack all its life: asking
 * once is enough where a plain load can follow. */
static __always_inline struct pt_regs *user_regs(struct task_struct *task, struct task_ctx *ctx)
{
	if (!config.rdonly_cast)
		return (struct pt_regs *)bpf_task_pt_regs(task);
	if (!ctx->regs)
		ctx->regs = (__u64)bpf_task_pt_regs(task);
	return bpf_rdonly_cast((void *)ctx->regs, bpf_core_type_id_kernel(struct pt_regs));
}

/* Fill @w for @task: NULL as @remote when it is the thread that runs here, else @task again. */
static __always_inline void wait_read(struct task_struct *task, struct task_ctx *ctx,
				      struct ev_wait *w, struct task_struct *remote)
{
	struct pt_regs *regs;
	__u32 fd = NO_FD;
	long nr;

	__builtin_memset(w, 0, sizeof(*w));
	w->nr = -1;
	if (BPF_CORE_READ_BITFIELD(task, in_iowait))
		w->flags |= EV_WAIT_IO;
	if (task->flags & PF_KTHREAD)
		return;
	regs = user_regs(task, ctx);
	nr = (long)regs->orig_ax;
	if (nr < 0 || (long)regs->ax != ENOSYS_AX) {
		if (nr < 0)
			w->flags |= EV_WAIT_FAULT;
		return;
	}
	/* restart_syscall: the call that a signal or a stop interrupted goes on. */
	if (nr == 219 && ctx->call)
		nr = ctx->call - 1;
	ctx->call = (__u16)(nr + 1);
	w->nr = (__s16)nr;
	w->args[0] = regs->di;
	w->args[1] = regs->si;
	w->args[2] = regs->dx;
	w->args[3] = regs->r10;
	fd = wait_user_memory(w, regs, remote);
	if (fd == NO_FD && fd_argument(nr) == 0)
		fd = (__u32)w->args[0];
	if (fd != NO_FD)
		describe_fd(task, ctx, w, fd, nr == 42);
}

#endif
