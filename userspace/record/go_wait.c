/* SPDX-License-Identifier: MIT */
#include "record/go_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 100000

struct kind {
	const char *begins, *kind;
};

/* By a function among the callers: the runtime's word may be the same for several of these. */
static const struct kind callers[] = {
	{"sync.(*WaitGroup).Wait", "join"}, {"sync.(*Mutex).", "mutex"}, {"internal/sync.(*Mutex).", "mutex"},
	{"sync.(*RWMutex).", "rwlock"}, {"sync.(*Cond).Wait", "condition"}, {"sync.runtime_notifyListWait", "condition"},
	{"net.(*netFD).accept", "poll"}, {"net.(*netFD).", "network"}, {"os.(*Process).", "child"},
	{"runtime.gcStart", "other"},
};

/* By the runtime's word (runtime2.go, waitReasonStrings), as of 1.18 to 1.25. "IO wait" is one descriptor
 * of any sort that can be polled. */
static const struct kind reasons[] = {
	{"chan", "condition"}, {"select", "condition"}, {"sleep", "sleep"}, {"IO wait", "poll"},
	{"sync.Mutex", "mutex"}, {"sync.RWMutex", "rwlock"}, {"sync.Cond", "condition"},
	{"sync.WaitGroup", "join"}, {"semacquire", "semaphore"}, {"coroutine", "condition"},
	{"finalizer wait", "condition"}, {"force gc (idle)", "condition"}, {"GC sweep wait", "condition"},
	{"GC scavenge wait", "condition"}, {"GC worker (idle)", "condition"}, {"cleanup wait", "condition"},
	{"timer goroutine (idle)", "condition"},
};

/* Packages of Go itself: a wait is the program's own from the first caller outside of them. */
static const char *const own[] = {
	"runtime.", "runtime/", "internal/", "sync.", "sync/", "time.", "os.", "os/", "net.", "net/", "io.", "io/",
	"bufio.", "crypto/", "syscall.", "context.", "reflect.", "database/", "log.", "fmt.",
};

static const char *kind_of(const struct kind *table, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, table[i].begins, strlen(table[i].begins)))
			return table[i].kind;
	return NULL;
}

static bool is_own(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strncmp(name, own[i], strlen(own[i])))
			return true;
	return false;
}

static void describe(struct go_wait *wait, const struct go_file *file, const char *reason, const u64 *pcs, size_t n)
{
	const char *kind = NULL;
	bool found = false;

	for (size_t i = 0; i < n && pcs[i] && !found; i++) {
		const char *name = go_file_name(file, pcs[i] - 1);

		if (!name || !strcmp(name, "runtime.goexit"))
			break;
		if (!kind)
			kind = kind_of(callers, ARRAY_SIZE(callers), name);
		/* If all are Go's own, the outermost that was seen. */
		found = !is_own(name);
		if (!go_file_line(file, pcs[i], wait->site, sizeof(wait->site)))
			wait->site[0] = '\0';
	}
	if (!kind)
		kind = kind_of(reasons, ARRAY_SIZE(reasons), reason);
	snprintf(wait->what, sizeof(wait->what), *reason ? "%s:%s" : "%s", kind ? kind : "other", reason);
}

static u64 hash_of(const char *reason, const u64 *pcs, size_t n)
{
	u64 hash = 14695981039346656037u; /* FNV-1a, over words */

	for (; *reason; reason++)
		hash = (hash ^ (u8)*reason) * 1099511628211u;
	for (size_t i = 0; i < n && pcs[i]; i++) {
		hash = (hash ^ pcs[i]) * 1099511628211u;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

const struct go_wait *go_waits_get(struct go_waits *waits, const struct go_file *file, const char *reason,
				   const u64 *pcs, size_t n)
{
	u64 hash = hash_of(reason, pcs, n);
	struct go_wait *wait = map_get(&waits->known, hash);

	if (wait || waits->known.len >= KNOWN_MAX)
		return wait;
	wait = calloc(1, sizeof(*wait));
	if (!wait || map_set(&waits->known, hash, wait)) {
		free(wait);
		return NULL;
	}
	describe(wait, file, reason, pcs, n);
	return wait;
}

void go_waits_free(struct go_waits *waits)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&waits->known, &i));)
		free(slot->value);
	map_free(&waits->known);
}
