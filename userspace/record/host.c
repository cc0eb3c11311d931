/* SPDX-License-Identifier: MIT */
#include "record/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "record/loader.h"

int host_put_stat(struct trace_writer *writer)
{
	struct record rec = {.ts = loader_now(), .type = REC_HOST, .cpu = CORUN_NO_CPU};
	u64 tick = NSEC_PER_SEC / (u64)sysconf(_SC_CLK_TCK);
	u64 user, nice, system, idle, iowait, irq, softirq, steal;
	FILE *file = fopen("/proc/stat", "re");
	int n = 0;

	if (!file)
		return 0;
	/* Documentation/filesystems/proc.rst, 1.7: the line "cpu", in ticks. */
	n = fscanf(file, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64, &user, &nice, &system, &idle, &iowait, &irq, &softirq,
		   &steal);
	fclose(file);
	if (n != 8)
		return 0;
	rec.host = (struct rec_host){(user + nice) * tick, system * tick, idle * tick, iowait * tick,
				     irq * tick, softirq * tick, steal * tick};
	return trace_writer_put_late(writer, &rec);
}

int host_put_pair(struct trace_writer *writer, const char *key, const char *value)
{
	struct record rec = {.type = REC_META, .cpu = CORUN_NO_CPU};

	rec.meta.key = key;
	rec.meta.value = value;
	return trace_writer_put(writer, &rec);
}

static void put_number(struct trace_writer *writer, const char *key, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	host_put_pair(writer, key, text);
}

/* How far the wall clock may be off, where something (NTP, PTP) keeps it: adjtimex(2). */
static void put_wall_error(struct trace_writer *writer)
{
	struct timex timex = {0};
	int state = adjtimex(&timex);

	if (state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC))
		put_number(writer, "wall_error_ns", (u64)timex.maxerror * 1000);
}

int host_put_meta(struct trace_writer *writer)
{
	struct timespec mono, wall;
	struct utsname name;
	char text[80] = "";
	struct tm tm;
	FILE *file;

	uname(&name);
	host_put_pair(writer, "version", CORUN_VERSION);
	host_put_pair(writer, "host", name.nodename);
	host_put_pair(writer, "kernel", name.release);
	host_put_pair(writer, "arch", name.machine);
	put_number(writer, "cpus", (u64)sysconf(_SC_NPROCESSORS_ONLN));
	put_number(writer, "ncpu_ids", (u64)sysconf(_SC_NPROCESSORS_CONF));
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file) {
		if (fgets(text, sizeof(text), file))
			text[strcspn(text, "\n")] = '\0';
		fclose(file);
		host_put_pair(writer, "boot_id", text);
	}
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	put_number(writer, "mono_ns", (u64)mono.tv_sec * NSEC_PER_SEC + (u64)mono.tv_nsec);
	put_number(writer, "wall_ns", (u64)wall.tv_sec * NSEC_PER_SEC + (u64)wall.tv_nsec);
	put_wall_error(writer);
	gmtime_r(&wall.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return host_put_pair(writer, "started", text);
}

/* ---- CPU quota ---- */

/* Mount point of cgroup v2 (@controller NULL) or of v1's @controller; false if not mounted. */
static bool cgroup_mount(const char *controller, char *mount, size_t size)
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char line[4096], where[1024], type[64], options[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %1023s %63s %1023s", where, type, options) != 3)
			continue;
		if (controller ? !strcmp(type, "cgroup") : !strcmp(type, "cgroup2")) {
			char *save, *word = controller ? strtok_r(options, ",", &save) : NULL;

			for (found = !controller; word && !found; word = strtok_r(NULL, ",", &save))
				found = !strcmp(word, controller);
		}
	}
	if (file)
		fclose(file);
	if (found)
		snprintf(mount, size, "%s", where);
	return found;
}

/* The first @wanted (1 or 2) numbers of a file. */
static bool read_numbers(const char *folder, const char *name, int wanted, u64 *a, u64 *b)
{
	char path[4200];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fscanf(file, "%" SCNu64 " %" SCNu64, a, b);
	fclose(file);
	return n >= wanted;
}

static bool read_quota(const char *folder, bool v2, u64 *quota, u64 *period)
{
	u64 spare;

	if (v2) /* "max 100000" does not scan: no quota */
		return read_numbers(folder, "cpu.max", 2, quota, period);
	/* -1 is "none" */
	return read_numbers(folder, "cpu.cfs_quota_us", 1, quota, &spare) && (s64)*quota > 0 &&
	       read_numbers(folder, "cpu.cfs_period_us", 1, period, &spare);
}

/* From @path up to @mount, the folder with the least quota / period. */
static void tightest(struct quota_source *source, const char *mount, const char *path, bool v2)
{
	char folder[4096];
	double best = 0;
	u64 quota, period;

	snprintf(folder, sizeof(folder), "%s", path);
	while (strlen(folder) >= strlen(mount)) {
		char *slash;

		if (read_quota(folder, v2, &quota, &period) && period &&
		    (!best || (double)quota / (double)period < best)) {
			best = (double)quota / (double)period;
			snprintf(source->path, sizeof(source->path), "%s", folder);
			source->v2 = v2;
		}
		slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			break;
		*slash = '\0';
	}
}

void quota_find(struct quota_source *source, s32 tgid, const char *path)
{
	char mount[1024], name[64], line[4096], folder[6000];
	FILE *file;

	*source = (struct quota_source){0};
	if (path) {
		bool v2 = cgroup_mount(NULL, mount, sizeof(mount)) &&
			  !strncmp(path, mount, strlen(mount));

		if (v2 || cgroup_mount("cpu", mount, sizeof(mount)))
			tightest(source, mount, path, v2);
		return;
	}
	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)tgid);
	file = fopen(name, "re");
	while (file && fgets(line, sizeof(line), file)) {
		/* "ID:CONTROLLERS:PATH"; v2 has no controllers */
		char *controllers = strchr(line, ':'), *where;
		bool v2;

		where = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!where)
			continue;
		*where++ = '\0';
		where[strcspn(where, "\n")] = '\0';
		v2 = !controllers[1];
		if (!v2 && !strstr(controllers, "cpu"))
			continue;
		if (!cgroup_mount(v2 ? NULL : "cpu", mount, sizeof(mount)))
			continue;
		snprintf(folder, sizeof(folder), "%s%s", mount, strcmp(where, "/") ? where : "");
		tightest(source, mount, folder, v2);
	}
	if (file)
		fclose(file);
}

int quota_put(const struct quota_source *source, struct trace_writer *writer)
{
	struct record rec = {.ts = loader_now(), .type = REC_CGROUP, .cpu = CORUN_NO_CPU};
	char path[4200], key[64];
	u64 value;
	FILE *file;

	if (!source->path[0] || !read_quota(source->path, source->v2, &rec.cgroup.quota_us,
					    &rec.cgroup.period_us))
		return 0;
	snprintf(path, sizeof(path), "%s/cpu.stat", source->path);
	file = fopen(path, "re");
	while (file && fscanf(file, "%63s %" SCNu64, key, &value) == 2) {
		if (!strcmp(key, "nr_throttled"))
			rec.cgroup.throttles = value;
		else if (!strcmp(key, "throttled_usec")) /* v2 */
			rec.cgroup.throttled_ns = value * 1000;
		else if (!strcmp(key, "throttled_time")) /* v1 */
			rec.cgroup.throttled_ns = value;
	}
	if (file)
		fclose(file);
	rec.cgroup.path = source->path;
	return trace_writer_put_late(writer, &rec);
}
