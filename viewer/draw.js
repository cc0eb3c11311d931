// SPDX-License-Identifier: MIT
// Painting one trace: the stack, CPUs, lock holders, threads. Only paints: what is where is decided by
// rows() and the view {from, to, x, width} that the page hands over.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.GUTTER = 172;
const MOST_TASKS = 200, MOST_LOCKS = 8;

/* The rows of a trace, top to bottom: {type, y, h, bar, ...}. */
corun.rows = function (trace, dense, words) {
	const rows = [];
	let y = 0;
	const add = (type, h, bar, more = {}) => {
		rows.push({ type, y, h, bar, ...more });
		y += h;
	};
	const peak = Math.max(1, trace.report.concurrency.max, trace.report.parallelism.max);
	const task = dense ? 30 : 46;

	add("stack", (peak <= 4 ? peak * task : dense ? 140 : 220) + 26, 0, { peak });
	trace.cpus.forEach((spans, cpu) => spans && !dense && add("cpu", 26, 22, { spans, cpu }));
	/* A path through one thread is that thread's own row. */
	if (!dense && trace.path.n && new Set(trace.path.a.subarray(0, trace.path.n)).size > 1)
		add("path", 34, 29);
	/* The locks that were waited for longest. */
	const locks = (trace.lanes ?? []).map((lock, id) => ({ ...lock, spans: trace.held[id] })).filter((lock) => lock.spans)
		.sort((p, q) => q.contended_ns - p.contended_ns).slice(0, dense ? 0 : MOST_LOCKS);

	const label = words === corun.words.ko ? "label_ko" : "label";

	for (const lock of locks)
		add("holder", 26, 22, { spans: lock.spans, name: `${trace.kinds[lock.kind][label]}, ${words.heldBy}` });
	const alive = trace.threads.filter((id) => !trace.names[id]?.outsider);
	const [h, bar] = dense ? [30, 24] : alive.length <= 6 ? [60, 46] : alive.length <= 16 ? [32, 26] : [18, 14];
	let process = -1;

	for (const id of alive.sort((p, q) => trace.names[p].process - trace.names[q].process || p - q)) {
		if (trace.names[id].process !== process) {
			process = trace.names[id].process;
			const p = trace.process_names[process];

			add("process", 24, 0, { name: `${p.name} ${p.tgid}` });
		}
		add("thread", h, bar, { thread: id });
		/* At most as many tasks as one can look through; how many there are besides is said. */
		const tasks = trace.tasksOn(id);

		for (const task of tasks.slice(0, MOST_TASKS))
			add("thread", dense || tasks.length > 8 ? 18 : 26, dense || tasks.length > 8 ? 14 : 22, { thread: task });
		if (tasks.length > MOST_TASKS)
			add("note", 18, 0, { name: words.moreTasks(tasks.length - MOST_TASKS) });
	}
	return { rows, height: y + 12 };
};

/* Index of the first of @spans (in order of time) that ends after @t. */
function after(spans, t) {
	let low = 0, high = spans.length;

	while (low < high) {
		const mid = (low + high) >> 1;

		if (spans[mid].end > t)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

corun.Painter = class {
	constructor(context, trace, levels, look, words, korean) {
		Object.assign(this, { c: context, trace, levels, look, words, korean });
		this.raster = new corun.Raster(look);
	}
	x(t) {
		const v = this.view;

		return v.x + (t - v.from) / (v.to - v.from) * v.width;
	}
	text(text, x, y, size, weight, color, align = "left") {
		const c = this.c;

		c.font = `${weight} ${size}px ${corun.font}`;
		c.fillStyle = color;
		c.textAlign = align;
		c.textBaseline = "middle";
		c.fillText(text, x, y);
	}
	/* Head and tail stay: "ThreadPoolExec…-0_17". */
	name(text, x, y, width, size, weight, color) {
		const c = this.c;

		c.font = `${weight} ${size}px ${corun.font}`;
		if (c.measureText(text).width > width) {
			let n = text.length;

			while (n > 4 && c.measureText(text.slice(0, n - 5) + "…" + text.slice(-4)).width > width)
				n--;
			text = text.slice(0, Math.max(1, n - 5)) + "…" + text.slice(-4);
		}
		this.text(text, x, y, size, weight, color);
	}
	label(code) {
		const kind = this.trace.kinds[code - corun.WAIT];

		return kind ? this.korean ? kind.label_ko : kind.label :
			[this.words.running, this.words.ready, this.words.ready, this.words.stopped,
				this.words.unknown][code];
	}
	rect(family, x, y, w, h) {
		const c = this.c, outlined = family === "unknown" || family === "stopped";

		if (!outlined) {
			c.fillStyle = this.look.fill(family);
			c.fillRect(x, y, w, h);
		}
		if (w >= 12) {
			const pattern = this.look.pattern(c, family);

			if (pattern) {
				c.fillStyle = pattern;
				c.fillRect(x, y, w, h);
			}
		}
		if (outlined) {
			c.strokeStyle = this.look.fill(family);
			c.lineWidth = 1;
			c.strokeRect(x + 0.5, y + 0.5, Math.max(w - 1, 0.5), h - 1);
		} else if (this.look.edge(family) && w >= 1) {
			c.fillStyle = this.look.edge(family);
			c.fillRect(x, y, w, 1);
		}
	}
	paint(view, row, y) {
		this.view = view;
		switch (row.type) {
		case "stack": return this.stack(row, y);
		case "cpu": return this.cpu(row, y);
		case "holder": return this.holder(row, y);
		case "path": return this.path(row, y);
		case "note": return this.text(row.name, 52, y + 9, 12, 400, this.look.neutral.ink2);
		case "process": return this.text(`▾ ${row.name}`, 20, y + 13, 13, 600, this.look.neutral.ink);
		default: return this.thread(row, y);
		}
	}

	/* ---- the stack: height is concurrency, the green band parallelism ---- */

	order() {
		const rank = (code) => code === corun.RUNNING ? 0 : code <= corun.PREEMPTED ? 1 : 2;

		return this.trace.codes.filter((code) => this.trace.flight(code) || code === corun.UNKNOWN)
			.sort((p, q) => rank(p) - rank(q) || p - q);
	}
	stack(row, y) {
		const c = this.c, v = this.view, bottom = y + row.h - 14, unit = (row.h - 26) / row.peak;
		const columns = this.levels.view(v.from, v.to, Math.max(1, Math.round(v.width))), raster = this.raster;

		raster.begin(v.width, row.h - 14);
		const shares = raster.shares(columns, columns.total(), v.from, v.to), base = new Float32Array(raster.w);
		const labels = [], tall = unit * raster.scale;

		for (const code of this.order()) {
			const slot = this.levels.slot[code], family = this.look.family(code), tile = raster.tile(family);
			let best = null, run = null;

			for (let x = 0; x < raster.w; x++) {
				const share = shares[x * columns.slots + slot];

				if (share * unit < 20)
					run = null;
				if (share <= 0)
					continue;
				const top = raster.h - (base[x] + share) * tall, low = raster.h - base[x] * tall;

				raster.column(tile, x, Math.round(top), Math.round(low));
				base[x] += share;
				if (share * unit < 20)
					continue;
				/* The longest stretch that a label fits into, and the band that all of it has. */
				const high = Math.max(run?.top ?? 0, top), deep = Math.min(run?.low ?? raster.h, low);

				run = run && deep - high >= 20 * raster.scale ? { ...run, x1: x + 1, top: high, low: deep } :
					{ x0: x, x1: x + 1, top, low };
				if (!best || run.x1 - run.x0 > best.x1 - best.x0)
					best = run;
			}
			if (best && best.x1 - best.x0 > 40 * raster.scale)
				labels.push([code, family, v.x + best.x0 / raster.scale, y + (best.top + best.low) / 2 / raster.scale,
					(best.x1 - best.x0) / raster.scale]);
		}
		raster.end(c, v.x, y);
		c.save();
		c.beginPath();
		c.rect(v.x, y, v.width, row.h);
		c.clip();
		this.stackLines(row, y, bottom, unit);
		for (const [code, family, x, ly, width] of labels)
			this.stackLabel(code, family, x, ly, width);
		c.restore();
		this.stackGutter(row, y, bottom, unit);
	}
	stackLabel(code, family, x, y, width) {
		const c = this.c;
		const text = code === corun.RUNNING ? this.words.running :
			code <= corun.PREEMPTED ? this.words.queue : this.words.waitingFor(this.label(code));

		c.font = `700 16px ${corun.font}`;
		const w = c.measureText(text).width, left = Math.max(x, this.view.x) + 14;

		if (w + 28 > width)
			return;
		if (corun.families[family][3]) {
			c.fillStyle = this.look.fill(family);
			c.fillRect(left - 6, y - 12, w + 12, 24);
		}
		this.text(text, left, y, 16, 700, this.look.ink(family));
	}
	stackLines(row, y, bottom, unit) {
		const c = this.c, v = this.view, cpus = this.trace.report.target.usable_cpus;

		if (!cpus || cpus > row.peak + 0.5)
			return;
		const line = bottom - cpus * unit;

		c.strokeStyle = this.look.neutral.page;
		c.globalAlpha = 0.55;
		c.lineWidth = 4;
		c.beginPath();
		c.moveTo(v.x, line);
		c.lineTo(v.x + v.width, line);
		c.stroke();
		c.globalAlpha = 1;
		c.strokeStyle = this.look.neutral.ink;
		c.lineWidth = 1.5;
		c.setLineDash([6, 4]);
		c.stroke();
		c.setLineDash([]);
	}
	stackGutter(row, y, bottom, unit) {
		const n = this.look.neutral, x = this.view.x - 10, cpus = this.trace.report.target.usable_cpus;
		const step = row.peak <= 8 ? 1 : Math.ceil(row.peak / 8);

		this.name(this.title ?? this.words.threads, this.title ? 30 : 20, y + 18, this.title ? 112 : 122, 13, 700, n.ink);
		this.text(this.words.height, 20, y + 36, 12, 400, n.ink2);
		this.text(this.words.green, 20, y + 52, 12, 400, n.ink2);
		for (let k = 0; k <= row.peak; k += step)
			this.text(String(k), x, bottom - k * unit, 12, 400, n.ink2, "right");
		if (cpus && cpus <= row.peak + 0.5 && bottom - cpus * unit > y + 64)
			this.text(this.words.cpus(cpus), x - 18, bottom - cpus * unit, 12, 700, n.ink, "right");
	}

	/* ---- lanes ---- */

	/* Which of the two greys: neighbours in the picture differ. */
	shade(thread) {
		this.shades ??= new Map(this.trace.threads.filter((id) => !this.trace.names[id]?.outsider).map((id, i) => [id, i % 2]));
		return this.shades.get(thread) ?? thread % 2;
	}
	/* Who: identity by number and two greys, never by colour. */
	identity(thread, x0, x1, y, h) {
		const c = this.c, n = this.look.neutral, chosen = this.selected?.thread === thread;

		c.fillStyle = chosen ? n.ink : this.shade(thread) ? n.id2 : n.id1;
		c.fillRect(x0, y, Math.max(x1 - x0 - 1, 0.6), h);
		const full = `${thread} ${this.trace.name(thread)}`, text = x1 - x0 > full.length * 8 + 12 ? full : String(thread);

		if (x1 - x0 > 16)
			this.text(text, (x0 + x1) / 2, y + h / 2, 12, 700, chosen ? n.page : n.ink, "center");
	}
	cpu(row, y) {
		this.text(`CPU ${row.cpu}`, 20, y + 12, 13, 400, this.look.neutral.ink);
		this.whoWhen(row, y);
	}
	/* Who it was, span by span, in order of time; thread -1: not known. */
	whoWhen(row, y) {
		const v = this.view, first = after(row.spans, v.from), last = after(row.spans, v.to);

		if (last - first > v.width)
			return this.sampled(row, y, (t) => {
				const s = row.spans[after(row.spans, t)];

				return s && s.start <= t ? s.thread : -1;
			});
		for (const s of row.spans.slice(first, last + 1))
			if (s.start < v.to && s.thread >= 0)
				this.identity(s.thread, Math.max(this.x(s.start), v.x), Math.min(this.x(s.end), v.x + v.width), y, row.bar);
	}
	/* More pieces than pixels: who it was in the middle of each. */
	sampled(row, y, who) {
		const v = this.view, raster = this.raster, n = this.look.neutral;

		raster.begin(v.width, row.bar);
		const tiles = [raster.color(n.id1), raster.color(n.id2)], chosen = raster.color(n.ink);

		for (let x = 0; x < raster.w; x++) {
			const thread = who(v.from + (x + 0.5) / raster.w * (v.to - v.from));

			if (thread >= 0)
				raster.column(this.selected?.thread === thread ? chosen : tiles[this.shade(thread)], x, 0, raster.h);
		}
		raster.end(this.c, v.x, y);
	}
	holder(row, y) {
		this.name(row.name, 20, y + 12, corun.GUTTER - 30, 13, 400, this.look.neutral.ink);
		this.whoWhen(row, y);
	}
	thread(row, y) {
		const n = this.look.neutral, v = this.view, s = this.trace.columns(row.thread);
		const task = row.thread < 0, info = this.trace.names[row.thread], chosen = this.selected?.thread === row.thread;
		const small = row.bar < 20, middle = y + row.bar / 2 + (small ? 0 : 4);

		this.name(this.trace.name(row.thread), task ? 52 : 32, middle, task ? 112 : small ? 84 : 92, small ? 11 : 13, chosen ? 700 : 400,
			task ? n.ink2 : n.ink);
		if (task)
			this.branch(y, row);
		else
			this.text(String(info.tid), corun.GUTTER - 10, middle, 11, 400, n.ink3, "right");
		const first = s.at(v.from), last = Math.min(s.at(v.to), s.n - 1);

		if (last - first > v.width / 3)
			this.dense(row, y);
		else
			this.spans(s, first, last, row, y);
	}
	/* The tree line from a thread to its task. */
	branch(y, row) {
		this.c.fillStyle = this.look.neutral.ink3;
		this.c.fillRect(38, y - (row.h - row.bar), 1, row.h - row.bar / 2);
		this.c.fillRect(38, y + row.bar / 2, 9, 1);
	}
	/* More spans than pixels: each column's shares from the base up, each with its own height. */
	dense(row, y) {
		const v = this.view, columns = this.levels.view(v.from, v.to, Math.max(1, Math.round(v.width))), raster = this.raster;

		raster.begin(v.width, row.bar);
		const shares = raster.shares(columns, columns.of(row.thread), v.from, v.to);
		const codes = this.trace.codes.map((code) => {
			const family = this.look.family(code);

			return { slot: this.levels.slot[code], tile: raster.tile(family, true), high: this.look.height(family) * raster.h };
		});

		for (let x = 0; x < raster.w; x++) {
			let below = 0;

			for (const { slot, tile, high } of codes) {
				const share = shares[x * columns.slots + slot];

				if (share <= 0)
					continue;
				raster.column(tile, x, Math.round(raster.h - below - share * high), Math.round(raster.h - below));
				below += share * high;
			}
		}
		raster.end(this.c, v.x, y);
	}
	bar(code, start, end, row, y) {
		const v = this.view, family = this.look.family(code);
		const x0 = Math.max(this.x(start), v.x), x1 = Math.min(this.x(end), v.x + v.width);
		const h = family === "parked" ? 2 : Math.max(2, Math.round(this.look.height(family) * row.bar));

		this.rect(family, x0, y + row.bar - h, x1 - x0, h);
		return () => x1 - x0 >= 18 && row.bar >= 14 &&
			this.spanLabel(code, family, x0, x1, y + row.bar - h, h, end - start, row);
	}
	/* One wait for a lock stays one bar over its time-outs; what parts it is drawn over it. */
	spans(s, first, last, row, y) {
		const labels = [], waits = this.trace.waitsOf(row.thread);
		let w = 0;

		for (let i = first; i <= last; i++) {
			const start = s.startOf(i);

			while (w < waits.length && waits[w].start + waits[w].length <= start)
				w++;
			const whole = waits[w]?.start <= start ? waits[w] : null;

			if (this.trace.tooShort(s, i))
				continue;
			if (whole && s.code[i] === corun.WAIT + whole.kind) {
				if (i === first || start === whole.start)
					labels.push(this.bar(s.code[i], whole.start, whole.start + whole.length, row, y));
				continue;
			}
			labels.push(this.bar(s.code[i], start, s.end[i], row, y));
		}
		/* Above all bars: a short one must not cut the text of a long one. */
		for (const label of labels)
			label();
	}
	spanLabel(code, family, x0, x1, top, h, length, row) {
		const c = this.c, d = corun.duration(length), kind = this.label(code), size = row.bar < 20 ? 10 : 12;
		const text = family === "parked" ? [this.words.waitingFor(kind), kind] :
			code === corun.RUNNING ? [d] : code <= corun.PREEMPTED ? [`${kind}, ${d}`, d] :
				[`${this.words.waitingFor(kind)}, ${d}`, `${kind}, ${d}`, kind];

		if (h < size && family !== "parked")
			return;
		c.font = `400 ${size}px ${corun.font}`;
		const fits = text.find((t) => c.measureText(t).width + 10 <= x1 - x0);

		if (!fits)
			return;
		const middle = family === "parked" ? top - 8 : top + h / 2;
		const width = c.measureText(fits).width;

		if (corun.families[family][3] && x1 - x0 >= 12) {
			c.fillStyle = this.look.fill(family);
			c.fillRect(x0 + 3, middle - size / 2 - 2, width + 5, size + 4);
		}
		this.text(fits, x0 + 5, middle, size, 400,
			family === "parked" ? this.look.neutral.ink3 : this.look.ink(family));
	}
};

/* Steps of 1, 2, 5, at least 90 px apart. */
corun.ticks = function (from, to, width) {
	const least = (to - from) / width * 90, power = 10 ** Math.floor(Math.log10(least));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= least);
	const ticks = [];

	for (let t = Math.ceil(from / step) * step; t <= to; t += step)
		ticks.push(t);
	return { ticks, step };
};

/* A time on the axis: as many digits as the step needs, the unit on every label. */
corun.moment = function (t, step) {
	const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]
		.find(([u]) => step >= u / 2 || u === 1) ?? [1, "ns"];
	const digits = Math.max(0, Math.ceil(-Math.log10(step / unit)));

	return `${(t / unit).toFixed(Math.min(digits, 6))} ${name}`;
};
