/* SPDX-License-Identifier: MIT */
#include "trace/fields.h"

#include <string.h>

#include "trace/text.h"

static const char *const fd_kinds[] = {
	"", "unknown", "file", "block", "char", "tty", "pipe", "tcp", "udp", "unix", "netlink",
	"socket", "epoll", "eventfd", "timerfd", "signalfd", "inotify", "io_uring", "pidfd", "mqueue",
	"anon", NULL,
};
static const char *const lock_kinds[] = {
	"", "futex", "mutex", "rwlock", "condition", "semaphore", "barrier", "join", "gil",
	"gil-switch", NULL,
};
static const char *const wait_flags[] = {"fault", "io", "timed", "owner", "shared", "loop", NULL};
static const char *const switch_flags[] = {"preempt", "prev-outsider", "next-outsider",
						   "accounted", NULL};
static const char *const thread_flags[] = {
	"snapshot", "outsider", "kernel", "running", "ready", "vfork", "process", NULL,
};
static const char *const contexts[] = {"", "task", "softirq-self", "softirq", "hardirq", NULL};
static const char *const task_ops[] = {
	"", "begin", "step", "wait", "ready", "end", "link", "name", "lost", NULL,
};
static const char *const outcomes[] = {"", "exception", "cancelled", "unknown", NULL};

_Static_assert(ARRAY_SIZE(fd_kinds) == FD_KINDS + 1, "a name for every fd kind");
_Static_assert(ARRAY_SIZE(lock_kinds) == LOCK_KINDS + 1, "a name for every lock kind");
_Static_assert(ARRAY_SIZE(task_ops) == TASK_OPS + 1, "a name for every task op");
_Static_assert(ARRAY_SIZE(outcomes) == OUTCOMES + 1, "a name for every outcome");

#define F(label, kind, member) {label, kind, offsetof(struct record, member), NULL}
#define FN(label, kind, member, table) {label, kind, offsetof(struct record, member), table}
#define END {NULL, FIELD_U8, 0, NULL}
#define WAIT_FIELDS(member)                                                                        \
	F("call", FIELD_CALL, member.nr), F("args", FIELD_ARGS, member.args),                      \
	FN("wait", FIELD_FLAGS8, member.flags, wait_flags),                                        \
	FN("fd", FIELD_NAME8, member.fd_kind, fd_kinds), F("nfds", FIELD_U8, member.nfds),         \
	F("desc", FIELD_HEX, member.desc), F("timeout", FIELD_U64, member.timeout_ns),             \
	FN("lock-kind", FIELD_NAME8, member.lock_kind, lock_kinds),                                \
	F("lock", FIELD_HEX, member.lock), F("word", FIELD_U32, member.word),                      \
	F("owner", FIELD_S32, member.owner), F("site", FIELD_U32, member.site),                    \
	F("func", FIELD_U32, member.func)
#define THREAD_FIELDS                                                                              \
	F("tid", FIELD_S32, thread.tid), F("tgid", FIELD_S32, thread.tgid),                        \
	F("ns-tid", FIELD_S32, thread.ns_tid), F("ns-tgid", FIELD_S32, thread.ns_tgid),            \
	F("parent", FIELD_S32, thread.parent),                                                     \
	FN("flags", FIELD_FLAGS32, thread.flags, thread_flags),                                    \
	F("state", FIELD_STATE, thread.state), F("comm", FIELD_STRING, thread.comm),               \
	F("cmdline", FIELD_STRING, thread.args), WAIT_FIELDS(thread.wait), END

static const struct field meta_fields[] = {
	F("key", FIELD_STRING, meta.key), F("value", FIELD_STRING, meta.value), END};
static const struct field thread_fields[] = {THREAD_FIELDS};
static const struct field exec_fields[] = {
	F("tid", FIELD_S32, exec.tid), F("old-tid", FIELD_S32, exec.old_tid),
	F("tgid", FIELD_S32, exec.tgid), F("comm", FIELD_STRING, exec.comm),
	F("filename", FIELD_STRING, exec.filename), F("cmdline", FIELD_STRING, exec.args), END};
static const struct field exit_fields[] = {
	F("tid", FIELD_S32, exit.tid), F("tgid", FIELD_S32, exit.tgid), F("code", FIELD_S32, exit.code),
	F("group-dead", FIELD_U8, exit.group_dead), END};
static const struct field rename_fields[] = {
	F("tid", FIELD_S32, rename.tid), F("comm", FIELD_STRING, rename.comm), END};
static const struct field name_fields[] = {
	F("tid", FIELD_S32, name.tid), F("name", FIELD_STRING, name.name), END};
static const struct field switch_fields[] = {
	F("prev", FIELD_S32, sw.prev), F("next", FIELD_S32, sw.next),
	F("state", FIELD_STATE, sw.prev_state), FN("flags", FIELD_FLAGS8, sw.flags, switch_flags),
	F("prev-prio", FIELD_U8, sw.prev_prio), F("next-prio", FIELD_U8, sw.next_prio),
	WAIT_FIELDS(sw.wait), END};
static const struct field waking_fields[] = {
	F("tid", FIELD_S32, waking.tid), F("waker", FIELD_S32, waking.waker),
	FN("context", FIELD_NAME8, waking.context, contexts), END};
static const struct field desc_fields[] = {
	F("id", FIELD_HEX, desc.id), FN("kind", FIELD_NAME8, desc.kind, fd_kinds),
	F("name", FIELD_STRING, desc.name), F("local", FIELD_STRING, desc.local), END};
static const struct field affinity_fields[] = {
	F("tid", FIELD_S32, affinity.tid), F("cpus", FIELD_U32, affinity.cpus),
	F("mask", FIELD_HEX, affinity.mask), END};
static const struct field lost_fields[] = {
	F("until", FIELD_U64, lost.until_ns), F("count", FIELD_U64, lost.count), END};
static const struct field host_fields[] = {
	F("user", FIELD_U64, host.user_ns), F("system", FIELD_U64, host.system_ns),
	F("idle", FIELD_U64, host.idle_ns), F("iowait", FIELD_U64, host.iowait_ns),
	F("irq", FIELD_U64, host.irq_ns), F("softirq", FIELD_U64, host.softirq_ns),
	F("steal", FIELD_U64, host.steal_ns), END};
static const struct field cgroup_fields[] = {
	F("quota-us", FIELD_U64, cgroup.quota_us), F("period-us", FIELD_U64, cgroup.period_us),
	F("throttled", FIELD_U64, cgroup.throttled_ns), F("throttles", FIELD_U64, cgroup.throttles),
	F("path", FIELD_STRING, cgroup.path), END};
static const struct field window_fields[] = {F("begin", FIELD_U8, window.begin), END};
static const struct field site_fields[] = {
	F("id", FIELD_U32, site.id), F("text", FIELD_STRING, site.text), END};
static const struct field lock_fields[] = {
	F("tgid", FIELD_S32, lock.tgid), F("lock", FIELD_HEX, lock.lock),
	FN("kind", FIELD_NAME8, lock.kind, lock_kinds), F("name", FIELD_STRING, lock.name), END};
static const struct field gil_fields[] = {
	F("tgid", FIELD_S32, gil.tgid), F("lock", FIELD_HEX, gil.lock),
	F("holder", FIELD_S32, gil.holder), F("exact", FIELD_U8, gil.exact), END};
static const struct field region_fields[] = {
	F("tid", FIELD_S32, region.tid), F("begin", FIELD_U8, region.begin),
	F("name", FIELD_STRING, region.name), END};
static const struct field task_fields[] = {
	FN("op", FIELD_NAME8, task.op, task_ops), F("task", FIELD_U64, task.task),
	F("ref", FIELD_U64, task.ref), F("tid", FIELD_S32, task.tid), F("tgid", FIELD_S32, task.tgid),
	FN("outcome", FIELD_NAME8, task.outcome, outcomes), F("kind", FIELD_STRING, task.kind),
	F("name", FIELD_STRING, task.name), F("what", FIELD_STRING, task.what),
	F("at", FIELD_STRING, task.site), END};
static const struct field fact_fields[] = {
	F("tgid", FIELD_S32, fact.tgid), F("json", FIELD_STRING, fact.json), END};
static const struct field note_fields[] = {F("text", FIELD_STRING, note.text), END};
static const struct field end_fields[] = {
	F("records", FIELD_U64, end.records), F("lost", FIELD_U64, end.lost), END};

#define INFO(name, fields) {name, fields, ARRAY_SIZE(fields) - 1}

const struct record_info record_infos[REC_TYPES] = {
	[REC_META] = INFO("meta", meta_fields),
	[REC_THREAD] = INFO("thread", thread_fields),
	[REC_FORK] = INFO("fork", thread_fields),
	[REC_EXEC] = INFO("exec", exec_fields),
	[REC_EXIT] = INFO("exit", exit_fields),
	[REC_RENAME] = INFO("rename", rename_fields),
	[REC_NAME] = INFO("name", name_fields),
	[REC_SWITCH] = INFO("switch", switch_fields),
	[REC_WAKING] = INFO("waking", waking_fields),
	[REC_DESC] = INFO("desc", desc_fields),
	[REC_AFFINITY] = INFO("affinity", affinity_fields),
	[REC_LOST] = INFO("lost", lost_fields),
	[REC_HOST] = INFO("host", host_fields),
	[REC_CGROUP] = INFO("cgroup", cgroup_fields),
	[REC_WINDOW] = INFO("window", window_fields),
	[REC_SITE] = INFO("site", site_fields),
	[REC_LOCK] = INFO("lock", lock_fields),
	[REC_GIL] = INFO("gil", gil_fields),
	[REC_REGION] = INFO("region", region_fields),
	[REC_TASK] = INFO("task", task_fields),
	[REC_FACT] = INFO("fact", fact_fields),
	[REC_NOTE] = INFO("note", note_fields),
	[REC_END] = INFO("end", end_fields),
};

/* Bits of the fields whose default is not 0: few, and asked for with every record that is read. */
static u64 special_fields(u16 type)
{
	static _Thread_local u64 cache[REC_TYPES];
	const u64 found = 1ull << 63;

	if (!cache[type]) {
		cache[type] = found;
		for (u32 i = 0; i < record_infos[type].n_fields; i++) {
			enum field_type t = record_infos[type].fields[i].type;

			if (t == FIELD_STRING || t == FIELD_CALL)
				cache[type] |= 1ull << i;
		}
	}
	return cache[type] & ~found;
}

void record_defaults(struct record *rec)
{
	u16 type = rec->type, cpu = rec->cpu;
	u64 ts = rec->ts;

	*rec = (struct record){.ts = ts, .type = type, .cpu = cpu};
	for (u64 left = special_fields(type); left; left &= left - 1) {
		const struct field *f = &record_infos[type].fields[__builtin_ctzll(left)];
		void *at = (char *)rec + f->offset;

		if (f->type == FIELD_STRING)
			*(const char **)at = "";
		else
			*(s16 *)at = -1;
	}
}

static bool field_equal(const struct field *f, const void *a, const void *b)
{
	switch (f->type) {
	case FIELD_STRING:
		return !strcmp(*(const char *const *)a, *(const char *const *)b);
	case FIELD_CALL:
		return *(const s16 *)a == *(const s16 *)b;
	case FIELD_ARGS:
		return !memcmp(a, b, 4 * sizeof(u64));
	case FIELD_U64:
	case FIELD_HEX:
		return *(const u64 *)a == *(const u64 *)b;
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_STATE:
	case FIELD_FLAGS32:
		return *(const u32 *)a == *(const u32 *)b;
	default:
		return *(const u8 *)a == *(const u8 *)b;
	}
}

bool record_equal(const struct record *a, const struct record *b)
{
	if (a->type != b->type || a->ts != b->ts || a->cpu != b->cpu)
		return false;
	if (a->type >= REC_TYPES || !record_infos[a->type].fields)
		return true;
	for (const struct field *f = record_infos[a->type].fields; f->name; f++)
		if (!field_equal(f, (const char *)a + f->offset, (const char *)b + f->offset))
			return false;
	return true;
}

static const char *table_name(const char *const *table, size_t n, unsigned int i)
{
	if (i >= n)
		return "unknown";
	return table[i][0] ? table[i] : "none";
}

const char *record_type_name(unsigned int type)
{
	return type < REC_TYPES ? record_infos[type].name : NULL;
}

const char *fd_kind_name(unsigned int kind)
{
	return table_name(fd_kinds, FD_KINDS, kind);
}

const char *lock_kind_name(unsigned int kind)
{
	return table_name(lock_kinds, LOCK_KINDS, kind);
}

const char *waker_context_name(unsigned int context)
{
	return context ? table_name(contexts, ARRAY_SIZE(contexts) - 1, context) : "unknown";
}

const char *task_op_name(unsigned int op)
{
	return table_name(task_ops, TASK_OPS, op);
}

const char *task_outcome_name(unsigned int outcome)
{
	return outcome ? table_name(outcomes, OUTCOMES, outcome) : "result";
}
