// SPDX-License-Identifier: MIT
// What is selected, always in this order: what and how long; at; of that blocked, ready, ran; released by; ran after;
// where; who held it meanwhile; who woke whom.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const CHAIN = 6;

/* The whole of what was selected: of a wait for a lock that took several turns, all of it. */
corun.wholeOf = function ({ trace, thread, i }) {
	const s = trace.columns(thread), start = s.startOf(i), wait = trace.waitAt(thread, start, s.code[i]);

	return wait ? { start: wait.start, end: wait.start + wait.length, wait } :
		{ start, end: s.end[i], wait: s.code[i] >= corun.WAIT ? trace.lockWait(thread, start, s.end[i]) : null };
};

/* Who held lock @kind of @thread's process in [from, to): [{thread, start, end}], from the lane that has a holder. */
corun.heldIn = function (trace, thread, kind, from, to) {
	const tgid = trace.process_names[trace.names[thread]?.process]?.tgid, held = [];
	const id = (trace.lanes ?? []).findIndex((lane, k) => lane.kind === kind && lane.tgid === tgid && trace.held[k]);
	const pieces = trace.held[id];

	for (let i = pieces?.at(from) ?? 0; i < (pieces?.n ?? 0) && pieces.startOf(i) < to; i++)
		if (pieces.a[i])
			held.push({ thread: pieces.a[i] - 1, start: Math.max(pieces.startOf(i), from), end: Math.min(pieces.end[i], to) });
	return held;
};

/* Who woke @thread at @t, what that one had waited for before, who woke it, and so on: [{thread, at, waker}]. */
corun.wakerChain = function (trace, thread, t) {
	const chain = [];

	for (let who = thread, at = t; chain.length < CHAIN;) {
		const s = trace.spans_of.get(who);
		let i = Math.min(s?.at(at - 1) ?? 0, (s?.n ?? 0) - 1);

		/* Back to the last wait that somebody ended. */
		while (i >= 0 && !(s.code[i] >= corun.WAIT && s.c[i] && s.end[i] <= at))
			i--;
		if (i < 0)
			break;
		const wait = trace.waitAt(who, s.startOf(i), s.code[i]);

		chain.push({ thread: who, waker: s.c[i] - 1, at: s.end[i], code: s.code[i], length: wait?.length ?? s.end[i] - s.startOf(i) });
		who = s.c[i] - 1;
		at = s.end[i];
	}
	return chain;
};

Object.assign(corun.Panel.prototype, {
	person(trace, plus) {
		return plus ? `${trace.name(plus - 1)} (${trace.names[plus - 1].tid})` : "";
	},
	selection(selected) {
		const { trace, thread, i } = selected, w = this.page.words, e = corun.element, s = trace.columns(thread), code = s.code[i];
		const heading = code === corun.RUNNING ? w.selectedRun : code >= corun.WAIT ? w.selectedWait : w.selectedState;
		const { start, end } = corun.wholeOf(selected), rows = [this.row(w.at, `${corun.instant(start)}, ${w.until(corun.instant(end))}`)];
		const title = this.titleOf(selected, corun.duration(end - start));

		if (code >= corun.WAIT)
			rows.push(...this.waitRows(selected));
		else
			rows.push(...this.stateRows(selected));
		if (thread < 0)
			rows.push(...this.taskRows(trace, thread));
		const text = [title, ...rows.filter(Boolean).map((row) => [...row.children].map((c) => c.textContent).join(": ")),
			`${Math.round(start)} ns – ${Math.round(end)} ns, ${Math.round(end - start)} ns`].join("\n");

		return e("section.selection", { title: `${Math.round(end - start)} ns` }, e("h3", {}, heading, e("span", {},
			e("button.plain", { onclick: () => this.page.copy(text) }, w.copy),
			e("button.plain", { onclick: () => this.page.select(null) }, w.esc))), e("h2", {}, title), ...rows.filter(Boolean),
		this.holders(selected), this.chain(selected));
	},
	/* A sentence, not a type's name. */
	titleOf({ trace, thread, i }, d) {
		const w = this.page.words, s = trace.columns(thread), code = s.code[i], who = trace.name(thread);

		if (code === corun.RUNNING)
			return w.ran(who, d);
		if (code === corun.PREEMPTED && thread >= 0)
			return `${who}: ${w.preempted(this.person(trace, s.a[i]))}, ${d}`;
		if (code <= corun.PREEMPTED)
			return w.wasReady(who, d);
		return code < corun.WAIT ? w.was(who, this.page.painters.get(trace).label(code), d) :
			w.waited(who, d, trace.kinds[code - corun.WAIT]);
	},
	stateRows({ trace, thread, i }) {
		const w = this.page.words, s = trace.columns(thread), code = s.code[i], task = thread < 0;

		if (code === corun.RUNNING)
			return [task ? this.row(w.thread, this.person(trace, s.a[i])) : this.row(w.onCpu, s.a[i] ? String(s.a[i] - 1) : w.notKnown)];
		return code === corun.WOKEN ? [this.row(task ? w.thread : w.wokenBy, this.person(trace, s.a[i]) || (task ? "" : w.notKnown))] : [];
	},
	waitRows(selected) {
		const { trace, thread, i } = selected, w = this.page.words, s = trace.columns(thread), task = thread < 0;
		const { start, end, wait } = corun.wholeOf(selected), lock = ["gil", "lock"].includes(trace.kinds[s.code[i] - corun.WAIT].role);
		const [what, site] = (trace.objects[s.a[i] - 1] ?? "").split("\n");

		if (task)
			return [this.row(w.awaits, s.b[i] ? trace.name(~(s.b[i] - 1)) : ""), this.row(w.on, what), this.row(w.call, site)];
		const parts = { blocked: 0, ready: 0, ran: 0 };

		for (let k = s.at(start); k < s.n && s.startOf(k) < end; k++)
			parts[s.code[k] === corun.RUNNING ? "ran" : s.code[k] <= corun.PREEMPTED ? "ready" : "blocked"] += Math.min(s.end[k], end) -
				Math.max(s.startOf(k), start);
		const after = s.at(end), runs = after < s.n && s.code[after] === corun.WOKEN ? after + 1 : after;
		const releaser = wait?.releaser || s.c[Math.max(s.at(end) - 1, 0)] || s.c[i];

		return [
			this.row(w.of, parts.ready || parts.ran ? [w.blocked(corun.duration(parts.blocked)), parts.ready ? w.readyFor(corun.duration(parts.ready)) :
				null, parts.ran ? w.ranFor(corun.duration(parts.ran)) : null].filter(Boolean).join(", ") : ""),
			lock && !wait?.releaser ? this.row(w.heldBy, this.person(trace, s.b[i]) || w.notKnown) : null,
			this.row(lock ? w.releasedBy : w.wokenBy, releaser ? w.atTime(this.person(trace, releaser), corun.instant(end)) : w.notKnown),
			this.row(w.ranAfter, runs < s.n && s.code[runs] === corun.RUNNING ?
				w.onCpuAfter(corun.duration(s.startOf(runs) - end), s.a[runs] ? s.a[runs] - 1 : null) : ""),
			this.row(w.on, what), this.row(w.call, site),
			wait?.turns > 1 ? this.row(w.asked, w.turns(wait.turns, corun.duration(wait.length / wait.turns))) : null];
	},
	taskRows(trace, thread) {
		const w = this.page.words, task = trace.task_by.get(~thread);

		return [this.row(w.task, [task.kind, task.site].filter(Boolean).join(", ")),
			this.row(w.createdBy, task.creator ? trace.name(~(task.creator - 1)) : ""), this.row(w.outcome, task.outcome)];
	},
	/* The bar of holders: its pieces and the gaps between add up to the wait. */
	holders(selected) {
		const { trace, thread, i } = selected, w = this.page.words, e = corun.element, s = trace.columns(thread), kind = s.code[i] - corun.WAIT;

		if (thread < 0 || !["gil", "lock"].includes(trace.kinds[kind]?.role))
			return null;
		const { start, end } = corun.wholeOf(selected), all = corun.heldIn(trace, thread, kind, start, end).filter((h) => h.thread !== thread);
		const held = [];

		for (const piece of all)
			if (held.at(-1)?.thread === piece.thread)
				held.at(-1).length += piece.end - piece.start;
			else
				held.push({ thread: piece.thread, length: piece.end - piece.start });
		if (!held.length)
			return null;
		const sum = held.reduce((total, h) => total + h.length, 0), shown = held.slice(0, 8), shade = this.page.painters.get(trace);

		return e("div", {}, e("h3", {}, w.whoHeld(w.kind(trace.kinds[kind]))),
			e(`div.holders${shown.length > 4 ? ".many" : ""}`, {}, ...shown.map((h) => e(`div.shade${shade.shade(h.thread)}`, { style: `flex:${Math.max(h.length / sum, 0.12)}`,
				title: `${trace.name(h.thread)}, ${Math.round(h.length)} ns` }, e("b", {}, trace.name(h.thread)), e("span", {}, corun.duration(h.length))))),
			held.length > shown.length ? e("p", {}, w.others(held.length - shown.length)) : null,
			e("p", {}, w.between(corun.duration(Math.max(0, end - start - sum)))));
	},
	chain(selected) {
		const { trace, thread, i } = selected, w = this.page.words, e = corun.element, s = trace.columns(thread);

		if (thread < 0 || s.code[i] === corun.RUNNING || !(s.code[i] === corun.WOKEN || s.code[i] >= corun.WAIT))
			return null;
		const links = corun.wakerChain(trace, thread, s.code[i] === corun.WOKEN ? s.startOf(i) : corun.wholeOf(selected).end);
		const painter = this.page.painters.get(trace);

		if (!links.length)
			return null;
		return e("div", {}, e("h3", {}, w.chain), e("ol.chain", {}, ...links.map((link) => e("li", {},
			e("button.plain", { onclick: () => this.page.show({ trace, thread: link.thread, i: trace.columns(link.thread).at(link.at - 1) }) },
				`${trace.name(link.waker)} → ${trace.name(link.thread)}`),
			e("span", {}, `${corun.instant(link.at)}, ${painter.label(link.code)} ${corun.duration(link.length)}`)))));
	},
});
