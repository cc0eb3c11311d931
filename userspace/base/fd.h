/* SPDX-License-Identifier: MIT */
/* fd.h - what read(2) and write(2) leave to their callers. */
#ifndef CORUN_BASE_FD_H
#define CORUN_BASE_FD_H

#include "base/types.h"

/* All @len bytes, over interruptions and short writes. 0 or -errno. */
int fd_write(int fd, const void *data, size_t len);

#endif
