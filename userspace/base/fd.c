/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

int fd_write(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}
