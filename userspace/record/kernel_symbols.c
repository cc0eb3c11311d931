/* SPDX-License-Identifier: MIT */
#include "record/kernel_symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct symbol {
	u64 address;
	const char *name;
};

struct kernel_symbols {
	struct buf text; /* names point into it */
	struct symbol *list;
	size_t n, cap;
};

/* How a wait ends up in the scheduler (kernel/sched/, kernel/time/), and probes on the way to us. */
static const char *const plumbing[] = {
	"schedule", "__schedule", "io_schedule", "preempt_schedule", "__cond_resched", "do_task_dead",
	"bpf_", "__bpf_", "__traceiter_", "perf_", "get_perf_", "trace_", "stack_trace_", "wait_woken",
	"__wait_for_common", "wait_for_common", "schedule_preempt_disabled", "__SCT__",
};

static int add(struct kernel_symbols *s, u64 address, const char *name)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 65536;
		struct symbol *list = realloc(s->list, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
		s->cap = cap;
	}
	s->list[s->n++] = (struct symbol){address, name};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* Lines "ffffffff81000000 T _stext", modules with "\t[name]" behind. */
static int parse(struct kernel_symbols *s)
{
	char *line = s->text.data, *end;

	for (; line && *line; line = end) {
		char *type, *name;
		u64 address = strtoull(line, &type, 16);

		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		if (type == line || type[0] != ' ' || !type[1] || type[2] != ' ' || !address ||
		    !strchr("tTwW", type[1]))
			continue;
		name = type + 3;
		name[strcspn(name, "\t ")] = '\0';
		/* Local copies: name.isra.0, name.cold, name.llvm.1234 */
		if (name[0] != '.')
			name[strcspn(name, ".")] = '\0';
		if (add(s, address, name))
			return -ENOMEM;
	}
	if (!s->n)
		return -EPERM;
	qsort(s->list, s->n, sizeof(*s->list), by_address);
	return 0;
}

int kernel_symbols_parse(struct kernel_symbols **out, const char *text)
{
	struct kernel_symbols *s = calloc(1, sizeof(*s));
	int code;

	if (!s)
		return -ENOMEM;
	buf_puts(&s->text, text);
	code = s->text.failed ? -ENOMEM : parse(s);
	if (code)
		kernel_symbols_free(s);
	else
		*out = s;
	return code;
}

int kernel_symbols_read(struct kernel_symbols **out)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct buf text = BUF_INIT;
	char part[65536];
	size_t n;
	int code;

	if (!file)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buf_put(&text, part, n);
	fclose(file);
	code = text.failed ? -ENOMEM : kernel_symbols_parse(out, text.data ? text.data : "");
	buf_free(&text);
	return code;
}

void kernel_symbols_free(struct kernel_symbols *s)
{
	if (!s)
		return;
	buf_free(&s->text);
	free(s->list);
	free(s);
}

const char *kernel_symbols_name(const struct kernel_symbols *s, u64 address)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? s->list[low - 1].name : NULL;
}

static bool is_plumbing(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(plumbing); i++)
		if (!strncmp(name, plumbing[i], strlen(plumbing[i])))
			return true;
	return false;
}

const char *kernel_symbols_wait(const struct kernel_symbols *s, const u64 *addresses, u32 n)
{
	bool in_scheduler = false;

	for (u32 i = 0; i < n; i++) {
		/* A return address may be the first of the next function. */
		const char *name = kernel_symbols_name(s, addresses[i] - 1);

		if (!name)
			return NULL;
		if (is_plumbing(name))
			in_scheduler |= !strcmp(name, "__schedule") || !strcmp(name, "schedule");
		else if (in_scheduler)
			return name;
	}
	return NULL;
}

