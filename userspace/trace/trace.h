/* SPDX-License-Identifier: MIT */
/*
 * trace.h - writing and reading a .corun trace. The bytes are described in format.h.
 *
 * Order: the writer is given records in order of ts. Some facts are known late: a thread that was
 * woken and then waited 300 ms for a CPU, a gap that shows when its CPU speaks again, the text of a
 * call site. They go through trace_writer_put_late(), in any order, and the reader puts them where
 * their ts belongs (before equal ts), so that who reads sees one stream ordered by time. A site
 * (REC_SITE) or lock name is given ts 0: it comes first.
 *
 * Streaming: a chunk is flushed at least every 200 ms (trace_writer_tick) and whenever it is full;
 * a recorder that is killed leaves a file that reads up to its last chunk.
 *
 * The reader also takes the text form (text.h): a file that begins with "# corun text". So every
 * verb works on a golden test's input.
 */
#ifndef CORUN_TRACE_TRACE_H
#define CORUN_TRACE_TRACE_H

#include "base/error.h"
#include "trace/record.h"

struct trace_writer;
struct trace_reader;
struct trace_pipe;

/* Create @path ("-": standard output), mode 0600, never through a symbolic link, not over an
 * existing file unless @overwrite. 0 or -errno with @err. */
int trace_writer_open(struct trace_writer **writer, const char *path, bool overwrite,
		      struct error *err);
/* Into memory, for who reads it in the same process meanwhile (pipe.h); @pipe is borrowed. */
int trace_writer_pipe(struct trace_writer **writer, struct trace_pipe *pipe, struct error *err);
/* Append; @rec->ts must not be below the last one (it is clamped if it is). 0 or the first error. */
int trace_writer_put(struct trace_writer *writer, const struct record *rec);
int trace_writer_put_late(struct trace_writer *writer, const struct record *rec);
/* Flush what is older than 200 ms at @now_ns (CLOCK_MONOTONIC). */
int trace_writer_tick(struct trace_writer *writer, u64 now_ns);
/* Flush everything. */
int trace_writer_flush(struct trace_writer *writer);
u64 trace_writer_records(const struct trace_writer *writer);
/* Write REC_END with @lost, finish, free. On error the file keeps what was flushed. */
int trace_writer_close(struct trace_writer *writer, u64 end_ns, u64 lost, struct error *err);

/* Finish and free without REC_END: the trace will read as cut. */
int trace_writer_cut(struct trace_writer *writer, struct error *err);

enum trace_status {
	TRACE_WHOLE = 0,
	TRACE_CUT,      /* ends without REC_END: recorder killed, or the file was truncated */
	TRACE_DAMAGED,  /* a chunk fails its checksum: all before it was read */
};

int trace_reader_open(struct trace_reader **reader, const char *path, struct error *err);
/* 1 and *@rec, 0 at the end, -errno with @err. Cut and damaged files end with 0 and a status. */
int trace_reader_next(struct trace_reader *reader, const struct record **rec, struct error *err);
/* Start again from the first record: for what needs two passes. -ESPIPE on a pipe. */
int trace_reader_rewind(struct trace_reader *reader);
enum trace_status trace_reader_status(const struct trace_reader *reader);
/* Value of a META key, or NULL: META is all known after open. */
const char *trace_reader_meta(const struct trace_reader *reader, const char *key);
/* Bytes of the file and bytes consumed so far, for progress. */
u64 trace_reader_size(const struct trace_reader *reader);
u64 trace_reader_offset(const struct trace_reader *reader);
void trace_reader_close(struct trace_reader *reader);

#endif
