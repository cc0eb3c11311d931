/* SPDX-License-Identifier: MIT */
/* target.c - processes that run already, found in /proc; names of files. */
#include "record/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270

static int tgids_add(struct tgids *set, s32 id)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->ids[i] == id)
			return 0;
	if (set->n == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 16;
		s32 *ids = realloc(set->ids, cap * sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		set->ids = ids;
		set->cap = cap;
	}
	set->ids[set->n++] = id;
	return 0;
}

/* The process that a thread belongs to, from "Tgid:" of its status; -ESRCH. */
static s32 tgid_of(long tid)
{
	char path[64], line[256];
	s32 tgid = -ESRCH;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", tid);
	file = fopen(path, "re");
	if (!file)
		return -ESRCH;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "Tgid:", 5))
			tgid = (s32)strtol(line + 5, NULL, 10);
	fclose(file);
	return tgid;
}

int target_pids(const char *list, struct tgids *out, struct error *err)
{
	const char *p = list;

	for (;;) {
		char *end;
		long id = strtol(p, &end, 10);
		s32 tgid;

		if (end == p || id <= 0 || id > INT32_MAX || (*end && *end != ','))
			return error_set(err, -EINVAL, "'%s' is no list of process ids; write -p 12,345",
					 list);
		tgid = tgid_of(id);
		if (tgid < 0)
			return error_set(err, -ESRCH, "there is no process %ld; `ps -e` lists them", id);
		if (tgids_add(out, tgid))
			return -ENOMEM;
		if (!*end)
			return 0;
		p = end + 1;
	}
}

int target_comm(const char *glob, struct tgids *out, struct error *err)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return error_set(err, -errno, "cannot read /proc: %s", strerror(errno));
	while ((entry = readdir(proc))) {
		char path[300], comm[32] = "";
		FILE *file;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(file);
		if (!fnmatch(glob, comm, 0) && atoi(entry->d_name) != getpid() &&
		    tgids_add(out, (s32)atoi(entry->d_name)))
			break;
	}
	closedir(proc);
	return 0;
}

static int cgroup_walk(const char *path, struct tgids *out, int depth)
{
	char name[4096], line[64];
	struct dirent *entry;
	FILE *file;
	DIR *dir;

	snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	file = fopen(name, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (atoi(line) > 0 && tgids_add(out, (s32)atoi(line)))
			break;
	fclose(file);
	dir = depth < 64 ? opendir(path) : NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) < (int)sizeof(name))
			cgroup_walk(name, out, depth + 1);
	}
	if (dir)
		closedir(dir);
	return 0;
}

int target_cgroup(const char *path, struct tgids *out, u64 *id, struct error *err)
{
	struct statfs fs;
	struct stat st;
	int code;

	if (stat(path, &st) || statfs(path, &fs))
		return error_set(err, -errno, "cannot open cgroup %s: %s", path, strerror(errno));
	/* A cgroup's id is its folder's inode number (fs/kernfs: 64-bit ids). */
	*id = (u64)fs.f_type == CGROUP2_MAGIC ? st.st_ino : 0;
	code = cgroup_walk(path, out, 0);
	if (code == -ENOENT)
		return error_set(err, code, "%s is no cgroup: it has no cgroup.procs", path);
	return code ? error_set(err, code, "cannot read cgroup %s: %s", path, strerror(-code)) : 0;
}

static bool is_interpreter(const char *name)
{
	static const char *const known[] = {"python*", "pypy*", "ruby*", "perl*", "node", "nodejs",
					    "bash", "sh", "dash", "zsh", "lua*", "php*"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!fnmatch(known[i], name, 0))
			return true;
	return false;
}

bool target_program(const char *name, char *path, size_t size)
{
	const char *list = getenv("PATH");

	if (strchr(name, '/'))
		return (size_t)snprintf(path, size, "%s", name) < size && !access(path, X_OK);
	for (list = list ? list : "/bin:/usr/bin"; *list; list += *list == ':') {
		size_t len = strcspn(list, ":");

		if ((size_t)snprintf(path, size, "%.*s/%s", len ? (int)len : 1, len ? list : ".", name) < size &&
		    !access(path, X_OK))
			return true;
		list += len;
	}
	return false;
}

void target_file_name(char **argv, char *name, size_t size)
{
	const char *what = basename(argv[0]);
	size_t n = 0;
	char *dot;

	if (is_interpreter(what)) {
		for (char **arg = argv + 1; *arg; arg++) {
			if (!strcmp(*arg, "-c"))
				break;
			if (!strcmp(*arg, "-m") && arg[1]) {
				what = arg[1];
				break;
			}
			if (**arg != '-') {
				what = basename(*arg);
				break;
			}
		}
	}
	for (; *what && n + 1 < size && n < 60; what++) {
		char c = *what;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     c == '.' || c == '_' || c == '-';

		name[n] = plain && !(c == '.' && !n) ? c : '_';
		n++;
	}
	name[n] = '\0';
	dot = strrchr(name, '.');
	if (dot && dot != name)
		*dot = '\0';
	if (!n)
		snprintf(name, size, "trace");
}
