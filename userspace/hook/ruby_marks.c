/* SPDX-License-Identifier: MIT */
/*
 * ruby_marks.c - Ruby's fibers as tasks of corun.h, from the interpreter's own event at every switch of fibers.
 *
 * Only functions that Ruby exports to its extensions are used, declared here, so that no headers of Ruby are
 * needed to build corun; the layout of no object is relied on. What we keep of a fiber or thread hangs on it
 * under a name that the program cannot see, so that it is gone when that is, and never another's.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "corun.h"

typedef uintptr_t VALUE;
typedef uintptr_t ID;

/* rb_data_type_t */
struct data_type {
	const char *name;
	void (*mark)(void *), (*release)(void *);
	size_t (*size)(const void *);
	void *reserved[2], *parent, *data;
	VALUE flags;
};

extern VALUE rb_cObject;
extern void rb_add_event_hook(void (*call)(uint32_t, VALUE, VALUE, ID, VALUE), uint32_t events, VALUE data);
extern VALUE rb_const_get(VALUE module, ID name);
extern VALUE rb_data_typed_object_wrap(VALUE class, void *data, const struct data_type *type);
extern void *rb_check_typeddata(VALUE object, const struct data_type *type);
extern VALUE rb_errinfo(void);
extern void rb_set_errinfo(VALUE error);
extern VALUE rb_fiber_alive_p(VALUE fiber);
extern VALUE rb_fiber_current(void);
extern VALUE rb_funcallv(VALUE object, ID method, int argc, const VALUE *argv);
extern VALUE rb_funcallv_kw(VALUE object, ID method, int argc, const VALUE *argv, int keywords);
extern void rb_gc_mark(VALUE object);
extern void rb_gc_register_mark_object(VALUE object);
extern VALUE rb_hash_aset(VALUE hash, VALUE key, VALUE value);
extern VALUE rb_hash_lookup2(VALUE hash, VALUE key, VALUE absent);
extern VALUE rb_hash_new(void);
extern VALUE rb_id2sym(ID name);
extern ID rb_intern(const char *name);
extern VALUE rb_ivar_get(VALUE object, ID name);
extern VALUE rb_ivar_set(VALUE object, ID name, VALUE value);
extern VALUE rb_obj_class(VALUE object);
extern VALUE rb_obj_frozen_p(VALUE object);
extern VALUE rb_obj_method(VALUE object, VALUE name);
extern VALUE rb_protect(VALUE (*call)(VALUE), VALUE arg, int *state);
extern char *rb_string_value_cstr(volatile VALUE *text);
extern VALUE rb_thread_current(void);
extern VALUE rb_tracepoint_new(VALUE thread, uint32_t events, void (*call)(VALUE, void *), void *data);
extern void *rb_tracearg_from_tracepoint(VALUE tracepoint);
extern uint32_t rb_tracearg_event_flag(void *arg);
/* Ruby 3.1 and later; without it, what fibers wait for is not known. */
extern VALUE rb_fiber_scheduler_get(void) __attribute__((weak));

#define EVENT_CALL 0x0008
#define EVENT_RETURN 0x0010
#define EVENT_THREAD_BEGIN 0x0400
#define EVENT_FIBER_SWITCH 0x1000
#define NAME_MAX_BYTES 256

/* Of a fiber. */
struct fiber {
	corun_id task;    /* 0: what a thread begins in, which is no task but the thread */
	int generation;   /* of the ring: a forked child's fibers are others than its parent's */
	int depth;        /* of calls of its scheduler that are under way */
	const char *what; /* what the outermost of them waits for */
};

/* Of a thread. */
struct lane {
	VALUE now; /* the fiber that it is in */
	VALUE scheduler;
};

/* What a scheduler is asked for, and what a fiber waits for then. */
static const struct wait {
	const char *method, *what;
} waits[] = {
	{"kernel_sleep", "sleep"}, {"io_wait", "poll"}, {"io_read", "poll"}, {"io_write", "poll"},
	{"io_select", "poll"}, {"process_wait", "child"}, {"address_resolve", "network:resolver"}, {"block", "other:block"},
};

static ID hidden, bind_call, enable, target;
static VALUE nil, to_s, classes;

static void mark_lane(void *data)
{
	const struct lane *lane = data;

	rb_gc_mark(lane->now);
	rb_gc_mark(lane->scheduler);
}

static const struct data_type fiber_type = {.name = "corun_fiber", .release = free};
static const struct data_type lane_type = {.name = "corun_lane", .mark = mark_lane, .release = free};

/* What hangs on @object; NULL: nothing, or it is @make and cannot be had. */
static void *hung(VALUE object, const struct data_type *type, size_t make)
{
	VALUE kept = rb_ivar_get(object, hidden);
	void *data;

	if (kept != nil)
		return rb_check_typeddata(kept, type);
	if (!make || rb_obj_frozen_p(object))
		return NULL;
	data = calloc(1, make);
	if (data)
		rb_ivar_set(object, hidden, rb_data_typed_object_wrap(0, data, type));
	return data;
}

/* An error inside is none of the program's: $! stays what it was. */
static VALUE quietly(VALUE (*call)(VALUE), VALUE arg)
{
	VALUE before = rb_errinfo(), result;
	int state = 0;

	result = rb_protect(call, arg, &state);
	if (state)
		rb_set_errinfo(before);
	return state ? nil : result;
}

static VALUE text_of(VALUE fiber)
{
	return rb_funcallv(to_s, bind_call, 1, &fiber);
}

/* "#<Fiber:0x00007f0123456789 app.rb:12 (resumed)>": where its block is, of a block. */
static void place_of(VALUE fiber, char *place, size_t size)
{
	VALUE text = quietly(text_of, fiber);
	const char *from, *to;

	*place = 0;
	if (text == nil)
		return;
	from = strchr(rb_string_value_cstr(&text), ' ');
	to = from ? strrchr(from, '(') : NULL;
	if (to && to - from > 2 && memchr(from, ':', (size_t)(to - from)))
		snprintf(place, size, "%.*s", (int)(to - from - 2), from + 1);
}

static void begin(struct fiber *f, VALUE fiber, corun_id by)
{
	char place[NAME_MAX_BYTES], name[NAME_MAX_BYTES + 8];
	const char *texts[3] = {"ruby", name, place};
	const char *file;

	place_of(fiber, place, sizeof(place));
	file = strrchr(place, '/');
	snprintf(name, sizeof(name), "Fiber%s%s", *place ? " " : "", file ? file + 1 : place);
	f->task = __atomic_add_fetch(&corun_marks_.next_task, 1, __ATOMIC_RELAXED);
	f->generation = corun_marks_.generation;
	corun_put_(CORUN_OP_TASK_BEGIN, 0, f->task, by, texts, 3);
}

static void on_scheduler(VALUE tracepoint, void *data)
{
	const struct wait *wait = data;
	struct fiber *f = hung(rb_fiber_current(), &fiber_type, 0);

	if (!f)
		return;
	if (rb_tracearg_event_flag(rb_tracearg_from_tracepoint(tracepoint)) == EVENT_CALL) {
		if (!f->depth++)
			f->what = wait->what;
	} else if (f->depth) {
		f->depth--;
	}
}

struct watch {
	VALUE scheduler;
	const struct wait *wait;
};

static VALUE watch_method(VALUE arg)
{
	const struct watch *w = (const struct watch *)arg;
	VALUE method = rb_obj_method(w->scheduler, rb_id2sym(rb_intern(w->wait->method)));
	VALUE tracepoint = rb_tracepoint_new(0, EVENT_CALL | EVENT_RETURN, on_scheduler, (void *)w->wait);
	VALUE options = rb_hash_new();

	rb_hash_aset(options, rb_id2sym(target), method);
	rb_funcallv_kw(tracepoint, enable, 1, &options, 1);
	rb_gc_register_mark_object(tracepoint);
	return nil;
}

/* Calls of these methods alone are told, of a scheduler's class once; all others go on as they did. */
static void watch_scheduler(VALUE scheduler)
{
	VALUE class = rb_obj_class(scheduler);

	if (rb_hash_lookup2(classes, class, nil) != nil)
		return;
	rb_hash_aset(classes, class, class);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct watch w = {scheduler, &waits[i]};

		quietly(watch_method, (VALUE)&w);
	}
}

/* The fiber that this thread has left: over, or waiting. The task it was, or 0. */
static corun_id leave(const struct lane *lane)
{
	struct fiber *f = lane->now ? hung(lane->now, &fiber_type, 0) : NULL;

	if (!f || !f->task || f->generation != corun_marks_.generation)
		return 0;
	if (rb_fiber_alive_p(lane->now))
		corun_task_wait(f->task, f->depth ? f->what : "other", 0);
	else
		corun_task_end(f->task, CORUN_UNKNOWN);
	return f->task;
}

static void on_event(uint32_t event, VALUE data, VALUE self, ID method, VALUE class)
{
	VALUE now = rb_fiber_current(), scheduler;
	struct lane *lane = hung(rb_thread_current(), &lane_type, sizeof(*lane));
	struct fiber *f;
	corun_id by;

	(void)data, (void)self, (void)method, (void)class;
	if (!lane || !corun_recording())
		return;
	f = hung(now, &fiber_type, 0);
	if (event != EVENT_FIBER_SWITCH) {
		hung(now, &fiber_type, sizeof(*f));
		lane->now = now;
		return;
	}
	by = leave(lane);
	if (!f) {
		f = hung(now, &fiber_type, sizeof(*f));
		if (f)
			begin(f, now, by);
	} else if (f->task && f->generation != corun_marks_.generation) {
		begin(f, now, 0);
	}
	lane->now = now;
	if (f)
		corun_task_step(f->task);
	scheduler = rb_fiber_scheduler_get ? rb_fiber_scheduler_get() : nil;
	if (scheduler != nil && scheduler != lane->scheduler) {
		lane->scheduler = scheduler;
		watch_scheduler(scheduler);
	}
}

void Init_corun_fibers(void);
void Init_corun_fibers(void)
{
	VALUE name;

	if (!corun_recording())
		return;
	hidden = rb_intern("corun");
	bind_call = rb_intern("bind_call");
	enable = rb_intern("enable");
	target = rb_intern("target");
	nil = rb_ivar_get(rb_cObject, hidden);
	name = rb_id2sym(rb_intern("to_s"));
	to_s = rb_funcallv(rb_const_get(rb_cObject, rb_intern("Fiber")), rb_intern("instance_method"), 1, &name);
	rb_gc_register_mark_object(to_s);
	classes = rb_hash_new();
	rb_gc_register_mark_object(classes);
	rb_add_event_hook(on_event, EVENT_THREAD_BEGIN | EVENT_FIBER_SWITCH, nil);
	on_event(EVENT_THREAD_BEGIN, nil, nil, 0, nil);
}
