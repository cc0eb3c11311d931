/* SPDX-License-Identifier: MIT */
#include "model/kind.h"

#include <string.h>

/* Futex words, poll sets, sockets: everything that tells a wait's kind. The table for people is
 * KINDS.md; tests/unit/test_kind.c checks each of its rows against this file. */

const struct kind_info kind_table[KINDS] = {
	[KIND_GIL] = {"gil", "GIL", "GIL", "gil", false},
	[KIND_MUTEX] = {"mutex", "mutex", "뮤텍스", "lock", false},
	[KIND_RWLOCK] = {"rwlock", "read-write lock", "읽기-쓰기 락", "lock", false},
	[KIND_CONDITION] = {"condition", "condition", "조건 변수", "parked", true},
	[KIND_SEMAPHORE] = {"semaphore", "semaphore", "세마포어", "parked", true},
	[KIND_BARRIER] = {"barrier", "barrier", "배리어", "lock", false},
	[KIND_JOIN] = {"join", "join", "조인", "parked", true},
	[KIND_FUTEX] = {"futex", "futex", "퓨텍스", "parked", true},
	[KIND_SLEEP] = {"sleep", "sleep", "수면", "sleep", false},
	[KIND_DISK] = {"disk", "disk", "디스크", "disk", false},
	[KIND_NETWORK] = {"network", "network", "네트워크", "network", false},
	[KIND_PIPE] = {"pipe", "pipe", "파이프", "party", false},
	[KIND_TERMINAL] = {"terminal", "terminal", "터미널", "party", false},
	[KIND_FILE_LOCK] = {"file-lock", "file lock", "파일 락", "lock", false},
	[KIND_POLL] = {"poll", "poll", "이벤트 대기", "parked", true},
	[KIND_CHILD] = {"child", "child process", "자식 프로세스", "parked", true},
	[KIND_SIGNAL] = {"signal", "signal", "시그널", "parked", true},
	[KIND_FAULT] = {"fault", "page fault", "페이지 폴트", "kernel", false},
	[KIND_KERNEL] = {"kernel", "kernel", "커널", "kernel", false},
	[KIND_OTHER] = {"other", "other", "기타", "kernel", false},
};

const char *const state_names[STATES] = {
	[STATE_NONE] = "none",       [STATE_RUNNING] = "running", [STATE_READY] = "ready",
	[STATE_WAITING] = "waiting", [STATE_STOPPED] = "stopped", [STATE_UNKNOWN] = "unknown",
};

u32 kind_default_parked(void)
{
	u32 set = 0;

	for (int i = 0; i < KINDS; i++)
		if (kind_table[i].parked)
			set |= 1u << i;
	return set;
}

static int kind_by_name_n(const char *name, size_t len)
{
	for (int i = 0; i < KINDS; i++)
		if (strlen(kind_table[i].name) == len && !memcmp(kind_table[i].name, name, len))
			return i;
	return -1;
}

int kind_by_name(const char *name)
{
	return kind_by_name_n(name, strlen(name));
}

int kind_parse_set(const char *text, u32 *set, const char **bad)
{
	u32 kinds = 0;

	while (*text) {
		size_t len = strcspn(text, ",");
		int kind = kind_by_name_n(text, len);

		if (kind < 0) {
			if (bad)
				*bad = text;
			return -EINVAL;
		}
		kinds |= 1u << kind;
		text += len;
		if (*text == ',')
			text++;
	}
	*set = kinds;
	return 0;
}

/* What a system call can wait for. */
enum call_class {
	CALL_PLAIN = 0, /* no wait of its own: kernel locks, memory, I/O under it */
	CALL_FD,        /* what the descriptor is */
	CALL_SOCKET,    /* the same; network when the descriptor could not be read */
	CALL_FILE,      /* file system */
	CALL_SYNC,      /* writes back and waits for it, journals' plain D included */
	CALL_POLL,      /* select and poll: by the number of descriptors */
	CALL_EVENTS,    /* epoll, accept, completions */
	CALL_SLEEP,
	CALL_SIGNAL,
	CALL_CHILD,
	CALL_CLONE,     /* child with CLONE_VFORK */
	CALL_CLONE3,    /* its flags are in memory: it sleeps killable only for vfork */
	CALL_FUTEX,
	CALL_FUTEX_WAIT, /* futex_wait(2), futex_waitv(2), futex_requeue(2) */
	CALL_FLOCK,
	CALL_FCNTL,
	CALL_SEM,
	CALL_QUEUE,     /* System V and POSIX message queues */
};

/* x86-64 numbers (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18). */
static const u8 call_class[512] = {
	[0] = CALL_FD,       /* read */
	[1] = CALL_FD,       /* write */
	[2] = CALL_FILE,     /* open */
	[3] = CALL_FD,       /* close */
	[4] = CALL_FILE,     /* stat */
	[5] = CALL_FD,       /* fstat */
	[6] = CALL_FILE,     /* lstat */
	[7] = CALL_POLL,     /* poll */
	[16] = CALL_FD,      /* ioctl */
	[17] = CALL_FD,      /* pread64 */
	[18] = CALL_FD,      /* pwrite64 */
	[19] = CALL_FD,      /* readv */
	[20] = CALL_FD,      /* writev */
	[21] = CALL_FILE,    /* access */
	[23] = CALL_POLL,    /* select */
	[26] = CALL_SYNC,    /* msync */
	[34] = CALL_SIGNAL,  /* pause */
	[35] = CALL_SLEEP,   /* nanosleep */
	[40] = CALL_FD,      /* sendfile */
	[42] = CALL_SOCKET,  /* connect */
	[43] = CALL_EVENTS,  /* accept */
	[44] = CALL_SOCKET,  /* sendto */
	[45] = CALL_SOCKET,  /* recvfrom */
	[46] = CALL_SOCKET,  /* sendmsg */
	[47] = CALL_SOCKET,  /* recvmsg */
	[48] = CALL_SOCKET,  /* shutdown */
	[54] = CALL_SOCKET,  /* setsockopt */
	[55] = CALL_SOCKET,  /* getsockopt */
	[56] = CALL_CLONE,   /* clone */
	[58] = CALL_CHILD,   /* vfork */
	[61] = CALL_CHILD,   /* wait4 */
	[65] = CALL_SEM,     /* semop */
	[69] = CALL_QUEUE,   /* msgsnd */
	[70] = CALL_QUEUE,   /* msgrcv */
	[72] = CALL_FCNTL,   /* fcntl */
	[73] = CALL_FLOCK,   /* flock */
	[74] = CALL_SYNC,    /* fsync */
	[75] = CALL_SYNC,    /* fdatasync */
	[76] = CALL_FILE,    /* truncate */
	[77] = CALL_FILE,    /* ftruncate */
	[78] = CALL_FILE,    /* getdents */
	[82] = CALL_FILE,    /* rename */
	[83] = CALL_FILE,    /* mkdir */
	[84] = CALL_FILE,    /* rmdir */
	[85] = CALL_FILE,    /* creat */
	[86] = CALL_FILE,    /* link */
	[87] = CALL_FILE,    /* unlink */
	[88] = CALL_FILE,    /* symlink */
	[89] = CALL_FILE,    /* readlink */
	[128] = CALL_SIGNAL, /* rt_sigtimedwait */
	[130] = CALL_SIGNAL, /* rt_sigsuspend */
	[137] = CALL_FILE,   /* statfs */
	[138] = CALL_FILE,   /* fstatfs */
	[162] = CALL_SYNC,   /* sync */
	[187] = CALL_FILE,   /* readahead */
	[202] = CALL_FUTEX,  /* futex */
	[208] = CALL_EVENTS, /* io_getevents */
	[209] = CALL_FILE,   /* io_submit */
	[215] = CALL_EVENTS, /* epoll_wait_old */
	[217] = CALL_FILE,   /* getdents64 */
	[220] = CALL_SEM,    /* semtimedop */
	[221] = CALL_FILE,   /* fadvise64 */
	[230] = CALL_SLEEP,  /* clock_nanosleep */
	[232] = CALL_EVENTS, /* epoll_wait */
	[242] = CALL_QUEUE,  /* mq_timedsend */
	[243] = CALL_QUEUE,  /* mq_timedreceive */
	[247] = CALL_CHILD,  /* waitid */
	[257] = CALL_FILE,   /* openat */
	[258] = CALL_FILE,   /* mkdirat */
	[262] = CALL_FILE,   /* newfstatat */
	[263] = CALL_FILE,   /* unlinkat */
	[264] = CALL_FILE,   /* renameat */
	[265] = CALL_FILE,   /* linkat */
	[266] = CALL_FILE,   /* symlinkat */
	[267] = CALL_FILE,   /* readlinkat */
	[269] = CALL_FILE,   /* faccessat */
	[270] = CALL_POLL,   /* pselect6 */
	[271] = CALL_POLL,   /* ppoll */
	[275] = CALL_FD,     /* splice */
	[276] = CALL_FD,     /* tee */
	[277] = CALL_SYNC,   /* sync_file_range */
	[278] = CALL_FD,     /* vmsplice */
	[281] = CALL_EVENTS, /* epoll_pwait */
	[285] = CALL_FILE,   /* fallocate */
	[288] = CALL_EVENTS, /* accept4 */
	[295] = CALL_FD,     /* preadv */
	[296] = CALL_FD,     /* pwritev */
	[299] = CALL_SOCKET, /* recvmmsg */
	[306] = CALL_SYNC,   /* syncfs */
	[307] = CALL_SOCKET, /* sendmmsg */
	[316] = CALL_FILE,   /* renameat2 */
	[326] = CALL_FD,     /* copy_file_range */
	[327] = CALL_FD,     /* preadv2 */
	[328] = CALL_FD,     /* pwritev2 */
	[332] = CALL_FILE,   /* statx */
	[333] = CALL_EVENTS, /* io_pgetevents */
	[426] = CALL_EVENTS, /* io_uring_enter */
	[435] = CALL_CLONE3, /* clone3 */
	[437] = CALL_FILE,   /* openat2 */
	[439] = CALL_FILE,   /* faccessat2 */
	[441] = CALL_EVENTS, /* epoll_pwait2 */
	[449] = CALL_FUTEX_WAIT, /* futex_waitv */
	[455] = CALL_FUTEX_WAIT, /* futex_wait */
};

static const u8 fd_kind_kind[FD_KINDS] = {
	[FD_NONE] = KIND_OTHER,     [FD_UNKNOWN] = KIND_OTHER,   [FD_FILE] = KIND_DISK,
	[FD_BLOCK] = KIND_DISK,     [FD_CHAR] = KIND_OTHER,      [FD_TTY] = KIND_TERMINAL,
	[FD_PIPE] = KIND_PIPE,      [FD_TCP] = KIND_NETWORK,     [FD_UDP] = KIND_NETWORK,
	[FD_UNIX] = KIND_PIPE,      [FD_NETLINK] = KIND_NETWORK, [FD_SOCKET] = KIND_NETWORK,
	[FD_EPOLL] = KIND_POLL,     [FD_EVENTFD] = KIND_SEMAPHORE, [FD_TIMERFD] = KIND_SLEEP,
	[FD_SIGNALFD] = KIND_SIGNAL, [FD_INOTIFY] = KIND_POLL,   [FD_IO_URING] = KIND_POLL,
	[FD_PIDFD] = KIND_CHILD,    [FD_MQUEUE] = KIND_PIPE,     [FD_ANON] = KIND_OTHER,
};

static const u8 lock_kind_kind[LOCK_KINDS] = {
	[LOCK_MUTEX] = KIND_MUTEX,         [LOCK_RWLOCK] = KIND_RWLOCK,
	[LOCK_CONDITION] = KIND_CONDITION, [LOCK_SEMAPHORE] = KIND_SEMAPHORE,
	[LOCK_BARRIER] = KIND_BARRIER,     [LOCK_JOIN] = KIND_JOIN,
	[LOCK_GIL] = KIND_GIL,             [LOCK_GIL_SWITCH] = KIND_GIL,
};

#define TASK_BIT_WAKEKILL 0x100u
#define TASK_BIT_NOLOAD 0x400u /* with D: TASK_IDLE (include/linux/sched.h) */
#define CLONE_VFORK_FLAG 0x4000u
#define CMD_SETLKW 7      /* F_SETLKW */
#define CMD_OFD_SETLKW 38 /* F_OFD_SETLKW */

/* futex(2) operations without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME (linux/futex.h). */
#define FUTEX_CMD_OF(op) ((op)&0x7f)
enum { OP_WAIT = 0, OP_LOCK_PI = 6, OP_WAIT_BITSET = 9, OP_WAIT_REQUEUE_PI = 11, OP_LOCK_PI2 = 13 };

static enum wait_kind futex_kind(const struct rec_wait *wait)
{
	switch (FUTEX_CMD_OF(wait->args[1])) {
	case OP_LOCK_PI:
	case OP_LOCK_PI2:
		return KIND_MUTEX;
	case OP_WAIT_REQUEUE_PI:
		return KIND_CONDITION;
	case OP_WAIT:
	case OP_WAIT_BITSET:
		/* "Locked, with waiters" of glibc's and Rust's mutex and of most home-made ones. */
		return (u32)wait->args[2] == 2 && wait->word == 2 ? KIND_MUTEX : KIND_FUTEX;
	default:
		return KIND_FUTEX;
	}
}

static enum wait_kind fd_wait_kind(u8 fd_kind)
{
	return fd_kind < FD_KINDS ? fd_kind_kind[fd_kind] : KIND_OTHER;
}

static enum wait_kind poll_kind(const struct rec_wait *wait)
{
	if (!wait->nfds)
		return KIND_SLEEP;
	if (wait->nfds > 1 || wait->fd_kind == FD_NONE || wait->fd_kind == FD_UNKNOWN)
		return KIND_POLL;
	return fd_wait_kind(wait->fd_kind);
}

/* The kind that the call itself gives when nothing in the kernel stands in between. */
static enum wait_kind call_kind(const struct rec_wait *wait, u8 class)
{
	switch (class) {
	case CALL_FD:
		return fd_wait_kind(wait->fd_kind);
	case CALL_SOCKET:
		if (wait->fd_kind == FD_NONE || wait->fd_kind == FD_UNKNOWN)
			return KIND_NETWORK;
		return fd_wait_kind(wait->fd_kind);
	case CALL_FCNTL:
		return wait->args[1] == CMD_SETLKW || wait->args[1] == CMD_OFD_SETLKW ? KIND_FILE_LOCK
										      : KIND_OTHER;
	case CALL_FILE:
		/* An open that sleeps interruptibly waits for the other end of a named pipe, for a
		 * terminal's carrier, for a lease: not for the disk. */
		return wait->fd_kind > FD_UNKNOWN ? fd_wait_kind(wait->fd_kind) : KIND_OTHER;
	case CALL_POLL:
		return poll_kind(wait);
	case CALL_SIGNAL:
		return KIND_SIGNAL;
	case CALL_QUEUE:
		return KIND_PIPE;
	case CALL_SEM:
		return KIND_SEMAPHORE;
	default:
		return KIND_OTHER;
	}
}

enum wait_kind kind_of_wait(const struct rec_wait *wait, u32 prev_state)
{
	u8 class = wait->nr >= 0 && wait->nr < (int)ARRAY_SIZE(call_class) ? call_class[wait->nr]
									   : CALL_PLAIN;
	bool deep = prev_state & TASK_BIT_UNINTERRUPTIBLE;
	bool killable = deep && (prev_state & TASK_BIT_WAKEKILL);

	/* A fault inside a call shows the call in the registers, but it is memory that is missing. */
	if (wait->flags & WAIT_FAULT)
		return KIND_FAULT;
	if (wait->lock_kind < LOCK_KINDS && lock_kind_kind[wait->lock_kind])
		return lock_kind_kind[wait->lock_kind];
	if (wait->lock_kind == LOCK_GIL || wait->lock_kind == LOCK_GIL_SWITCH)
		return KIND_GIL;

	/* Kinds that hold in every sleep. */
	switch (class) {
	case CALL_EVENTS: /* io_uring_enter marks its wait for completions as I/O */
		return deep && !killable && !(wait->flags & WAIT_IO) ? KIND_KERNEL : KIND_POLL;
	case CALL_CHILD:
		return deep && !killable ? KIND_KERNEL : KIND_CHILD;
	case CALL_CLONE:
		if (wait->args[0] & CLONE_VFORK_FLAG)
			return KIND_CHILD;
		break;
	case CALL_CLONE3:
		if (killable)
			return KIND_CHILD;
		break;
	case CALL_SYNC:
		return KIND_DISK;
	case CALL_SLEEP:
		return KIND_SLEEP;
	case CALL_FLOCK:
		return KIND_FILE_LOCK;
	case CALL_FUTEX:
		return deep && !killable ? KIND_KERNEL : futex_kind(wait);
	case CALL_FUTEX_WAIT:
		return deep && !killable ? KIND_KERNEL : KIND_FUTEX;
	default:
		break;
	}
	if (wait->flags & WAIT_IO)
		return KIND_DISK;
	/* D without I/O is a lock inside the kernel: an inode's, a pipe's, a socket's, mmap_lock. A
	 * killable wait for a file's data (network file systems, FUSE) is still the file's. */
	if (deep) {
		if (killable && (class == CALL_FD || class == CALL_FILE) &&
		    fd_wait_kind(wait->fd_kind) == KIND_DISK)
			return KIND_DISK;
		return KIND_KERNEL;
	}
	return call_kind(wait, class);
}

enum wait_kind kind_of_kernel_wait(const struct rec_wait *wait, u32 prev_state)
{
	bool idle = !(prev_state & TASK_BIT_UNINTERRUPTIBLE) || prev_state & TASK_BIT_NOLOAD;

	return idle && !(wait->flags & WAIT_IO) ? KIND_CONDITION : kind_of_wait(wait, prev_state);
}
