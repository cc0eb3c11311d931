/* SPDX-License-Identifier: MIT */
#include "record/gaps.h"

static bool tell(u16 cpu, u64 from_ns, u64 until_ns, u32 count, struct record *lost)
{
	if (!count)
		return false;
	*lost = (struct record){.ts = from_ns, .type = REC_LOST, .cpu = cpu};
	lost->lost.until_ns = until_ns;
	lost->lost.count = count;
	return true;
}

bool gaps_note(struct gaps *g, const struct ev_head *head, struct record *lost)
{
	bool sure = false;

	if ((s32)(head->seq - g->next) < 0) {
		if (g->missing)
			g->missing--;
	} else {
		sure = tell(head->cpu, g->from_ns, g->until_ns, g->missing, lost);
		g->missing = head->seq - g->next;
		/* Just after it: what the last good event said still holds at its own time. */
		g->from_ns = g->last_ts + 1;
		g->until_ns = head->ts;
		g->next = head->seq + 1;
	}
	if (head->ts > g->last_ts)
		g->last_ts = head->ts;
	return sure;
}

bool gaps_end(struct gaps *g, u16 cpu, struct record *lost)
{
	u32 missing = g->missing;

	g->missing = 0;
	return tell(cpu, g->from_ns, g->until_ns, missing, lost);
}

bool gaps_tail(const struct gaps *g, u16 cpu, u32 next, u64 ts, struct record *lost)
{
	return tell(cpu, g->last_ts + 1, ts, next - g->next, lost);
}

bool gaps_settle(struct gaps *g, u16 cpu, u32 next, u64 before_ns, u64 after_ns, struct record *lost)
{
	bool missing = gaps_tail(g, cpu, next, after_ns, lost);
	u64 known_ns = missing ? after_ns : before_ns;

	g->next = next;
	if (known_ns > g->last_ts)
		g->last_ts = known_ns;
	return missing;
}
