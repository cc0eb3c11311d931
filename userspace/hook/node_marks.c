/* SPDX-License-Identifier: MIT */
/*
 * node_marks.c - corun.h's tasks for Node, as an addon. Only functions of Node-API are used, whose ABI is
 * stable (node_api.h, version 1), declared here, so that no headers of Node are needed to build corun.
 *
 * A task is a small number to JavaScript: its place in a table.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "corun.h"

typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_callback_info_ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);

extern int napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data,
				napi_value *result);
extern int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
extern int napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
			    napi_value *self, void **data);
extern int napi_get_value_uint32(napi_env env, napi_value value, uint32_t *result);
extern int napi_get_value_string_utf8(napi_env env, napi_value value, char *text, size_t size, size_t *length);
extern int napi_create_uint32(napi_env env, uint32_t value, napi_value *result);
extern int napi_add_env_cleanup_hook(napi_env env, void (*call)(void *), void *data);

#define TEXT_MAX 256

/* Of one thread: a worker has tables of its own. */
static __thread corun_id *tasks;
static __thread uint32_t n_tasks, cap, *spare, n_spare;

static corun_id task_of(uint32_t number)
{
	return number && number <= n_tasks ? tasks[number - 1] : 0;
}

static uint32_t numbers(napi_env env, napi_callback_info info, uint32_t *to, size_t want, napi_value *values)
{
	size_t n = 4;

	if (napi_get_cb_info(env, info, &n, values, NULL, NULL))
		return 0;
	for (size_t i = 0; i < want; i++)
		if (i >= n || napi_get_value_uint32(env, values[i], &to[i]))
			to[i] = 0;
	return (uint32_t)n;
}

static uint32_t place(void)
{
	if (n_spare)
		return spare[--n_spare];
	if (n_tasks == cap) {
		uint32_t more = cap ? cap * 2 : 1024;
		corun_id *grown = realloc(tasks, more * sizeof(*tasks));
		uint32_t *free_ones;

		if (!grown)
			return 0;
		tasks = grown;
		free_ones = realloc(spare, more * sizeof(*spare));
		if (!free_ones)
			return 0;
		spare = free_ones;
		cap = more;
	}
	return ++n_tasks;
}

/* begin(parent, unused, kind, name) -> number */
static napi_value begin(napi_env env, napi_callback_info info)
{
	char kind[TEXT_MAX] = "", name[TEXT_MAX] = "";
	napi_value values[4], result = NULL;
	uint32_t parent[2], number = 0;
	size_t length;

	if (numbers(env, info, parent, 2, values) == 4 &&
	    !napi_get_value_string_utf8(env, values[2], kind, sizeof(kind), &length) &&
	    !napi_get_value_string_utf8(env, values[3], name, sizeof(name), &length))
		number = place();
	if (number)
		tasks[number - 1] = corun_task_begin(kind, name, task_of(parent[0]));
	napi_create_uint32(env, number, &result);
	return result;
}

static napi_value step(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	uint32_t number[1];

	if (numbers(env, info, number, 1, values))
		corun_task_step(task_of(number[0]));
	return NULL;
}

/* wait(task, awaited, what) */
static napi_value wait(napi_env env, napi_callback_info info)
{
	char what[TEXT_MAX] = "";
	napi_value values[4];
	uint32_t number[2];
	size_t length;

	if (numbers(env, info, number, 2, values) == 3 &&
	    !napi_get_value_string_utf8(env, values[2], what, sizeof(what), &length))
		corun_task_wait(task_of(number[0]), what, task_of(number[1]));
	return NULL;
}

static napi_value end(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	uint32_t number[1];

	if (!numbers(env, info, number, 1, values) || !task_of(number[0]))
		return NULL;
	corun_task_end(task_of(number[0]), CORUN_UNKNOWN);
	tasks[number[0] - 1] = 0;
	spare[n_spare++] = number[0];
	return NULL;
}

/* A thread's JavaScript is over, and with it what its tasks might still have done. */
static void over(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < n_tasks; i++)
		if (tasks[i])
			corun_task_end(tasks[i], CORUN_UNKNOWN);
	free(tasks);
	free(spare);
	tasks = NULL;
	spare = NULL;
	n_tasks = cap = n_spare = 0;
}

/* What a module of Node-API exports: called once for each thread that loads it. */
napi_value napi_register_module_v1(napi_env env, napi_value exports);
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	static const struct { const char *name; napi_callback call; } functions[] = {
		{"begin", begin}, {"step", step}, {"wait", wait}, {"end", end},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		napi_value function;

		if (napi_create_function(env, functions[i].name, (size_t)-1, functions[i].call, NULL, &function) ||
		    napi_set_named_property(env, exports, functions[i].name, function))
			return NULL;
	}
	napi_add_env_cleanup_hook(env, over, NULL);
	return exports;
}
