// SPDX-License-Identifier: MIT
// Painting one trace: what rows there are, and the stack. Only paints: what is where is decided by rows() and the
// view {from, to, x, width} that the page hands over. lanes.js has the lanes.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* Width of what stands left of the plot; in lessons, whose letters are larger, more. */
corun.GUTTER = 172;
corun.LESSON_GUTTER = 208;
/* Letters of a lesson to those of a page, and on a large projector, from whose back row they are as small. */
corun.LESSON_TYPE = 1.4;
corun.LARGE_TYPE = 1.75;
corun.LARGE_GUTTER = 250;
const MOST_TASKS = 200, MOST_LOCKS = 8;
/* Pitch and bar of a thread's lane, largest first. */
const LANES = [[60, 46], [46, 38], [32, 26], [24, 20], [18, 14]];

/* A thread that was parked for most of its life needs less height: [pitch, bar]. */
const PARKED = [32, 20], MOSTLY_PARKED = 0.8;

function mostlyParked(trace, thread) {
	const time = trace.report.threads?.find((t) => t.id === thread), kinds = trace.kinds;
	const parked = kinds.reduce((sum, kind, i) => sum + (trace.parkedSet.has(i) ? time?.time_ns[kind.name] ?? 0 : 0), 0);

	return time?.alive_ns > 0 && parked >= MOSTLY_PARKED * time.alive_ns && !trace.tasksOn(thread).length;
}

/* Rows of processes, threads and tasks, with lanes of @lane = [pitch, bar]. */
function lifeRows(trace, lane, { compared, lesson, words, folded }) {
	const rows = [], add = (type, [h, bar], more) => rows.push({ type, h, bar, ...more });

	for (const { process, threads } of trace.families()) {
		const p = trace.process_names[process], name = `${p.name} ${p.tgid}`, alone = threads.length === 1;
		const key = `p${process}`;

		/* A process of one thread is that thread's row. */
		if (!alone && !lesson)
			add("process", [24, 0], { name, key, folded: folded.has(key) });
		if (folded.has(key))
			continue;
		for (const id of threads) {
			const tasks = trace.tasksOn(id), own = `t${id}`;
			const small = lesson ? LANES[lane[0] > 40 && tasks.length <= 4 ? 1 : 3] : tasks.length > 8 ? LANES[4] : lane[0] > 40 ? LANES[1] : lane[0] < 32 ? LANES[4] : LANES[3];

			add("thread", !compared && lane[0] > 32 && mostlyParked(trace, id) ? PARKED : lane,
				{ thread: id, alone: alone ? name : null, key: tasks.length ? own : null, folded: folded.has(own) });
			/* At most as many tasks as one can look through; how many there are besides is said. */
			for (const task of folded.has(own) ? [] : tasks.slice(0, MOST_TASKS))
				add("thread", small, { thread: task, last: task === tasks.at(-1) });
			if (tasks.length > MOST_TASKS && !folded.has(own))
				add("note", [18, 0], { name: words.moreTasks(tasks.length - MOST_TASKS) });
		}
	}
	return rows;
}

/* What tells a lock from others of its kind: the process of a GIL, the end of another's address; nothing where it is alone. */
function lockId(lock, locks) {
	const alike = locks.filter((other) => other.kind === lock.kind);

	return alike.length === 1 ? "" : new Set(alike.map((other) => other.tgid)).size === alike.length ? String(lock.tgid) : `…${lock.lock.slice(-4)}`;
}

/* Which lanes a picture may have, largest first, by how many threads there are. */
corun.lanesFor = function (traces, { compared, lesson }) {
	const most = Math.max(...traces.map((trace) => trace.threads.filter((id) => !trace.names[id]?.outsider).length));
	const tasks = traces.some((trace) => trace.stacked.tasks), first = compared ? tasks ? 1 : 2 : most <= 6 ? 0 : most <= 16 ? 2 : 4;
	const last = compared ? 4 : most <= 6 ? 2 : most <= 16 ? 3 : 4;

	return lesson ? [[52, 40], ...LANES.slice(1, 4)] : LANES.slice(first, last + 1);
};

/* The rows of a trace, top to bottom: {type, y, h, bar, ...}. @how: {compared, lesson,
 * playing: without the stack, words, folded, peak, tasks, lane}. */
corun.rows = function (trace, how) {
	const { compared, lesson, playing, words, peak, lane } = how;
	const rows = [], add = (type, h, bar, more = {}) => rows.push({ type, h, bar, ...more });
	const unit = compared ? how.tasks ? 38 : 30 : 46;

	if (playing && compared)
		add("title", 34, 0);
	if (!playing)
		add("stack", Math.min(peak * unit, compared ? peak > 4 ? 140 : 160 : 220) + 26, 0, { peak });
	if (!compared && !lesson) {
		trace.cpus.forEach((pieces, cpu) => add("cpu", 26, 22, { pieces, cpu }));
		/* The locks that were waited for longest. */
		const locks = (trace.lanes ?? []).map((lock, id) => ({ ...lock, pieces: trace.held[id] })).filter((lock) => lock.pieces)
			.sort((p, q) => q.contended_ns - p.contended_ns).slice(0, MOST_LOCKS);

		for (const lock of locks)
			add("holder", 26, 22, { pieces: lock.pieces, lock, name: words.holderOf(words.kind(trace.kinds[lock.kind]), lockId(lock, locks)) });
		/* A path through one thread is that thread's own row. */
		if (trace.path.n && new Set(trace.path.a.subarray(0, trace.path.n)).size > 1)
			add("path", 34, 29, { pieces: trace.path });
		rows.at(-1).h += 6;
	}
	rows.push(...lifeRows(trace, lane, how));
	let y = 0;

	for (const row of rows) {
		row.y = y;
		y += row.h;
	}
	return { rows, height: y + 12 };
};

corun.Painter = class {
	constructor(context, trace, levels, look, words, korean) {
		Object.assign(this, { c: context, trace, levels, look, words, korean, type: 1 });
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
		const wide = (string) => c.measureText(string).width > width;

		/* A name of ten thousand letters is measured by its first hundred. */
		if (text.length > 100)
			text = `${text.slice(0, 80)}…${text.slice(-4)}`;
		if (wide(text)) {
			const letters = [...text];
			let n = letters.length - 5;

			while (n > 1 && wide(`${letters.slice(0, n).join("")}…${letters.slice(-4).join("")}`))
				n--;
			text = `${letters.slice(0, n).join("")}…${letters.slice(-4).join("")}`;
		}
		this.text(text, x, y, size, weight, color);
	}
	label(code) {
		const kind = this.trace.kinds[code - corun.WAIT];

		return kind ? this.words.kind(kind) : [this.words.running, this.words.ready, this.words.ready, this.words.stopped,
			this.words.unknown][code];
	}
	/* "waiting for the GIL", "waiting in join (parked)", "running". */
	doing(code) {
		const kind = this.trace.kinds[code - corun.WAIT];

		return !kind ? this.label(code) : this.trace.parked(code) ? this.words.parkedIn(kind) :
			this.words.waitingFor(kind);
	}
	rect(family, x, y, w, h) {
		/* What is thinner than its own outline is plain, as all is that is thin. */
		const c = this.c, outlined = (family === "unknown" || family === "stopped") && w >= 3;

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
		case "title": return this.sectionTitle(y, view.width);
		case "process": return this.process(row, y);
		default: return this.thread(row, y);
		}
	}

	/* ---- the stack: height is concurrency, the green band parallelism ---- */

	order() {
		const rank = (code) => code === corun.RUNNING ? 0 : code <= corun.PREEMPTED ? 1 : 2;

		return this.trace.codes.filter((code) => this.trace.flight(code) || code === corun.UNKNOWN)
			.sort((p, q) => rank(p) - rank(q) || p - q);
	}
	/* Codes of one look lie together: ready is ready, whatever made it so. */
	bands() {
		const bands = [];

		for (const code of this.order()) {
			const family = this.look.family(code);

			if (family === "ready" && bands.at(-1)?.family === "ready")
				bands.at(-1).slots.push(this.levels.slot[code]);
			else
				bands.push({ code, family, slots: [this.levels.slot[code]] });
		}
		return bands;
	}
	stack(row, y) {
		const c = this.c, v = this.view, bottom = y + row.h - 14, unit = (row.h - 26) / row.peak, raster = this.raster;

		raster.begin(v.width, row.h - 14);
		const columns = this.levels.view(v.from, v.to, raster.w), base = new Float32Array(raster.w), labels = [];
		const shares = columns.total(this.trace.stacked.what);

		for (const band of this.bands()) {
			const heights = new Float32Array(raster.w);

			for (let x = 0; x < raster.w; x++)
				for (const slot of band.slots)
					heights[x] += shares[x * columns.slots + slot];
			this.band(band, heights, base, unit, y, labels);
		}
		raster.end(c, v.x, y);
		c.save();
		c.beginPath();
		c.rect(v.x, y, v.width, row.h);
		c.clip();
		this.cpuLine(row, bottom, unit);
		for (const label of labels)
			this.stackLabel(...label);
		c.restore();
		this.stackGutter(row, y, bottom, unit);
	}
	/* One band of the stack on those below it; where its label stands is added to @labels. */
	band({ code, family }, heights, base, unit, y, labels) {
		const raster = this.raster, { scale, w, h } = raster, tall = unit * scale, v = this.view;
		const plain = raster.tile(family, true), patterned = raster.tile(family), edge = this.look.edge(family);
		const line = edge ? raster.color(edge) : null, gap = code === corun.RUNNING ? Math.round(1.5 * scale) : 0;
		const need = 20 * this.type * scale;
		let best = null, run = null;

		for (let x0 = 0; x0 < w; x0++) {
			if (heights[x0] * unit < 0.5)
				continue;
			let x1 = x0 + 1;

			while (x1 < w && heights[x1] * unit >= 0.5)
				x1++;
			const wide = x1 - x0 >= 12 * scale, tile = wide ? patterned : plain;

			for (let x = x0; x < x1; x++) {
				const top = h - (base[x] + heights[x]) * tall, low = h - base[x] * tall, above = Math.round(top);

				/* Page colour between what runs and what does not; an edge where pale fills would melt away. */
				raster.column(tile, x, heights[x] * tall > 4 ? above + gap : above, Math.round(low));
				if (line && wide && heights[x] * tall > 4)
					raster.column(line, x, above, above + Math.max(1, Math.round(scale)));
				/* The longest stretch that a label fits into, and the height that all of it has. */
				if (low - top < need) {
					run = null;
					continue;
				}
				const high = Math.max(run?.top ?? 0, top), deep = Math.min(run?.low ?? h, low);

				run = run && run.x1 === x && deep - high >= need ? { ...run, x1: x + 1, top: high, low: deep } :
					{ x0: x, x1: x + 1, top, low };
				if (!best || run.x1 - run.x0 > best.x1 - best.x0)
					best = run;
			}
			x0 = x1;
		}
		for (let x = 0; x < w; x++)
			base[x] += heights[x];
		if (best && best.x1 - best.x0 > 40 * scale)
			labels.push([code, family, v.x + best.x0 / scale, y + (best.top + best.low) / 2 / scale, (best.x1 - best.x0) / scale]);
	}
	stackLabel(code, family, x, y, width) {
		const c = this.c, size = Math.round(16 * this.type);
		const text = code === corun.RUNNING ? this.words.running : code <= corun.PREEMPTED ? this.words.queue : this.doing(code);

		c.font = `700 ${size}px ${corun.font}`;
		const w = c.measureText(text).width, left = Math.max(x, this.view.x) + 14;

		if (w + 28 > width)
			return;
		if (corun.families[family][3]) {
			c.fillStyle = family === "unknown" || family === "stopped" ? this.look.neutral.page : this.look.fill(family);
			c.fillRect(left - 6, y - size * 0.62, w + 12, size * 1.24);
		}
		this.text(text, left, y, size, 700, this.look.ink(family));
	}
	/* CPUs that the stack's line marks: tasks of one thread cannot use them. */
	cpus() {
		return this.trace.stacked.tasks ? 0 : this.trace.report.target.usable_cpus;
	}
	/* How many CPUs there are for it: dashed ink on a casing of page colour. */
	cpuLine(row, bottom, unit) {
		const c = this.c, v = this.view, cpus = this.cpus();

		if (!cpus || cpus > row.peak + 0.5)
			return;
		const line = Math.round(bottom - cpus * unit) + 0.5;
		const stroke = (x0, x1) => {
			c.beginPath();
			c.moveTo(x0, line);
			c.lineTo(x1, line);
			c.stroke();
		};

		c.strokeStyle = this.look.neutral.page;
		c.globalAlpha = 0.55;
		c.lineWidth = 4;
		stroke(v.x, v.x + v.width);
		c.globalAlpha = 1;
		c.strokeStyle = this.look.neutral.ink;
		c.lineWidth = 1.5;
		c.setLineDash([6, 4]);
		stroke(v.x - 4, v.x + v.width);
		c.setLineDash([]);
	}
	/* A title of several words may take @most lines. */
	heading(text, x, y, width, size, color, most = 2) {
		const c = this.c, words = text.split(" "), lines = [""];

		c.font = `700 ${size}px ${corun.font}`;
		for (const word of words) {
			if (lines.at(-1) && lines.length < most && c.measureText(`${lines.at(-1)} ${word}`).width > width)
				lines.push("");
			lines[lines.length - 1] += (lines.at(-1) && " ") + word;
		}
		lines.forEach((line, i) => this.name(line, x, y + i * (size + 4), width, size, 700, color));
		return lines.length;
	}
	/* Which of several traces it is: a letter and a title of @width px; returns its lines. */
	sectionTitle(y, width = this.view.x - 76, most = 2) {
		const n = this.look.neutral;

		this.c.fillStyle = n.ink;
		this.c.fillRect(20, y + 9, 21, 21);
		this.text(this.letter, 30.5, y + 20, 13, 700, n.page, "center");
		return this.heading(this.title, 50, y + 20, width, Math.round(16 * (this.type > corun.LESSON_TYPE ? 1.4 : Math.min(this.type, 1.1))), n.ink, most);
	}
	stackGutter(row, y, bottom, unit) {
		const n = this.look.neutral, x = this.view.x - 10, cpus = this.cpus(), t = this.type;
		const step = Math.max(row.peak <= 8 ? 1 : Math.ceil(row.peak / 8), Math.ceil(14 / unit)), w = this.words;
		const line = cpus && cpus <= row.peak + 0.5 ? bottom - cpus * unit : null;
		const what = this.trace.stacked.tasks ? w.tasksInFlight : w.threads;
		let title = 28; /* where it ends, below @y */

		if (this.letter) {
			const lines = this.sectionTitle(y, this.view.x - 76, row.h > 100 ? 3 : 2), also = row.h > 60 && t === 1;

			title = 14 + lines * Math.round(20 * Math.max(t / 1.2, 1)) + (also ? 16 : 0);
			if (also)
				this.text(what, 50, y + 19 + lines * 20, 12, 400, n.ink2);
		} else {
			this.text(what, 20, y + 14, Math.round(t > 1 ? 11.5 * t : 13), 700, n.ink);
			if (row.h > 70 && t === 1) {
				this.text(w.height, 20, y + 32, 12, 400, n.ink2);
				this.text(w.green, 20, y + 48, 12, 400, n.ink2);
			}
		}
		for (let k = 0; k <= row.peak; k += step)
			this.text(String(k), x, bottom - k * unit, Math.round(12 * t), 400, n.ink2, "right");
		if (line !== null && line > y + (this.letter ? title : row.h > 70 && t === 1 ? 60 : 28))
			this.text(w.cpus(cpus), x - 18, line, Math.round(12 * t), 700, n.ink, "right");
	}
};

/* Steps of 1, 2, 5, at least @apart px apart. */
corun.ticks = function (from, to, width, apart = 90) {
	const least = (to - from) / width * apart, power = 10 ** Math.floor(Math.log10(least));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= least);
	const ticks = [];

	for (let k = Math.ceil(from / step); k * step <= to; k++)
		ticks.push(k * step);
	return { ticks, step };
};

/* A time on the axis: as many digits as the step needs, the unit on every label: "180 ms", "1.5 s". */
corun.moment = function (t, step, to) {
	const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]
		.find(([u]) => step >= u / 2 || u === 1 || (to >= u && step >= u / 10));
	const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));

	return t === 0 ? "0" : `${(t / unit).toFixed(Math.min(digits, 6))} ${name}`;
};
