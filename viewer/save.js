// SPDX-License-Identifier: MIT
// What one sees, as a picture to keep: banners, sentence, figures, the axis and all lanes (also those that one would have
// to scroll to), and what the colours mean. As PNG, as SVG, and on paper.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* Pixels of a saved picture to one of the screen. */
const SAVED_SCALE = 2, MARGIN = 20;

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
		const width = this.scroll.clientWidth, height = this.compose(new corun.SvgContext(width, 100), width);

		return this.composed(new corun.SvgContext(width, height), width, height);
	},
	/* The picture on a canvas of its own. */
	toCanvas() {
		const canvas = document.createElement("canvas"), c = canvas.getContext("2d"), width = this.scroll.clientWidth;
		const height = this.compose(c, width);

		canvas.width = width * SAVED_SCALE;
		canvas.height = height * SAVED_SCALE;
		c.scale(SAVED_SCALE, SAVED_SCALE);
		this.composed(c, width, height);
		return canvas;
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
		let y = 0;
		const write = (text, size, weight, color, gap, x = MARGIN, room = width - 2 * MARGIN) => {
			c.font = `${weight} ${size}px ${corun.font}`;
			for (const line of wrapped(c, text, room)) {
				y += size * 1.25;
				if (paint)
					painter.text(line, x, y - size * 0.62, size, weight, color);
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
		const heads = this.lesson ? [this.lesson.title1(), this.lesson.title2()] : this.traces.length === 1 ?
			[this.lines(this.traces[0])[0], this.lines(this.traces[0]).slice(1).join(" ")] :
			[this.comparison()[0], this.comparison().slice(1).join(" ")];

		write(heads[0], 27, 700, n.ink, 4);
		write(heads[1], 16, 400, n.ink2, 4);
		for (const t of hidden ? [] : this.traces)
			write(this.figureLine(t), 14, 400, n.ink, 2);
		y += 10;
		painter.c = before;
		y = this.composeLanes(c, y, paint);
		return Math.ceil(this.composeLegend(c, width, y + 8, paint));
	},
	figureLine(t) {
		const w = this.words, r = this.figuresOf(t), name = this.traces.length > 1 ? `${this.letter(t)} ${t.title}: ` : "";

		return `${name}${w.inFlight} ${r.concurrency.mean.toFixed(1)}, ${w.running} ${r.parallelism.mean.toFixed(1)}, ${w.demand} ` +
			`${r.demand.mean.toFixed(1)}, ${w.usable} ${t.report.target.usable_cpus?.toFixed(1) ?? "?"}, ${w.wall} ${corun.duration(r.window.duration_ns)}`;
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
		const painter = this.painters.get(this.traces[0]), n = this.neutral, shown = new Map();
		let x = MARGIN;

		for (const t of this.lesson?.hidden ? [] : this.traces)
			for (const code of t.codes)
				shown.set(this.painters.get(t).doing(code), this.looks.get(t).family(code));
		const before = painter.c;

		painter.c = c;
		for (const [text, family] of shown) {
			c.font = `400 12px ${corun.font}`;
			const wide = c.measureText(text).width + 44;

			if (x + wide > width - MARGIN) {
				x = MARGIN;
				y += 22;
			}
			if (paint) {
				if (family === "parked")
					painter.rect(family, x, y + 16, 18, 2);
				else
					painter.rect(family, x, y + 4, 18, 14);
				painter.text(text, x + 24, y + 11, 12, 400, n.ink2);
			}
			x += wide;
		}
		painter.c = before;
		return y + 34;
	},

	/* ---- paper: light, and all of it ---- */

	beforePrint() {
		if (this.printed)
			return;
		this.screenDark = this.dark;
		this.dark = false;
		this.build();
		this.paint();
		this.printed = this.toCanvas();
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
