/* SPDX-License-Identifier: MIT */
/* abilities.c - what this kernel and this user can do, each tried for real, for `corun doctor`. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "record/embed.h"
#include "record/session.h"

static const char *const needs_root = "run it as root: sudo corun doctor";

static struct ability *add(struct ability *list, size_t max, size_t *n, const char *name, bool ok)
{
	static struct ability spare;
	struct ability *a = *n < max ? &list[(*n)++] : &spare;

	*a = (struct ability){.name = name, .ok = ok, .required = true};
	return a;
}

static void check_kernel(struct ability *list, size_t max, size_t *n)
{
	struct utsname name;
	struct ability *a;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	a = add(list, max, n, "kernel", major > 6 || (major == 6 && minor >= 1));
	snprintf(a->detail, sizeof(a->detail), "Linux %.80s %.32s", name.release, name.machine);
	if (!a->ok)
		snprintf(a->remedy, sizeof(a->remedy), "use Linux 6.1 or later");
	if (strcmp(name.machine, "x86_64")) {
		a->ok = false;
		snprintf(a->remedy, sizeof(a->remedy), "corun knows the registers of x86-64 alone so far");
	}
}

static void check_btf(struct ability *list, size_t max, size_t *n)
{
	struct ability *a = add(list, max, n, "BTF", !access("/sys/kernel/btf/vmlinux", R_OK));

	snprintf(a->detail, sizeof(a->detail), "/sys/kernel/btf/vmlinux");
	if (!a->ok)
		snprintf(a->remedy, sizeof(a->remedy), "use a kernel built with CONFIG_DEBUG_INFO_BTF=y "
			 "(Debian, Ubuntu, Fedora and Arch ship theirs so)");
}

/* Load the object with one program alone, so that each failure has a name. */
static int try_program(const char *name)
{
	struct bpf_object *object =
		bpf_object__open_mem(corun_bpf_object, corun_bpf_object_size, NULL);
	struct bpf_program *program;
	struct bpf_link *link = NULL;
	int code;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	code = bpf_object__load(object);
	if (!code) {
		program = bpf_object__find_program_by_name(object, name);
		link = bpf_program__attach(program);
		code = link ? 0 : -errno;
	}
	bpf_link__destroy(link);
	bpf_object__close(object);
	return code;
}

static void check_programs(struct ability *list, size_t max, size_t *n)
{
	static const struct {
		const char *program, *name;
	} tries[] = {
		{"on_switch", "sched_switch probe"},
		{"on_waking", "sched_waking probe"},
		{"on_wakeup_new", "sched_wakeup_new probe"},
		{"on_fork", "sched_process_fork probe"},
		{"on_exec", "sched_process_exec probe"},
		{"on_exit", "sched_process_exit probe"},
		{"on_rename", "task_rename probe"},
		{"snapshot", "task iterator"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		int code = try_program(tries[i].program);
		struct ability *a = add(list, max, n, tries[i].name, !code);

		snprintf(a->detail, sizeof(a->detail), "%s",
			 code ? strerror(-code) : "loaded and attached");
		if (!code)
			continue;
		if ((code == -EPERM || code == -EACCES) && geteuid())
			snprintf(a->remedy, sizeof(a->remedy), "%s", needs_root);
		else if (code == -EPERM || code == -EACCES)
			snprintf(a->remedy, sizeof(a->remedy),
				 "allow BPF: leave kernel lockdown, or give the container CAP_BPF, "
				 "CAP_PERFMON and CAP_SYS_PTRACE");
		else
			snprintf(a->remedy, sizeof(a->remedy),
				 "set CORUN_DEBUG_BPF=1 and run again for the kernel's own words");
	}
}

static void check_ring(struct ability *list, size_t max, size_t *n)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, 16 * 1024 * 1024, NULL);
	struct ability *a = add(list, max, n, "ring buffer", fd >= 0);

	snprintf(a->detail, sizeof(a->detail), "16 MiB: %s", fd < 0 ? strerror(errno) : "granted");
	if (fd < 0)
		snprintf(a->remedy, sizeof(a->remedy), "%s",
			 geteuid() ? needs_root : "raise the memory limit of this cgroup or container");
	else
		close(fd);
}

size_t session_abilities(struct ability *list, size_t max)
{
	struct ability *a;
	size_t n = 0;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	libbpf_set_print(NULL);
	check_kernel(list, max, &n);
	a = add(list, max, &n, "privileges", !geteuid());
	snprintf(a->detail, sizeof(a->detail), geteuid() ? "user id %d" : "root", (int)geteuid());
	/* Capabilities without root may do: the programs below say so for real. */
	a->required = false;
	if (!a->ok)
		snprintf(a->remedy, sizeof(a->remedy), "%s", needs_root);
	check_btf(list, max, &n);
	a = add(list, max, &n, "CPUs", cpus <= 512);
	snprintf(a->detail, sizeof(a->detail), "%ld", cpus);
	if (!a->ok)
		snprintf(a->remedy, sizeof(a->remedy), "corun counts at most 512 CPUs");
	check_programs(list, max, &n);
	check_ring(list, max, &n);
	return n;
}
