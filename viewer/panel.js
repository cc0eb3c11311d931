// SPDX-License-Identifier: MIT
// The panel beside the picture: figures, where the time went, the joint histogram, a range. details.js has what is
// selected.
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
		else if (value !== null)
			node.setAttribute(key, value);
	}
	node.append(...children.filter((child) => child !== null && child !== undefined));
	return node;
};

/* Shares of the time in flight by code, largest first, from codes -> ns. */
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
		this.node = corun.element("aside.panel");
	}
	swatch(trace, family) {
		const look = this.page.looks.get(trace), pattern = corun.families[family][3];

		return corun.element("span.swatch", { style: `background:${pattern ? `url(${look.tile(family).toDataURL()}),` : ""}` +
			`linear-gradient(${look.fill(family)} 0 0)${look.edge(family) ? `;box-shadow:inset 0 1px ${look.edge(family)}` : ""}` });
	}
	render() {
		const { traces, selected, range, lesson } = this.page, many = traces.length > 1;

		if (lesson?.hidden) {
			this.node.replaceChildren();
			return;
		}
		const parts = traces.map((t) => corun.element("div.of", {}, many ? this.side(t) : null,
			many ? null : this.figures(t), many ? null : this.breakdown(t),
			corun.element("div.live", { "aria-live": "polite" }, selected?.trace === t ? this.selection(selected) : null,
				range ? this.range(t, range) : null), this.table(t)));

		this.node.replaceChildren(...parts);
		this.align();
	}
	/* Beside a comparison every trace's part stands at its own rows. */
	align() {
		const { sections, traces } = this.page, parts = this.node.querySelectorAll(".of");

		if (traces.length > 1)
			parts.forEach((part, i) => {
				part.style.minHeight = `${(sections[i + 1]?.y ?? this.page.height) - sections[i].y}px`;
			});
	}
	/* Time by code of what the sentence is about: a lesson's region, or all of it. */
	usage(trace) {
		const { page } = this;

		return page.figuresOf(trace) === trace.report ? corun.usage(trace, 0, trace.window_ns, trace.stacked.what) :
			Object.fromEntries(Object.entries(page.stackFigures(trace).time_ns).map(([name, ns]) => [trace.codeOf(name), ns]));
	}
	/* The four that say it all: [value, what it is]; the second is the green one. */
	keyFigures(trace) {
		const w = this.page.words, r = this.page.stackFigures(trace), cpus = trace.report.target.usable_cpus;

		return [[r.concurrency.mean.toFixed(1), w.inFlight], [r.parallelism.mean.toFixed(1), w.running], [r.demand.mean.toFixed(1), w.demand],
			[cpus ? cpus.toFixed(1) : "?", w.usable]];
	}
	figures(trace) {
		return corun.element("div.figures", {}, ...this.keyFigures(trace).map(([value, label], i) => corun.element(`div.figure${i === 1 ? ".running" : ""}`,
			{}, corun.element("b", {}, value), corun.element("span", {}, i === 1 ? this.swatch(trace, "running") : null, label))));
	}
	breakdown(trace) {
		const w = this.page.words, usage = this.usage(trace), look = this.page.looks.get(trace);
		const { whole, list } = corun.shares(trace, usage), painter = this.page.painters.get(trace), parked = this.parkedText(trace, usage);

		return corun.element("div.two", {}, this.joint(trace, 132), corun.element("div", {},
			corun.element("h3", {}, w.ofWhich(corun.duration(whole))),
			...list.slice(0, 6).map(({ code, share }) => corun.element("div.share", {},
				this.swatch(trace, look.family(code)), corun.element("span", {}, painter.label(code)),
				corun.element("b", {}, corun.percent(share)),
				corun.element("i", { style: `width:${100 * share}%;background:${look.fill(look.family(code))}` }))),
			parked ? corun.element("p", {}, parked) : null));
	}
	/* "and parked: join 2.01 s", or nothing. */
	parkedText(trace, usage) {
		const painter = this.page.painters.get(trace), list = Object.entries(usage).filter(([code, ns]) => trace.parked(Number(code)) && ns > 0)
			.sort((p, q) => q[1] - p[1]).map(([code, ns]) => `${painter.label(Number(code))} ${corun.duration(ns)}`);

		return list.length ? `${this.page.words.andParked}: ${list.join(", ")}` : "";
	}
	/* What stood most between those in flight and the CPUs. */
	cause(trace) {
		return corun.shares(trace, this.usage(trace)).list.find(({ code }) => code !== corun.RUNNING)?.code ?? corun.WOKEN;
	}
	jointCells(trace) {
		const cpus = trace.report.target.usable_cpus || trace.stacked.peak;

		return corun.jointCells(corun.jointTimes(trace, this.page.levels.get(trace), this.page.figuresOf(trace)), trace.stacked.peak, trace.stacked.tasks ?
			Math.min(cpus, trace.report.tasks.verdict.threads || 1) : cpus);
	}
	joint(trace, room) {
		const { page } = this, { words, type } = page, cells = this.jointCells(trace);
		const cell = corun.jointCell(cells.n, room * type, type), scale = devicePixelRatio || 1;
		const { width, height } = corun.jointSize(cells.n, cell, type);
		const canvas = corun.element("canvas.joint", { width: width * scale, height: height * scale,
			style: `width:${width}px;height:${height}px`, role: "img", "aria-label": this.jointText(cells, words) });
		const c = canvas.getContext("2d"), painter = new corun.Painter(c, trace, page.levels.get(trace), page.looks.get(trace), words, page.korean);

		painter.type = type;
		c.scale(scale, scale);
		corun.paintJoint(painter, cells, this.cause(trace), 0, 0, cell);
		return corun.element("div", {}, corun.element("h3", {}, words.inFlight), canvas);
	}
	/* The same for who hears it: "4 in flight, 1 running: 96 %". */
	jointText({ cells, bin }, words) {
		return cells.filter(({ share }) => share >= 0.005).sort((p, q) => q.share - p.share)
			.map(({ k, m, share }) => `${words.rangeFigures(m * bin, k * bin)}: ${corun.percent(share)}`).join("; ");
	}
	/* Beside one of several traces: its histogram; of tasks its figures, for they say more there. */
	side(trace) {
		if (!this.page.traces.some((t) => t.stacked.tasks))
			return this.joint(trace, 150);
		const w = this.page.words, f = this.page.figuresOf(trace), r = this.page.stackFigures(trace), { tasks } = trace.stacked;
		const figure = (name, value) => corun.element("div.row.wide", {}, corun.element("span", {}, name),
			corun.element("b", {}, value));
		const waits = corun.shares(trace, this.usage(trace)).list.filter(({ code }) => code !== corun.RUNNING).slice(0, 1);
		const painter = this.page.painters.get(trace), parked = Object.entries(f.time_ns)
			.map(([name, ns]) => [trace.kinds.findIndex((kind) => kind.name === name), ns])
			.filter(([kind, ns]) => trace.parkedSet.has(kind) && ns > 0).sort((p, q) => q[1] - p[1]).slice(0, 1);

		return corun.element("div.side", {}, corun.element("div.big", {}, corun.duration(f.window.duration_ns)),
			corun.element("h4", {}, this.page.verdictTail(trace)),
			figure(tasks ? w.tasksInFlight : w.threads, r.concurrency.mean.toFixed(1)),
			figure(w.running, `${r.parallelism.mean.toFixed(2)}, ${w.maximum(r.parallelism.max)}`),
			figure(w.threadsCount, String(trace.report.threads.length)), figure(w.cpuTime, corun.duration(f.time_ns.running)),
			...waits.map(({ code, ns }) => figure(painter.label(code), corun.duration(ns))),
			...parked.map(([kind, ns]) => figure(painter.doing(corun.WAIT + kind), corun.duration(ns))));
	}
	row(name, value) {
		return value ? corun.element("div.row", {}, corun.element("span", {}, name),
			corun.element("b", {}, value)) : null;
	}
	/* A range of time: its own sentence, shares and hand-offs. */
	range(trace, { from, to }) {
		const w = this.page.words, painter = this.page.painters.get(trace), e = corun.element, until = Math.min(to, trace.window_ns);
		const v = corun.verdict(trace, from, Math.max(until, from), w), usage = corun.usage(trace, from, until);
		const { list } = corun.shares(trace, usage), look = this.page.looks.get(trace), offs = this.handOffs(trace, from, until);

		return e("section.range", {},
			e("h3", {}, w.selectedTime, e("span", {}, `${corun.instant(from)} – ${corun.instant(to)}, ${corun.duration(to - from)}`)),
			e("h2", {}, v.text), v.why ? e("p.why", {}, v.why) : null,
			...list.slice(0, 6).map(({ code, ns, share }) => e("div.share.small", {}, this.swatch(trace, look.family(code)),
				e("span", {}, painter.label(code)), e("b", {}, `${corun.percent(share)}, ${corun.duration(ns)}`))),
			...Object.entries(usage).filter(([code, ns]) => trace.parked(Number(code)) && ns > 0)
				.map(([code, ns]) => this.row(painter.label(Number(code)), `${w.parked}, ${corun.duration(ns)}`)),
			offs.n ? this.row(w.handOffs, `${offs.n}, ${w.oneEvery(corun.duration((until - from) / offs.n))}`) : null,
			...this.phases(trace, from, to));
	}
	/* How often the lock that was waited for longest changed hands. */
	handOffs(trace, from, to) {
		const locks = (trace.lanes ?? []).map((lock, id) => ({ ...lock, pieces: trace.held[id] })).filter((lock) => lock.pieces)
			.sort((p, q) => q.contended_ns - p.contended_ns);
		const pieces = locks[0]?.pieces;
		let n = 0, last = 0;

		for (let i = pieces?.at(from) ?? 0; i < (pieces?.n ?? 0) && pieces.startOf(i) < to; i++) {
			if (pieces.a[i] && last && pieces.a[i] !== last)
				n++;
			last = pieces.a[i] || last;
		}
		return { n, kind: locks[0]?.kind };
	}
	/* What the report says of the phases that the range lies in. */
	phases(trace, from, to) {
		const w = this.page.words, text = this.page.korean ? "text_ko" : "text";

		return trace.report.phases.filter((p) => p.begin_ns < to && p.begin_ns + p.duration_ns > from).slice(0, 3)
			.map((p) => corun.element("p.phase", {},
				corun.element("b", {}, w.inPhase(corun.duration(p.begin_ns), corun.duration(p.begin_ns + p.duration_ns))),
				` ${p.verdict[text].trim().replaceAll("\n", " ")}`));
	}
	/* The figures for a screen reader, for print, and for who wants to copy them. */
	table(trace) {
		const w = this.page.words, e = corun.element, usage = corun.usage(trace, 0, trace.window_ns), r = trace.report;
		const painter = this.page.painters.get(trace), whole = Object.values(usage).reduce((sum, ns) => sum + ns, 0) || 1;
		const line = (name, ...values) => e("tr", {}, e("th", { scope: "row" }, name), ...values.map((value) => e("td", {}, value)));
		const names = (code) => painter.label(code) + (code === corun.PREEMPTED ? " (R+)" : "");

		return e("details", {}, e("summary", {}, `${w.table}: ${trace.file}`), e("table.numbers", {},
			e("caption", {}, this.page.lines(trace)[0]),
			e("tr", {}, ...[w.state, w.time, w.share].map((h) => e("th", { scope: "col" }, h))),
			line(w.inFlight, r.concurrency.mean.toFixed(6), w.maximum(r.concurrency.max)),
			line(w.running, r.parallelism.mean.toFixed(6), w.maximum(r.parallelism.max)),
			line(w.demand, r.demand.mean.toFixed(6), ""), line(w.wall, `${trace.window_ns} ns`, ""),
			...Object.entries(usage).sort((p, q) => q[1] - p[1]).map(([code, ns]) =>
				line(names(Number(code)), `${Math.round(ns)} ns`, corun.percent(ns / whole)))));
	}
};
