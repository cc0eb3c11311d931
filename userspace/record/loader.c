/* SPDX-License-Identifier: MIT */
#include "record/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "record/embed.h"

struct loader {
	struct bpf_object *object;
	struct bpf_link *links[192];
	size_t n_links;
	u32 runtimes_changed; /* as the probes know it */
	int ring_fd;
	size_t ring_bytes;
	unsigned long *consumer; /* the ring's own positions, in bytes since the beginning */
	const unsigned long *producer;
	const u8 *data;          /* the ring, mapped twice in a row: a record never wraps */
	const struct ev_cpu *cpus;
};

u64 loader_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NSEC_PER_SEC + (u64)t.tv_nsec;
}

/* libbpf's own words, for V=1 hunts only: what users are told comes from error numbers. */
static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!getenv("CORUN_DEBUG_BPF") || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static s64 clock_offset(void)
{
	struct timespec mono, real;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	return ((s64)real.tv_sec - mono.tv_sec) * (s64)NSEC_PER_SEC + real.tv_nsec - mono.tv_nsec;
}

/* Offset of a per-CPU variable in the kernel's per-CPU section, by its BTF, or -1. */
static s64 percpu_offset(const struct btf *btf, const char *variable)
{
	s32 var_id = btf__find_by_name_kind(btf, variable, BTF_KIND_VAR);
	u32 n = btf__type_cnt(btf);

	if (var_id < 0)
		return -1;
	for (u32 id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const struct btf_var_secinfo *info;

		if (!btf_is_datasec(type))
			continue;
		info = btf_var_secinfos(type);
		for (u32 i = 0; i < btf_vlen(type); i++)
			if (info[i].type == (u32)var_id)
				return info[i].offset;
	}
	return -1;
}

/*
 * Where a CPU's preempt count lies beside its run queue. Linux before 6.2 and since 6.15 has
 * __preempt_count as a per-CPU variable of its own; between, it is the second field of pcpu_hot
 * (arch/x86/include/asm/current.h: current_task, then preempt_count).
 */
static void find_preempt_count(const struct btf *btf, struct ev_config *config)
{
	s64 runqueues, count;

	runqueues = percpu_offset(btf, "runqueues");
	count = percpu_offset(btf, "__preempt_count");
	if (count < 0) {
		count = percpu_offset(btf, "pcpu_hot");
		if (count >= 0)
			count += 8;
	}
	if (runqueues >= 0 && count >= 0) {
		config->runqueues_offset = runqueues;
		config->preempt_offset = count;
		config->preempt_offset_ok = 1;
	}
}

/* What this kernel has, by its BTF. */
static void find_abilities(struct ev_config *config)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	find_preempt_count(btf, config);
	config->rdonly_cast = btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
	btf__free(btf);
}

static int load_error(int code, struct error *err)
{
	if (code == -EPERM || code == -EACCES)
		return error_set(err, code, geteuid() ?
			"recording needs root: run it with sudo" :
			"the kernel does not let root load BPF programs here (kernel lockdown, or a "
			"container without CAP_BPF and CAP_PERFMON)");
	if (code == -ESRCH || code == -ENOENT)
		return error_set(err, code, "this kernel lacks a tracepoint or type that recording "
				 "needs; `corun doctor` says which");
	if (code == -ENOMEM)
		return error_set(err, code, "no memory for the ring buffer");
	return error_set(err, code, "the kernel refuses the probes (%s); `corun doctor` says which",
			 strerror(-code));
}

static int map_ring(struct loader *l)
{
	long page = sysconf(_SC_PAGESIZE);
	void *p;

	/* Documentation/bpf/ringbuf.rst: page 0 the consumer's position, page 1 the producer's,
	 * then the data twice. */
	p = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, l->ring_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	l->consumer = p;
	p = mmap(NULL, (size_t)page + 2 * l->ring_bytes, PROT_READ, MAP_SHARED, l->ring_fd, page);
	if (p == MAP_FAILED)
		return -errno;
	l->producer = p;
	l->data = (const u8 *)p + page;
	return 0;
}

static int configure(struct loader *l, const struct ev_config *config, size_t ring_bytes)
{
	struct ev_config full = *config;
	struct bpf_map *map;

	full.realtime_offset = clock_offset();
	find_abilities(&full);
	map = bpf_object__find_map_by_name(l->object, "ring");
	if (ring_bytes)
		bpf_map__set_max_entries(map, (u32)ring_bytes);
	l->ring_bytes = bpf_map__max_entries(map);
	bpf_object__for_each_map(map, l->object) {
		const char *name = bpf_map__name(map);
		size_t len;
		void *value;

		if (strstr(name, ".rodata")) {
			value = (void *)bpf_map__initial_value(map, &len);
			if (!value || len < sizeof(full))
				return -EINVAL;
			memcpy(value, &full, sizeof(full));
		}
	}
	return 0;
}

int loader_open(struct loader **out, const struct ev_config *config, size_t ring_bytes,
		struct error *err)
{
	struct loader *l = calloc(1, sizeof(*l));
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct bpf_map *map;
	int code;

	if (!l)
		return -ENOMEM;
	l->ring_fd = -1;
	libbpf_set_print(quiet);
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		code = error_set(err, -ENOENT, "this kernel has no BTF (/sys/kernel/btf/vmlinux): use one "
				 "built with CONFIG_DEBUG_INFO_BTF, as every large distribution's is");
		goto fail;
	}
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before 5.11 BPF memory counted as locked */
	l->object = bpf_object__open_mem(corun_bpf_object, corun_bpf_object_size, NULL);
	if (!l->object) {
		code = load_error(-errno, err);
		goto fail;
	}
	code = configure(l, config, ring_bytes);
	if (!code)
		code = bpf_object__load(l->object);
	if (code) {
		load_error(code, err);
		goto fail;
	}
	l->ring_fd = bpf_object__find_map_fd_by_name(l->object, "ring");
	code = map_ring(l);
	if (code) {
		error_set(err, code, "cannot map the ring buffer: %s", strerror(-code));
		goto fail;
	}
	bpf_object__for_each_map(map, l->object)
		if (strstr(bpf_map__name(map), ".bss"))
			l->cpus = mmap(NULL, EV_MAX_CPUS * sizeof(*l->cpus), PROT_READ, MAP_SHARED,
				       bpf_map__fd(map), 0);
	if (!l->cpus || l->cpus == MAP_FAILED) {
		code = l->cpus ? -errno : -ENOENT;
		l->cpus = NULL;
		error_set(err, code, "cannot map the probes' counters: %s", strerror(-code));
		goto fail;
	}
	*out = l;
	return 0;
fail:
	loader_close(l);
	return code;
}

int loader_attach(struct loader *l, struct error *err)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, l->object) {
		struct bpf_link *link;

		if (strncmp(bpf_program__section_name(program), "tp_btf/", 7))
			continue;
		link = bpf_program__attach(program);
		if (!link)
			return error_set(err, -errno, "cannot attach %s: %s",
					 bpf_program__section_name(program), strerror(errno));
		l->links[l->n_links++] = link;
	}
	return 0;
}

void loader_detach(struct loader *l)
{
	for (size_t i = 0; i < l->n_links; i++)
		bpf_link__destroy(l->links[i]);
	l->n_links = 0;
}

void loader_close(struct loader *l)
{
	long page = sysconf(_SC_PAGESIZE);

	if (!l)
		return;
	loader_detach(l);
	if (l->consumer)
		munmap(l->consumer, (size_t)page);
	if (l->cpus)
		munmap((void *)l->cpus, EV_MAX_CPUS * sizeof(*l->cpus));
	if (l->producer)
		munmap((void *)l->producer, (size_t)page + 2 * l->ring_bytes);
	bpf_object__close(l->object);
	free(l);
}

int loader_add_target(struct loader *l, s32 tgid)
{
	int fd = bpf_object__find_map_fd_by_name(l->object, "targets");
	u8 one = 1;

	return bpf_map_update_elem(fd, &tgid, &one, BPF_ANY) ? -errno : 0;
}

int loader_set_runtime(struct loader *l, s32 tgid, const struct ev_runtime *how, bool fork)
{
	int fd = bpf_object__find_map_fd_by_name(l->object, "runtimes");
	int counter = bpf_object__find_map_fd_by_name(l->object, "runtimes_changed");
	u32 zero = 0;
	int code;

	if (how)
		code = bpf_map_update_elem(fd, &tgid, how, fork ? BPF_NOEXIST : BPF_ANY);
	else
		code = bpf_map_delete_elem(fd, &tgid);
	if (code && errno != EEXIST && errno != ENOENT)
		return -errno;
	l->runtimes_changed++;
	return bpf_map_update_elem(counter, &zero, &l->runtimes_changed, BPF_ANY) ? -errno : 0;
}

int loader_set_runtime_thread(struct loader *l, s32 tid, u64 address)
{
	int fd = bpf_object__find_map_fd_by_name(l->object, "runtime_threads");

	return bpf_map_update_elem(fd, &tid, &address, BPF_ANY) ? -errno : 0;
}

int loader_probe_runtime(struct loader *l, const char *path, u64 offset, bool taken)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(l->object, taken ? "gil_taken" : "gil_dropped");
	struct bpf_link *link;

	if (!program || l->n_links == ARRAY_SIZE(l->links))
		return -ENOSPC;
	link = bpf_program__attach_uprobe(program, taken, -1, path, offset);
	if (!link)
		return -errno;
	l->links[l->n_links++] = link;
	return 0;
}

int loader_probe(struct loader *l, const char *name, const char *path, u64 offset, u64 cookie)
{
	struct bpf_program *program = bpf_object__find_program_by_name(l->object, name);
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie);
	struct bpf_link *link;

	if (!program || l->n_links == ARRAY_SIZE(l->links))
		return -ENOSPC;
	link = bpf_program__attach_uprobe_opts(program, -1, path, offset, &opts);
	if (!link)
		return -errno;
	l->links[l->n_links++] = link;
	return 0;
}

int loader_probe_usdt(struct loader *l, const char *path, const char *provider, const char *name, u64 cookie)
{
	struct bpf_program *program = bpf_object__find_program_by_name(l->object, "usdt_task");
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = cookie);
	struct bpf_link *link;

	if (!program || l->n_links == ARRAY_SIZE(l->links))
		return -ENOSPC;
	link = bpf_program__attach_usdt(program, -1, path, provider, name, &opts);
	if (!link)
		return -errno;
	l->links[l->n_links++] = link;
	return 0;
}

int loader_iterate(struct loader *l, const char *name, struct error *err)
{
	struct bpf_program *program = bpf_object__find_program_by_name(l->object, name);
	struct bpf_link *link = program ? bpf_program__attach_iter(program, NULL) : NULL;
	char nothing[4096];
	ssize_t n;
	int fd, code = 0;

	if (!link)
		return error_set(err, -errno, "cannot walk the threads of this machine: %s",
				 strerror(errno));
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		code = error_set(err, -errno, "cannot walk the threads of this machine: %s",
				 strerror(errno));
	} else {
		/* Reading runs the program for every thread; it writes to the ring, not here. */
		do {
			n = read(fd, nothing, sizeof(nothing));
		} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
		close(fd);
	}
	bpf_link__destroy(link);
	return code;
}

/*
 * Why the watermark is sound: the clock is read before the producer's position P. Every record takes
 * its time after it has reserved its place. So a record whose place is at P or beyond was reserved
 * after the clock was read and cannot be older; and all before P are consumed unless one of them is
 * still being written (busy), in which case the watermark stays.
 */
int loader_consume(struct loader *l, int (*event)(void *ctx, const void *data, size_t len), void *ctx,
		   u64 *watermark)
{
	u64 now = loader_now();
	unsigned long end = __atomic_load_n(l->producer, __ATOMIC_ACQUIRE);
	unsigned long at = *l->consumer;
	int code = 0;

	while (at < end && !code) {
		const u8 *record = l->data + (at & (l->ring_bytes - 1));
		u32 head = __atomic_load_n((const u32 *)record, __ATOMIC_ACQUIRE);
		u32 len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			code = event(ctx, record + BPF_RINGBUF_HDR_SZ, len);
		at += (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
		__atomic_store_n(l->consumer, at, __ATOMIC_RELEASE);
	}
	if (at >= end)
		*watermark = now;
	return code;
}

size_t loader_sequences(const struct loader *l, u32 *next_seq, size_t max)
{
	size_t n = max < EV_MAX_CPUS ? max : EV_MAX_CPUS;

	for (size_t i = 0; i < n; i++)
		next_seq[i] = __atomic_load_n(&l->cpus[i].seq, __ATOMIC_ACQUIRE);
	return n;
}
