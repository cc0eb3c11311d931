/* SPDX-License-Identifier: MIT */
/* cmd_record.c - record a trace. */
#include <stdio.h>

#include "recording.h"

static int record_run(const struct cmd *cmd, int argc, char **argv)
{
	struct recording_options options;
	struct recording recording = {0};
	int status = recording_parse(cmd, argc, argv, &options);

	if (!status)
		status = recording_make(cmd, &options, &recording);
	if (!status) {
		status = recording.status;
		if (!options.quiet)
			fprintf(stderr, "wrote %s (%.0f kB); see it: corun report %s\n", recording.trace,
				(double)recording.bytes / 1000, recording.trace);
	}
	recording_options_free(&options);
	return status;
}

const struct cmd cmd_record = {
	.name = "record",
	.arguments = "[options] [--] COMMAND... | -p PID... | --comm GLOB | --cgroup PATH | --all",
	.summary = "Record a program, or what already runs, into a .corun trace",
	.help = RECORDING_HELP,
	.run = record_run,
};
