/* SPDX-License-Identifier: MIT */
#include "record/hook.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The facts' descriptor in the command: out of the way of those that shells and programs count on. */
#define FACTS_FD_MIN 100

static int set(struct hook *h, const char *name, const char *value)
{
	const char *before = getenv(name);

	h->saved[h->n_saved].name = name;
	h->saved[h->n_saved].before = before ? strdup(before) : NULL;
	if (before && !h->saved[h->n_saved].before)
		return -ENOMEM;
	h->n_saved++;
	return setenv(name, value, 1) ? -errno : 0;
}

int hook_enter(struct hook *h, const struct marks *marks, bool tasks)
{
	char number[16];
	int code;

	*h = (struct hook){.facts = -1};
	code = set(h, "CORUN_MARKS", marks_folder(marks));
	if (!code && marks_facts(marks) >= 0) {
		h->facts = fcntl(marks_facts(marks), F_DUPFD, FACTS_FD_MIN);
		snprintf(number, sizeof(number), "%d", h->facts);
		if (h->facts >= 0)
			code = set(h, "CORUN_FACTS", number);
	}
	(void)tasks;
	return code;
}

void hook_leave(struct hook *h)
{
	for (size_t i = 0; i < h->n_saved; i++) {
		if (h->saved[i].before)
			setenv(h->saved[i].name, h->saved[i].before, 1);
		else
			unsetenv(h->saved[i].name);
		free(h->saved[i].before);
	}
	h->n_saved = 0;
	if (h->facts >= 0)
		close(h->facts);
	h->facts = -1;
}
