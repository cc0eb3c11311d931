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
	get neutral() {
		return this.looks.get(this.traces[0]).neutral;
	}
	paint() {
		const width = this.scroll.clientWidth, height = this.scroll.clientHeight, top = this.scroll.scrollTop;

		this.plot = { x: this.gutter, width: Math.max(50, width - this.gutter - 8) };
		this.size(this.canvas, width, height);
		this.paintLanes(this.context, height, top);
		this.paintAxis(this.size(this.axis, width, this.axisHeight));
	}
	/* All rows into @c, of which @height px from @top on are seen. */
	paintLanes(c, height, top) {
		const view = { from: this.from, to: this.to, ...this.plot };

		this.canvasHeight = height;
		this.grid(c, height);
		if (this.lesson?.hidden) {
			this.lesson.blank(c);
			return;
		}
		for (const section of this.sections) {
			const { trace, rows, y } = section, painter = this.painters.get(trace);

			painter.c = c;
			painter.type = this.type;
			painter.title = this.traces.length > 1 ? trace.title : null;
			painter.letter = this.traces.length > 1 ? this.letter(trace) : null;
			painter.selected = this.selected?.trace === trace ? this.selected : null;
			for (const row of rows) {
				const at = y + row.y - top;

				if (at + row.h > 0 && at < height)
					painter.paint(view, row, at);
			}
		}
		this.endings(c, top);
		this.range && this.rangeMark(c, height);
		this.emphasis(top);
		this.lesson?.marks(c, top);
		this.play.paint(c, height, this.neutral);
	}
	letter(trace) {
		return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[this.traces.indexOf(trace)] ?? "?";
	}
	grid(c, height) {
		c.fillStyle = this.neutral.rule;
		for (const t of corun.ticks(this.from, this.to, this.plot.width, 90 * this.type).ticks)
			c.fillRect(Math.round(this.xOf(t)), 0, 1, height);
	}
	xOf(t) {
		return this.plot.x + (t - this.from) / (this.to - this.from) * this.plot.width;
	}
	/* With several traces: where each one ends, and how much sooner than the longest. */
	endings(c, top) {
		if (this.traces.length < 2)
			return;
		const n = this.neutral, right = this.plot.x + this.plot.width, bottom = (section) => section.y - top + section.rows.at(-1).y + section.rows.at(-1).h;
		const seen = (x) => x >= this.plot.x && x <= right + 2, longest = this.sections.find(({ trace }) => trace.window_ns === this.longest);
		const late = this.xOf(this.longest);

		for (const section of this.sections) {
			const { trace, y } = section, x = this.xOf(trace.window_ns), first = y - top;

			if (section !== this.sections[0]) {
				c.fillStyle = n.rule;
				c.fillRect(20, first - 10, right - 20, 1);
			}
			c.fillStyle = n.ink;
			if (seen(x))
				c.fillRect(Math.min(x, right), first + 4, 2, bottom(section) - first - 8);
			if (section === longest || this.longest - trace.window_ns < this.longest * 0.02)
				continue;
			this.sooner(c, trace, Math.max(x, this.plot.x), late, first, seen(late));
		}
		/* The longest one's end, dotted through the others. */
		if (seen(late) && longest) {
			c.strokeStyle = n.ink;
			c.lineWidth = 1.5;
			c.setLineDash([2, 4]);
			for (const section of this.sections.filter((s) => s !== longest && s.trace.window_ns < this.longest * 0.98)) {
				c.beginPath();
				c.moveTo(late, section.y - top - 14);
				c.lineTo(late, section.y - top + section.rows[0].h);
				c.stroke();
			}
			c.setLineDash([]);
		}
	}
	/* The arrow between the ends; the empty half says more than anything drawn in it. */
	sooner(c, trace, x, late, first, seen) {
		const n = this.neutral, right = Math.min(late, this.plot.x + this.plot.width), text = this.words.sooner(corun.duration(this.longest - trace.window_ns));
		const size = Math.round(24 * Math.min(this.type, 1.2)), y = first + 42, painter = this.painters.get(trace);

		c.font = `700 ${size}px ${corun.font}`;
		const wide = c.measureText(text).width;

		if (right - x < wide + 24 || !seen)
			return;
		painter.text(text, (x + right) / 2, y - 22, size, 700, n.ink, "center");
		c.fillStyle = c.strokeStyle = n.ink;
		c.lineWidth = 2;
		c.beginPath();
		c.moveTo(right, y);
		c.lineTo(x + 14, y);
		c.stroke();
		c.beginPath();
		c.moveTo(x + 6, y);
		c.lineTo(x + 16, y - 5);
		c.lineTo(x + 16, y + 5);
		c.fill();
	}
	/* The tint lies under the data: it changes no colour. */
	rangeMark(c, height) {
		const { x, width } = this.plot, n = this.neutral, inside = (t) => Math.min(Math.max(this.xOf(t), x), x + width);
		const x0 = inside(this.range.from), x1 = inside(this.range.to);

		c.fillStyle = n.tint;
		c.globalCompositeOperation = "destination-over";
		c.fillRect(x0, 0, x1 - x0, height);
		c.globalCompositeOperation = "source-over";
		c.fillStyle = n.edge;
		c.fillRect(x0 - 0.75, 0, 1.5, height);
		c.fillRect(x1 - 0.75, 0, 1.5, height);
	}
	/* A single trace has the whole run over its axis. */
	get overviewHeight() {
		return this.traces.length === 1 && !this.lesson ? 44 : 0;
	}
	get axisHeight() {
		return this.overviewHeight + Math.round(24 * this.type);
	}
	paintAxis(c) {
		const n = this.neutral, painter = this.painters.get(this.traces[0]), h = this.axisHeight, size = Math.round(12 * this.type);
		const { ticks, step } = corun.ticks(this.from, this.to, this.plot.width, 90 * this.type), right = this.plot.x + this.plot.width;

		painter.c = c;
		if (this.overviewHeight)
			this.overview(c, painter);
		for (const t of ticks) {
			const x = Math.round(this.xOf(t));

			c.fillStyle = n.ink3;
			c.fillRect(x, h - 6, 1, 6);
			if (x < right - 44 * this.type)
				painter.text(corun.moment(t, step, this.to), x + 5, h - size / 2 - 5, size, 400, n.ink2);
		}
		if (this.range) {
			const x0 = Math.max(this.xOf(this.range.from), this.plot.x), x1 = Math.min(this.xOf(this.range.to), right);

			c.fillStyle = n.edge;
			if (x1 > x0)
				c.fillRect(x0 - 0.75, h - Math.round(24 * this.type), x1 - x0 + 1.5, 3);
		}
		this.play.flag(c, h, n);
		painter.c = this.context;
	}
	/* The whole run as a stack, what is outside the view veiled. */
	overview(c, painter) {
		const n = this.neutral, { x, width } = this.plot, trace = this.traces[0], key = `${width} ${this.dark} ${devicePixelRatio}`;

		painter.text(this.words.whole, this.plot.x - 12, 14, 12, 400, n.ink2, "right");
		/* It is the same in every frame. */
		if (this.whole?.key !== key) {
			const raster = new corun.Raster(painter.look);

			raster.begin(width, 28);
			const columns = painter.levels.view(0, this.longest, raster.w), shares = columns.total(trace.stacked.what);

			for (let px = 0; px < raster.w; px++) {
				let below = 0;

				for (const code of painter.order()) {
					const high = shares[px * columns.slots + painter.levels.slot[code]] / trace.stacked.peak * raster.h;

					raster.column(raster.tile(painter.look.family(code), true), px, Math.round(raster.h - below - high),
						Math.round(raster.h - below));
					below += high;
				}
			}
			this.whole = { key, raster };
		}
		this.whole.raster.end(c, x, 0);
		const x0 = x + this.from / this.longest * width, x1 = x + this.to / this.longest * width, all = this.to - this.from >= this.longest;

		c.fillStyle = n.page;
		c.globalAlpha = 0.62;
		c.fillRect(x, 0, x0 - x, 28);
		c.fillRect(x1, 0, x + width - x1, 28);
		c.globalAlpha = 1;
		c.strokeStyle = n.ink;
		c.lineWidth = 1.5;
		if (!all)
			c.strokeRect(x0, 0.75, Math.max(x1 - x0, 2), 27);
		if (!all) {
			painter.text("0", x, 37, 11, 400, n.ink3);
			painter.text(corun.duration(this.longest), x + width, 37, 11, 400, n.ink3, "right");
		}
	}
};
