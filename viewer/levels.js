// SPDX-License-Identifier: MIT
// Level of detail: how long each thread was in what, in each of the page's columns. Never the longest
// span alone: what is thinner than a pixel is summed, so that areas are true at every zoom.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const BLOCK = 16;

/*
 * Sums of one lane: how long it was in each of @slots up to every BLOCK-th span, and the longest span of each
 * block; slot -1 is not drawn. So a column of any width costs a look at the spans at its two ends, however many lie between.
 */
corun.LaneSums = class {
	constructor(s, slots, slotOf) {
		const blocks = Math.floor(s.n / BLOCK);
		const running = new Float64Array(slots);

		Object.assign(this, { s, slots, slotOf });
		this.before = new Float64Array((blocks + 1) * slots);
		this.longest = new Float64Array(blocks + 1);
		for (let i = 0; i < s.n; i++) {
			const block = Math.floor(i / BLOCK), length = s.end[i] - s.startOf(i);

			if (slotOf(i) >= 0) {
				running[slotOf(i)] += length;
				this.longest[block] = Math.max(this.longest[block], length);
			}
			if (i % BLOCK === BLOCK - 1)
				this.before.set(running, (block + 1) * slots);
		}
	}
	/* Adds to @out, from @at, the shares of [@from, @to) of @width ns, beginning at span @i; the span at @to. */
	column(out, at, i, from, to, width) {
		const { s, slots, before } = this, { end } = s;
		let t = Math.max(from, s.startOf(i));

		while (i < s.n && t < to) {
			if (i % BLOCK === 0 && i + BLOCK <= s.n && end[i + BLOCK - 1] <= to && s.startOf(i) >= from) {
				const block = i / BLOCK, last = this.blocksUntil(block + 1, to);

				for (let k = 0; k < slots; k++)
					out[at + k] += (before[last * slots + k] - before[block * slots + k]) / width;
				i = last * BLOCK;
				t = end[i - 1];
				continue;
			}
			const until = Math.min(end[i], to), slot = this.slotOf(i);

			if (slot >= 0)
				out[at + slot] += (until - t) / width;
			t = until;
			if (end[i] > to)
				break;
			i++;
		}
		return i;
	}
	/* The last block from @low on before which all has ended by @to. */
	blocksUntil(low, to) {
		const { s } = this, ended = (block) => block * BLOCK <= s.n && s.end[block * BLOCK - 1] <= to;
		let step = 1;

		for (; ended(low + step); step *= 2)
			low += step;
		for (; step >= 1; step /= 2)
			if (ended(low + step))
				low += step;
		return low;
	}
	/* Shares by slot of @n columns of @width ns from @from. */
	columns(from, width, n) {
		const { s, slots } = this, out = new Float32Array(n * slots), end = s.n ? s.end[s.n - 1] : 0;
		const first = Math.max(0, Math.floor((s.start - from) / width)), last = Math.min(n, Math.ceil((end - from) / width));

		for (let k = first, i = s.at(from + first * width); k < last; k++)
			i = this.column(out, k * slots, i, from + k * width, from + (k + 1) * width, width);
		return out;
	}
	/* The spans of [@from, @to) that last @least ns or more: f(index). */
	long(from, to, least, f) {
		const { s } = this;

		for (let i = s.at(from); i < s.n && s.startOf(i) < to;) {
			if (this.longest[Math.floor(i / BLOCK)] < least) {
				i += BLOCK - i % BLOCK;
				continue;
			}
			if (s.end[i] - s.startOf(i) >= least && this.slotOf(i) >= 0)
				f(i);
			i++;
		}
	}
};

/*
 * Sums of many lanes: every change of state in order of time, and at every BLOCK-th how many are in each slot. The
 * time in a slot up to T is (how many are in it) x T + (what ended in it) - (what began in it): one step a change.
 */
corun.TotalSums = class {
	constructor(lanes, slots, slotOf) {
		const n = lanes.reduce((sum, s) => sum + (s.n ? s.n + 1 : 0), 0), at = [0];
		const time = new Float64Array(n), from = new Uint8Array(n), to = new Uint8Array(n);
		let k = 0;

		this.slots = slots;
		for (const s of lanes) {
			for (let i = 0; i <= s.n && s.n; i++, k++) {
				time[k] = s.startOf(i);
				from[k] = i ? slotOf[s.code[i - 1]] : slots;
				to[k] = i < s.n ? slotOf[s.code[i]] : slots;
			}
			if (s.n)
				at.push(k);
		}
		const order = corun.merge(time, at), many = slots + 1; /* one more for "does not live" */

		Object.assign(this, { n, many, time: time.map((_, i) => time[order[i]]), from: from.map((_, i) => from[order[i]]),
			to: to.map((_, i) => to[order[i]]) });
		const blocks = Math.ceil(n / BLOCK) + 1;

		this.count = new Int32Array(blocks * many);
		this.offset = new Float64Array(blocks * many);
		this.state = { count: new Int32Array(many), offset: new Float64Array(many) };
		/* Also of the block that begins after the last change. */
		for (let i = 0; i <= n; i++) {
			if (i % BLOCK === 0) {
				this.count.set(this.state.count, i / BLOCK * many);
				this.offset.set(this.state.offset, i / BLOCK * many);
			}
			if (i < n)
				this.change(i);
		}
	}
	change(i) {
		const { count, offset } = this.state, from = this.from[i], to = this.to[i], t = this.time[i];

		count[from]--;
		offset[from] += t;
		count[to]++;
		offset[to] -= t;
	}
	/* The first change after @t. */
	after(t) {
		let low = 0, high = this.n;

		while (low < high) {
			const mid = (low + high) >> 1;

			if (this.time[mid] > t)
				high = mid;
			else
				low = mid + 1;
		}
		return low;
	}
	columns(from, width, n) {
		const { slots, many, state } = this, out = new Float32Array(n * slots), last = new Float64Array(slots);

		for (let k = 0, next = -1; k <= n; k++) {
			const t = from + k * width, until = this.after(t), block = Math.floor(until / BLOCK);

			if (next < block * BLOCK) {
				next = block * BLOCK;
				state.count.set(this.count.subarray(block * many, block * many + many));
				state.offset.set(this.offset.subarray(block * many, block * many + many));
			}
			for (; next < until; next++)
				this.change(next);
			for (let slot = 0; slot < slots; slot++) {
				const now = state.count[slot] * t + state.offset[slot];

				if (k)
					out[(k - 1) * slots + slot] = Math.max(0, now - last[slot]) / width;
				last[slot] = now;
			}
		}
		return out;
	}
};

corun.Levels = class {
	constructor(trace) {
		this.trace = trace;
		this.slot = new Uint8Array(256);
		trace.codes.forEach((code, i) => { this.slot[code] = i; });
		this.slots = trace.codes.length || 1;
		this.lanes = new Map();
		this.totals = new Map();
	}
	/* The sums of a lane, made when it is first looked at: a thread's or task's, or those of @pieces. */
	sums(id) {
		let sums = this.lanes.get(id);

		if (!sums) {
			const s = this.trace.columns(id);

			sums = new corun.LaneSums(s, this.slots, (i) => this.trace.tooShort(id, s, i) ? -1 : this.slot[s.code[i]]);
			this.lanes.set(id, sums);
		}
		return sums;
	}
	/* Of pieces: slots 0 and 1 are the two greys of identity, 2 is nobody. */
	pieces(s, shade) {
		if (!this.lanes.has(s))
			this.lanes.set(s, new corun.LaneSums(s, 3, (i) => s.a[i] ? shade(s.a[i] - 1) : 2));
		return this.lanes.get(s);
	}
	total(what) {
		if (!this.totals.has(what))
			this.totals.set(what, new corun.TotalSums([...this.trace[what].values()], this.slots, this.slot));
		return this.totals.get(what);
	}
	/* Shares of each lane in @n columns of [from, to): {width, from, n, of(id), total()}; the total of threads, or
	 * of tasks. */
	view(from, to, n) {
		const width = Math.max(to - from, 1e-3) / n;

		return { from, width, n, slots: this.slots, of: (id) => this.sums(id).columns(from, width, n),
			total: (what = "spans_of") => this.total(what).columns(from, width, n) };
	}
};

/* Time of threads (or tasks) by code in [from, to), exact; the same sums as the report's. */
corun.usage = function (trace, from, to, what = "spans_of") {
	const ns = {};

	for (const s of trace[what].values()) {
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
