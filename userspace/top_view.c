/* SPDX-License-Identifier: MIT */
/* top_view.c - what is shown of an interval, and how the keys change it. */
#include <stdio.h>

#include "screen.h"
#include "top.h"

/* Nobody reads any more: main() says so. */
static void put_out(struct top *t)
{
	fwrite(t->page.text.data, 1, t->page.text.len, stdout);
	t->quit |= fflush(stdout) || ferror(stdout);
}

void top_draw(struct top *t)
{
	if (!t->batch)
		screen_size(&t->look.columns, &t->look.rows);
	frame_text(t->seen ? &t->frame : NULL, &t->look, &t->page);
	if (t->page.text.failed)
		return;
	if (!t->batch) {
		screen_draw(&t->page);
		return;
	}
	if (t->shown > 1)
		putchar('\n');
	put_out(t);
}

int top_show(struct top *t, const struct report *report)
{
	int code;

	t->shown++;
	t->quit |= t->count && t->shown >= t->count;
	if (t->json) {
		buf_clear(&t->page.text);
		report_interval_json(report, &t->page.text);
		if (t->page.text.failed)
			return -ENOMEM;
		put_out(t);
		return 0;
	}
	if (t->look.paused)
		return 0;
	code = frame_take(&t->frame, report);
	if (code)
		return code;
	t->seen = true;
	frame_sort(&t->frame, t->look.sort);
	top_draw(t);
	return 0;
}

/* ---- keys ---- */

static void change_delay(struct top *t, bool longer)
{
	static const u64 steps[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};
	u64 now = t->look.delay_ns, next = now;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		u64 step = steps[i] * NSEC_PER_MSEC;

		if (longer && step > now) {
			next = step;
			break;
		}
		if (!longer && step < now)
			next = step;
	}
	if (t->next_ns && next < now)
		t->next_ns -= now - next;
	else if (t->next_ns)
		t->next_ns += next - now;
	t->look.delay_ns = next;
	t->take_ns = 0;
}

static void scroll(struct top *t, int by)
{
	u32 n = t->look.threads ? t->frame.n_threads : t->frame.n_processes;

	if (by < 0)
		t->look.skip -= t->look.skip < (u32)-by ? t->look.skip : (u32)-by;
	else
		t->look.skip += (u32)by;
	if (t->look.skip >= n)
		t->look.skip = n ? n - 1 : 0;
}

static void press(struct top *t, int key)
{
	int page = t->look.rows > 14 ? t->look.rows - 12 : 2;

	switch (key) {
	case 'q':
		t->quit = true;
		break;
	case 'H':
		t->look.threads = !t->look.threads;
		t->look.skip = 0;
		break;
	case 's':
		t->look.sort = (t->look.sort + 1) % FRAME_SORTS;
		if (t->seen)
			frame_sort(&t->frame, t->look.sort);
		break;
	case 'p':
		t->look.paused = !t->look.paused;
		break;
	case 'l':
		t->look.locks = !t->look.locks;
		break;
	case '?':
	case 'h':
		t->look.help = !t->look.help;
		break;
	case '+':
	case '-':
		change_delay(t, key == '+');
		break;
	case SCREEN_UP:
	case SCREEN_DOWN:
		scroll(t, key == SCREEN_UP ? -1 : 1);
		break;
	case SCREEN_PAGE_UP:
	case SCREEN_PAGE_DOWN:
		scroll(t, key == SCREEN_PAGE_UP ? -page : page);
		break;
	case SCREEN_HOME:
		t->look.skip = 0;
		break;
	default: /* resized, or nothing that is known */
		break;
	}
}

void top_keys(struct top *t)
{
	bool any = false;

	for (int key; !t->quit && (key = screen_key()) != SCREEN_NONE; any = true)
		press(t, key);
	if (any && !t->quit)
		top_draw(t);
}
