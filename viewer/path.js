// SPDX-License-Identifier: MIT
// The lane of the critical path: who was on it, by number, and in what state, as a thin bar below.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const STATE_BAR = 9;

Object.assign(corun.Painter.prototype, {
	path(row, y) {
		const v = this.view, s = this.trace.path, first = s.at(v.from), last = Math.min(s.at(v.to), s.n - 1);

		this.name(this.words.criticalPath, 20, y + 12, corun.GUTTER - 30, 13, 400, this.look.neutral.ink);
		if (last - first > v.width / 3)
			this.pathSampled(s, row, y);
		else
			this.pathPieces(s, first, last, row, y);
	},
	pathPieces(s, first, last, row, y) {
		const v = this.view, inside = (t) => Math.min(Math.max(this.x(t), v.x), v.x + v.width), high = row.bar - STATE_BAR - 2;

		for (let i = first; i <= last;) {
			/* Neighbours of one thread are one piece. */
			let end = i + 1;

			while (end <= last && s.a[end] === s.a[i])
				end++;
			if (s.a[i])
				this.identity(s.a[i] - 1, inside(s.startOf(i)), inside(s.end[end - 1]), y, high);
			for (; i < end; i++) {
				const x0 = inside(s.startOf(i)), x1 = inside(s.end[i]);

				this.rect(this.look.family(s.code[i]), x0, y + high + 2, x1 - x0, STATE_BAR);
			}
		}
	},
	/* More pieces than pixels: who and what it was in the middle of each. */
	pathSampled(s, row, y) {
		const v = this.view, raster = this.raster, high = row.bar - STATE_BAR - 2;

		this.sampled({ ...row, bar: high }, y, (t) => {
			const i = s.at(t);

			return i < s.n ? s.a[i] - 1 : -1;
		});
		raster.begin(v.width, STATE_BAR);
		for (let x = 0; x < raster.w; x++) {
			const i = s.at(v.from + (x + 0.5) / raster.w * (v.to - v.from));

			if (i < s.n)
				raster.column(raster.tile(this.look.family(s.code[i]), true), x, 0, raster.h);
		}
		raster.end(this.c, v.x, y + high + 2);
	},
});
