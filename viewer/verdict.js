// SPDX-License-Identifier: MIT
// The verdict on a range that the user chose: the rule of userspace/metrics/verdict.c (VERDICT.md has its reasons) on
// sums that the page makes itself. Over a whole recording it is what the report says; tests/viewer asks for that.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const IDLE_ACTIVE = 0.05, ALONE = 1.5, MOSTLY = 0.5, EFFICIENT = 0.75, LOCKED = 1 / 3, TOO_MANY = 1.25;

/* Time by slot of @ns ({code: ns}) that @chosen(kind) picks, and the largest of these kinds. */
function ofKinds(trace, ns, chosen) {
	let sum = 0, most = null;

	trace.kinds.forEach((kind, i) => {
		const time = ns[corun.WAIT + i] ?? 0;

		if (!chosen(kind, i))
			return;
		sum += time;
		if (time > 0 && (!most || time > (ns[corun.WAIT + trace.kinds.indexOf(most)] ?? 0)))
			most = kind;
	});
	return { sum, most };
}

/* Waits for locks within the range: whole as intervals, and what of them was not blocked. */
function lockTimes(trace, from, to) {
	const sums = { gil: { whole: 0, unblocked: 0 }, lock: { whole: 0, unblocked: 0, by: new Map() } };

	for (const wait of trace.locks) {
		const start = Math.max(wait.start, from), end = Math.min(wait.start + wait.length, to), kind = trace.kinds[wait.kind];

		if (end <= start || !sums[kind.role])
			continue;
		const sum = sums[kind.role], s = trace.columns(wait.thread);
		let blocked = 0;

		for (let i = s.at(start); i < s.n && s.startOf(i) < end; i++)
			if (s.code[i] === corun.WAIT + wait.kind)
				blocked += Math.min(s.end[i], end) - Math.max(s.startOf(i), start);
		sum.whole += end - start;
		sum.unblocked += end - start - blocked;
		sum.by?.set(kind, (sum.by.get(kind) ?? 0) + end - start);
	}
	return sums;
}

/* All that the rule looks at, of [from, to). */
corun.facts = function (trace, from, to) {
	const ns = corun.usage(trace, from, to), means = corun.means(trace, from, to), { target } = trace.report;
	const { gil, lock } = lockTimes(trace, from, to), parked = trace.parkedSet;
	const flight = means.inFlight * means.active, share = (part) => flight ? part / flight : 0;
	const waits = ofKinds(trace, ns, (kind, i) => !["gil", "lock"].includes(kind.role) && !parked.has(i));
	const ready = (ns[corun.WOKEN] ?? 0) + (ns[corun.PREEMPTED] ?? 0), running = ns[corun.RUNNING] ?? 0;
	const poll = trace.kinds.findIndex((kind) => kind.name === "poll"), unheld = Math.max(0, ready - gil.unblocked - lock.unblocked);
	let polled = 0;

	for (const s of trace.spans_of.values()) {
		let time = 0;

		for (let i = s.at(from); i < s.n && s.startOf(i) < to; i++)
			if (s.code[i] === corun.WAIT + poll)
				time += Math.min(s.end[i], to) - Math.max(s.startOf(i), from);
		polled = Math.max(polled, time);
	}
	return { ...means, duration: to - from, cpus: target.usable_cpus ?? 0,
		demand: means.active ? (running + unheld) / means.active : 0, runShare: share(running), readyShare: share(unheld),
		gilShare: share(gil.whole), lockShare: share(lock.whole), waitShare: share(waits.sum), pollShare: polled / (to - from || 1),
		waitKind: waits.most, lockKind: [...lock.by].sort((p, q) => q[1] - p[1])[0]?.[0] ?? null };
};

/* {class, cause}: cause is "gil", "lock", "wait", "queue", "load", "loop" or null. */
corun.judge = function (f) {
	const cpus = f.cpus > 0 ? f.cpus : f.inFlight, could = Math.min(f.inFlight, cpus), locked = f.gilShare + f.lockShare >= LOCKED;

	if (!f.active || f.active < IDLE_ACTIVE * f.duration)
		return { class: "idle", cause: f.pollShare >= MOSTLY ? "loop" : null };
	if (f.pollShare >= MOSTLY && f.inFlight < ALONE)
		return { class: "io-bound", cause: "loop" };
	if (f.inFlight < ALONE)
		return f.waitShare > 0 && f.waitShare >= MOSTLY * (1 - f.readyShare) ? { class: "io-bound", cause: "wait" } :
			{ class: "serial", cause: null };
	if (f.demand >= TOO_MANY * cpus && f.runShare + f.readyShare >= f.waitShare && !locked)
		return { class: cpus < ALONE ? "concurrent-not-parallel" : "oversubscribed", cause: "queue" };
	if (f.demand >= EFFICIENT * could && f.demand >= TOO_MANY && !locked)
		return { class: "parallel", cause: f.running < EFFICIENT * Math.min(f.demand, cpus) ? "load" : null };
	if (f.waitShare >= MOSTLY && f.waitShare > f.gilShare + f.lockShare)
		return { class: "io-bound", cause: "wait" };
	const cause = f.gilShare >= f.lockShare && f.gilShare >= f.waitShare ? "gil" : f.lockShare >= f.waitShare ? "lock" : "wait";

	return { class: "concurrent-not-parallel", cause };
};

/* The sentence, and what stood behind it. */
corun.verdict = function (trace, from, to, words) {
	const f = corun.facts(trace, from, to), { class: name, cause } = corun.judge(f), { because } = words;
	const percent = (share) => `${Math.round(100 * share)} %`, kind = (k) => k ? words.kind(k) : words.notKnown;
	const why = { gil: () => because.gil, lock: () => because.lock(percent(f.lockShare), kind(f.lockKind)), load: () => because.load,
		wait: () => because.wait(percent(f.waitShare), kind(f.waitKind)), loop: () => because.loop,
		queue: () => because.queue(f.demand.toFixed(1), words.cpus(f.cpus)) }[cause];

	return { facts: f, class: name, cause, why: why ? why() : "",
		text: `${words.rangeFigures(f.inFlight.toFixed(2), f.running.toFixed(2))}: ${words.classes[name]}.` };
};
