// SPDX-License-Identifier: MIT
// The panel beside the picture: figures, where the time went, the joint histogram, what is selected.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* element("div.name", {attributes}, ...children): text is always text, never markup. */
corun.element = function (what, attributes = {}, ...children) {
	const [tag, ...classes] = what.split(".");
	const node = document.createElement(tag);

	node.className = classes.join(" ");
	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith("on"))
			node.addEventListener(key.slice(2), value);
		else if (key === "style")
			node.style.cssText = value;
		else
			node.setAttribute(key, value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined));
	return node;
};

/* Shares of the time in flight by family and label, largest first, from codes -> ns. */
corun.shares = function (trace, usage) {
	const flight = Object.entries(usage).filter(([code]) => trace.flight(Number(code)));
	const whole = flight.reduce((sum, [, ns]) => sum + ns, 0), merged = new Map();

	for (const [text, ns] of flight) {
		const code = Number(text) === corun.PREEMPTED ? corun.WOKEN : Number(text);

		merged.set(code, (merged.get(code) ?? 0) + ns);
	}
	return { whole, list: [...merged].sort((p, q) => q[1] - p[1])
		.map(([code, ns]) => ({ code, ns, share: whole ? ns / whole : 0 })) };
};

corun.Panel = class {
	constructor(page) {
		this.page = page;
		this.node = corun.element("aside.panel", { "aria-live": "polite" });
	}
	swatch(trace, code) {
		const look = this.page.looks.get(trace), family = look.family(code);

		return corun.element("span.swatch", { style: `background:${look.fill(family)}` });
	}
	render() {
		const { traces, selected, range } = this.page;

		if (this.page.lesson?.hidden) {
			this.node.replaceChildren();
			return;
		}
		const parts = traces.length === 1 ? [this.figures(traces[0]), this.breakdown(traces[0])] :
			traces.map((t) => this.joint(t));

		if (selected)
			parts.push(this.selection(selected));
		if (range)
			parts.push(...traces.map((t) => this.range(t, range)));
		parts.push(...traces.map((t) => this.table(t)));
		this.node.replaceChildren(...parts);
	}
	figures(trace) {
		const w = this.page.words, r = trace.report;
		const figure = (value, label, extra = "") => corun.element(`div.figure${extra}`, {},
			corun.element("b", {}, value.toFixed(1)), corun.element("span", {}, label));

		return corun.element("div.figures", {}, figure(r.concurrency.mean, w.inFlight),
			figure(r.parallelism.mean, w.running, ".running"), figure(r.demand.mean, w.demand),
			figure(r.target.usable_cpus ?? 0, w.usable));
	}
	breakdown(trace) {
		const w = this.page.words, usage = corun.usage(trace, 0, trace.window_ns);
		const { whole, list } = corun.shares(trace, usage), painter = this.page.painters.get(trace);
		const parked = Object.entries(usage).filter(([code]) => trace.parked(Number(code)))
			.map(([code, ns]) => `${painter.label(Number(code))} ${corun.duration(ns)}`).join(", ");

		return corun.element("div.two", {}, this.joint(trace), corun.element("div", {},
			corun.element("h3", {}, `${corun.duration(whole)} ${w.ofWhich}`),
			...list.slice(0, 7).map(({ code, share }) => corun.element("div.share", {},
				this.swatch(trace, code), corun.element("span", {}, painter.label(code)),
				corun.element("b", {}, corun.percent(share)),
				corun.element("i", { style: `width:${100 * share}%;background:` +
					this.page.looks.get(trace).fill(this.page.looks.get(trace).family(code)) }))),
			parked ? corun.element("p", {}, `${w.parked}: ${parked}`) : null));
	}
	/* Time at k running while m were in flight: one small square that holds the whole story. */
	joint(trace) {
		const { joint, concurrency, target } = trace.report, look = this.page.looks.get(trace);
		const max = Math.min(12, Math.max(1, concurrency.max)), cell = Math.max(9, Math.floor((this.page.traces.length > 1 ? 150 : 100) / (max + 1)));
		const size = cell * (max + 1), scale = devicePixelRatio || 1;
		const canvas = corun.element("canvas.joint", { width: (size + 34) * scale, height: (size + 34) * scale,
			style: `width:${size + 34}px;height:${size + 34}px`, role: "img",
			"aria-label": `${this.page.words.inFlight} × ${this.page.words.running}` });
		const c = canvas.getContext("2d"), n = look.neutral;
		const whole = joint.flat().reduce((sum, ns) => sum + ns, 0) || 1;
		const cause = corun.shares(trace, corun.usage(trace, 0, trace.window_ns)).list
			.find(({ code }) => code !== corun.RUNNING)?.code ?? corun.WOKEN;

		c.scale(scale, scale);
		c.font = `12px ${corun.font}`;
		c.textBaseline = "middle";
		for (let m = 0; m <= max; m++) {
			const y = (max - m) * cell + 8;

			for (let k = 0; k <= m; k++) {
				const x = 24 + k * cell, share = (joint[k]?.[m] ?? 0) / whole, side = cell * Math.sqrt(share);
				const free = k >= Math.min(m, Math.floor(target.usable_cpus || max));

				if (k > (target.usable_cpus || max)) {
					c.strokeStyle = n.rule;
					c.strokeRect(x + 0.5, y + 0.5, cell - 2, cell - 2);
				} else {
					c.fillStyle = n.panel;
					c.fillRect(x, y, cell - 1, cell - 1);
				}
				c.fillStyle = look.fill(free ? "running" : look.family(cause));
				const s = share ? Math.max(side, 2) : 0;

				c.fillRect(x + (cell - s) / 2, y + (cell - s) / 2, s, s);
				if (share >= 0.03 && cell >= 22) {
					c.fillStyle = side > 20 ? look.ink(free ? "running" : look.family(cause)) : n.ink2;
					c.textAlign = "center";
					c.fillText(String(Math.round(100 * share)), x + cell / 2,
						y + cell / 2 + (side > 20 ? 0 : side / 2 + 7));
				}
			}
			c.fillStyle = n.ink2;
			c.textAlign = "right";
			c.fillText(String(m), 18, y + cell / 2);
			c.textAlign = "center";
			c.fillText(String(m), 24 + m * cell + cell / 2, size + 17);
		}
		return corun.element("div", {}, corun.element("h3", {}, this.page.words.inFlight), canvas,
			corun.element("p.right", {}, this.page.words.running));
	}
	row(name, value) {
		return value ? corun.element("div.row", {}, corun.element("span", {}, name),
			corun.element("b", {}, value)) : null;
	}
	selection({ trace, thread, i }) {
		const w = this.page.words, s = trace.columns(thread), painter = this.page.painters.get(trace);
		const code = s.code[i], start = s.startOf(i), length = s.end[i] - start, d = corun.duration(length);
		const who = trace.name(thread), rows = [];
		const task = thread < 0 ? trace.task_by.get(~thread) : null;
		const person = (plus) => plus ? `${trace.name(plus - 1)} (${trace.names[plus - 1].tid})` : "";
		let title = w.was(who, painter.label(code), d);

		rows.push(this.row(w.at, `${corun.instant(start)} – ${corun.instant(s.end[i])}`));
		if (code === corun.RUNNING) {
			title = w.ran(who, d);
			rows.push(task ? this.row(w.thread, person(s.a[i])) :
				this.row(w.onCpu, s.a[i] ? String(s.a[i] - 1) : w.notKnown));
		} else if (code <= corun.PREEMPTED) {
			title = code === corun.PREEMPTED ? `${who}: ${w.preempted(person(s.a[i]))}, ${d}` : w.wasReady(who, d);
			if (code === corun.WOKEN)
				rows.push(this.row(task ? w.thread : w.wokenBy, person(s.a[i])));
		} else if (code >= corun.WAIT) {
			const lock = ["gil", "lock"].includes(trace.kinds[code - corun.WAIT].role);
			const [what, site] = (trace.objects[s.a[i] - 1] ?? "").split("\n");

			title = w.waited(who, d, painter.label(code));
			rows.push(this.row(w.on, what), this.row(w.call, site));
			if (task)
				rows.push(this.row(w.awaits, s.b[i] ? trace.name(~(s.b[i] - 1)) : ""));
			else if (lock)
				rows.push(this.row(w.heldBy, person(s.b[i]) || w.notKnown));
			if (!task)
				rows.push(this.row(lock ? w.releasedBy : w.wokenBy, person(s.c[i]) || w.notKnown));
			const whole = trace.locks.find((l) => l.thread === thread && l.start <= start &&
				l.start + l.length >= s.end[i]);

			if (whole)
				rows.push(this.row(w.interval, corun.duration(whole.length)),
					this.row(w.of, `${w.blocked(corun.duration(whole.blocked))}, ` +
						w.rest(corun.duration(whole.length - whole.blocked))),
					this.row(w.turns, String(whole.turns)));
		}
		if (task)
			rows.push(this.row(w.task, [task.kind, task.site].filter(Boolean).join(", ")),
				this.row(w.createdBy, task.creator ? trace.name(~(task.creator - 1)) : ""), this.row(w.outcome, task.outcome));
		return corun.element("section", {}, corun.element("h3", {}, w.selectedWait),
			corun.element("h2", {}, title), ...rows.filter(Boolean));
	}
	range(trace, { from, to }) {
		const w = this.page.words, painter = this.page.painters.get(trace);
		const means = corun.means(trace, from, to), { list } = corun.shares(trace, corun.usage(trace, from, to));

		return corun.element("section.range", {},
			corun.element("h3", {}, `${w.selectedTime}  ${corun.instant(from)} – ${corun.instant(to)}`),
			corun.element("h2", {}, `${means.inFlight.toFixed(2)} ${w.inFlight}, ` +
				`${means.running.toFixed(2)} ${w.running}`),
			...list.slice(0, 6).map(({ code, share }) => this.row(painter.label(code), corun.percent(share))),
			...this.phases(trace, from, to));
	}
	/* What the report says of the phases that the range lies in. */
	phases(trace, from, to) {
		const w = this.page.words, text = this.page.korean ? "text_ko" : "text";

		return trace.report.phases.filter((p) => p.begin_ns < to && p.begin_ns + p.duration_ns > from).slice(0, 3)
			.map((p) => corun.element("p.phase", {},
				corun.element("b", {}, w.inPhase(corun.duration(p.begin_ns), corun.duration(p.begin_ns + p.duration_ns))),
				` ${p.verdict[text].trim().replaceAll("\n", " ")}`));
	}
	/* The figures for a screen reader, and for who wants to copy them. */
	table(trace) {
		const w = this.page.words, usage = corun.usage(trace, 0, trace.window_ns);
		const painter = this.page.painters.get(trace);

		return corun.element("details", {}, corun.element("summary", {}, `${w.table}: ${trace.file}`),
			corun.element("table", {}, corun.element("tr", {}, corun.element("th", {}, w.state),
				corun.element("th", {}, w.time)),
			...Object.entries(usage).sort((p, q) => q[1] - p[1]).map(([code, ns]) =>
				corun.element("tr", {}, corun.element("td", {}, painter.label(Number(code)) +
					(Number(code) === corun.PREEMPTED ? " (R+)" : "")),
				corun.element("td", {}, `${Math.round(ns)} ns`)))));
	}
};
