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
	headline() {
		const e = corun.element, { data, hidden } = this, choices = data.choices ?? [];
		const mark = (i) => hidden ? (i === this.chosen ? ".on" : "") : i === data.answer ? ".on" : ".faded";

		return e("div.headline.lesson", {}, e("h1", {}, this.say(hidden ? data.question : data.text)),
			e("p", {}, this.say(hidden ? data.hint : data.more)),
			e("div.choices", { role: "group" }, ...choices.map((choice, i) => e(`button${mark(i)}`, {
				onclick: () => this.choose(i), "aria-pressed": String(i === this.chosen) },
			e("kbd", {}, String(i + 1)), this.say(choice)))),
			hidden ? e("button.reveal.on", { onclick: () => this.reveal() }, this.page.words.reveal,
				e("kbd", {}, "Enter")) : this.page.table());
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

			painter.view = { from: page.from, to: page.to, ...page.plot };
			for (const row of rows) {
				const top = y + row.y - page.scroll.scrollTop;

				if (row.type === "stack") {
					const bottom = top + row.h - 14, unit = (row.h - 26) / row.peak;

					c.fillStyle = n.panel;
					c.fillRect(x, top + 12, width, row.h - 26);
					painter.text("?", x + width / 2, top + row.h / 2, 96, 700, n.rule, "center");
					painter.stackLines(row, top, bottom, unit);
					painter.stackGutter(row, top, bottom, unit);
				} else if (row.type === "thread") {
					painter.name(trace.name(row.thread), 32, top + row.bar / 2, 120, 13, 400, n.ink);
					c.fillStyle = n.panel;
					c.fillRect(x, top + row.bar / 4, width, row.bar / 2);
				}
			}
		}
	}
	/* What the lesson points at. */
	marks(c) {
		const page = this.page, n = page.looks.get(page.traces[0]).neutral;

		for (const mark of this.data.highlights ?? []) {
			const x0 = page.xOf(mark.from_ns), x1 = page.xOf(mark.to_ns), text = this.say(mark.text);

			if (x1 < page.plot.x || x0 > page.plot.x + page.plot.width)
				continue;
			c.strokeStyle = n.ink;
			c.lineWidth = 2;
			c.strokeRect(x0, 3, Math.max(x1 - x0, 2), 0);
			c.font = `700 16px ${corun.font}`;
			const left = Math.min(Math.max(x0, page.plot.x) + 4, page.plot.x + page.plot.width - c.measureText(text).width - 8);

			c.fillStyle = n.page;
			c.fillRect(left - 4, 6, c.measureText(text).width + 8, 22);
			c.fillStyle = n.ink;
			c.textAlign = "left";
			c.textBaseline = "middle";
			c.fillText(text, left, 17);
		}
	}
};
