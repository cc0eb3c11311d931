// SPDX-License-Identifier: MIT
// Ask before you show: a lesson's question stands first; until the answer is asked for, no data are in
// the picture, nor in the tables.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.Lesson = class {
	constructor(page, data) {
		this.page = page;
		this.data = data;
		this.hidden = true;
		this.chosen = -1;
		if (data.view_ns?.[1] > data.view_ns?.[0] && !location.hash.includes("t="))
			[page.from, page.to] = data.view_ns.map((t) => Math.min(Math.max(t, 0), page.longest));
	}
	/* {en, ko} or a plain text. */
	say(text) {
		return typeof text === "string" ? text : text?.[this.page.korean ? "ko" : "en"] ?? text?.en ?? "";
	}
	title1() {
		return this.say(this.hidden ? this.data.question : this.data.text);
	}
	title2() {
		return this.say(this.hidden ? this.data.hint : this.data.more);
	}
	headline() {
		const e = corun.element, { data, hidden } = this, choices = data.choices ?? [];
		const mark = (i) => hidden ? (i === this.chosen ? ".on" : "") : i === data.answer ? ".on" : ".faded";

		return e(`div.headline`, {}, e(`h1${this.title1().length > (this.page.korean ? 60 : 100) ? ".long" : ""}`, {}, ...(hidden ? this.question() : this.page.underlined(this.title1()))),
			e("p", {}, this.title2()),
			choices.length ? e("div.choices", { role: "group" }, ...choices.map((choice, i) => e(`button${mark(i)}`, {
				onclick: () => this.choose(i), disabled: hidden ? null : "", "aria-pressed": String(hidden ? i === this.chosen : i === data.answer) },
			e("kbd", {}, String(i + 1)), e("span", {}, this.say(choice))))) : null,
			hidden ? null : this.page.table());
	}
	/* The way to the answer stands under the empty picture. */
	foot() {
		return this.hidden ? corun.element("button.reveal.on", { onclick: () => this.reveal() }, this.page.words.reveal,
			corun.element("kbd", {}, "Enter")) : null;
	}
	/* A question of several sentences is broken after a sentence, not where the line is full. */
	question() {
		return this.title1().split(/(?<=[.?!])\s+/).flatMap((text, i) => [i ? " " : "", corun.element("span.sentence", {}, text)]);
	}
	/* Question, answer, play: where one is, and the way there. */
	steps() {
		const e = corun.element, w = this.page.words, { hidden, page } = this, playing = page.play.shown;
		const step = (text, on, click) => e(`button.step${on ? ".here" : ""}`, { onclick: click, "aria-current": on ? "step" : null }, text);

		this.nav = e("nav.steps", {}, step(w.stepQuestion, hidden, () => this.ask()), step(w.stepAnswer, !hidden && !playing, () => {
			page.play.close();
			this.reveal();
		}), hidden ? null : step(w.play, playing, () => page.play.toggle()));
		return this.nav;
	}
	/* The kitchen opens, and closes. */
	here() {
		const now = this.steps();

		document.querySelector(".steps")?.replaceWith(now);
	}
	/* The question once more, for the next class. */
	ask() {
		this.page.play.close();
		this.page.selected = this.page.range = this.page.hovered = null;
		this.hidden = true;
		this.chosen = -1;
		this.page.build();
	}
	/* What the lesson calls trace @i. */
	title(i) {
		return this.say(this.data.titles?.[i]);
	}
	/* The lesson's text under the picture: HTML that its author wrote. Scripts in it do not run, and the page's
	 * policy lets nothing be fetched. */
	body() {
		if (this.hidden || !this.data.body)
			return null;
		const text = corun.element("article.course", { tabindex: -1 });

		text.innerHTML = this.say(this.data.body);
		return text;
	}
	choose(i) {
		if (!this.hidden || i >= (this.data.choices?.length ?? 0))
			return;
		this.chosen = i;
		this.page.build();
	}
	reveal() {
		this.hidden = false;
		this.page.build();
	}
	key(event) {
		if (!this.hidden)
			return false;
		if (event.key === "Enter" && event.target.tagName !== "BUTTON")
			this.reveal();
		else if (event.key >= "1" && event.key <= "9")
			this.choose(Number(event.key) - 1);
		else
			return event.key !== "Tab" && event.key !== "Enter";
		event.preventDefault();
		return true;
	}
	/* Names, axis and the CPU line, and nothing that was measured. */
	blank(c) {
		const page = this.page, { x, width } = page.plot;

		for (const { trace, rows, y } of page.sections) {
			const painter = page.painters.get(trace), n = page.looks.get(trace).neutral;

			Object.assign(painter, { c, type: page.type, view: { from: page.from, to: page.to, ...page.plot }, selected: null,
				title: page.traces.length > 1 ? trace.title : null, letter: page.traces.length > 1 ? page.letter(trace) : null });
			for (const row of rows) {
				const top = y + row.y - page.scroll.scrollTop;

				if (row.type === "stack") {
					const bottom = top + row.h - 14, unit = (row.h - 26) / row.peak, size = Math.min(96, (row.h - 26) * 0.8);

					c.fillStyle = n.panel;
					c.fillRect(x, top + 12, width, row.h - 26);
					painter.text("?", x + width / 2, top + row.h / 2, size, 700, n.id2, "center");
					painter.cpuLine(row, bottom, unit);
					painter.stackGutter(row, top, bottom, unit);
				} else if (row.type === "thread") {
					painter.threadName(row, top);
					c.fillStyle = n.panel;
					c.fillRect(x, top + row.bar / 4, width, row.bar * 0.6);
				}
			}
		}
	}
	/* What the lesson points at, and the CPUs that nobody uses. */
	marks(c, top) {
		const page = this.page, n = page.neutral, painter = page.painters.get(page.traces[0]), { x, width } = page.plot;
		const size = Math.round(13 * page.type);

		this.idle(c, top);
		for (const mark of this.data.highlights ?? []) {
			const x0 = page.xOf(mark.from_ns), x1 = page.xOf(mark.to_ns), text = this.say(mark.text);

			if (x1 < x || x0 > x + width)
				continue;
			c.strokeStyle = n.ink;
			c.lineWidth = 2;
			c.strokeRect(x0, 3, Math.max(x1 - x0, 2), 0);
			c.font = `700 ${size}px ${corun.font}`;
			const wide = c.measureText(text).width, left = Math.max(x + 4, Math.min(Math.max(x0, x) + 6, x + width - wide - 8));

			c.fillStyle = n.page;
			c.fillRect(left - 4, 6, wide + 8, size + 8);
			painter.text(text, left, 10 + size / 2, size, 700, n.ink);
		}
	}
	/* A bracket from what runs up to the CPUs, where on average a whole one is not used. */
	idle(c, top) {
		const page = this.page;

		for (const { trace, rows, y } of page.sections) {
			const row = rows[0], cpus = trace.report.target.usable_cpus, unit = (row.h - 26) / row.peak, bottom = y - top + row.h - 14;
			const means = corun.means(trace, page.from, Math.min(page.to, trace.window_ns)), idle = Math.round(cpus - means.running);
			const painter = page.painters.get(trace), size = Math.round(Math.min(13 * page.type, 20)), end = Math.min(page.xOf(trace.window_ns), page.plot.x + page.plot.width);
			const text = page.words.idleCpu(idle), x = end - 16, y0 = bottom - cpus * unit, y1 = y0 + idle * unit, n = page.neutral;

			if (!cpus || trace.stacked.tasks || idle < 1 || cpus > row.peak || unit * idle < size + 6 || means.active < 0.5 * (page.to - page.from))
				continue;
			c.font = `600 ${size}px ${corun.font}`;
			const wide = c.measureText(text).width;

			if (end - page.plot.x < wide * 3)
				continue;
			c.fillStyle = n.page;
			c.globalAlpha = 0.72;
			c.fillRect(x - wide - 20, (y0 + y1) / 2 - size * 0.75, wide + 12, size * 1.5);
			c.globalAlpha = 1;
			painter.text(text, x - wide - 14, (y0 + y1) / 2, size, 600, n.ink);
			c.strokeStyle = n.ink;
			c.lineWidth = 2;
			c.beginPath();
			c.moveTo(x - 5, y0 + 3);
			c.lineTo(x + 5, y0 + 3);
			c.moveTo(x, y0 + 3);
			c.lineTo(x, y1 - 3);
			c.moveTo(x - 5, y1 - 3);
			c.lineTo(x + 5, y1 - 3);
			c.stroke();
		}
	}
};
