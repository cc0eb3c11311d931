// SPDX-License-Identifier: MIT
// Level of detail: how long each thread was in what, in each of the page's columns. Never the longest
// span alone: what is thinner than a pixel is summed, so that areas are true at every zoom.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const MAX_BUCKETS = 4096;

corun.Levels = class {
	constructor(trace) {
		this.trace = trace;
		this.slot = new Uint8Array(256);
		trace.codes.forEach((code, i) => { this.slot[code] = i; });
		this.slots = trace.codes.length || 1;
		this.length = Math.max(trace.window_ns, 1);
		/* Few buckets for many threads: memory is bounded. */
		this.limit = Math.max(64, Math.min(MAX_BUCKETS,
			2 ** Math.floor(Math.log2(2e7 / (this.slots * Math.max(1, trace.threads.length))))));
		this.cache = new Map();
	}
	/* Time by slot of spans @s in each of @n columns from @from, @width ns each; @drawn: without the waits that
	 * are too short to be drawn. */
	sum(s, from, width, n, drawn = false) {
		const shares = new Float32Array(n * this.slots);
		const to = from + n * width;

		for (let i = s.at(from); i < s.n; i++) {
			const start = Math.max(s.startOf(i), from), end = Math.min(s.end[i], to);

			if (start >= to)
				break;
			if (drawn && this.trace.tooShort(s, i))
				continue;
			const slot = this.slot[s.code[i]];
			let column = Math.floor((start - from) / width);

			for (let t = start; t < end && column < n; column++) {
				const next = Math.min(end, from + (column + 1) * width);

				shares[column * this.slots + slot] += (next - t) / width;
				t = next;
			}
		}
		return shares;
	}
	/* All threads, and their sum, over the whole run in buckets of a power-of-two fraction of it; a task's when it
	 * is asked for. */
	level(buckets) {
		let level = this.cache.get(buckets);

		if (!level) {
			level = { of: new Map(), total: new Float32Array(buckets * this.slots) };
			for (const [id, s] of this.trace.spans_of) {
				const shares = this.sum(s, 0, this.length / buckets, buckets);

				level.of.set(id, this.trace.min_wait_ns ?
					this.sum(s, 0, this.length / buckets, buckets, true) : shares);
				for (let i = 0; i < shares.length; i++)
					level.total[i] += shares[i];
			}
			this.cache.set(buckets, level);
		}
		return level;
	}
	/*
	 * Shares of each lane in @n columns of [from, to): {width, from, n, of(id), total()}. Coarse views are
	 * answered from buckets that were summed once; fine ones from the spans, which then are few.
	 */
	view(from, to, n) {
		const wanted = this.length / ((to - from) / n);
		const buckets = 2 ** Math.ceil(Math.log2(Math.max(wanted, 1)));

		if (buckets > this.limit) {
			const width = (to - from) / n, made = new Map();

			const of = (id) => {
				if (!made.has(id))
					made.set(id, this.sum(this.trace.columns(id), from, width, n, true));
				return made.get(id);
			};
			const whole = this.trace.min_wait_ns ? (id) => this.sum(this.trace.columns(id), from, width, n) : of;

			return { from, width, n, slots: this.slots, of, total: () => {
				const total = new Float32Array(n * this.slots);

				for (const [id, s] of this.trace.spans_of) {
					/* Most threads of a close view do not live in it, or are in one state throughout. */
					if (s.start >= to || !s.n || s.end[s.n - 1] <= from)
						continue;
					const shares = whole(id);

					for (let i = 0; i < total.length; i++)
						total[i] += shares[i];
				}
				return total;
			} };
		}
		const width = this.length / buckets;
		const first = Math.max(0, Math.floor(from / width));
		const last = Math.min(buckets, Math.ceil(to / width));
		const level = this.level(buckets);

		const cut = (shares) => shares.subarray(first * this.slots, last * this.slots);

		return { from: first * width, width, n: Math.max(0, last - first), slots: this.slots, total: () => cut(level.total),
			of: (id) => {
				if (!level.of.has(id))
					level.of.set(id, this.sum(this.trace.columns(id), 0, width, buckets, true));
				return cut(level.of.get(id));
			} };
	}
};

/* Thread-time by code in [from, to), exact; the same sums as the report's. */
corun.usage = function (trace, from, to) {
	const ns = {};

	for (const s of trace.spans_of.values()) {
		for (let i = s.at(from); i < s.n; i++) {
			const start = Math.max(s.startOf(i), from);

			if (start >= to)
				break;
			ns[s.code[i]] = (ns[s.code[i]] ?? 0) + Math.min(s.end[i], to) - start;
		}
	}
	return ns;
};

/* Means over the time in which anything was in flight, from the spans alone: {inFlight, running,
 * active}. Exact: the ends of all spans are visited in order of time. */
corun.means = function (trace, from, to) {
	const edges = [];

	for (const s of trace.spans_of.values()) {
		for (let i = s.at(from); i < s.n; i++) {
			const start = Math.max(s.startOf(i), from), end = Math.min(s.end[i], to);

			if (start >= to)
				break;
			if (!trace.flight(s.code[i]) || end <= start)
				continue;
			const running = s.code[i] === corun.RUNNING ? 1 : 0;

			edges.push([start, 1, running], [end, -1, -running]);
		}
	}
	edges.sort((x, y) => x[0] - y[0]);
	let flight = 0, running = 0, last = from, active = 0, flightNs = 0, runningNs = 0;

	for (const [ts, f, r] of edges) {
		if (flight) {
			active += ts - last;
			flightNs += flight * (ts - last);
			runningNs += running * (ts - last);
		}
		flight += f;
		running += r;
		last = ts;
	}
	return { active, inFlight: active ? flightNs / active : 0, running: active ? runningNs / active : 0 };
};
