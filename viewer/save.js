// SPDX-License-Identifier: MIT
// What one sees, as a picture to keep that needs no page around it: what was recorded, banners, sentence, the axis and all
// lanes (also those that one would have to scroll to), the figures with the histogram beside them, and what the colours
// mean. As PNG, as SVG, and on paper, where the figures come after the picture.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* Pixels of a saved picture to one of the screen. */
const SAVED_SCALE = 2, MARGIN = 20;
/* Beside the lanes, in letters of a page's size: the figures. */
const ASIDE = 300, ASIDE_GAP = 16;

/* @text in lines of at most @width px. */
function wrapped(c, text, width) {
	const lines = [""];

	for (const word of text.split(/(?<=\s)/)) {
		if (lines.at(-1) && c.measureText(lines.at(-1) + word.trimEnd()).width > width)
			lines.push("");
		lines[lines.length - 1] += word;
	}
	return lines.map((line) => line.trimEnd());
}

Object.assign(corun.Page.prototype, {
	saveMenu() {
		const e = corun.element, w = this.words, item = (text, click) => e("button", { role: "menuitem", onclick: () => {
			menu.open = false;
			click();
		} }, text);
		const menu = e("details.menu", {}, e("summary", { role: "button" }, w.save), e("div", { role: "menu" }, item(w.savePng, () => this.savePng()),
			item(w.saveSvg, () => this.saveSvg()), item(w.savePrint, () => window.print())));

		return menu;
	},
	download(name, href) {
		corun.element("a", { download: `${this.traces.map((t) => t.title).join("-").slice(0, 100).replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")}.${name}`,
			href }).click();
	},
	savePng() {
		this.toCanvas().toBlob((blob) => {
			const url = URL.createObjectURL(blob);

			this.download("png", url);
			setTimeout(() => URL.revokeObjectURL(url), 10000);
		});
	},
	saveSvg() {
		const url = URL.createObjectURL(new Blob([this.svg().toString()], { type: "image/svg+xml" }));

		this.download("svg", url);
		setTimeout(() => URL.revokeObjectURL(url), 10000);
	},
	svg() {
		const width = this.savedWidth(true), height = this.compose(new corun.SvgContext(width, 100), width);

		return this.composed(new corun.SvgContext(width, height), width, height);
	},
	/* The picture on a canvas of its own; @aside: with the figures beside it. */
	toCanvas(aside = true) {
		const canvas = document.createElement("canvas"), c = canvas.getContext("2d"), width = this.savedWidth(aside);
		const height = this.compose(c, width);

		canvas.width = width * SAVED_SCALE;
		canvas.height = height * SAVED_SCALE;
		c.scale(SAVED_SCALE, SAVED_SCALE);
		this.composed(c, width, height);
		return canvas;
	},
	/* A question that was not answered has no figures. */
	savedWidth(aside) {
		return this.scroll.clientWidth + (aside && !this.lesson?.hidden ? ASIDE_GAP + Math.round(ASIDE * this.type) + MARGIN : 0);
	},
	/* Paints on page colour; patterns are those of @c, and the pixels are fine enough for paper. */
	composed(c, width, height) {
		const looks = this.looks, { painters } = this;

		this.looks = new Map(this.traces.map((t) => [t, new corun.Look(t, this.dark)]));
		this.painters = new Map(this.traces.map((t) => [t, new corun.Painter(c, t, this.levels.get(t), this.looks.get(t), this.words, this.korean)]));
		corun.savedScale = SAVED_SCALE;
		this.whole = null;
		try {
			this.compose(c, width, height);
		} finally {
			corun.savedScale = 0;
			this.whole = null;
			Object.assign(this, { looks, painters });
		}
		/* Under all of it, under the tint of a range, too. */
		c.globalCompositeOperation = "destination-over";
		c.fillStyle = this.neutral.page;
		if (c.under)
			c.under.unshift(`<rect width="${width}" height="${height}" fill="${this.neutral.page}"/>`);
		else
			c.fillRect(0, 0, width, height);
		c.globalCompositeOperation = "source-over";
		return c;
	},
	/* Paints it all, or without @paint only measures; returns the height. */
	compose(c, width, paint) {
		const n = this.neutral, painter = this.painters.get(this.traces[0]), hidden = this.lesson?.hidden;
		const lanes = this.scroll.clientWidth, aside = width > lanes, t = this.type;
		let y = 0;
		const write = (text, size, weight, color, gap, x = MARGIN, room = width - 2 * MARGIN) => {
			if (!text)
				return;
			c.font = `${weight} ${size * t}px ${corun.font}`;
			for (const line of wrapped(c, text, room)) {
				y += size * t * 1.25;
				if (paint)
					painter.text(line, x, y - size * t * 0.62, size * t, weight, color);
			}
			y += gap;
		};
		const before = painter.c;

		painter.c = c;
		for (const text of this.bannerTexts()) {
			if (paint) {
				c.fillStyle = n.ink;
				c.fillRect(0, y, width, 36);
				c.fillStyle = "#F0DC38";
				c.fillRect(0, y, 8, 36);
				painter.text(text, MARGIN, y + 18, 14, 600, n.page);
			}
			y += 40;
		}
		y += 12;
		write(this.savedTitle(), 13, 400, n.ink2, 6);
		const heads = this.lesson ? [this.lesson.title1(), this.lesson.title2()] : this.traces.length === 1 ?
			[this.lines(this.traces[0])[0], this.lines(this.traces[0]).slice(1).join(" ")] :
			[this.comparison()[0], this.comparison().slice(1).join(" ")];

		write(heads[0], 27, 700, n.ink, 4);
		write(heads[1], 16, 400, n.ink2, 4);
		for (const t of hidden || (aside && this.traces.length === 1) ? [] : this.traces)
			write(this.figureLine(t), 14, 400, n.ink, 2);
		y += 10;
		painter.c = before;
		const figures = aside ? this.composeAside(c, lanes + ASIDE_GAP, y, paint) : 0;

		y = Math.max(this.composeLanes(c, y, paint), figures);
		return Math.ceil(this.composeLegend(c, width, y + 8, paint));
	},
	/* What was recorded, where, and which part of it is in the picture. */
	savedTitle() {
		const names = this.lesson ? [this.lesson.say(this.lesson.data.title) || document.title] : this.traces.map((t) => t.title);
		const all = this.from <= 0 && this.to >= this.longest, part = all ? this.words.whole : `${corun.instant(this.from)} – ${corun.instant(this.to)}`;

		return ["corun", names.join(` ${this.words.against} `), this.lesson ? "" : this.facts(),
			this.lesson?.hidden ? "" : `${part}, ${corun.duration(this.to - this.from)}`].filter(Boolean).join(" · ");
	},
	figureLine(t) {
		const w = this.words, r = this.figuresOf(t), name = this.traces.length > 1 ? `${this.letter(t)} ${t.title}: ` : "";

		return `${name}${w.inFlight} ${r.concurrency.mean.toFixed(1)}, ${w.running} ${r.parallelism.mean.toFixed(1)}, ${w.demand} ` +
			`${r.demand.mean.toFixed(1)}, ${w.usable} ${t.report.target.usable_cpus?.toFixed(1) ?? "?"}, ${w.wall} ${corun.duration(r.window.duration_ns)}`;
	},
	/* What stands beside the lanes, each trace's part at its own rows; returns where the last one ends. */
	composeAside(c, x, y, paint) {
		let bottom = y;

		for (const { trace, y: top } of this.sections)
			bottom = this.asideOf(c, trace, x, Math.max(bottom, y + this.axisHeight + top), paint) + MARGIN;
		return bottom;
	},
	asideOf(c, trace, x, top, paint) {
		const painter = this.painters.get(trace), n = this.neutral, w = this.words, t = this.type, wide = Math.round(ASIDE * t), before = painter.c;
		let y = top;
		const write = (text, size, weight, color, left = x, room = wide) => {
			c.font = `${weight} ${size * t}px ${corun.font}`;
			for (const line of wrapped(c, text, room)) {
				y += size * t * 1.35;
				if (paint)
					painter.text(line, left, y - size * t * 0.68, size * t, weight, color);
			}
		};

		painter.c = c;
		painter.type = t;
		if (this.traces.length > 1)
			write(`${corun.duration(trace.window_ns)}: ${this.verdictTail(trace)}`, 14, 700, n.ink);
		else
			y = this.asideFigures(painter, trace, x, y, paint);
		y += 6 * t;
		const cells = this.panel.jointCells(trace), cell = corun.jointCell(cells.n, 132 * t, t), size = corun.jointSize(cells.n, cell, t);
		const usage = this.panel.usage(trace), { whole, list } = corun.shares(trace, usage), parked = this.panel.parkedText(trace, usage);
		const right = x + size.width + 12 * t, room = x + wide - right, begin = y;

		write(w.inFlight, 12, 600, n.ink2);
		if (paint)
			corun.paintJoint(painter, cells, this.panel.cause(trace), x, y + 4, cell);
		const below = y + 4 + size.height;

		y = begin;
		write(w.ofWhich(corun.duration(whole)), 12, 600, n.ink2, right, room);
		for (const share of list.slice(0, 6))
			y = this.asideShare(painter, trace, share, right, y + 3 * t, room, paint);
		if (parked)
			write(parked, 12, 400, n.ink2, right, room);
		y = Math.max(y, below);
		for (const [heading, text, why] of this.chosen(trace)) {
			y += 14 * t;
			write(heading, 12, 600, n.ink2);
			write(text, 14, 700, n.ink);
			if (why)
				write(why, 12, 400, n.ink2);
		}
		painter.c = before;
		return y;
	},
	/* What is selected and the range, as sentences: [heading, sentence, reason]. */
	chosen(trace) {
		const w = this.words, list = [], spell = (from, to) => `${corun.instant(from)} – ${corun.instant(to)}`;

		if (this.selected?.trace === trace) {
			const { start, end } = corun.wholeOf(this.selected);

			list.push([spell(start, end), this.panel.titleOf(this.selected, corun.duration(end - start))]);
		}
		if (this.range) {
			const { from, to } = this.range, v = corun.verdict(trace, from, Math.max(Math.min(to, trace.window_ns), from), w);

			list.push([`${w.selectedTime}: ${spell(from, to)}`, v.text, v.why]);
		}
		return list;
	},
	/* The four figures in a row. */
	asideFigures(painter, trace, x, y, paint) {
		const n = this.neutral, t = this.type, step = ASIDE * t / 4;

		if (paint)
			this.panel.keyFigures(trace).forEach(([value, label], i) => {
				painter.text(value, x + i * step, y + 15 * t, 30 * t, 700, i === 1 ? this.dark ? "#00B498" : corun.families.running[0] : n.ink);
				painter.text(label, x + i * step, y + 40 * t, 12 * t, 400, n.ink2);
			});
		return y + 60 * t;
	},
	/* A state with its share of the time in flight, as text and as a bar. */
	asideShare(painter, trace, { code, share }, x, y, wide, paint) {
		const n = this.neutral, t = this.type, family = this.looks.get(trace).family(code);

		if (paint) {
			painter.rect(family, x, y + 3 * t, 12 * t, 12 * t);
			painter.name(painter.label(code), x + 18 * t, y + 9 * t, wide - 66 * t, 13 * t, 400, n.ink);
			painter.text(corun.percent(share), x + wide, y + 9 * t, 13 * t, 400, n.ink, "right");
			painter.c.fillStyle = this.looks.get(trace).fill(family);
			painter.c.fillRect(x, y + 19 * t, Math.max(wide * share, 1), 5 * t);
		}
		return y + 28 * t;
	},
	composeLanes(c, y, paint) {
		if (!paint)
			return y + this.axisHeight + this.height;
		const { context } = this;

		this.context = c;
		this.shift(c, y, () => this.paintAxis(c));
		this.shift(c, y + this.axisHeight, () => this.paintLanes(c, this.height, 0));
		this.context = context;
		return y + this.axisHeight + this.height;
	},
	/* Paints with the origin at @y. */
	shift(c, y, paint) {
		if (c instanceof corun.SvgContext) {
			const under = c.under.length;

			c.over.push(`<g transform="translate(0 ${y})">`);
			paint();
			c.over.push("</g>");
			c.under.splice(under, 0, `<g transform="translate(0 ${y})">`);
			c.under.push("</g>");
			return;
		}
		c.save();
		c.translate(0, y);
		paint();
		c.restore();
	},
	composeLegend(c, width, y, paint) {
		const painter = this.painters.get(this.traces[0]), n = this.neutral, shown = new Map(), t = this.type;
		let x = MARGIN;

		for (const trace of this.lesson?.hidden ? [] : this.traces)
			for (const code of trace.codes)
				shown.set(this.painters.get(trace).doing(code), this.looks.get(trace).family(code));
		const before = painter.c;

		painter.c = c;
		for (const [text, family] of shown) {
			c.font = `400 ${12 * t}px ${corun.font}`;
			const wide = c.measureText(text).width + 44 * t;

			if (x > MARGIN && x + wide > width - MARGIN) {
				x = MARGIN;
				y += 22 * t;
			}
			if (paint) {
				if (family === "parked")
					painter.rect(family, x, y + 16 * t, 18 * t, 2);
				else
					painter.rect(family, x, y + 4 * t, 18 * t, 14 * t);
				painter.text(text, x + 24 * t, y + 11 * t, 12 * t, 400, n.ink2);
			}
			x += wide;
		}
		painter.c = before;
		return y + 34 * t;
	},

	/* ---- paper: light, and all of it ---- */

	beforePrint() {
		if (this.printed)
			return;
		this.screenDark = this.dark;
		this.dark = false;
		this.build();
		this.paint();
		this.printed = this.toCanvas(false);
		this.printed.className = "printed";
		this.scroll.parentNode.before(this.printed);
		document.querySelectorAll("aside details").forEach((details) => { details.open = true; });
	},
	afterPrint() {
		this.printed?.remove();
		this.printed = null;
		this.dark = this.screenDark;
		this.build();
	},
});
