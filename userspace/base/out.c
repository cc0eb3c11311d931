/* SPDX-License-Identifier: MIT */
#include "base/out.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/gzip.h"
#include "base/owner.h"

#define OUT_BUFFER ((size_t)256 << 10)

struct out {
	int fd;
	char *path;        /* final name; NULL: standard output */
	char *part;        /* name while writing; NULL: the final name itself */
	struct gzip *gz;   /* compresses into fd, or NULL */
	char *data;
	size_t len;
	u64 bytes, file_bytes;
	int error;
};

static void out_free(struct out *out)
{
	if (out->fd >= 0)
		close(out->fd);
	free(out->path);
	free(out->part);
	free(out->data);
	free(out);
}

/* A new file beside the final name. O_EXCL: nobody can have planted it. */
static int open_part(struct out *out, mode_t mode)
{
	struct buf name = BUF_INIT;

	for (int attempt = 0; attempt < 100; attempt++) {
		buf_clear(&name);
		buf_printf(&name, "%s.%d-%d.part", out->path, (int)getpid(), attempt);
		if (name.failed)
			break;
		out->fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (out->fd >= 0) {
			out->part = name.data;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	{
		int code = name.failed ? -ENOMEM : -errno;

		buf_free(&name);
		return code;
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static int open_final(struct out *out, unsigned int flags)
{
	mode_t mode = flags & OUT_PRIVATE ? 0600 : 0666;
	struct stat st = {0};

	/*
	 * A device or a pipe (/dev/stdout, /dev/fd/63, /dev/null) is written as it is. Only root makes
	 * the links there; one elsewhere (/dev/shm too) may be planted and lead to a disk.
	 */
	bool follow = !strncmp(out->path, "/dev/fd/", 8) || !strncmp(out->path, "/proc/", 6) ||
		      (!strncmp(out->path, "/dev/", 5) && !strchr(out->path + 5, '/'));

	if (!(follow ? stat : lstat)(out->path, &st) && !S_ISREG(st.st_mode) &&
	    !S_ISLNK(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		out->fd = open(out->path, O_WRONLY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
		return out->fd < 0 ? -errno : 0;
	}
	if (!(flags & OUT_STREAM))
		return open_part(out, mode);
	out->fd = open(out->path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	return out->fd < 0 ? -errno : 0;
}

int out_open(struct out **result, const char *path, unsigned int flags, struct error *err)
{
	struct out *out = calloc(1, sizeof(*out));
	bool standard = !strcmp(path, "-");
	int code = 0;

	if (!out)
		return error_set(err, -ENOMEM, "out of memory");
	out->fd = -1;
	out->data = malloc(OUT_BUFFER);
	out->path = standard ? NULL : strdup(path);
	if (!out->data || (!standard && !out->path)) {
		out_free(out);
		return error_set(err, -ENOMEM, "out of memory");
	}
	if (standard) {
		out->fd = dup(STDOUT_FILENO);
		code = out->fd < 0 ? -errno : 0;
	} else {
		code = open_final(out, flags);
		if (!code)
			owner_give(out->fd);
	}
	if (!code && (flags & OUT_GZIP || (!standard && ends_with(path, ".gz"))))
		code = gzip_open(&out->gz, out->fd);
	if (code) {
		error_set(err, code, code == -ELOOP ?
			  "%s is a symbolic link, which is not followed; choose another name with -o" :
			  "cannot create %s: %s", path, strerror(-code));
		out_abort(out);
		return code;
	}
	*result = out;
	return 0;
}

static void put_now(struct out *out, const char *data, size_t len)
{
	if (out->error || !len)
		return;
	if (out->gz) {
		out->error = gzip_put(out->gz, data, len);
		return;
	}
	out->error = fd_write(out->fd, data, len);
	if (!out->error)
		out->file_bytes += len;
}

int out_flush(struct out *out)
{
	put_now(out, out->data, out->len);
	out->len = 0;
	return out->error;
}

void out_put(struct out *out, const void *data, size_t len)
{
	out->bytes += len;
	if (out->len + len > OUT_BUFFER)
		out_flush(out);
	if (len > OUT_BUFFER) {
		for (const char *p = data; len && !out->error;) {
			size_t n = len < OUT_BUFFER ? len : OUT_BUFFER;

			put_now(out, p, n);
			p += n;
			len -= n;
		}
		return;
	}
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

void out_puts(struct out *out, const char *text)
{
	out_put(out, text, strlen(text));
}

u64 out_bytes(const struct out *out)
{
	return out->bytes;
}

u64 out_file_bytes(const struct out *out)
{
	return out->file_bytes;
}

int out_error(const struct out *out)
{
	return out->error;
}

static int finish(struct out *out)
{
	struct stat st;

	out_flush(out);
	if (out->gz) {
		int code = gzip_close(out->gz);

		out->gz = NULL;
		if (!out->error)
			out->error = code;
	}
	if (!out->error && !fstat(out->fd, &st) && S_ISREG(st.st_mode))
		out->file_bytes = (u64)st.st_size;
	/* Some file systems tell of a full disk only here. */
	if (close(out->fd) && !out->error)
		out->error = -errno;
	out->fd = -1;
	return out->error;
}

int out_commit(struct out *out, struct error *err)
{
	int code = finish(out);

	if (!code && out->part && rename(out->part, out->path))
		code = -errno;
	if (code)
		error_set(err, code, "cannot write %s: %s", out->path ? out->path : "standard output",
			  strerror(-code));
	if (code && out->part)
		unlink(out->part);
	out_free(out);
	return code;
}

void out_abort(struct out *out)
{
	if (!out)
		return;
	gzip_drop(out->gz);
	if (out->part)
		unlink(out->part);
	out_free(out);
}
