/* SPDX-License-Identifier: MIT */
/*
 * step_wait.h - part of step.c: what a step leaves its task waiting for, and where. Python looks (awaited() of
 * corun_await.py) and teaches what it has found; the same wait is known here the next time. Only objects
 * of asyncio's own C code are touched: no code of the program's can be called.
 */
#ifndef CORUN_STEP_WAIT_H
#define CORUN_STEP_WAIT_H

#define KNOWN 8192 /* power of two; half of it is used */
#define CHAIN 32   /* coroutines that await one another */

struct place {
	uint64_t user, last, at_case, word; /* code objects' addresses; user 0: free */
};

static struct place places[KNOWN];
static struct { uint64_t code; int own; } codes[KNOWN]; /* code 0: free */
static size_t n_places, n_codes;
static PyObject *chain_types[4]; /* task, future, coroutine, generator */
static PyObject *wrapped;        /* futures that stand for jobs: a dictionary */
static PyObject *names[6];
enum name { CORO, WAITER, LASTI, CR_CODE, CR_AWAIT, CR_FRAME };

static size_t slot_of(uint64_t key)
{
	return (size_t)(key * 0x9e3779b97f4a7c15ull >> 40) & (KNOWN - 1);
}

static struct place *place_of(uint64_t user, uint64_t last, uint64_t at_case)
{
	size_t i = slot_of(user ^ last << 1 ^ at_case << 4);

	while (places[i].user && (places[i].user != user || places[i].last != last || places[i].at_case != at_case))
		i = (i + 1) & (KNOWN - 1);
	return &places[i];
}

static size_t code_slot(uint64_t code)
{
	size_t i = slot_of(code);

	while (codes[i].code && codes[i].code != code)
		i = (i + 1) & (KNOWN - 1);
	return i;
}

/* chain(task type, future type, coroutine type, generator type, wrapped): only waits of these are looked at. */
static PyObject *step_chain(PyObject *self, PyObject *args)
{
	static const char *const texts[] = {"_coro", "_fut_waiter", "f_lasti", "cr_code", "cr_await", "cr_frame"};

	(void)self;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		names[i] = PyUnicode_InternFromString(texts[i]);
	if (!PyArg_ParseTuple(args, "OOOOO", &chain_types[0], &chain_types[1], &chain_types[2],
			      &chain_types[3], &wrapped))
		return NULL;
	for (int i = 0; i < 4; i++)
		Py_IncRef(chain_types[i]);
	Py_IncRef(wrapped);
	return none();
}

/* code(code, own): it is asyncio's own, or not. The caller keeps it. */
static PyObject *step_code(PyObject *self, PyObject *args)
{
	PyObject *code;
	int own;

	(void)self;
	if (!PyArg_ParseTuple(args, "Oi", &code, &own))
		return NULL;
	if (n_codes < KNOWN / 2) {
		size_t i = code_slot((uint64_t)(uintptr_t)code);

		n_codes += !codes[i].code;
		codes[i].code = (uint64_t)(uintptr_t)code;
		codes[i].own = own;
	}
	return none();
}

/* place(user code's address, instruction, innermost code's address, case, word) */
static PyObject *step_place(PyObject *self, PyObject *args)
{
	unsigned long long user, at, last, kind, word;
	struct place *p;

	(void)self;
	if (!PyArg_ParseTuple(args, "KKKKK", &user, &at, &last, &kind, &word))
		return NULL;
	if (n_places < KNOWN / 2 && user) {
		p = place_of(user, last, at << 2 | kind);
		n_places += !p->user;
		*p = (struct place){user, last, at << 2 | kind, word};
	}
	return none();
}

/* An attribute that only C code computes; its reference is given back at once: its owner keeps it. NULL: none. */
static PyObject *borrow(PyObject *object, enum name name)
{
	PyObject *value = PyObject_GetAttr(object, names[name]);

	if (!value)
		PyErr_Clear();
	else
		Py_DecRef(value);
	return value;
}

/* As awaited() of corun_await.py, for coroutines and futures of asyncio's own C code. 0: Python must look. */
static int known_wait(PyObject *task, uint64_t *what, uint64_t *other)
{
	uint64_t user_code = 0, last = 0, kind = 0;
	PyObject *coro, *future, *user = NULL, *frame, *number;
	const struct task *awaited;
	const struct place *p;
	int user_own = 1;
	long at;

	if (!wrapped || task->type != chain_types[0] || PyDict_Size(wrapped))
		return 0;
	coro = borrow(task, CORO);
	for (int n = 0; coro && coro->type == chain_types[2]; n++) {
		size_t i;

		last = (uint64_t)(uintptr_t)borrow(coro, CR_CODE);
		i = code_slot(last);
		if (!codes[i].code || n == CHAIN)
			return 0;
		if (!codes[i].own || !user) {
			user = coro;
			user_code = last;
			user_own = codes[i].own;
		}
		coro = borrow(coro, CR_AWAIT);
	}
	if (coro && coro->type == chain_types[3])
		return 0;
	future = borrow(task, WAITER);
	if (!user || user_own || !future || future == &_Py_NoneStruct)
		return 0;
	awaited = find(future);
	if (awaited)
		kind = 1;
	else if (future->type != chain_types[1])
		return 0;
	frame = PyObject_GetAttr(user, names[CR_FRAME]);
	number = frame ? PyObject_GetAttr(frame, names[LASTI]) : NULL;
	at = number ? PyLong_AsLong(number) : -1;
	if (number)
		Py_DecRef(number);
	if (frame)
		Py_DecRef(frame);
	if (at < 0) {
		PyErr_Clear();
		return 0;
	}
	p = place_of(user_code, last, (uint64_t)at << 2 | kind);
	*what = p->word;
	*other = awaited ? awaited->number : 0;
	return p->user != 0;
}

#endif
