/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record/process.h"

int process_read(s32 tgid, u64 address, void *data, size_t size)
{
	struct iovec here = {data, size}, there = {(void *)(uintptr_t)address, size};
	ssize_t n = process_vm_readv(tgid, &here, 1, &there, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

int process_read_u64(s32 tgid, u64 address, u64 *value)
{
	return process_read(tgid, address, value, sizeof(*value));
}

/* Last number of the line NSpid: the tid in the innermost namespace (proc_pid_status(5)). */
static s32 innermost_tid(s32 tgid, const char *tid)
{
	char path[64], line[256];
	s32 ns_tid = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", tgid, tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "NSpid:", 6)) {
			char *last = strrchr(line, '\t');

			ns_tid = last ? atoi(last) : -1;
			break;
		}
	}
	fclose(file);
	return ns_tid;
}

bool process_has_thread(s32 tgid, s32 ns_tid)
{
	char path[64], name[16];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (ns_tid <= 0)
		return false;
	/* Mostly there is no namespace between, and the number is the kernel's own. */
	snprintf(name, sizeof(name), "%d", ns_tid);
	if (innermost_tid(tgid, name) == ns_tid)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/task", tgid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && innermost_tid(tgid, entry->d_name) == ns_tid;
	if (dir)
		closedir(dir);
	return found;
}

/* Name of the program file, as the process sees it. */
static void program_path(s32 tgid, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", tgid);
	n = readlink(link, path, size - 1);
	path[n > 0 ? n : 0] = '\0';
}

int process_files(s32 tgid, int (*file)(void *ctx, const struct process_file *file), void *ctx)
{
	char path[64], line[4600], exe[4096];
	struct process_file f;
	FILE *maps;
	int code = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", tgid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	program_path(tgid, exe, sizeof(exe));
	while (!code && fgets(line, sizeof(line), maps)) {
		unsigned long long start, end, offset, inode;
		unsigned int major, minor;
		int name = 0;

		if (sscanf(line, "%llx-%llx %*4s %llx %x:%x %llu %n", &start, &end, &offset, &major,
			   &minor, &inode, &name) != 6 || offset || !inode || line[name] != '/')
			continue;
		line[strcspn(line, "\n")] = '\0';
		f = (struct process_file){
			.tgid = tgid,
			.start = start,
			.end = end,
			.path = line + name,
			.is_program = !strcmp(line + name, exe),
		};
		code = file(ctx, &f);
	}
	fclose(maps);
	return code;
}

int process_open(const struct process_file *f)
{
	char path[4200];
	int fd;

	/* The very file that is mapped, whatever its name leads to by now (proc_pid_map_files(5)). */
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", f->tgid,
		 (unsigned long long)f->start, (unsigned long long)f->end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) { /* without CAP_CHECKPOINT_RESTORE: by its name, in the process's own tree */
		snprintf(path, sizeof(path), "/proc/%d/root%.4096s", f->tgid, f->path);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	return fd < 0 ? -errno : fd;
}
