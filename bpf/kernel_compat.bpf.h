/* SPDX-License-Identifier: MIT */
/*
 * kernel_compat.bpf.h - the few kernel types and fields that the probes read, by hand.
 *
 * libbpf relocates every access to the running kernel's BTF (CO-RE), so only the names matter here,
 * not order or size. Where a field moved between versions both shapes stand here with the reason.
 */
#ifndef CORUN_KERNEL_COMPAT_H
#define CORUN_KERNEL_COMPAT_H

#define __VMLINUX_H__ /* linux/types.h is enough; keep event.h from including it twice */
#include <linux/types.h>
#include <linux/bpf.h>
#include <stdbool.h>

typedef __u32 u32;
typedef __u64 u64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct list_head {
	struct list_head *next;
};

struct signal_struct {
	atomic_t live; /* threads that have not passed do_exit() */
};

struct qstr {
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	void *f_op;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
};

struct socket {
	short type;
	struct sock *sk;
};

struct sockaddr_un {
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
};

struct rq {
	__u64 clock; /* as of the latest __schedule() */
};

struct sched_info {
	unsigned long long last_arrival; /* rq->clock when it last got a CPU */
};

struct cfs_rq {
	struct rq *rq; /* only with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct kernfs_node {
	struct kernfs_node *parent;
	__u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	__u64 *ancestor_ids; /* before 6.0 */
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cpumask {
	unsigned long bits[1];
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	int prio;
	int pid, tgid;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	int exit_code;
	unsigned int in_iowait : 1;
	char comm[16];
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct files_struct *files;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct sched_entity se;
	struct sched_info sched_info; /* CONFIG_SCHED_INFO */
	unsigned int on_rq;
	unsigned int cpu;                 /* 5.16 and later: here again */
};

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r10, r8, ax, cx, dx, si, di, orig_ax, ip, sp;
};

struct linux_binprm {
	const char *filename;
};

struct bpf_iter_meta {
	__u64 session_id;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

#define AF_UNIX 1
#define AF_INET 2
#define AF_NETLINK 16
#define AF_INET6 10
#define SOCK_STREAM 1

#define CLONE_VFORK 0x00004000

#endif
