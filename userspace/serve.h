/* SPDX-License-Identifier: MIT */
/*
 * serve.h - a few files over HTTP to the browser of this machine, and to nobody else.
 *
 * Bound to 127.0.0.1. A request must name this machine as its Host (a name of somebody's own that leads
 * here, "DNS rebinding", is refused), and come from nowhere, from here, or from the Perfetto UI (its
 * Origin), which alone is allowed to read the answer. Nothing but the given files is served.
 */
#ifndef CORUN_SERVE_H
#define CORUN_SERVE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/types.h"

#define SERVE_ORIGIN "https://ui.perfetto.dev"

struct serve_file {
	const char *path; /* "/" or "/threads.pftrace" */
	const char *type; /* "text/html; charset=utf-8" */
	int fd;           /* readable and seekable; borrowed */
	u64 size;
};

struct server;

/* -EADDRINUSE, -ENOSYS (built without libmicrohttpd) ... with @err. @files must outlive the server. */
int server_start(struct server **server, u16 port, const struct serve_file *files, u32 n_files,
		 struct error *err);
/* Seconds since the last request, or -1 when there was none yet. */
double server_idle(const struct server *server);
void server_stop(struct server *server); /* NULL is fine */

#endif
