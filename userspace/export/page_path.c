/* SPDX-License-Identifier: MIT */
/* page_path.c - the critical path as the viewer reads it (viewer/PAGE.md). */
#include <stdlib.h>

#include "export/base64.h"
#include "export/page_data.h"

#define FLUSH_AT 32768

static u64 code_of(const struct path_segment *s)
{
	switch (s->state) {
	case STATE_RUNNING: return CODE_RUNNING;
	case STATE_READY: return CODE_WOKEN;
	case STATE_WAITING: return CODE_WAIT + (u64)s->kind;
	case STATE_STOPPED: return CODE_STOPPED;
	default: return CODE_UNKNOWN;
	}
}

int page_path(struct out *out, const struct path *path, struct error *err)
{
	struct base64 *base64 = malloc(sizeof(*base64));
	struct buf bytes = BUF_INIT;
	int code = base64 ? base64_begin(base64, out) : -ENOMEM;

	if (code) {
		free(base64);
		return error_set(err, code, "out of memory");
	}
	for (u32 i = 0; path && i < path->n_segments; i++) {
		const struct path_segment *s = &path->segments[i];

		buf_put_leb128(&bytes, s->end_ns - s->start_ns);
		buf_put_leb128(&bytes, s->thread == NO_THREAD ? 0 : (u64)s->thread + 1);
		buf_put_leb128(&bytes, code_of(s));
		if (bytes.len < FLUSH_AT)
			continue;
		base64_put(base64, bytes.data, bytes.len);
		buf_clear(&bytes);
	}
	if (bytes.len)
		base64_put(base64, bytes.data, bytes.len);
	base64_end(base64);
	code = bytes.failed ? error_set(err, -ENOMEM, "out of memory") : 0;
	buf_free(&bytes);
	free(base64);
	return code;
}
