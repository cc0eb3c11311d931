/* SPDX-License-Identifier: MIT */
#include "metrics/live.h"

#include <stdlib.h>
#include <string.h>

struct live {
	struct report report;
	bool ended;
};

int live_new(struct live **out, struct error *err)
{
	struct live *l = calloc(1, sizeof(*l));
	int code = l ? model_new(&l->report.model, err) : -ENOMEM;

	if (!code) {
		l->report.exit_status = -1;
		code = meter_new(&l->report.meter, l->report.model, NULL);
	}
	if (!code)
		code = model_add_sink(l->report.model, meter_sink(), l->report.meter);
	if (code) {
		live_free(l);
		return error_set(err, code, "out of memory");
	}
	*out = l;
	return 0;
}

/* The report was seen: who ended in its interval need not be known any more. */
static int go_on(struct live *l)
{
	int code;

	if (!l->report.figures)
		return 0;
	l->report.figures = NULL;
	code = meter_resume(l->report.meter);
	model_forget(l->report.model);
	return code;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	meter_free(l->report.meter);
	model_free(l->report.model);
	free(l);
}

int live_push(struct live *l, const struct record *rec)
{
	int code = go_on(l);

	if (code || rec->type == REC_DESC || (rec->type == REC_THREAD && rec->thread.flags & THREAD_OUTSIDER))
		return code;
	if (rec->type == REC_META && !strcmp(rec->meta.key, "cpus"))
		l->report.cpus = (u32)strtoul(rec->meta.value, NULL, 10);
	l->ended |= rec->type == REC_WINDOW && !rec->window.begin;
	return model_push(l->report.model, rec);
}

u64 live_begin(const struct live *l)
{
	return model_window_begin(l->report.model);
}

bool live_ended(const struct live *l)
{
	return l->ended;
}

int live_cut(struct live *l, u64 ts, const struct report **report)
{
	struct report *r = &l->report;
	int code = go_on(l);

	*report = NULL;
	if (code)
		return code;
	model_advance(r->model, ts);
	code = meter_cut(r->meter, model_window_end(r->model));
	if (code || !meter_stretch(r->meter, 0)->times)
		return code;
	r->figures = meter_stretch(r->meter, 0);
	r->lost_events = meter_losses(r->meter)->events;
	report_find_usable(r);
	figures_sort_locks(r->figures);
	*report = r;
	return 0;
}
