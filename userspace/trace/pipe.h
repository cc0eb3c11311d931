/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - a trace that is read while it is written, in one process: the chunks of format.h in memory,
 * neither packed nor numbered.
 *
 *     trace_pipe_new(&pipe);
 *     trace_writer_pipe(&writer, pipe, &err);
 *     ... trace_writer_put(writer, &rec); trace_writer_flush(writer); ...
 *     while ((code = trace_pipe_next(pipe, until_ns, &rec)) > 0)
 *             ...
 *
 * What is read is let go, so memory holds what was written and not yet read: some 6 bytes a record.
 * Late records are put where their ts belongs among those that are still to be read; one that is older
 * than what was read already comes next.
 */
#ifndef CORUN_TRACE_PIPE_H
#define CORUN_TRACE_PIPE_H

#include "base/error.h"
#include "trace/record.h"

struct trace_pipe;
struct chunk_header;

int trace_pipe_new(struct trace_pipe **pipe);
void trace_pipe_free(struct trace_pipe *pipe);
/* The next record, if its ts is at most @until_ns: 1, and *@rec until the next call. 0: none; -ENOMEM;
 * -EBADMSG: what the writer wrote is no record. */
int trace_pipe_next(struct trace_pipe *pipe, u64 until_ns, const struct record **rec);

/* The writer's end: a chunk of header->raw_len bytes. 0 or -ENOMEM. */
int pipe_chunk(struct trace_pipe *pipe, const struct chunk_header *header, const u8 *data);

#endif
