/* SPDX-License-Identifier: MIT */
/*
 * error.h - what went wrong, in the user's words.
 *
 * Functions return 0 or -errno and never print. Where the number alone would leave the user
 * guessing they also fill a struct error, which the caller owns and may pass as NULL. Only cmd_*
 * prints it, once.
 */
#ifndef CORUN_BASE_ERROR_H
#define CORUN_BASE_ERROR_H

struct error {
	int code;       /* -errno, 0 if unset */
	char text[400]; /* one line without newline: what is wrong and what to do */
};

/* Fill @err (may be NULL) and return @code, so that callers can `return error_set(...)`. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text, or the plain words of @code when nothing more was said. Never NULL. */
const char *error_text(const struct error *err, int code);

#endif
