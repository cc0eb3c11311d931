/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c - what this kernel and this user can do, and the remedy for each "no". */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "record/session.h"

/* Has one before it the same remedy? Without privilege that is every probe. */
static bool was_said(const struct ability *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!list[k].ok && !strcmp(list[k].remedy, list[i].remedy))
			return true;
	return false;
}

static int doctor_run(const struct cmd *cmd, int argc, char **argv)
{
	struct ability list[32];
	size_t n;
	bool good = true;

	if (argc > 1)
		return cmd_usage(cmd, "takes no arguments, but got '%s'", argv[1]);
	n = session_abilities(list, ARRAY_SIZE(list));
	for (size_t i = 0; i < n; i++) {
		printf("  %-3s  %-28s %s\n", list[i].ok ? "yes" : "no", list[i].name, list[i].detail);
		if (!list[i].ok && list[i].remedy[0] && !was_said(list, i))
			printf("         remedy: %s\n", list[i].remedy);
		if (!list[i].ok && list[i].required)
			good = false;
	}
	printf("\n%s\n", good ? "Recording works here." : "Recording does not work here.");
	return good ? 0 : 1;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Say what this kernel and this user can do, and the remedy for each \"no\"",
	.help = "Every probe is really loaded and attached, one at a time. Exit status 1 when recording\n"
		"does not work here.\n",
	.run = doctor_run,
};
