/* SPDX-License-Identifier: MIT */
/* meter_cut.c - the window in intervals, one after the other, while it goes on. */
#include <stdlib.h>

#include "metrics/meter_parts.h"

/* Waits for locks that go on: by themselves they are told when they end. */
static void charge_lock_waits(struct meter *meter, const struct stretch *window, u64 ts)
{
	for (u32 i = 0; i < meter->n_alive; i++) {
		struct lock_wait wait;

		if (model_lock_wait(meter->model, meter->alive[i], &wait))
			meter_note(meter, lock_table_add(window->figures, &meter->gils, &wait,
							 window->since_ns, ts));
	}
}

int meter_cut(struct meter *meter, u64 ts)
{
	struct stretch *window = &meter->stretches[0];

	if (meter->open) {
		meter_advance(meter, ts);
		meter_refresh(meter);
		charge_lock_waits(meter, window, ts);
		stretch_close(meter, window, ts);
	}
	return meter_error(meter);
}

int meter_resume(struct meter *meter)
{
	struct stretch *window = &meter->stretches[0];
	u64 ts = window->figures->end_ns;

	figures_free(window->figures);
	*window = (struct stretch){.figures = calloc(1, sizeof(*window->figures)), .thread = NO_THREAD};
	if (!window->figures)
		return -ENOMEM;
	meter->losses = (struct loss_figures){0};
	meter->host.first = meter->host.last;
	meter->host.cgroup_first = meter->host.cgroup_last;
	meter_note(meter, gil_history_trim(&meter->gils, meter->model));
	if (meter->open)
		stretch_open(meter, window, ts);
	return meter_error(meter);
}
