// SPDX-License-Identifier: MIT
// The lanes: who was on each CPU, who held each lock, the critical path, and what every thread and task was doing.
// A slice of a pixel or more is drawn by itself; what is thinner is summed by pixel, so that the area stays true.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const STATE_BAR = 9;

Object.assign(corun.Painter.prototype, {
	/* Names in the gutter stand in the middle of the bar. */
	process(row, y) {
		this.name(`${row.folded ? "▸" : "▾"} ${row.name}`, 20, y + 13, this.view.x - 30, 13, 600, this.look.neutral.ink);
	},

	/* ---- who: identity by number, name and two greys, never by colour ---- */

	/* Which of the two greys: neighbours in the picture differ. */
	shade(thread) {
		const number = this.trace.number(thread);

		return (number === "?" ? thread : number) % 2;
	},
	identity(thread, x0, x1, y, h) {
		const c = this.c, n = this.look.neutral, chosen = this.selected?.thread === thread;

		c.fillStyle = chosen ? n.ink : this.shade(thread) ? n.id2 : n.id1;
		c.fillRect(x0, y, Math.max(x1 - x0 - 1, 0.6), h);
		this.identityLabel(thread, x0, x1, y, h);
	},
	identityLabel(thread, x0, x1, y, h) {
		const n = this.look.neutral, number = String(this.trace.number(thread)), full = `${number} ${this.trace.name(thread)}`, room = x1 - x0;

		if (room > 16)
			this.text(full.length < 60 && room > full.length * 8 + 12 ? full : number, (x0 + x1 - 1) / 2, y + h / 2 + 0.5, 12,
				700, this.selected?.thread === thread ? n.page : n.ink, "center");
	},
	cpu(row, y) {
		this.text(`CPU ${row.cpu}`, 20, y + 12, 13, 400, this.look.neutral.ink);
		this.who(row.pieces, y, row.bar);
	},
	holder(row, y) {
		this.name(row.name, 20, y + 12, this.view.x - 30, 13, 400, this.look.neutral.ink);
		this.who(row.pieces, y, row.bar);
	},
	/* Pieces of [from, to), neighbours of one thread as one. */
	who(pieces, y, h) {
		const v = this.view, inside = (t) => Math.min(Math.max(this.x(t), v.x), v.x + v.width);
		const first = pieces.at(v.from), last = Math.min(pieces.at(v.to), pieces.n - 1);

		if (last - first > v.width / 3) {
			this.whoDense(pieces, y, h);
			return;
		}
		for (let i = first; i <= last;) {
			let end = i + 1;

			while (end <= last && pieces.a[end] === pieces.a[i])
				end++;
			if (pieces.a[i] && pieces.startOf(i) < v.to)
				this.identity(pieces.a[i] - 1, inside(pieces.startOf(i)), inside(pieces.end[end - 1]), y, h);
			i = end;
		}
	},
	/* More pieces than pixels: the height is how much of the pixel somebody was there. */
	whoDense(pieces, y, h) {
		const v = this.view, raster = this.raster, n = this.look.neutral, sums = this.levels.pieces(pieces, (id) => this.shade(id));

		raster.begin(v.width, h);
		const width = (v.to - v.from) / raster.w, shares = sums.columns(v.from, width, raster.w);
		const tiles = [raster.color(n.id1), raster.color(n.id2)], ink = raster.color(n.ink), chosen = this.selected?.thread;

		for (let x = 0; x < raster.w; x++) {
			const low = raster.h - Math.round(shares[x * 3] * raster.h), high = Math.round(shares[x * 3 + 1] * raster.h);

			raster.column(tiles[0], x, low, raster.h);
			raster.column(tiles[1], x, low - high, low);
			if (chosen >= 0 && pieces.a[pieces.at(v.from + (x + 0.5) * width)] === chosen + 1)
				raster.column(ink, x, low - high, raster.h);
		}
		raster.end(this.c, v.x, y);
		sums.long(v.from, v.to, 17 * (v.to - v.from) / v.width, (i) => pieces.a[i] && this.identityLabel(pieces.a[i] - 1,
			Math.max(this.x(pieces.startOf(i)), v.x), Math.min(this.x(pieces.end[i]), v.x + v.width), y, h));
	},
	/* Who was on the path, and in what state, as a thin bar below. */
	path(row, y) {
		const v = this.view, s = row.pieces, high = row.bar - STATE_BAR - 2, raster = this.raster;
		const first = s.at(v.from), last = Math.min(s.at(v.to), s.n - 1), inside = (t) => Math.min(Math.max(this.x(t), v.x), v.x + v.width);

		this.name(this.words.criticalPath, 20, y + 12, this.view.x - 30, 13, 400, this.look.neutral.ink);
		this.who(s, y, high);
		if (last - first > v.width / 3) {
			raster.begin(v.width, STATE_BAR);
			for (let x = 0; x < raster.w; x++) {
				const i = s.at(v.from + (x + 0.5) / raster.w * (v.to - v.from));

				if (i < s.n)
					raster.column(raster.tile(this.look.family(s.code[i]), true), x, 0, raster.h);
			}
			raster.end(this.c, v.x, y + high + 2);
			return;
		}
		for (let i = first; i <= last; i++) {
			const x0 = inside(s.startOf(i)), x1 = inside(s.end[i]);

			this.rect(this.look.family(s.code[i]), x0, y + high + 2, x1 - x0, STATE_BAR);
		}
	},

	/* ---- what: threads and tasks ---- */

	thread(row, y) {
		const v = this.view, s = this.trace.columns(row.thread);

		this.threadName(row, y);
		const first = s.at(v.from), last = Math.min(s.at(v.to), s.n - 1);

		if (last - first > v.width / 3)
			this.dense(s, row, y);
		else
			this.spans(s, first, last, row, y);
	},
	/* Number, name and tid; of a task its name, on the thread's tree. */
	threadName(row, y) {
		const n = this.look.neutral, task = row.thread < 0, chosen = this.selected?.thread === row.thread, large = this.type > 1;
		const tid = task || row.alone || large ? "" : String(this.trace.names[row.thread].tid), small = row.bar < 20;
		const middle = y + row.bar / 2 + (small || task ? 0 : 2), fold = row.key ? row.folded ? "▸ " : "▾ " : "";
		const text = row.alone && !large ? row.alone : this.trace.name(row.thread), x = task ? 52 : large ? 44 : 38;
		const size = large ? (task ? 16 : 18) * (this.type > corun.LESSON_TYPE && row.bar >= 26 ? 1.25 : 1) : small ? 11 : 13;

		this.name(fold + text, x, middle, this.view.x - 10 - x - (tid ? tid.length * 6.8 + 4 : 0), size,
			chosen ? 700 : large && !task ? 600 : 400, task ? n.ink2 : n.ink);
		if (task) {
			this.branch(y, row);
			return;
		}
		this.text(String(this.trace.number(row.thread)), x - 7, middle, large ? 16 : 11, 700, n.ink3, "right");
		if (tid)
			this.text(tid, this.view.x - 12, middle, 11, 400, n.ink3, "right");
	},
	/* The tree line from a thread to its task. */
	branch(y, row) {
		const c = this.c, middle = Math.round(y + row.bar / 2);

		c.fillStyle = this.look.neutral.rule;
		c.fillRect(36, y - (row.h - row.bar), 1.5, row.last ? middle - y + row.h - row.bar : row.h);
		c.fillRect(36, middle, 10, 1.5);
	},
	/* More spans than pixels: the shares of every pixel from the base up, each with its own height; over them, crisp,
	 * the edges and patterns of the spans that are wide enough to be seen by themselves. */
	dense(s, row, y) {
		const v = this.view, raster = this.raster;

		raster.begin(v.width, row.bar);
		const columns = this.levels.view(v.from, v.to, raster.w), { width, slots } = columns, shares = columns.of(row.thread);
		const codes = this.trace.codes.map((code) => {
			const family = this.look.family(code), high = family === "parked" ? 2 * raster.scale : this.look.height(family) * raster.h;

			return { slot: this.levels.slot[code], tile: raster.tile(family, true), high };
		});

		for (let x = 0; x < raster.w; x++) {
			let below = 0;

			for (const { slot, tile, high } of codes) {
				const share = shares[x * slots + slot];

				if (share <= 0)
					continue;
				raster.column(tile, x, Math.round(raster.h - below - share * high), Math.round(raster.h - below));
				below += share * high;
			}
		}
		this.crisp(s, row, width);
		raster.end(this.c, v.x, y);
		this.denseLabels(s, row, y);
	},
	crisp(s, row, width) {
		const v = this.view, raster = this.raster, wide = 12 * raster.scale;
		const whole = (family, x, edge) => {
			const high = family === "parked" ? 2 * raster.scale : Math.round(this.look.height(family) * raster.h);

			raster.clear(x);
			raster.column(raster.tile(family, !edge), x, raster.h - high, raster.h);
			if (edge && this.look.edge(family))
				raster.column(raster.color(this.look.edge(family)), x, raster.h - high, raster.h - high + Math.round(raster.scale));
		};
		let before = -2; /* the span drawn before; no span is the next one of it */

		this.levels.sums(row.thread).long(v.from, v.to, width, (i) => {
			const x0 = (s.startOf(i) - v.from) / width, x1 = (s.end[i] - v.from) / width, family = this.look.family(s.code[i]);
			const first = Math.max(0, Math.ceil(x0)), last = Math.min(raster.w, Math.floor(x1));

			if (x1 - x0 >= wide)
				for (let x = first; x < last; x++)
					whole(family, x, true);
			/* Two wide spans that meet within a pixel: it is the one's or the other's. */
			if (before === i - 1 && first > 0 && first !== x0)
				whole(this.look.family(s.code[first - x0 > 0.5 ? i : before]), first - 1, false);
			before = i;
		});
	},
	denseLabels(s, row, y) {
		const v = this.view, least = 18 * (v.to - v.from) / v.width, waits = this.trace.waitsOf(row.thread);
		const inside = (t) => Math.min(Math.max(this.x(t), v.x), v.x + v.width);
		const label = (code, start, end) => {
			const family = this.look.family(code), h = this.barHeight(family, row.bar);

			this.spanLabel(code, family, inside(start), inside(end), y + row.bar - h, h, end - start, row);
		};
		let w = corun.firstAfter(waits, v.from);

		for (; w < waits.length && waits[w].start < v.to; w++)
			if (waits[w].length >= least)
				label(corun.WAIT + waits[w].kind, waits[w].start, waits[w].start + waits[w].length);
		this.levels.sums(row.thread).long(v.from, v.to, least, (i) => {
			if (!this.trace.waitAt(row.thread, s.startOf(i), s.code[i]))
				label(s.code[i], s.startOf(i), s.end[i]);
		});
	},
	barHeight(family, bar) {
		return family === "parked" ? 2 : Math.max(2, Math.round(this.look.height(family) * bar));
	},
	bar(code, start, end, row, y) {
		const v = this.view, family = this.look.family(code), h = this.barHeight(family, row.bar);
		const x0 = Math.max(this.x(start), v.x), x1 = Math.min(this.x(end), v.x + v.width);

		/* A lane may begin only after what is seen. */
		if (x1 <= x0)
			return () => {};
		this.rect(family, x0, y + row.bar - h, x1 - x0, h);
		return () => x1 - x0 >= 18 && row.bar >= 14 &&
			this.spanLabel(code, family, x0, x1, y + row.bar - h, h, end - start, row);
	},
	/* One wait for a lock stays one bar over its time-outs; what parts it is drawn over it. Neighbours of one kind with
	 * less than a pixel between them are one bar, too. */
	spans(s, first, last, row, y) {
		const labels = [], v = this.view, pixel = (v.to - v.from) / v.width, { trace } = this, lane = row.thread;
		const joins = (a, b) => s.code[b] === s.code[a] && s.code[a] >= corun.WAIT && s.end[b - 1] - s.end[b - 2] < pixel &&
			!trace.tooShort(lane, s, b) && !trace.turnsAt(lane, s.startOf(b));
		let drawn = null;

		for (let i = first; i <= last; i++) {
			const start = s.startOf(i), whole = trace.turnsAt(lane, start);

			if (whole && whole !== drawn && whole.length >= (trace.min_wait_ns ?? 0))
				labels.push(this.bar(corun.WAIT + whole.kind, whole.start, whole.start + whole.length, row, y));
			drawn = whole;
			if (trace.tooShort(lane, s, i) || (whole && s.code[i] === corun.WAIT + whole.kind))
				continue;
			let end = i;

			while (end + 2 <= last && joins(i, end + 2))
				end += 2;
			labels.push(this.bar(s.code[i], start, s.end[end], row, y));
			for (let k = i + 1; k < end; k += 2)
				if (!trace.tooShort(lane, s, k))
					this.bar(s.code[k], s.startOf(k), s.end[k], row, y);
			i = end;
		}
		/* Above all bars: a short one must not cut the text of a long one. */
		for (const label of labels)
			label();
	},
	spanLabel(code, family, x0, x1, top, h, length, row) {
		const c = this.c, d = corun.duration(length), kind = this.label(code);
		const size = this.type > 1 ? 16 : h > 12 || (family === "parked" && row.bar >= 20) ? 12 : 11;
		const text = family === "parked" ? [this.doing(code), kind] : code === corun.RUNNING ? [d] :
			code < corun.WAIT ? [`${kind}, ${d}`, kind] : [`${this.doing(code)}, ${d}`, `${kind}, ${d}`, kind];

		if (family === "parked" ? row.bar < size + 4 : h < size)
			return;
		c.font = `400 ${size}px ${corun.font}`;
		const fits = text.find((t) => c.measureText(t).width + 10 <= x1 - x0);

		if (!fits)
			return;
		const middle = family === "parked" ? top - size / 2 - 3 : top + h / 2 + 0.5, width = c.measureText(fits).width;

		if (corun.families[family][3] && x1 - x0 >= 12) {
			c.fillStyle = family === "unknown" || family === "stopped" ? this.look.neutral.page : this.look.fill(family);
			c.fillRect(x0 + 2, Math.max(middle - size / 2 - 2, top + 1), width + 6, Math.min(size + 4, h - 1));
		}
		this.text(fits, x0 + 5, middle, size, 400, family === "parked" ? this.look.neutral.ink3 : this.look.ink(family));
	},
});
