/* SPDX-License-Identifier: MIT */
/* command.c - start a command as the invoking user, held back until the probes are on. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owner.h"
#include "record/target.h"

extern char **environ;

/*
 * The groups of the user who called sudo: those of our nearest ancestor that runs as that user. This
 * is what the user really has in this session, and needs no name service (a static binary has none).
 */
static int invoker_groups(uid_t uid, gid_t *groups, int max)
{
	pid_t pid = getppid();

	for (int depth = 0; depth < 32 && pid > 1; depth++) {
		char path[64], line[8192];
		unsigned long user = ULONG_MAX;
		int n = 0, parent = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
		file = fopen(path, "re");
		if (!file)
			break;
		while (fgets(line, sizeof(line), file)) {
			char *p = line + 7;

			if (!strncmp(line, "PPid:", 5))
				parent = atoi(line + 5);
			else if (!strncmp(line, "Uid:", 4))
				user = strtoul(line + 4, NULL, 10);
			else if (!strncmp(line, "Groups:", 7))
				for (char *end = p; n < max; p = end) {
					unsigned long gid = strtoul(p, &end, 10);

					if (end == p)
						break;
					groups[n++] = (gid_t)gid;
				}
		}
		fclose(file);
		if (user == uid)
			return n;
		pid = parent;
	}
	return 0;
}

/* As corun found them: a shell's "&" and nohup ignore signals for those that they start. */
static struct {
	sigset_t ignored, blocked;
} inherited;

void command_remember_signals(void)
{
	struct sigaction action;

	for (int sig = 1; sig < NSIG; sig++)
		if (!sigaction(sig, NULL, &action) && action.sa_handler == SIG_IGN)
			sigaddset(&inherited.ignored, sig);
	sigprocmask(SIG_SETMASK, NULL, &inherited.blocked);
}

static int become_invoker(void)
{
	gid_t groups[1024], gid;
	struct passwd *user;
	uid_t uid;
	FILE *file;
	int n;

	if (!owner_invoker(&uid, &gid))
		return 0;
	file = fopen("/etc/passwd", "re");
	while (file && (user = fgetpwent(file))) {
		if (user->pw_uid != uid)
			continue;
		setenv("HOME", user->pw_dir, 1);
		setenv("USER", user->pw_name, 1);
		setenv("LOGNAME", user->pw_name, 1);
		setenv("SHELL", user->pw_shell, 1);
		break;
	}
	if (file)
		fclose(file);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	unsetenv("SUDO_USER");
	unsetenv("SUDO_COMMAND");
	n = invoker_groups(uid, groups, ARRAY_SIZE(groups));
	if (!n)
		groups[n++] = gid;
	return setgroups((size_t)n, groups) || setgid(gid) || setuid(uid) ? -errno : 0;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			dup2(null, fd);
}

static void child(char **argv, bool off_terminal, int go, int failure)
{
	char c;
	int code;

	/* End of file: the probes are on. Our parent's death looks the same; then it is gone anyway. */
	while (read(go, &c, 1) < 0 && errno == EINTR)
		;
	close(go);
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, sigismember(&inherited.ignored, sig) == 1 ? SIG_IGN : SIG_DFL);
	sigprocmask(SIG_SETMASK, &inherited.blocked, NULL);
	if (off_terminal)
		leave_terminal();
	code = become_invoker();
	if (!code) {
		execvp(argv[0], argv);
		code = -errno;
	}
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int command_prepare(struct command *command, char **argv, bool off_terminal, struct error *err)
{
	int go[2], failure[2];

	*command = (struct command){.pid = -1, .go = -1, .failure = -1};
	if (pipe2(go, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
		return error_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	command->pid = fork();
	if (command->pid < 0)
		return error_set(err, -errno, "cannot start a process: %s", strerror(errno));
	if (!command->pid) {
		close(go[1]);
		close(failure[0]);
		child(argv, off_terminal, go[0], failure[1]);
	}
	close(go[0]);
	close(failure[1]);
	command->go = go[1];
	command->failure = failure[0];
	return 0;
}

int command_start(struct command *command, const char *name, struct error *err)
{
	int code = 0;
	ssize_t n;

	close(command->go);
	command->go = -1;
	/* Closed by a successful exec: end of file. */
	do {
		n = read(command->failure, &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	close(command->failure);
	command->failure = -1;
	if (n != (ssize_t)sizeof(code))
		return 0;
	command_ended(command, true);
	if (code == -ENOENT)
		return error_set(err, code, "there is no command '%s'; check its name and PATH", name);
	return error_set(err, code, "cannot run '%s': %s", name, strerror(-code));
}

bool command_ended(struct command *command, bool wait)
{
	pid_t pid;

	if (command->reaped)
		return true;
	do {
		pid = waitpid(command->pid, &command->status, wait ? 0 : WNOHANG);
	} while (pid < 0 && errno == EINTR && wait);
	if (pid == command->pid || (pid < 0 && errno == ECHILD))
		command->reaped = true;
	return command->reaped;
}

int command_exit_status(const struct command *command)
{
	if (WIFSIGNALED(command->status))
		return 128 + WTERMSIG(command->status);
	return WEXITSTATUS(command->status);
}

void command_abandon(struct command *command)
{
	if (command->pid > 0 && !command->reaped && command->go >= 0) {
		kill(command->pid, SIGKILL);
		command_ended(command, true);
	}
	if (command->go >= 0)
		close(command->go);
	if (command->failure >= 0)
		close(command->failure);
	command->go = command->failure = -1;
}
