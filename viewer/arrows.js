// SPDX-License-Identifier: MIT
// What is selected or lies under the pointer: a frame, who held the lock meanwhile, and arrows from waker to woken and
// from holder to waiter.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* So many other hand-offs are shown at most: more of them are a wall. */
const MOST_HAND_OFFS = 200;

Object.assign(corun.Picture.prototype, {
	/* Where row @thread of @trace stands: {row, y} in the picture, or null. */
	rowOf(trace, thread, top) {
		const section = this.sections.find((s) => s.trace === trace), row = section.rows.find((r) => r.thread === thread);

		return row ? { row, y: section.y + row.y - top } : null;
	},
	emphasis(top) {
		const c = this.context, { x, width } = this.plot;

		c.save();
		c.beginPath();
		c.rect(x, 0, width, this.canvasHeight);
		c.clip();
		if (this.selected) {
			this.handOffs(this.selected, top);
			this.frame(this.selected, top, 2.5);
			this.frameHolders(this.selected, top);
			this.arrow(this.selected, top, true);
		}
		if (this.hovered && !(this.hovered.i === this.selected?.i && this.hovered.thread === this.selected?.thread)) {
			this.frame(this.hovered, top, 1);
			this.arrow(this.hovered, top, !this.selected);
		}
		c.restore();
	},
	frame(selected, top, line) {
		const { trace, thread, i } = selected, c = this.context, look = this.looks.get(trace), at = this.rowOf(trace, thread, top);

		if (!at)
			return;
		const { start, end } = corun.wholeOf(selected), painter = this.painters.get(trace), { bar } = at.row;
		const h = Math.max(8, painter.barHeight(look.family(trace.columns(thread).code[i]), bar)), x = Math.max(this.xOf(start), this.plot.x - 4);

		c.strokeStyle = look.neutral.ink;
		c.lineWidth = line;
		c.strokeRect(x, at.y + bar - h, Math.max(Math.min(this.xOf(end), this.plot.x + this.plot.width + 4) - x, 1), h);
	},
	/* The running slices of those who held the lock meanwhile. */
	frameHolders(selected, top) {
		const { trace, thread, i } = selected, kind = trace.columns(thread).code[i] - corun.WAIT, c = this.context;

		if (thread < 0 || !["gil", "lock"].includes(trace.kinds[kind]?.role))
			return;
		const { start, end } = corun.wholeOf(selected), held = corun.heldIn(trace, thread, kind, Math.max(start, this.from), Math.min(end, this.to));

		if (held.length > MOST_HAND_OFFS)
			return;
		c.lineWidth = 1.5;
		for (const piece of held) {
			const at = this.rowOf(trace, piece.thread, top), s = trace.columns(piece.thread);

			for (let k = s.at(piece.start); at && k < s.n && s.startOf(k) < piece.end; k++)
				if (s.code[k] === corun.RUNNING && this.xOf(s.end[k]) - this.xOf(s.startOf(k)) >= 2)
					c.strokeRect(this.xOf(s.startOf(k)), at.y + 0.75, this.xOf(s.end[k]) - this.xOf(s.startOf(k)), at.row.bar - 0.75);
		}
	},
	/* Who ended the wait, or made it ready: {from, to, at, lock}, or null. */
	link(selected) {
		const { trace, thread, i } = selected, s = trace.columns(thread), code = s.code[i];

		if (thread < 0)
			return null;
		if (code === corun.WOKEN)
			return s.a[i] ? { from: s.a[i] - 1, at: s.startOf(i), lock: false } : null;
		if (code < corun.WAIT)
			return null;
		const { end, wait } = corun.wholeOf(selected), last = Math.max(s.at(end) - 1, 0), lock = ["gil", "lock"].includes(trace.kinds[code - corun.WAIT].role);
		const from = wait?.releaser || (s.end[last] === end ? s.c[last] : 0) || s.c[i] || (lock ? s.b[i] : 0);

		return from ? { from: from - 1, at: end, lock } : null;
	},
	/* A dot at who released it, a head at who got it. */
	arrow(selected, top, labelled) {
		const { trace, thread } = selected, link = this.link(selected), to = this.rowOf(trace, thread, top);
		const from = link && link.from !== thread ? this.rowOf(trace, link.from, top) : null;

		if (!from || !to || link.at < this.from || link.at > this.to)
			return;
		const c = this.context, n = this.looks.get(trace).neutral, x = this.xOf(link.at), down = to.y > from.y, w = this.words;
		const y0 = down ? from.y + from.row.bar : from.y + 2, y1 = down ? to.y - 1 : to.y + to.row.bar + 1, d = down ? -9 : 9;

		c.strokeStyle = c.fillStyle = n.ink;
		c.lineWidth = 2;
		c.beginPath();
		c.moveTo(x, y0);
		c.lineTo(x, y1 + d);
		c.stroke();
		c.beginPath();
		c.arc(x, y0, 4, 0, 7);
		c.fill();
		c.beginPath();
		c.moveTo(x, y1);
		c.lineTo(x - 5, y1 + d);
		c.lineTo(x + 5, y1 + d);
		c.fill();
		if (labelled)
			this.arrowLabel((link.lock ? w.releasedArrow : w.wokenArrow)(trace.name(link.from)), x, down ? to.y - 10 : to.y + to.row.bar + 10, n);
	},
	/* On page colour; at the right edge it flips to the left. */
	arrowLabel(text, x, y, n) {
		const c = this.context, shown = text.length > 60 ? `${text.slice(0, 40)}…` : text;

		c.font = `700 12px ${corun.font}`;
		const width = c.measureText(shown).width, left = x + 10 + width > this.plot.x + this.plot.width ? x - 10 - width : x + 10;

		c.fillStyle = n.page;
		c.fillRect(left - 4, y - 9, width + 8, 18);
		c.fillStyle = n.ink;
		c.textAlign = "left";
		c.textBaseline = "middle";
		c.fillText(shown, left, y);
	},
	/* Every other hand-off of the selected lock in the view: thin lines, while there are few. */
	handOffs({ trace, thread, i }, top) {
		const kind = trace.columns(thread).code[i] - corun.WAIT, c = this.context;

		if (thread < 0 || !["gil", "lock"].includes(trace.kinds[kind]?.role))
			return;
		const held = corun.heldIn(trace, thread, kind, this.from, this.to), lines = [];

		for (let k = 1; k < held.length && lines.length <= MOST_HAND_OFFS; k++)
			if (held[k].thread !== held[k - 1].thread)
				lines.push([held[k - 1].thread, held[k].thread, held[k].start]);
		if (lines.length >= MOST_HAND_OFFS)
			return;
		c.globalAlpha = 0.5;
		c.fillStyle = this.looks.get(trace).neutral.ink;
		for (const [from, to, at] of lines) {
			const a = this.rowOf(trace, from, top), b = this.rowOf(trace, to, top);

			if (!a || !b)
				continue;
			const y0 = a.y < b.y ? a.y + a.row.bar : a.y, y1 = a.y < b.y ? b.y : b.y + b.row.bar;

			c.fillRect(this.xOf(at) - 0.5, Math.min(y0, y1), 1, Math.abs(y1 - y0));
		}
		c.globalAlpha = 1;
	},
});
