/* SPDX-License-Identifier: MIT */
/*
 * loader.h - the probes as a loaded BPF object: open, configure, attach, iterate, read the ring.
 * Owns every libbpf handle.
 */
#ifndef CORUN_RECORD_LOADER_H
#define CORUN_RECORD_LOADER_H

#include "base/error.h"
#include "base/types.h"
#include "event.h"

struct loader;

/* Load the probes with @config (offsets and clocks are filled in here) and a ring of @ring_bytes (0:
 * default). Nothing is attached yet. -EPERM, -ENOENT (no BTF) ... with the remedy in @err. */
int loader_open(struct loader **loader, const struct ev_config *config, size_t ring_bytes,
		struct error *err);
int loader_attach(struct loader *loader, struct error *err);
void loader_detach(struct loader *loader);
void loader_close(struct loader *loader);

/* Processes that the snapshot takes. */
int loader_add_target(struct loader *loader, s32 tgid);
/* How to read the lock of @tgid's runtime, NULL: it has none any more. @fork: not if the probes know
 * by themselves. */
int loader_set_runtime(struct loader *loader, s32 tgid, const struct ev_runtime *how, bool fork);
/* Where the runtime keeps the state of thread @tid. */
int loader_set_runtime_thread(struct loader *loader, s32 tid, u64 address);
/* Tell changes of a runtime's lock where the function at @offset of @path returns (@taken) or begins. */
int loader_probe_runtime(struct loader *loader, const char *path, u64 offset, bool taken);
/* Run the uprobe program @name where the function at @offset of @path begins, in every process that runs
 * it; the program sees @cookie. */
int loader_probe(struct loader *loader, const char *name, const char *path, u64 offset, u64 cookie);
/* The same at the program's own probe @provider:@name in @path. -ENOENT: it has no such probe. */
int loader_probe_usdt(struct loader *loader, const char *path, const char *provider, const char *name, u64 cookie);
/* Walk all threads of the machine with the iterator program @name: "snapshot" or "pending". */
int loader_iterate(struct loader *loader, const char *name, struct error *err);

/*
 * Hand every event that is ready to @event. *@watermark is moved up to a time that no later event
 * can be older than, if the ring was emptied: see the comment in loader.c.
 */
int loader_consume(struct loader *loader, int (*event)(void *ctx, const void *data, size_t len),
		   void *ctx, u64 *watermark);
/* Counters of events per CPU, lost ones included; returns how many CPUs were filled. */
size_t loader_sequences(const struct loader *loader, u32 *next_seq, size_t max);
/* CLOCK_MONOTONIC in ns, as bpf_ktime_get_ns() reads it. */
u64 loader_now(void);

#endif
