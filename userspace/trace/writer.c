/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/owner.h"
#include "trace/format.h"
#include "trace/pipe.h"
#include "trace/trace.h"

/* A chunk is written when its payload has this size, or is this old. */
#define CHUNK_FULL ((size_t)256 << 10)
#define CHUNK_AGE_NS (200 * NSEC_PER_MSEC)
/* zlib's fastest level: the recorder shares the CPUs with what it records. */
#define CHUNK_LEVEL 1

struct stream {
	u32 kind;
	struct buf payload;
	u64 first_ts, last_ts;
	u32 records;
};

struct trace_writer {
	int fd;
	struct trace_pipe *pipe; /* instead of a file, or NULL */
	bool seekable;
	int error;           /* the first one; nothing is written after it */
	u64 offset;          /* end of the last whole chunk */
	u64 records;
	u64 last_ts;         /* of the ordered stream */
	u64 flushed_ns;
	struct stream ordered, late;
	struct buf stored;
};

/* The first error stays. A chunk that was half written is taken back, so that the file reads. */
static void put_bytes(struct trace_writer *w, const void *head, size_t head_len, const void *data,
		      size_t len)
{
	int err = fd_write(w->fd, head, head_len);

	if (!err && len)
		err = fd_write(w->fd, data, len);
	if (!err) {
		w->offset += head_len + len;
		return;
	}
	w->error = err;
	if (w->seekable && ftruncate(w->fd, (off_t)w->offset))
		return; /* the reader will say "cut" */
}

static void stream_flush(struct trace_writer *w, struct stream *s)
{
	struct chunk_header header = {.kind = s->kind, .records = s->records, .first_ts = s->first_ts};
	u8 bytes[CHUNK_HEADER_LEN];
	uLongf len;

	if (!s->records || w->error)
		return;
	if (s->payload.failed) {
		w->error = -ENOMEM;
		return;
	}
	header.raw_len = (u32)s->payload.len;
	if (w->pipe) {
		w->error = pipe_chunk(w->pipe, &header, (const u8 *)s->payload.data);
		goto out;
	}
	len = compressBound(s->payload.len);
	buf_clear(&w->stored);
	if (!buf_reserve(&w->stored, len) ||
	    compress2((Bytef *)w->stored.data, &len, (const Bytef *)s->payload.data, s->payload.len,
		      CHUNK_LEVEL) != Z_OK) {
		w->error = -ENOMEM;
		return;
	}
	header.stored_len = (u32)len;
	header.crc = chunk_crc(&header, (const u8 *)w->stored.data);
	chunk_header_encode(&header, bytes);
	put_bytes(w, bytes, sizeof(bytes), w->stored.data, len);
out:
	buf_clear(&s->payload);
	s->records = 0;
}

static void stream_put(struct trace_writer *w, struct stream *s, const struct record *rec)
{
	size_t before = s->payload.len;

	if (!s->records)
		s->first_ts = s->last_ts = rec->ts;
	record_encode(&s->payload, rec, &s->last_ts);
	if (s->payload.len > CHUNK_MAX) {
		/* A huge string. Readers refuse such a chunk: try with one of the record's own. */
		if (!s->records) {
			w->error = -EMSGSIZE;
			return;
		}
		s->payload.len = before;
		stream_flush(w, s);
		if (!w->error)
			stream_put(w, s, rec);
		return;
	}
	s->records++;
	w->records++;
	if (s->payload.len >= CHUNK_FULL || s->payload.failed)
		stream_flush(w, s);
}

int trace_writer_open(struct trace_writer **out, const char *path, bool overwrite,
		      struct error *err)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	u8 header[TRACE_HEADER_LEN] = TRACE_MAGIC;
	struct stat st;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	header[8] = TRACE_MAJOR;
	header[10] = TRACE_MINOR;
	w->ordered.kind = CHUNK_ORDERED;
	w->late.kind = CHUNK_LATE;
	if (!strcmp(path, "-")) {
		w->fd = dup(STDOUT_FILENO);
	} else {
		/* Opened without O_TRUNC: what lies there is only emptied once it is known to be a
		 * plain file. */
		w->fd = open(path,
			     O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (overwrite ? 0 : O_EXCL),
			     0600);
		if (w->fd < 0 && errno == EEXIST) {
			free(w);
			return error_set(err, -EEXIST, "%s exists; choose another name with -o", path);
		}
	}
	if (w->fd < 0 || fstat(w->fd, &st)) {
		int code = -errno;

		free(w);
		return error_set(err, code, code == -ELOOP ?
			"%s is a symbolic link, which is not followed; choose another name with -o" :
			"cannot create %s: %s", path, strerror(-code));
	}
	/* Standard output may be appended to somebody's file: never truncate that. */
	w->seekable = S_ISREG(st.st_mode) && strcmp(path, "-");
	if (w->seekable) {
		owner_give(w->fd);
		if (fchmod(w->fd, 0600) || ftruncate(w->fd, 0))
			w->error = -errno;
	}
	if (!w->error)
		put_bytes(w, header, sizeof(header), NULL, 0);
	if (w->error) {
		int code = w->error;

		trace_writer_close(w, 0, 0, NULL);
		return error_set(err, code, "cannot write %s: %s", path, strerror(-code));
	}
	*out = w;
	return 0;
}

int trace_writer_pipe(struct trace_writer **out, struct trace_pipe *pipe, struct error *err)
{
	struct trace_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->fd = -1;
	w->pipe = pipe;
	w->ordered.kind = CHUNK_ORDERED;
	w->late.kind = CHUNK_LATE;
	*out = w;
	return 0;
}

int trace_writer_put(struct trace_writer *w, const struct record *rec)
{
	struct record later;

	/* These come first in reading, whenever they became known. */
	if (rec->type == REC_META || rec->type == REC_SITE || rec->type == REC_LOCK)
		return trace_writer_put_late(w, rec);
	if (rec->ts < w->last_ts) {
		later = *rec;
		later.ts = w->last_ts;
		rec = &later;
	}
	w->last_ts = rec->ts;
	if (!w->error)
		stream_put(w, &w->ordered, rec);
	return w->error;
}

int trace_writer_put_late(struct trace_writer *w, const struct record *rec)
{
	if (!w->error)
		stream_put(w, &w->late, rec);
	return w->error;
}

int trace_writer_tick(struct trace_writer *w, u64 now_ns)
{
	if (now_ns - w->flushed_ns < CHUNK_AGE_NS)
		return w->error;
	w->flushed_ns = now_ns;
	return trace_writer_flush(w);
}

int trace_writer_flush(struct trace_writer *w)
{
	stream_flush(w, &w->late);
	stream_flush(w, &w->ordered);
	return w->error;
}

u64 trace_writer_records(const struct trace_writer *w)
{
	return w->records;
}

int trace_writer_close(struct trace_writer *w, u64 end_ns, u64 lost, struct error *err)
{
	struct record end = {.ts = end_ns, .type = REC_END, .cpu = CORUN_NO_CPU};

	if (!w)
		return 0;
	end.end.records = w->records;
	end.end.lost = lost;
	trace_writer_put(w, &end);
	return trace_writer_cut(w, err);
}

int trace_writer_cut(struct trace_writer *w, struct error *err)
{
	int code = trace_writer_flush(w);

	if (w->fd >= 0 && close(w->fd) && !code)
		code = -errno;
	buf_free(&w->ordered.payload);
	buf_free(&w->late.payload);
	buf_free(&w->stored);
	free(w);
	return code ? error_set(err, code, "cannot write the trace: %s; what was written before is kept",
				strerror(-code)) : 0;
}
