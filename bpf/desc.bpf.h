/* SPDX-License-Identifier: MIT */
/*
 * desc.bpf.h - what stands behind a file descriptor: read from the kernel's own structures at the
 * moment of the wait, never guessed from the number.
 *
 * A descriptor's details are sent once (EV_DESC); waits refer to them by an identity that is a hash
 * of (struct file, its operations, inode number). Inode numbers of sockets and pipes are not reused,
 * so a struct file that is recycled gets another identity.
 */
#ifndef CORUN_DESC_H
#define CORUN_DESC_H

/* Values of enum fd_kind in userspace/trace/record.h. */
enum {
	FD_NONE, FD_UNKNOWN, FD_FILE, FD_BLOCK, FD_CHAR, FD_TTY, FD_PIPE, FD_TCP, FD_UDP, FD_UNIX,
	FD_NETLINK, FD_SOCKET, FD_EPOLL, FD_EVENTFD, FD_TIMERFD, FD_SIGNALFD, FD_INOTIFY,
	FD_IO_URING, FD_PIDFD, FD_MQUEUE, FD_ANON,
};

#define ANON_INODE_FS_MAGIC 0x09041934
#define MQUEUE_MAGIC 0x19800202
#define PIDFS_MAGIC 0x50494446

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u8); /* enum fd_kind */
} descs SEC(".maps");

/* Anonymous inodes differ by the name of their dentry alone ("[eventfd]": fs/eventfd.c ...). */
static __always_inline __u8 anon_kind(struct file *file)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name[0] != '[')
		return name[0] == 'i' && name[1] == 'n' ? FD_INOTIFY : FD_ANON;
	if (name[1] == 'f' && name[2] == 'a') /* [fanotify] */
		return FD_INOTIFY;
	if (name[1] == 'e')
		return name[6] == 'p' ? FD_EPOLL : FD_EVENTFD; /* [eventpoll] [eventfd] */
	if (name[1] == 't')
		return FD_TIMERFD;
	if (name[1] == 's')
		return FD_SIGNALFD;
	if (name[1] == 'i')
		return FD_IO_URING;
	if (name[1] == 'p')
		return FD_PIDFD;
	return FD_ANON;
}

static __always_inline __u8 socket_kind(__u16 family, __u16 type)
{
	if (family == AF_UNIX)
		return FD_UNIX;
	if (family == AF_NETLINK)
		return FD_NETLINK;
	if (family == AF_INET || family == AF_INET6)
		return type == SOCK_STREAM ? FD_TCP : type == 2 ? FD_UDP : FD_SOCKET;
	return FD_SOCKET;
}

static __always_inline void describe_socket(struct file *file, struct ev_desc *e)
{
	struct socket *socket = (struct socket *)BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct sock_common *common = &sk->__sk_common;

	e->family = (__u8)BPF_CORE_READ(common, skc_family);
	e->state = BPF_CORE_READ(common, skc_state);
	e->kind = socket_kind(e->family, (__u16)BPF_CORE_READ(socket, type));
	if (e->family == AF_INET || e->family == AF_INET6) {
		e->port = BPF_CORE_READ(common, skc_num);
		e->peer_port = __builtin_bswap16(BPF_CORE_READ(common, skc_dport));
	}
	if (e->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)e->addr, common, skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)e->peer_addr, common, skc_daddr);
	} else if (e->family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)e->addr, common, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)e->peer_addr, common, skc_v6_daddr);
	} else if (e->family == AF_UNIX) {
		struct unix_sock *own = (struct unix_sock *)sk;
		struct unix_address *addr = BPF_CORE_READ(own, addr);
		struct unix_sock *peer;

		if (!addr) {
			peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
			addr = peer ? BPF_CORE_READ(peer, addr) : NULL;
		}
		if (addr) {
			/* The name may start with a NUL (abstract): skip it, the rest is text. */
			char *name = (char *)addr + bpf_core_field_offset(struct unix_address, name) +
				     bpf_core_field_offset(struct sockaddr_un, sun_path);
			char first = 0;

			bpf_probe_read_kernel(&first, 1, name);
			if (bpf_probe_read_kernel_str(e->text, 108, name + !first) > 0)
				e->parts = 1;
		}
	}
}

/* The path, innermost name first, across mounts; the collector puts it together. */
static __always_inline void describe_path(struct file *file, struct ev_desc *e)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
	int part = 0;

#pragma unroll
	for (int i = 0; i < EV_PATH_PARTS + 2; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(vfs, mnt_root)) {
			struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			vfs = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		if (parent == dentry)
			break;
		if (part >= EV_PATH_PARTS) {
			part = EV_PATH_PARTS + 1; /* more above: the collector writes "..." */
			break;
		}
		bpf_probe_read_kernel_str(e->path[part], EV_PART_LEN,
					  BPF_CORE_READ(dentry, d_name.name));
		part++;
		dentry = parent;
	}
	e->parts = (__u8)part;
}

/* Major numbers of Documentation/admin-guide/devices.txt: 4 tty, 5 console, 136 to 143 pts. */
static __always_inline __u8 char_kind(__u32 rdev)
{
	__u32 major = rdev >> 20;

	return major == 4 || major == 5 || (major >= 136 && major <= 143) || major == 229 ? FD_TTY :
											   FD_CHAR;
}

/* Global: verified once by itself. @address: of the struct file. Returns the enum fd_kind. */
__noinline __u32 describe(__u64 address, __u64 key)
{
	struct file *file = (struct file *)address;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u16 mode = BPF_CORE_READ(inode, i_mode);
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);
	struct ev_desc *e;
	__u8 kind;

	e = event_new(sizeof(*e), EV_DESC);
	if (!e)
		return FD_UNKNOWN;
	__builtin_memset((void *)e + sizeof(e->head), 0, sizeof(*e) - sizeof(e->head));
	e->id = key;
	e->ino = BPF_CORE_READ(inode, i_ino);
	e->rdev = BPF_CORE_READ(inode, i_rdev);
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		describe_socket(file, e);
		break;
	case S_IFIFO:
		e->kind = FD_PIPE;
		describe_path(file, e);
		break;
	case S_IFCHR:
		e->kind = char_kind(e->rdev);
		describe_path(file, e);
		break;
	case S_IFBLK:
		e->kind = FD_BLOCK;
		describe_path(file, e);
		break;
	default:
		if (magic == ANON_INODE_FS_MAGIC) {
			e->kind = anon_kind(file);
		} else if (magic == PIDFS_MAGIC) {
			e->kind = FD_PIDFD;
		} else {
			e->kind = magic == MQUEUE_MAGIC ? FD_MQUEUE : FD_FILE;
			describe_path(file, e);
		}
	}
	kind = e->kind;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&descs, &key, &kind, BPF_ANY);
	return kind;
}

/* Fill w->fd_kind and w->desc for descriptor @fd of @task. @fresh: its peer may have changed. */
static __always_inline void describe_fd(struct task_struct *task, struct task_ctx *ctx,
					struct ev_wait *w, __u32 fd, bool fresh)
{
	struct fdtable *fdt = task->files->fdt;
	__u64 file, ino, key;
	__u8 *known;

	if (fd >= fdt->max_fds)
		return;
	file = peek_u64((__u64)fdt->fd + (__u64)fd * sizeof(file));
	if (!file)
		return;
	ino = peek_field(peek_field(file, struct file, f_inode), struct inode, i_ino);
	key = (file ^ ino * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL ^
	      peek_field(file, struct file, f_op);
	if (fresh)
		key += bpf_ktime_get_ns();
	key |= 1; /* 0 means none */
	w->desc = key;
	if (ctx->desc == key) {
		w->fd_kind = ctx->desc_kind;
		return;
	}
	known = bpf_map_lookup_elem(&descs, &key);
	w->fd_kind = known ? *known : (__u8)describe(file, key);
	ctx->desc = key;
	ctx->desc_kind = w->fd_kind;
}

#endif
