/* SPDX-License-Identifier: MIT */
#include "record/marks.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/owner.h"
#include "record/queue.h"
#include "record/ring.h"

/* Rings read at a time; more processes than that at once are not seen. */
#define RINGS_MAX 1024
/* How often the folder is looked into for new rings, and /proc for processes that have ended. */
#define SCAN_NS (10 * NSEC_PER_MSEC)
#define REAP_NS (500 * NSEC_PER_MSEC)
/* Ended tasks whose numbers are remembered: a link or a wake-up may come after the end. */
#define ENDED_MAX 65536
#define TASKS_MAX ((size_t)4 << 20)
#define BEGUN 1 /* of a task's number: its beginning was told */
#define FACT_MAX 16384
#define FACTS_MAX ((u64)64 << 20) /* bytes of the facts' file */
/* Late records are held in memory by who reads the trace (trace/reader.c). */
#define LATE_MAX 2000000

struct marks_ring {
	struct ring *ring;
	char name[64];
	u64 read_ns; /* last time that something was in it */
};

struct marks {
	char folder[64];
	int dirfd;
	int facts_fd;   /* for the command */
	int facts_read; /* for us */
	marks_put put;
	void *ctx;

	struct marks_ring rings[RINGS_MAX];
	size_t n_rings;
	struct map refused; /* hash of a name -> 1: no ring, or one too many */
	struct ring_times times;
	u64 scanned, reaped;

	struct queue queue;
	u64 done;       /* everything older was put out */
	u64 late;

	struct map tasks; /* the program's id -> ours * 2 + BEGUN */
	u64 next_task;
	u64 ended[ENDED_MAX];
	size_t n_ended;

	u64 fact_offset;
	struct buf line;

	const char *const *keep; /* what stays in the folder; NULL: nothing */
	u64 lost, bad, left_out;
	int error;
};

static u64 clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/* ---- the folder ---- */

/*
 * In memory, because marks are written to it by the million: /run first, where only root can make
 * names: a process that outlives the recording still has the folder in its PYTHONPATH, and nobody
 * else must be able to make it anew.
 */
static int make_folder(struct marks *m)
{
	static const char *const places[] = {"/run", "/dev/shm", "/run", "/tmp"};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct statfs fs;

		if (i < 2 && (statfs(places[i], &fs) || fs.f_type != TMPFS_MAGIC))
			continue;
		snprintf(m->folder, sizeof(m->folder), "%s/corun-XXXXXX", places[i]);
		if (!mkdtemp(m->folder))
			continue;
		m->dirfd = open(m->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (m->dirfd >= 0)
			return 0;
		rmdir(m->folder);
	}
	return -errno;
}

int marks_open(struct marks **out, struct error *err)
{
	struct marks *m = calloc(1, sizeof(*m));
	int code;

	if (!m)
		return -ENOMEM;
	m->dirfd = m->facts_fd = m->facts_read = -1;
	code = make_folder(m);
	if (code) {
		free(m);
		return error_set(err, code, "no folder for the program's marks: %s", strerror(-code));
	}
	owner_give(m->dirfd);
	/* Appended to by any process that inherits it, so two lines never mix; never blocks. */
	m->facts_fd = openat(m->dirfd, "facts", O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (m->facts_fd >= 0) {
		owner_give(m->facts_fd);
		m->facts_read = openat(m->dirfd, "facts", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	m->times.begin = clock_now();
	*out = m;
	return 0;
}

void marks_set_put(struct marks *m, marks_put put, void *ctx)
{
	m->put = put;
	m->ctx = ctx;
}

const char *marks_folder(const struct marks *m)
{
	return m->folder;
}

int marks_facts(const struct marks *m)
{
	return m->facts_fd;
}

void marks_keep(struct marks *m, const char *const *names)
{
	m->keep = names;
}

int marks_dirfd(const struct marks *m)
{
	return m->dirfd;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (names && *names && strcmp(name, *names))
		names++;
	return names && *names;
}

/* Empty the folder below @fd, itself a folder's descriptor, but for files of these names; folders in it one level
 * deep. */
static void empty_folder(int fd, int depth, const char *const *keep)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(dir))) {
		int sub;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_one_of(entry->d_name, keep))
			continue;
		if (!unlinkat(fd, entry->d_name, 0) || depth >= 3)
			continue;
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0) {
			empty_folder(sub, depth + 1, keep);
			close(sub);
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		}
	}
	closedir(dir);
}

void marks_close(struct marks *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_rings; i++)
		ring_close(m->rings[i].ring);
	if (m->dirfd >= 0) {
		empty_folder(m->dirfd, 0, m->keep);
		close(m->dirfd);
		rmdir(m->folder);
	}
	if (m->facts_fd >= 0)
		close(m->facts_fd);
	if (m->facts_read >= 0)
		close(m->facts_read);
	map_free(&m->refused);
	map_free(&m->tasks);
	queue_free(&m->queue);
	buf_free(&m->line);
	free(m);
}

/* ---- records ---- */

/* The strings of a record that can have some. */
static size_t strings_of(struct record *rec, const char **strings[4])
{
	switch (rec->type) {
	case REC_REGION:
		strings[0] = &rec->region.name;
		return 1;
	case REC_FACT:
		strings[0] = &rec->fact.json;
		return 1;
	case REC_NAME:
		strings[0] = &rec->name.name;
		return 1;
	case REC_NOTE:
		strings[0] = &rec->note.text;
		return 1;
	case REC_TASK:
		strings[0] = &rec->task.kind;
		strings[1] = &rec->task.name;
		strings[2] = &rec->task.what;
		strings[3] = &rec->task.site;
		return 4;
	}
	return 0;
}

static void enqueue(struct marks *m, const struct record *in)
{
	struct record rec = *in, *copy;
	const char **strings[4];
	size_t n = strings_of(&rec, strings), lens[4], size = sizeof(rec);
	char *at;

	for (size_t i = 0; i < n; i++) {
		lens[i] = strlen(*strings[i]);
		if (lens[i])
			size += lens[i] + 1;
	}
	copy = queue_add(&m->queue, rec.ts, 0, size);
	if (!copy) {
		m->error = m->error ? m->error : -ENOMEM;
		return;
	}
	at = (char *)(copy + 1);
	for (size_t i = 0; i < n; i++) {
		if (!lens[i]) {
			*strings[i] = "";
			continue;
		}
		memcpy(at, *strings[i], lens[i] + 1);
		*strings[i] = at;
		at += lens[i] + 1;
	}
	*copy = rec;
}

/*
 * Our small number for the program's task @id. A task that begins is a new one, unless it was heard of
 * before and never began: another process may have told of it first. 0: too many.
 */
static u64 task_number(struct marks *m, u64 id, bool begins)
{
	u64 known = id ? (u64)(uintptr_t)map_get(&m->tasks, id) : 0;

	if (!id || (known && !(begins && known & BEGUN))) {
		if (begins && known && map_set(&m->tasks, id, (void *)(uintptr_t)(known | BEGUN)))
			m->error = m->error ? m->error : -ENOMEM;
		return known >> 1;
	}
	if (m->tasks.len >= TASKS_MAX)
		return 0;
	known = ++m->next_task << 1 | (begins ? BEGUN : 0);
	if (map_set(&m->tasks, id, (void *)(uintptr_t)known)) {
		m->error = m->error ? m->error : -ENOMEM;
		return 0;
	}
	return m->next_task;
}

/* Forget the number of a task, once as many others have ended as are remembered. */
static void task_ended(struct marks *m, u64 id)
{
	size_t slot = m->n_ended++ % ENDED_MAX;

	if (m->ended[slot] && m->ended[slot] != id)
		map_del(&m->tasks, m->ended[slot]);
	m->ended[slot] = id;
}

static void on_mark(void *ctx, const struct record *in)
{
	struct marks *m = ctx;
	struct record rec = *in;
	u64 id;

	if (rec.type == REC_TASK && rec.task.op != TASK_LOST) {
		id = rec.task.task;
		rec.task.task = task_number(m, id, rec.task.op == TASK_BEGIN);
		if (!rec.task.task) {
			m->left_out++;
			return;
		}
		/* It may stand in a ring that is read later. */
		rec.task.ref = task_number(m, rec.task.ref, false);
		if (rec.task.op == TASK_END)
			task_ended(m, id);
	}
	enqueue(m, &rec);
}

void marks_task(struct marks *m, const struct record *rec)
{
	on_mark(m, rec);
}

int marks_flush(struct marks *m, u64 limit)
{
	struct queue_entry entry;

	while (queue_take(&m->queue, limit, &entry)) {
		const struct record *rec = entry.data;
		bool late = rec->ts < m->done && m->late < LATE_MAX;

		m->late += late;
		if (!m->error && m->put)
			m->error = m->put(m->ctx, rec, late);
	}
	if (limit > m->done && limit != UINT64_MAX)
		m->done = limit;
	return m->error;
}

/* ---- facts ---- */

static void put_fact(struct marks *m, const char *line)
{
	struct record rec = {.ts = m->times.now, .type = REC_FACT, .cpu = CORUN_NO_CPU};

	rec.fact.tgid = -1;
	rec.fact.json = line;
	if (*line)
		enqueue(m, &rec);
}

static void read_facts(struct marks *m, bool final)
{
	char bytes[4096];
	ssize_t n;

	while (m->facts_read >= 0 && m->fact_offset < FACTS_MAX &&
	       (n = pread(m->facts_read, bytes, sizeof(bytes), (off_t)m->fact_offset)) > 0) {
		m->fact_offset += (u64)n;
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] != '\n') {
				if (m->line.len <= FACT_MAX)
					buf_putc(&m->line, bytes[i]);
				continue;
			}
			if (m->line.len > FACT_MAX)
				m->bad++;
			else if (m->line.len && !m->line.failed)
				put_fact(m, m->line.data);
			buf_clear(&m->line);
		}
	}
	if (final && m->line.len && m->line.len <= FACT_MAX && !m->line.failed) {
		put_fact(m, m->line.data);
		buf_clear(&m->line);
	}
}

/* ---- rings ---- */

static u64 hash_name(const char *name)
{
	u64 hash = 14695981039346656037u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 1099511628211u;
	return hash ? hash : 1;
}

static void refuse(struct marks *m, const char *name)
{
	if (map_set(&m->refused, hash_name(name), m) && !m->error)
		m->error = -ENOMEM;
	m->left_out++;
}

static void add_ring(struct marks *m, const char *name)
{
	struct marks_ring *slot = &m->rings[m->n_rings];
	struct stat st;
	int code, fd;

	for (size_t i = 0; i < m->n_rings; i++)
		if (!strcmp(m->rings[i].name, name))
			return;
	if (map_get(&m->refused, hash_name(name)))
		return;
	if (m->n_rings == RINGS_MAX || strlen(name) >= sizeof(slot->name)) {
		refuse(m, name);
		return;
	}
	/* Whatever lies there: a pipe must not block us, a link not lead elsewhere. */
	fd = openat(m->dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		refuse(m, name);
		return;
	}
	code = ring_open(&slot->ring, fd);
	if (code) {
		close(fd);
		if (code != -EAGAIN)
			refuse(m, name);
		return;
	}
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	slot->read_ns = m->times.now;
	m->n_rings++;
}

static void scan_folder(struct marks *m)
{
	int copy = openat(m->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len > 5 && !strcmp(entry->d_name + len - 5, ".ring"))
			add_ring(m, entry->d_name);
	}
	closedir(dir);
}

static bool process_gone(s32 tgid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)tgid);
	return access(path, F_OK) != 0;
}

/* Who still writes need not any more. */
static void say_closed(struct marks *m, const char *name)
{
	int fd = openat(m->dirfd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	u32 closed = 1;

	if (fd < 0)
		return;
	/* If it cannot be told, it writes on in vain. */
	if (pwrite(fd, &closed, sizeof(closed), RING_CLOSED_AT) < 0)
		m->bad++;
	close(fd);
}

static void drop_ring(struct marks *m, size_t i)
{
	struct marks_ring *r = &m->rings[i];

	ring_read(r->ring, &m->times, true, on_mark, m);
	m->lost += ring_lost(r->ring);
	m->bad += ring_bad(r->ring);
	ring_close(r->ring);
	say_closed(m, r->name);
	unlinkat(m->dirfd, r->name, 0);
	*r = m->rings[--m->n_rings];
}

void marks_poll(struct marks *m, u64 now, bool final)
{
	bool reap = now - m->reaped >= REAP_NS;

	m->times.now = now;
	if (final || now - m->scanned >= SCAN_NS) {
		m->scanned = now;
		scan_folder(m);
	}
	if (reap)
		m->reaped = now;
	for (size_t i = m->n_rings; i-- > 0;) {
		struct marks_ring *r = &m->rings[i];

		if (final) {
			drop_ring(m, i);
			continue;
		}
		if (ring_read(r->ring, &m->times, false, on_mark, m))
			r->read_ns = now;
		else if (reap && now - r->read_ns >= REAP_NS && process_gone(ring_tgid(r->ring)))
			drop_ring(m, i);
	}
	read_facts(m, final);
}

/* ---- what could not be had ---- */

static void note(struct marks *m, u64 ts, u64 n, const char *what)
{
	struct record rec = {.ts = ts, .type = REC_NOTE, .cpu = CORUN_NO_CPU};
	char text[200];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " %s", n, what);
	rec.note.text = text;
	if (!m->error && m->put)
		m->error = m->put(m->ctx, &rec, false);
}

int marks_notes(struct marks *m, u64 ts)
{
	note(m, ts, m->lost, "marks of the program were written over before they were read; what its "
	     "tasks did meanwhile is unknown");
	note(m, ts, m->bad, "marks of the program made no sense and were left out");
	note(m, ts, m->left_out, "rings or tasks of the program were no rings, or too many");
	return m->error;
}
