/* SPDX-License-Identifier: MIT */
#include "serve.h"

#ifdef NO_MICROHTTPD

int server_start(struct server **server, u16 port, const struct serve_file *files, u32 n_files,
		 struct error *err)
{
	(void)server;
	(void)port;
	(void)files;
	(void)n_files;
	return error_set(err, -ENOSYS, "this corun was built without libmicrohttpd; use corun export -f html");
}

double server_idle(const struct server *server)
{
	(void)server;
	return -1;
}

void server_stop(struct server *server)
{
	(void)server;
}

#else

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct server {
	struct MHD_Daemon *daemon;
	const struct serve_file *files;
	u32 n_files;
	char host[2][32], origin[2][40]; /* what this machine is called */
	_Atomic u64 last_ns;             /* of the last request, 0: none yet */
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NSEC_PER_SEC + (u64)t.tv_nsec;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status)
{
	static char text[] = "refused\n";
	struct MHD_Response *response =
		MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(connection, status, response);

	MHD_destroy_response(response);
	return result;
}

static bool one_of(const char *value, const char *a, const char *b)
{
	return !strcmp(value, a) || !strcmp(value, b);
}

static enum MHD_Result send_file(struct server *s, struct MHD_Connection *connection,
				 const struct serve_file *file, bool perfetto)
{
	/* The response closes its descriptor; positions are its own (pread). */
	int fd = dup(file->fd);
	struct MHD_Response *response = fd < 0 ? NULL : MHD_create_response_from_fd64(file->size, fd);
	enum MHD_Result result;

	if (!response) {
		if (fd >= 0)
			close(fd);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (perfetto)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN,
					SERVE_ORIGIN);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	s->last_ns = now_ns();
	return result;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data, size_t *len,
			      void **state)
{
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
	const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
	struct server *s = ctx;

	(void)version;
	(void)data;
	(void)len;
	(void)state;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (!host || !one_of(host, s->host[0], s->host[1]))
		return refuse(connection, MHD_HTTP_FORBIDDEN);
	if (origin && strcmp(origin, SERVE_ORIGIN) && !one_of(origin, s->origin[0], s->origin[1]))
		return refuse(connection, MHD_HTTP_FORBIDDEN);
	for (u32 i = 0; i < s->n_files; i++)
		if (!strcmp(url, s->files[i].path))
			return send_file(s, connection, &s->files[i],
					 origin && !strcmp(origin, SERVE_ORIGIN));
	return refuse(connection, MHD_HTTP_NOT_FOUND);
}

int server_start(struct server **out, u16 port, const struct serve_file *files, u32 n_files,
		 struct error *err)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct server *s = calloc(1, sizeof(*s));
	int code;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->files = files;
	s->n_files = n_files;
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "localhost" : "127.0.0.1";

		snprintf(s->host[i], sizeof(s->host[i]), "%s:%u", name, port);
		snprintf(s->origin[i], sizeof(s->origin[i]), "http://%s:%u", name, port);
	}
	errno = 0;
	s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, answer, s,
				     MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
				     MHD_OPTION_CONNECTION_LIMIT, 32u, MHD_OPTION_END);
	if (!s->daemon) {
		code = errno ? -errno : -EIO;
		free(s);
		return error_set(err, code, code == -EADDRINUSE ?
			"port %u is in use; end what uses it, or choose another one with --port" :
			"cannot listen on 127.0.0.1:%u: %s", port, strerror(-code));
	}
	*out = s;
	return 0;
}

double server_idle(const struct server *s)
{
	return s->last_ns ? (double)(now_ns() - s->last_ns) / 1e9 : -1;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon);
	free(s);
}

#endif
