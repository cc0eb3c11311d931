/* SPDX-License-Identifier: MIT */
/*
 * step.c - the hot part of the asyncio hook as an extension module: a step of a task costs two calls of
 * it. Without it (another C library, a free-threaded or newer Python) corun_asyncio.py does the same
 * in Python, at three times the price.
 *
 * One file for CPython 3.8 to 3.15: only functions of the stable ABI are used ("abi3", PEP 384), declared
 * here, so that no Python headers are needed to build corun. All calls are made under the GIL.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t Py_ssize_t;
typedef struct PyObject { Py_ssize_t refcount; struct PyObject *type; } PyObject;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct { const char *name; PyCFunction call; int flags; const char *doc; } PyMethodDef;
typedef struct {
	PyObject base;
	PyObject *(*init)(void);
	Py_ssize_t index;
	PyObject *copy;
	const char *name, *doc;
	Py_ssize_t size;
	PyMethodDef *methods;
	void *slots, *traverse, *clear, *free;
} PyModuleDef;

enum { METH_VARARGS = 1, METH_NOARGS = 4, METH_O = 8, ABI3 = 3 };

extern PyObject *PyModule_Create2(PyModuleDef *def, int api);
extern int PyArg_ParseTuple(PyObject *args, const char *format, ...);
extern PyObject *PyLong_FromUnsignedLongLong(unsigned long long value);
extern PyObject *PyBool_FromLong(long value);
extern double PyFloat_AsDouble(PyObject *number);
extern int PyObject_IsInstance(PyObject *object, PyObject *types);
extern void PyErr_Clear(void);
extern void Py_IncRef(PyObject *object);
extern void Py_DecRef(PyObject *object);
extern PyObject *PyObject_GetAttr(PyObject *object, PyObject *name);
extern PyObject *PyUnicode_InternFromString(const char *text);
extern Py_ssize_t PyDict_Size(PyObject *dict);
extern long PyLong_AsLong(PyObject *number);
extern PyObject _Py_NoneStruct;

/* MARKS.md */
#define HEAD_BYTES 4096
#define CLOSED_AT 32
#define CELLS_AT 64
#define CELLS 126
#define RUN (20ull << 32)
#define WAITS (3ull << 40)
#define READY (4ull << 40)
/* Between two steps: longer, and the loop has waited for events, or may have. */
#define PAUSE_NS 50000

struct task {
	const PyObject *object; /* its address alone; NULL: free */
	uint64_t number, ready, begin, end, was_ready;
	int in_step, first;
};

static struct task *table;
static size_t cap, used;
static uint64_t *slots, *cells, mask, next_index;
static const volatile uint32_t *closed; /* the recorder reads no more */
static PyObject *types;
static int generation = 1, n_cells;
static __thread int seen;
static __thread uint32_t tid;
static __thread uint64_t *cell;
static __thread uint64_t running;              /* the task of the step under way, 0: none */
static __thread uint64_t due;                  /* of the timer whose callback is being called; 0: none is */
static __thread uint64_t busy_from, busy_until; /* steps one after the other, the loop never at rest between */

static PyObject *none(void)
{
	Py_IncRef(&_Py_NoneStruct);
	return &_Py_NoneStruct;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- address -> task, open addressing ---- */

static size_t home(const PyObject *object)
{
	return (size_t)(((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
}

static struct task *find(const PyObject *object)
{
	size_t i;

	if (!used)
		return NULL;
	for (i = home(object); table[i].object; i = (i + 1) & (cap - 1))
		if (table[i].object == object)
			return &table[i];
	return NULL;
}

static struct task *insert(const PyObject *object)
{
	size_t i = home(object);

	while (table[i].object)
		i = (i + 1) & (cap - 1);
	table[i] = (struct task){.object = object};
	used++;
	return &table[i];
}

static int grow(void)
{
	struct task *old = table;
	size_t n = cap;

	table = calloc(n ? n * 2 : 1024, sizeof(*table));
	if (!table) {
		table = old;
		return -1;
	}
	cap = n ? n * 2 : 1024;
	used = 0;
	for (size_t i = 0; i < n; i++)
		if (old[i].object)
			*insert(old[i].object) = old[i];
	free(old);
	return 0;
}

/* Take out without leaving a hole in a chain (Knuth, 6.4, algorithm R). */
static void take_out(struct task *t)
{
	size_t hole = (size_t)(t - table), i = hole;

	for (;;) {
		i = (i + 1) & (cap - 1);
		if (!table[i].object)
			break;
		if (((i - home(table[i].object)) & (cap - 1)) >= ((i - hole) & (cap - 1))) {
			table[hole] = table[i];
			hole = i;
		}
	}
	table[hole].object = NULL;
	used--;
}

/* ---- the ring ---- */

static void here(void)
{
	if (seen == generation)
		return;
	seen = generation;
	tid = (uint32_t)syscall(SYS_gettid);
	cell = cells + (n_cells++ % CELLS) * 4;
	cell[2] = tid;
}

static void put(const struct task *t, uint64_t outcome, uint64_t what, uint64_t other)
{
	uint64_t *slot = slots + (next_index & mask) * 8;

	slot[0] = t->begin;
	slot[1] = t->number;
	slot[2] = other;
	slot[3] = tid | RUN | outcome;
	slot[4] = what;
	slot[5] = t->end;
	slot[6] = t->was_ready;
	__atomic_store_n(&slot[7], ++next_index, __ATOMIC_RELEASE);
}

#include "step_wait.h"

/* ---- what Python calls ---- */

/* types(tuple): what is a task; kept. */
static PyObject *step_types(PyObject *self, PyObject *kinds)
{
	(void)self;
	Py_IncRef(kinds);
	types = kinds;
	return none();
}

/* open(path, slots_at, n_slots, first_index) -> True if it is mapped. */
static PyObject *step_open(PyObject *self, PyObject *args)
{
	unsigned long long at, n, first;
	const char *path;
	char *map;
	int fd;

	(void)self;
	if (!PyArg_ParseTuple(args, "yKKK", &path, &at, &n, &first))
		return NULL;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	map = fd < 0 ? MAP_FAILED : mmap(NULL, at + n * 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED || (!cap && grow()))
		return PyBool_FromLong(0);
	cells = (uint64_t *)(map + CELLS_AT);
	closed = (const volatile uint32_t *)(map + CLOSED_AT);
	slots = (uint64_t *)(map + at);
	/* What was known is said in words of the ring before. */
	memset(places, 0, sizeof(places));
	n_places = 0;
	mask = n - 1;
	next_index = first;
	return PyBool_FromLong(1);
}

/* A forked child: nothing of its parent's is its own. */
static PyObject *step_reset(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	if (cap)
		memset(table, 0, cap * sizeof(*table));
	used = 0;
	slots = NULL;
	running = 0;
	generation++;
	n_cells = 0;
	return none();
}

/* The index of a slot that Python writes. */
static PyObject *step_index(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromUnsignedLongLong(next_index++);
}

/* add(task, number): it is known from now on, and ready. */
static PyObject *step_add(PyObject *self, PyObject *args)
{
	unsigned long long number;
	PyObject *object;
	struct task *t;

	(void)self;
	if (!PyArg_ParseTuple(args, "OK", &object, &number))
		return NULL;
	if (used * 2 >= cap && grow())
		return none();
	t = find(object);
	if (!t)
		t = insert(object);
	*t = (struct task){.object = object, .number = number, .ready = now(), .first = 1};
	return none();
}

/* drop(address): the task at it is gone. */
static PyObject *step_drop(PyObject *self, PyObject *args)
{
	unsigned long long address;
	struct task *t;

	(void)self;
	if (!PyArg_ParseTuple(args, "K", &address))
		return NULL;
	t = find((const PyObject *)(uintptr_t)address);
	if (t)
		take_out(t);
	return none();
}

/*
 * due(when): the callback of a timer, due at that time of the loop, is about to be called; due(0.0): it was.
 * asyncio sees only now that it ran out, but if the loop was at others' steps then, the task was kept waiting
 * by those, and was ready all the while.
 */
static PyObject *step_due(PyObject *self, PyObject *when)
{
	double s = PyFloat_AsDouble(when);

	(void)self;
	due = s > 0 && s < 1e9 ? (uint64_t)(s * 1e9) : 0;
	if (s == -1)
		PyErr_Clear();
	return none();
}

static uint64_t ready_at(const struct task *t)
{
	return due > t->end && due >= busy_from && due <= busy_until ? due : now();
}

/* soon(object) -> True: it is a task that is not known. */
static PyObject *step_soon(PyObject *self, PyObject *object)
{
	struct task *t;
	int is;

	(void)self;
	if (object == &_Py_NoneStruct)
		return none();
	t = find(object);
	if (t) {
		/* Its own step is under way: ready when that ends. */
		t->ready = t->in_step ? 1 : ready_at(t);
		return none();
	}
	is = types ? PyObject_IsInstance(object, types) : 0;
	if (is < 0)
		PyErr_Clear();
	return is > 0 ? PyBool_FromLong(1) : none();
}

/* begin(object) -> None: no task; True: its first step, or nobody records any more; False: another one. */
static PyObject *step_begin(PyObject *self, PyObject *object)
{
	struct task *t = find(object);
	int first;

	(void)self;
	if (!t || !slots)
		return none();
	if (*closed)
		return PyBool_FromLong(1);
	here();
	first = t->first;
	t->first = 0;
	t->in_step = 1;
	t->was_ready = t->ready;
	t->ready = 0;
	running = t->number;
	cell[0] = t->number;
	cell[1] = t->begin = now();
	if (t->begin > busy_until + PAUSE_NS)
		busy_from = t->begin;
	return PyBool_FromLong(first);
}

/* end(object) -> True: it is not ready again; say why with over() or waits(). */
static PyObject *step_end(PyObject *self, PyObject *object)
{
	struct task *t = find(object);
	uint64_t what, other;

	(void)self;
	running = 0;
	if (!t || !t->in_step || !slots)
		return none();
	t->in_step = 0;
	t->end = busy_until = now();
	if (!t->ready) {
		if (!known_wait(object, &what, &other))
			return PyBool_FromLong(1);
		put(t, WAITS, what, other);
		return none();
	}
	put(t, READY, 0, 0);
	return none();
}

/* waits(task, what, other) */
static PyObject *step_waits(PyObject *self, PyObject *args)
{
	unsigned long long what, other;
	PyObject *object;
	struct task *t;

	(void)self;
	if (!PyArg_ParseTuple(args, "OKK", &object, &what, &other))
		return NULL;
	t = find(object);
	if (t && slots)
		put(t, WAITS, what, other);
	return none();
}

/* over(task, outcome): it has ended, and is not known any more. */
static PyObject *step_over(PyObject *self, PyObject *args)
{
	unsigned long long outcome;
	PyObject *object;
	struct task *t;

	(void)self;
	if (!PyArg_ParseTuple(args, "OK", &object, &outcome))
		return NULL;
	t = find(object);
	if (t && slots) {
		put(t, outcome << 40, 0, 0);
		take_out(t);
	}
	return none();
}

/* eager(task, begin) -> True as end(): a first step that ran inside create_task(). */
static PyObject *step_eager(PyObject *self, PyObject *args)
{
	unsigned long long begin;
	PyObject *object;
	struct task *t;

	(void)self;
	if (!PyArg_ParseTuple(args, "OK", &object, &begin))
		return NULL;
	t = find(object);
	if (!t || !slots)
		return none();
	here();
	t->begin = begin;
	t->end = t->ready ? t->ready : now();
	t->was_ready = t->first = 0;
	if (!t->ready)
		return PyBool_FromLong(1);
	put(t, READY, 0, 0);
	return none();
}

/* unready(task): it was met after its eager step, not by a call_soon(). */
static PyObject *step_unready(PyObject *self, PyObject *object)
{
	struct task *t = find(object);

	(void)self;
	if (t)
		t->ready = 0;
	return none();
}

/* The task of the step under way, 0: none. */
static PyObject *step_current(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyLong_FromUnsignedLongLong(running);
}

static PyMethodDef methods[] = {
	{"types", step_types, METH_O, NULL},        {"open", step_open, METH_VARARGS, NULL},
	{"reset", step_reset, METH_NOARGS, NULL},
	{"index", step_index, METH_NOARGS, NULL},   {"add", step_add, METH_VARARGS, NULL},
	{"drop", step_drop, METH_VARARGS, NULL},    {"soon", step_soon, METH_O, NULL},
	{"begin", step_begin, METH_O, NULL},        {"end", step_end, METH_O, NULL},
	{"waits", step_waits, METH_VARARGS, NULL},  {"over", step_over, METH_VARARGS, NULL},
	{"eager", step_eager, METH_VARARGS, NULL},  {"unready", step_unready, METH_O, NULL},
	{"current", step_current, METH_NOARGS, NULL}, {"due", step_due, METH_O, NULL},
	{"chain", step_chain, METH_VARARGS, NULL},  {"code", step_code, METH_VARARGS, NULL},
	{"place", step_place, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyModuleDef module = {.base = {.refcount = 1}, .name = "corun_step", .size = -1, .methods = methods};

PyObject *PyInit_corun_step(void);
PyObject *PyInit_corun_step(void)
{
	return PyModule_Create2(&module, ABI3);
}
