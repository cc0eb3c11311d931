/* SPDX-License-Identifier: MIT */
#include "export/idle.h"

#include <stdlib.h>
#include <string.h>

void idle_init(struct idle *idle, idle_emit emit, void *ctx, u64 begin)
{
	idle->emit = emit;
	idle->ctx = ctx;
	idle->begin = begin;
}

void idle_free(struct idle *idle)
{
	free(idle->cpu);
}

static struct idle_cpu *cpu_get(struct idle *idle, u32 cpu)
{
	if (cpu >= idle->n) {
		u32 n = cpu + 16;
		struct idle_cpu *bigger = realloc(idle->cpu, n * sizeof(*bigger));

		if (!bigger) {
			idle->failed = true;
			return NULL;
		}
		memset(bigger + idle->n, 0, (n - idle->n) * sizeof(*bigger));
		for (u32 i = idle->n; i < n; i++)
			bigger[i].since = idle->begin;
		idle->cpu = bigger;
		idle->n = n;
	}
	return &idle->cpu[cpu];
}

void idle_ran(struct idle *idle, s32 cpu, u64 start, u64 end)
{
	struct idle_cpu *c = idle->emit && cpu >= 0 ? cpu_get(idle, (u32)cpu) : NULL;

	if (!c)
		return;
	if (c->since < start && !c->lost)
		idle->emit(idle->ctx, (u32)cpu, c->since, start);
	*c = (struct idle_cpu){.seen = true, .since = end};
}

void idle_lost(struct idle *idle, u32 cpu)
{
	struct idle_cpu *c = idle->emit && cpu != CORUN_NO_CPU ? cpu_get(idle, cpu) : NULL;

	if (c)
		c->lost = true;
}

void idle_end(struct idle *idle, u64 ts)
{
	for (u32 i = 0; idle->emit && i < idle->n; i++)
		if (idle->cpu[i].seen && !idle->cpu[i].lost && idle->cpu[i].since < ts)
			idle->emit(idle->ctx, i, idle->cpu[i].since, ts);
}
