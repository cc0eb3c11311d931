/* SPDX-License-Identifier: MIT */
#include "lesson/work.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/out.h"
#include "base/owner.h"
#include "lesson/judge.h"
#include "record/target.h"

#define PATH_ROOM 4400

/* ---- files ---- */

int work_folder(const char *path, struct error *err)
{
	char part[PATH_ROOM];

	snprintf(part, sizeof(part), "%s", path);
	for (char *c = part + 1;; c++) {
		char was = *c;
		int fd;

		if (was && was != '/')
			continue;
		*c = '\0';
		if (!mkdir(part, 0777)) {
			fd = open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0) {
				owner_give(fd);
				close(fd);
			}
		} else if (errno != EEXIST) {
			return error_set(err, -errno, "cannot make the folder %s: %s", part, strerror(errno));
		}
		if (!was)
			break;
		*c = was;
	}
	return access(path, W_OK) ? error_set(err, -errno, "cannot write to %s: %s", path, strerror(errno)) : 0;
}

int work_copy(const char *from, const char *to, struct error *err)
{
	FILE *file = fopen(from, "re");
	struct out *out;
	char block[65536];
	size_t n;
	int code;

	if (!file)
		return error_set(err, -errno, "cannot read %s: %s", from, strerror(errno));
	code = out_open(&out, to, 0, err);
	if (code) {
		fclose(file);
		return code;
	}
	while ((n = fread(block, 1, sizeof(block), file)))
		out_put(out, block, n);
	fclose(file);
	return out_commit(out, err);
}

static bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && !strcmp(name + n - s, suffix);
}

/* Programs and what they need; not the lesson's own words and recordings. */
static bool belongs_to_work(const char *path, const char *name)
{
	struct stat st;

	if (name[0] == '.' || !strcmp(name, "lesson.json") || ends(name, ".md") || ends(name, ".corun"))
		return false;
	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static int run_compiler(char **argv, struct error *err)
{
	struct command compiler;
	int code = command_prepare(&compiler, argv, false, err);

	if (!code)
		code = command_start(&compiler, argv[0], err);
	if (code)
		return code;
	command_ended(&compiler, true);
	return command_exit_status(&compiler) ? -EINVAL : 0;
}

/* X.c -> ./X */
static int build(const char *source, struct error *err)
{
	char program[PATH_ROOM], *argv[] = {"cc", "-O2", "-g", "-pthread", "-o", program, (char *)source, NULL};

	snprintf(program, sizeof(program), "%.*s", (int)(strlen(source) - 2), source);
	if (run_compiler(argv, err) == -EINVAL)
		return error_set(err, -EINVAL, "cc could not build %s", source);
	return access(program, X_OK) ? error_set(err, -errno, "cannot build %s: is a C compiler (cc) there?", source)
				     : 0;
}

int work_prepare(const struct lesson *l, const char *folder, struct error *err)
{
	char from[PATH_ROOM], to[PATH_ROOM];
	struct dirent *entry;
	int code = work_folder(folder, err);
	DIR *dir;

	if (code)
		return code;
	dir = opendir(l->folder);
	if (!dir)
		return error_set(err, -errno, "cannot read %s: %s", l->folder, strerror(errno));
	while (!code && (entry = readdir(dir))) {
		snprintf(from, sizeof(from), "%.4000s/%s", l->folder, entry->d_name);
		snprintf(to, sizeof(to), "%.4000s/%s", folder, entry->d_name);
		if (belongs_to_work(from, entry->d_name))
			code = work_copy(from, to, err);
	}
	closedir(dir);
	return code;
}

int work_build(const char *folder, struct error *err)
{
	char source[PATH_ROOM];
	struct dirent *entry;
	int code = 0;
	DIR *dir = opendir(folder);

	if (!dir)
		return error_set(err, -errno, "cannot read %s: %s", folder, strerror(errno));
	while (!code && (entry = readdir(dir))) {
		snprintf(source, sizeof(source), "%.4000s/%s", folder, entry->d_name);
		if (ends(entry->d_name, ".c"))
			code = build(source, err);
	}
	closedir(dir);
	return code;
}

/* ---- recording ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/*
 * "python3", or the system's where the first in PATH is a shell script in front of an interpreter (pyenv's and
 * asdf's shims): that script and all that it starts would be recorded too.
 */
static const char *find_python(void)
{
	static const char system_python[] = "/usr/bin/python3";
	const char *path = getenv("PATH");
	char file[PATH_ROOM], magic[2] = "";

	for (size_t n; path && *path; path += n + (path[n] == ':')) {
		FILE *program;

		n = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/python3", (int)n, path);
		if (access(file, X_OK))
			continue;
		program = fopen(file, "re");
		if (program && fread(magic, 1, 2, program) == 2 && !memcmp(magic, "#!", 2) &&
		    !access(system_python, X_OK))
			path = NULL;
		if (program)
			fclose(program);
		return path ? "python3" : system_python;
	}
	return "python3";
}

/*
 * `corun record` in a process group of its own, so that a program that hangs can be killed with all that
 * it started.
 */
static void become_recorder(const struct lesson_variant *v, const char *folder, int log)
{
	size_t n = 0, words = 0, options = 0;
	char limit[16], trace[300], **argv;
	int nothing = open("/dev/null", O_RDONLY);

	while (v->command[words])
		words++;
	while (v->record[options])
		options++;
	argv = calloc(words + options + 10, sizeof(*argv));
	if (!argv || setpgid(0, 0) || chdir(folder) || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(125);
	snprintf(limit, sizeof(limit), "%us", v->limit_s);
	snprintf(trace, sizeof(trace), "%.250s.corun", v->name);
	argv[n++] = "corun";
	argv[n++] = "record";
	argv[n++] = "-q";
	argv[n++] = "-d";
	argv[n++] = limit;
	argv[n++] = "-o";
	argv[n++] = trace;
	for (size_t i = 0; i < options; i++)
		argv[n++] = v->record[i];
	argv[n++] = "--";
	for (size_t i = 0; i < words; i++)
		argv[n++] = !i && !strcmp(v->command[0], "python3") ? (char *)find_python() : v->command[i];
	execv("/proc/self/exe", argv);
	_exit(126);
}

/* A file for the program's words, as the invoking user's; a planted link is not followed. */
static int open_log(const char *path, struct error *err)
{
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	owner_give(fd);
	return fd;
}

int work_record(const struct lesson_variant *v, const char *folder, struct error *err)
{
	struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
	char path[PATH_ROOM], words[300];
	int status = 0, log;
	pid_t pid;

	snprintf(path, sizeof(path), "%.4000s/%s.log", folder, v->name);
	log = open_log(path, err);
	if (log < 0)
		return log;
	/* An older recording must not be taken for this one's. */
	snprintf(path, sizeof(path), "%.4000s/%s.corun", folder, v->name);
	unlink(path);
	interrupted = 0;
	fflush(NULL);
	pid = fork();
	if (!pid)
		become_recorder(v, folder, log);
	close(log);
	if (pid < 0)
		return error_set(err, -errno, "cannot start a process: %s", strerror(errno));
	sigaction(SIGINT, &action, &old_int);
	sigaction(SIGTERM, &action, &old_term);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		if (interrupted)
			kill(-pid, SIGTERM);
	/* What is left of the group ran past its limit. */
	kill(-pid, SIGKILL);
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTERM, &old_term, NULL);
	if (interrupted)
		return error_set(err, -EINTR, "interrupted");
	if (!access(path, R_OK))
		return 0;
	snprintf(path, sizeof(path), "%.4000s/%s.log", folder, v->name);
	last_words(path, words, sizeof(words));
	return error_set(err, -EIO, "%s", words[0] ? words : "the recorder ended without a recording");
}
