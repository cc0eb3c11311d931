// SPDX-License-Identifier: MIT
// The picture of a page: every trace's rows, the axis over them, and what is marked in them. Draws what
// page.js decides: traces, sections, view, selection, range.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.Picture = class {
	redraw() {
		if (this.waiting)
			return;
		this.waiting = true;
		requestAnimationFrame(() => {
			this.waiting = false;
			this.paint();
		});
	}
	size(canvas, width, height) {
		const scale = devicePixelRatio || 1;

		if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
			canvas.width = Math.round(width * scale);
			canvas.height = Math.round(height * scale);
			canvas.style.width = `${width}px`;
			canvas.style.height = `${height}px`;
		}
		const c = canvas.getContext("2d");

		c.setTransform(scale, 0, 0, scale, 0, 0);
		c.clearRect(0, 0, width, height);
		return c;
	}
	paint() {
		const width = this.scroll.clientWidth, height = this.scroll.clientHeight, top = this.scroll.scrollTop;

		this.plot = { x: corun.GUTTER, width: Math.max(50, width - corun.GUTTER - 8) };
		this.size(this.canvas, width, height);
		const view = { from: this.from, to: this.to, ...this.plot };

		this.grid(this.context, height);
		if (this.lesson?.hidden) {
			this.lesson.blank(this.context);
			this.paintAxis(width);
			return;
		}
		for (const { trace, rows, y } of this.sections) {
			const painter = this.painters.get(trace);

			painter.title = this.traces.length > 1 ? trace.title : null;
			painter.selected = this.selected?.trace === trace ? this.selected : null;
			for (const row of rows) {
				const at = y + row.y - top;

				if (at + row.h > 0 && at < height)
					painter.paint(view, row, at);
			}
			this.ending(trace, painter, y - top, rows);
		}
		this.marks(view, top, height);
		this.lesson?.marks(this.context);
		this.play.paint(this.context, height, this.looks.get(this.traces[0]).neutral);
		this.paintAxis(width);
	}
	grid(c, height) {
		const n = this.looks.get(this.traces[0]).neutral;

		c.fillStyle = n.rule;
		for (const t of corun.ticks(this.from, this.to, this.plot.width).ticks)
			c.fillRect(Math.round(this.xOf(t)), 0, 1, height);
	}
	/* With several traces: where each one ends. */
	ending(trace, painter, y, rows) {
		if (this.traces.length < 2)
			return;
		const c = this.context, n = this.looks.get(trace).neutral, x = this.xOf(trace.window_ns);
		const last = rows[rows.length - 1], index = this.traces.indexOf(trace);

		c.fillStyle = n.ink;
		if (x <= this.plot.x + this.plot.width)
			c.fillRect(x, y + 6, 2, last.y + last.h - 6);
		c.fillRect(0, y + 8, 18, 18);
		painter.text("ABCDEFGH"[index] ?? "?", 9, y + 17, 12, 700, n.page, "center");
		const sooner = this.longest - trace.window_ns;

		if (sooner > this.longest * 0.03 && x < this.plot.x + this.plot.width - 160)
			painter.text(this.words.sooner(corun.duration(sooner)), x + 18, y + 40, 24, 700, n.ink);
	}
	xOf(t) {
		return this.plot.x + (t - this.from) / (this.to - this.from) * this.plot.width;
	}
	marks(view, top, height) {
		const c = this.context, n = this.looks.get(this.traces[0]).neutral;

		if (this.range) {
			const x0 = this.xOf(this.range.from), x1 = this.xOf(this.range.to);

			c.fillStyle = n.tint;
			c.globalCompositeOperation = "destination-over"; /* under the data: it changes no colour */
			c.fillRect(x0, 0, x1 - x0, height);
			c.globalCompositeOperation = "source-over";
			c.fillStyle = n.edge;
			c.fillRect(x0 - 1, 0, 1.5, height);
			c.fillRect(x1, 0, 1.5, height);
		}
		if (this.selected)
			this.frame(top);
	}
	/* Ink around what is selected, and an arrow from who woke or released it. */
	frame(top) {
		const { trace, thread, i } = this.selected, c = this.context, n = this.looks.get(trace).neutral;
		const section = this.sections.find((s) => s.trace === trace), s = trace.columns(thread);
		const row = section.rows.find((r) => r.thread === thread), y = section.y + row.y - top;
		const family = this.looks.get(trace).family(s.code[i]);
		const h = Math.max(6, this.looks.get(trace).height(family) * row.bar);
		/* Of a wait for a lock that took several turns, all of it. */
		const whole = s.code[i] >= corun.WAIT && trace.waitsOf(thread).find((w) =>
			w.start <= s.startOf(i) && w.start + w.length >= s.end[i]);
		const [start, end] = whole ? [whole.start, whole.start + whole.length] : [s.startOf(i), s.end[i]];
		const x0 = Math.max(this.xOf(start), this.plot.x);
		const x1 = Math.min(this.xOf(end), this.plot.x + this.plot.width);

		if (x1 <= x0)
			return;
		c.strokeStyle = n.ink;
		c.lineWidth = 2.5;
		c.strokeRect(x0, y + row.bar - h, x1 - x0, h);
		const waker = thread < 0 ? -1 : s.code[i] >= corun.WAIT ? s.c[i] - 1 : s.code[i] === corun.WOKEN ? s.a[i] - 1 : -1;
		const other = section.rows.find((r) => r.thread === waker);

		if (waker < 0 || !other)
			return;
		const at = this.xOf(s.code[i] >= corun.WAIT ? s.end[i] : s.startOf(i));
		const y0 = section.y + other.y - top + other.bar / 2, y1 = y + (y > y0 ? row.bar - h : row.bar);

		c.lineWidth = 2;
		c.beginPath();
		c.moveTo(at, y0);
		c.lineTo(at, y1);
		c.stroke();
		c.fillStyle = n.ink;
		c.beginPath();
		c.arc(at, y0, 4, 0, 7);
		c.fill();
		const d = y > y0 ? -9 : 9;

		c.beginPath();
		c.moveTo(at, y1);
		c.lineTo(at - 5, y1 + d);
		c.lineTo(at + 5, y1 + d);
		c.fill();
	}
	paintAxis(width) {
		const c = this.size(this.axis, width, 64), n = this.looks.get(this.traces[0]).neutral;
		const painter = this.painters.get(this.traces[0]), { ticks, step } = corun.ticks(this.from, this.to, this.plot.width);
		const text = (string, x, y, align = "left") => {
			c.font = `12px ${corun.font}`;
			c.fillStyle = n.ink2;
			c.textAlign = align;
			c.textBaseline = "middle";
			c.fillText(string, x, y);
		};

		if (!this.lesson?.hidden)
			this.overview(c, painter);
		text(this.words.whole, this.plot.x - 10, 14, "right");
		for (const t of ticks) {
			const x = Math.round(this.xOf(t));

			c.fillStyle = n.ink3;
			c.fillRect(x, 56, 1, 6);
			if (x < this.plot.x + this.plot.width - 44)
				text(corun.moment(t, step), x + 4, 48);
		}
	}
	/* The whole run as a stack, what is outside the view veiled. */
	overview(c, painter) {
		const n = this.looks.get(this.traces[0]).neutral, { x, width } = this.plot, trace = this.traces[0];
		const scaled = trace.window_ns / this.longest * width, key = `${scaled} ${this.dark} ${devicePixelRatio}`;

		/* It is the same in every frame. */
		if (this.whole?.key !== key) {
			const raster = new corun.Raster(painter.look), peak = Math.max(1, trace.report.concurrency.max);
			const columns = painter.levels.view(0, trace.window_ns, Math.max(1, Math.round(scaled)));

			raster.begin(scaled, 28);
			const shares = raster.shares(columns, columns.total(), 0, trace.window_ns);

			for (let px = 0; px < raster.w; px++) {
				let below = 0;

				for (const code of painter.order()) {
					const high = shares[px * columns.slots + painter.levels.slot[code]] / peak * raster.h;

					raster.column(raster.tile(painter.look.family(code), true), px, Math.round(raster.h - below - high),
						Math.round(raster.h - below));
					below += high;
				}
			}
			this.whole = { key, raster };
		}
		this.whole.raster.end(c, x, 0);
		const x0 = x + this.from / this.longest * width, x1 = x + this.to / this.longest * width;

		c.fillStyle = n.page;
		c.globalAlpha = 0.62;
		c.fillRect(x, 0, x0 - x, 28);
		c.fillRect(x1, 0, x + width - x1, 28);
		c.globalAlpha = 1;
		c.strokeStyle = n.ink;
		c.lineWidth = 1.5;
		c.strokeRect(x0, 0.75, Math.max(x1 - x0, 2), 27);
	}
};
