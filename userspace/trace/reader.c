/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/format.h"
#include "trace/memory.h"
#include "trace/trace.h"

/*
 * Late records are all held in memory, and zlib packs a thousand bytes of them into one: a file that
 * asks for more records, or more bytes inflated, than this is refused. Late facts are the exceptions
 * of a recording, so a real trace stays far below.
 */
#define LATE_MAX ((size_t)8 << 20)
#define LATE_BYTES_MAX ((u64)1 << 30)

struct trace_reader {
	int fd;
	bool text;             /* everything is in `memory` */
	u64 size;
	u64 limit;             /* end of the last chunk whose header is sound */
	enum trace_status status, found; /* so far; as the scan at open saw it */
	struct record_memory memory; /* late records, or the whole text, in order of ts */
	size_t next_memory;
	/* the chunk being read */
	u64 offset;            /* of the next chunk */
	struct buf stored, raw;
	size_t at;
	u32 left;              /* records of it still to come */
	u64 last_ts;
	struct record pending; /* next ordered record, if has_pending */
	bool has_pending, ended;
};

static ssize_t read_at(int fd, void *data, size_t len, u64 offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Read and inflate the chunk at @offset. 0, -ENODATA: the file ends inside it, -EBADMSG: damaged. */
static int load_chunk(struct trace_reader *r, u64 offset, struct chunk_header *header)
{
	u8 bytes[CHUNK_HEADER_LEN];
	ssize_t n = read_at(r->fd, bytes, sizeof(bytes), offset);
	uLongf len;

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(bytes))
		return -ENODATA;
	if (chunk_header_decode(bytes, header))
		return -EBADMSG;
	if (offset + sizeof(bytes) + header->stored_len > r->size)
		return -ENODATA;
	buf_clear(&r->stored);
	buf_clear(&r->raw);
	if (!buf_reserve(&r->stored, header->stored_len) || !buf_reserve(&r->raw, header->raw_len))
		return -ENOMEM;
	n = read_at(r->fd, r->stored.data, header->stored_len, offset + sizeof(bytes));
	if (n < 0)
		return (int)n;
	if ((u32)n < header->stored_len)
		return -ENODATA;
	if (chunk_crc(header, (const u8 *)r->stored.data) != header->crc)
		return -EBADMSG;
	len = header->raw_len;
	if (uncompress((Bytef *)r->raw.data, &len, (const Bytef *)r->stored.data,
		       header->stored_len) != Z_OK ||
	    len != header->raw_len)
		return -EBADMSG;
	r->raw.len = len;
	return 0;
}

static int load_late(struct trace_reader *r, const struct chunk_header *header)
{
	u64 last_ts = header->first_ts;
	size_t at = 0;

	for (u32 i = 0; i < header->records; i++) {
		struct record rec;
		bool known;
		ssize_t n = record_decode((const u8 *)r->raw.data + at, r->raw.len - at, &rec, &last_ts,
					  &known);

		if (n < 0)
			return -EBADMSG;
		at += (size_t)n;
		if (known && r->memory.n >= LATE_MAX)
			return -EFBIG;
		if (known && memory_add(&r->memory, &rec))
			return -ENOMEM;
	}
	return 0;
}

/* Walk the chunk headers: late chunks are loaded at once, the others later, one at a time. */
static int scan(struct trace_reader *r)
{
	u64 offset = TRACE_HEADER_LEN, late_bytes = 0;
	int err;

	while (offset < r->size) {
		u8 bytes[CHUNK_HEADER_LEN];
		struct chunk_header header;
		ssize_t n = read_at(r->fd, bytes, sizeof(bytes), offset);

		if (n < 0)
			return (int)n;
		if (n < (ssize_t)sizeof(bytes)) {
			r->found = TRACE_CUT;
			break;
		}
		if (chunk_header_decode(bytes, &header)) {
			r->found = TRACE_DAMAGED;
			break;
		}
		if (offset + sizeof(bytes) + header.stored_len > r->size) {
			r->found = TRACE_CUT;
			break;
		}
		if (header.kind == CHUNK_LATE) {
			late_bytes += header.raw_len;
			if (late_bytes > LATE_BYTES_MAX)
				return -EFBIG;
			err = load_chunk(r, offset, &header);
			if (!err)
				err = load_late(r, &header);
			if (err == -EBADMSG) {
				r->found = TRACE_DAMAGED;
				break;
			}
			if (err)
				return err;
		}
		offset += sizeof(bytes) + header.stored_len;
	}
	r->limit = offset;
	memory_sort(&r->memory);
	return 0;
}

/* A pipe cannot be read twice: put it into a file without a name. */
static int spool(int *fd, struct error *err)
{
	FILE *file = tmpfile();
	char data[65536];
	ssize_t n;
	int copy;

	if (!file)
		return error_set(err, -errno, "cannot make a temporary file: %s", strerror(errno));
	while ((n = read(*fd, data, sizeof(data))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && fwrite(data, 1, (size_t)n, file) != (size_t)n) {
			n = -1;
			break;
		}
	}
	if (n < 0 || fflush(file)) {
		int code = -errno;

		fclose(file);
		return error_set(err, code, "cannot copy the trace to a temporary file: %s",
				 strerror(-code));
	}
	copy = fcntl(fileno(file), F_DUPFD_CLOEXEC, 3);
	fclose(file);
	if (copy < 0)
		return -errno;
	close(*fd);
	*fd = copy;
	return 0;
}

static int open_file(struct trace_reader *r, const char *path, struct error *err)
{
	struct stat st;
	int code = 0;

	r->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (r->fd < 0 || fstat(r->fd, &st))
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s is a folder, not a trace", path);
	if (!S_ISREG(st.st_mode)) {
		code = spool(&r->fd, err);
		if (!code && fstat(r->fd, &st))
			code = -errno;
	}
	r->size = (u64)st.st_size;
	return code;
}

static int check_header(struct trace_reader *r, const char *path, struct error *err)
{
	u8 header[TRACE_HEADER_LEN];
	const size_t magic = strlen(TRACE_TEXT_MAGIC);
	ssize_t n = read_at(r->fd, header, sizeof(header), 0);

	if (n < 0)
		return error_set(err, (int)n, "cannot read %s: %s", path, strerror((int)-n));
	if (!n)
		return error_set(err, -EINVAL, "%s is empty: nothing was recorded into it", path);
	if (n >= (ssize_t)magic && !memcmp(header, TRACE_TEXT_MAGIC, magic)) {
		if (n > (ssize_t)magic && header[magic] != '\n' && header[magic] != '\r')
			return error_set(err, -EINVAL, "%s is text of another version than '%s': use the "
					 "corun that wrote it", path, TRACE_TEXT_MAGIC);
		r->text = true;
		return 0;
	}
	if (n < (ssize_t)sizeof(header) || memcmp(header, TRACE_MAGIC, TRACE_MAGIC_LEN))
		return error_set(err, -EINVAL, "%s is no corun trace", path);
	if ((header[8] | header[9] << 8) != TRACE_MAJOR)
		return error_set(err, -EINVAL, "%s has trace format version %d.%d; this corun reads "
				 "version %d: use the corun that recorded it", path,
				 header[8] | header[9] << 8, header[10] | header[11] << 8, TRACE_MAJOR);
	return 0;
}

int trace_reader_open(struct trace_reader **out, const char *path, struct error *err)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->fd = -1;
	code = open_file(r, path, err);
	if (!code)
		code = check_header(r, path, err);
	if (!code && r->text)
		code = memory_read_text(&r->memory, r->fd, path, err);
	else if (!code)
		code = scan(r);
	if (code) {
		if (err && !err->text[0])
			error_set(err, code, "cannot read %s: %s", path, strerror(-code));
		trace_reader_close(r);
		return code;
	}
	trace_reader_rewind(r);
	*out = r;
	return 0;
}

/* The next ordered record into r->pending. 1, 0 at the end, -errno. */
static int next_ordered(struct trace_reader *r)
{
	for (;;) {
		struct chunk_header header;
		bool known = false;
		ssize_t n;
		int err;

		while (r->left) {
			n = record_decode((const u8 *)r->raw.data + r->at, r->raw.len - r->at, &r->pending,
					  &r->last_ts, &known);
			if (n < 0) {
				r->status = TRACE_DAMAGED;
				r->left = 0;
				r->offset = r->limit;
				return 0;
			}
			r->at += (size_t)n;
			r->left--;
			if (known)
				return 1;
		}
		if (r->offset >= r->limit) {
			r->status = r->ended ? TRACE_WHOLE : r->found ? r->found : TRACE_CUT;
			return 0;
		}
		err = load_chunk(r, r->offset, &header);
		if (err == -EBADMSG || err == -ENODATA) {
			r->status = err == -EBADMSG ? TRACE_DAMAGED : TRACE_CUT;
			r->limit = r->offset;
			r->found = r->status;
			return 0;
		}
		if (err)
			return err;
		r->offset += CHUNK_HEADER_LEN + header.stored_len;
		r->at = 0;
		r->last_ts = header.first_ts;
		r->left = header.kind == CHUNK_ORDERED ? header.records : 0;
	}
}

int trace_reader_next(struct trace_reader *r, const struct record **rec, struct error *err)
{
	const struct record *memory = NULL;
	int code;

	if (r->next_memory < r->memory.n)
		memory = &r->memory.records[r->next_memory];
	if (!r->text && !r->has_pending) {
		code = next_ordered(r);
		if (code < 0)
			return error_set(err, code, "cannot read the trace: %s", strerror(-code));
		r->has_pending = code > 0;
	}
	if (memory && (!r->has_pending || memory->ts <= r->pending.ts)) {
		r->next_memory++;
		*rec = memory;
	} else if (r->has_pending) {
		r->has_pending = false;
		*rec = &r->pending;
	} else {
		return 0;
	}
	if ((*rec)->type == REC_END && !r->text) {
		r->ended = true;
		r->status = TRACE_WHOLE;
	}
	return 1;
}

int trace_reader_rewind(struct trace_reader *r)
{
	r->next_memory = 0;
	r->offset = TRACE_HEADER_LEN;
	r->left = 0;
	r->has_pending = r->ended = false;
	r->status = r->text ? r->memory.status : TRACE_CUT;
	return 0;
}

enum trace_status trace_reader_status(const struct trace_reader *r)
{
	return r->status;
}

const char *trace_reader_meta(const struct trace_reader *r, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < r->memory.n; i++) {
		const struct record *rec = &r->memory.records[i];

		if (rec->type == REC_META && !strcmp(rec->meta.key, key))
			value = rec->meta.value;
	}
	return value;
}

u64 trace_reader_size(const struct trace_reader *r)
{
	return r->size;
}

u64 trace_reader_offset(const struct trace_reader *r)
{
	return r->text ? r->size : r->offset;
}

void trace_reader_close(struct trace_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	memory_free(&r->memory);
	buf_free(&r->stored);
	buf_free(&r->raw);
	free(r);
}
