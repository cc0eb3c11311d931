/* SPDX-License-Identifier: MIT */
/* host.h - what the machine itself says: its CPU accounting, the target's CPU quota, its names. */
#ifndef CORUN_RECORD_HOST_H
#define CORUN_RECORD_HOST_H

#include "trace/trace.h"

/* REC_HOST of /proc/stat now, as a late record. 0 or -errno of the writer. */
int host_put_stat(struct trace_writer *writer);
/* REC_META of this machine: host, boot_id, kernel, arch, cpus, ncpu_ids, clocks, version. */
int host_put_meta(struct trace_writer *writer);
int host_put_pair(struct trace_writer *writer, const char *key, const char *value);

/* Where the tightest CPU quota above a process stands. */
struct quota_source {
	char path[4096]; /* folder, "" if there is none */
	bool v2;
};
/* Look for it: of process @tgid, or of the cgroup folder @path if that is not NULL. */
void quota_find(struct quota_source *quota, s32 tgid, const char *path);
/* REC_CGROUP now, as a late record; nothing without a quota. */
int quota_put(const struct quota_source *quota, struct trace_writer *writer);

#endif
