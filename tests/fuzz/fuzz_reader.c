/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a .corun file: the reader never crashes, and a second pass gives the same records.
 * Checksums would turn every mutation away, so they are set right first: what is fuzzed is what
 * lies behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/format.h"
#include "trace/text.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The input is one payload: a kind, then records. Put it into a sound chunk of a sound file. */
static void put_framed(struct buf *file, const u8 *data, size_t size)
{
	u8 head[TRACE_HEADER_LEN] = TRACE_MAGIC, bytes[CHUNK_HEADER_LEN];
	struct chunk_header header = {.kind = data[0] & 1 ? CHUNK_LATE : CHUNK_ORDERED,
				      .raw_len = (u32)size - 1, .records = data[0] >> 1};
	uLongf len = compressBound(size - 1);
	u8 *stored = malloc(len);

	head[8] = TRACE_MAJOR;
	if (!stored || compress2(stored, &len, data + 1, size - 1, 1) != Z_OK)
		abort();
	header.stored_len = (u32)len;
	header.crc = chunk_crc(&header, stored);
	chunk_header_encode(&header, bytes);
	buf_put(file, head, sizeof(head));
	buf_put(file, bytes, sizeof(bytes));
	buf_put(file, stored, len);
	free(stored);
}

static u64 read_all(struct trace_reader *reader, struct buf *line)
{
	const struct record *rec;
	u64 n = 0;

	while (trace_reader_next(reader, &rec, NULL) > 0) {
		buf_clear(line);
		text_print(line, rec);
		n++;
	}
	return n;
}

static void read_file(const void *data, size_t size)
{
	struct trace_reader *reader;
	struct buf line = BUF_INIT;
	char path[40];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!trace_reader_open(&reader, path, NULL)) {
		u64 first = read_all(reader, &line);
		enum trace_status status = trace_reader_status(reader);

		if (trace_reader_rewind(reader) || read_all(reader, &line) != first ||
		    trace_reader_status(reader) != status)
			abort();
		trace_reader_close(reader);
	}
	buf_free(&line);
	close(fd);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct buf file = BUF_INIT;

	read_file(data, size);
	if (size < 2)
		return 0;
	put_framed(&file, data, size);
	read_file(file.data, file.len);
	buf_free(&file);
	return 0;
}
