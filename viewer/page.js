// SPDX-License-Identifier: MIT
// The page: reads its data, lays out bar, sentence, picture and panel. user.js has what the user does with it.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.font = "Inter, 'Segoe UI', system-ui, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', " +
	"NanumGothic, sans-serif";

corun.Page = class extends corun.Picture {
	constructor(traces, compared, lesson) {
		super();
		this.traces = traces;
		this.compared = compared;
		this.longest = Math.max(...traces.map((t) => t.window_ns), 1);
		this.from = 0;
		this.to = this.longest;
		this.levels = new Map(traces.map((t) => [t, new corun.Levels(t)]));
		this.korean = (document.documentElement.lang || navigator.language).startsWith("ko");
		this.dark = matchMedia("(prefers-color-scheme: dark)").matches;
		this.pointer = 0.5;
		this.folded = new Map(traces.map((t) => [t, new Set()]));
		this.readLink();
		this.play = new corun.Play(this);
		this.lesson = lesson ? new corun.Lesson(this, lesson) : null;
	}
	get words() {
		return corun.words[this.korean ? "ko" : "en"];
	}

	/* ---- building ---- */

	build() {
		const e = corun.element, w = this.words, app = document.getElementById("app");

		this.setType();
		document.documentElement.lang = this.korean ? "ko" : "en";
		document.documentElement.dataset.theme = this.dark ? "dark" : "light";
		this.traces.forEach((t, i) => { t.title = this.lesson?.title(i) || t.file.replace(/\.corun$/, ""); });
		this.axis = e("canvas.axis", { tabindex: 0, "aria-label": w.whole });
		/* A canvas without a height takes half of its width: the lanes would be laid out in what that leaves. */
		this.axis.style.height = `${this.axisHeight}px`;
		this.canvas = e("canvas.lanes", { tabindex: 0, role: "img", "aria-label": this.lesson?.hidden ? "" : this.sentence() });
		this.spacer = e("div.spacer");
		this.scroll = e("div.scroll", {}, this.spacer, this.canvas);
		this.panel = new corun.Panel(this);
		this.status = e("span.status", { role: "status" });
		this.field = e("input", { type: "search", placeholder: w.search, "aria-label": w.search });
		this.looks = new Map(this.traces.map((t) => [t, new corun.Look(t, this.dark)]));
		this.context = this.canvas.getContext("2d");
		this.painters = new Map(this.traces.map((t) =>
			[t, new corun.Painter(this.context, t, this.levels.get(t), this.looks.get(t), w, this.korean)]));
		this.whole = null;
		app.className = this.lesson ? this.lesson.hidden ? "lesson asking" : "lesson" : this.traces.length > 1 ? "compared" : "single";
		app.replaceChildren(this.bar(), ...this.banners(), e("main", {},
			this.lesson?.headline() ?? this.headline(), this.play.node,
			e("div.picture", {}, this.axis, this.scroll, e("p.keys", {}, ...w.keys.map((key) => e("span", {}, key)))),
			this.lesson?.foot() ?? "", this.panel.node), this.lesson?.body() ?? "", this.legend());
		this.field.parentNode.hidden = Boolean(this.lesson);
		this.arrange();
		this.listen();
		this.panel.render();
		this.play.render();
		this.redraw();
	}
	/* What a lesson shows is read from the back row; style.css has the same for its text. */
	setType() {
		const large = matchMedia("(min-width: 1600px) and (min-height: 900px)").matches;

		this.type = !this.lesson ? 1 : large ? corun.LARGE_TYPE : corun.LESSON_TYPE;
		this.gutter = !this.lesson ? corun.GUTTER : large ? corun.LARGE_GUTTER : corun.LESSON_GUTTER;
	}
	bar() {
		const e = corun.element, w = this.words;
		const button = (label, name, click, more = {}) => e(`button${more.class ?? ""}`, { onclick: click, "aria-label": name, title: name,
			"aria-pressed": more.on === undefined ? null : String(more.on) }, label);
		const names = this.traces.flatMap((t, i) => [i ? e("span", {}, w.against) : null, e("b", {}, t.title)]);
		const lesson = this.lesson;

		return e("header", {}, e("div.names", {}, e("b", {}, "corun"), ...lesson ? [e("span", {}, lesson.say(lesson.data.title) || document.title)] : names,
			e("span.facts", {}, lesson ? "" : this.facts())), lesson?.steps() ?? null, this.status,
		e("label.search", {}, this.field, e("kbd", {}, "/")),
		lesson ? null : button(`▶ ${this.traces.length > 1 ? w.playBoth : w.play}`, w.play, () => this.play.toggle()),
		e("div.lang", { role: "group" }, button("EN", "English", () => this.setLanguage(false), { on: !this.korean }),
			button("한국어", "한국어", () => this.setLanguage(true), { on: this.korean })),
		button("◐", w.theme, () => { this.dark = !this.dark; this.build(); }, { class: ".square" }), this.saveMenu(),
		button(w.help, w.helpTitle, () => this.help(), { class: ".square" }));
	}
	/* Of what, on how many CPUs, and whether anything is missing. */
	facts() {
		const w = this.words, { target } = this.traces[0].report, cpus = target.usable_cpus, alone = this.traces.length === 1;

		return [alone ? target.command?.join(" ") ?? "" : "", alone && target.tgids?.length === 1 ? `tgid ${target.tgids[0]}` : "",
			target.cpus ? w.cpus(target.cpus) : "", cpus ? w.usableOf(cpus.toFixed(1)) : "",
			w.lostCount(this.traces.reduce((sum, t) => sum + t.report.losses.events, 0))].filter(Boolean).join(" · ");
	}
	banners() {
		const w = this.words;

		return this.bannerTexts().map((text) => corun.element("div.banner", { role: "alert" }, text)).concat(this.traces
			.every((t) => t.threads.length) ? [] : [corun.element("div.banner.quiet", { role: "alert" }, w.empty)]);
	}
	/* Losses and cuts: they stand in saved pictures, too. */
	bannerTexts() {
		const w = this.words, many = this.traces.length > 1;

		return (corun.failure ? [w.failed(corun.failure)] : []).concat(this.traces.flatMap((t) => {
			const { losses, time_ns: time } = t.report, whole = Object.values(time).reduce((p, q) => p + q, 0) || 1;
			const list = [];

			if (losses.events || time.unknown)
				list.push(w.lost(losses.events, corun.duration(time.unknown), corun.percent(time.unknown / whole)));
			if (t.part)
				list.push(w.part(t.part));
			if (losses.trace !== "whole")
				list.push((losses.trace === "cut" ? w.cut : w.damaged)(corun.duration(t.window_ns)));
			return list.map((text) => many ? `${t.title}: ${text}` : text);
		}));
	}
	/* A lesson is about the region "work" of its programs, not about their start. */
	figuresOf(trace) {
		return (this.lesson && trace.report.regions?.find((region) => region.name === "work")) || trace.report;
	}
	/* Of these, what the stack is of: threads, or tasks. */
	stackFigures(trace) {
		const figures = this.figuresOf(trace);

		return !trace.stacked.tasks ? figures : figures.tasks?.concurrency ? figures.tasks : trace.report.tasks;
	}
	lines(trace) {
		const figures = this.figuresOf(trace), tasks = figures.tasks?.verdict;
		const said = (v) => (v ? (this.korean ? v.text_ko : v.text).trim().split("\n") : []);

		/* One thread that switches between tasks: what the tasks did says more. */
		return tasks?.leads ? [...said(tasks), ...said(figures.verdict)] : [...said(figures.verdict), ...said(tasks)];
	}
	verdictTail(trace) {
		return this.lines(trace)[0].replace(/^.*: /, "").replace(/\.$/, "");
	}
	sentence() {
		return this.traces.length === 1 ? this.lines(this.traces[0])[0] : this.comparison()[0];
	}
	/*
	 * What the comparison says: [the headline, the rest]. The headline is the sentence that goes on after a colon (in
	 * English; the Korean ones stand in the same order, and begin with a name and a colon), with the first clause of the
	 * next; where tasks are what is compared, with how many of them were in flight.
	 */
	comparison() {
		/* Sentences are broken into lines of a terminal. */
		const sentences = (text) => text.trim().replaceAll(/(?<![.:])\n/g, " ").split("\n");
		const all = sentences(this.korean ? this.compared.text_ko : this.compared.text);
		const at = sentences(this.compared.text).findIndex((sentence) => sentence.endsWith(":"));

		if (at < 0 || !all[at + 1])
			return [all[0], all.slice(1).join(" ")];
		const head = all[at].replace(/[:.]$/, "").replace(/^("[^"]+"): /, (_, name) => `${this.words.subject(name)} `);
		const flights = this.traces.map((t) => this.stackFigures(t).concurrency.mean).sort((p, q) => q - p);
		const tasks = this.traces.some((t) => t.stacked.tasks) && flights[0] > flights.at(-1) * 1.2;
		const [clause, ...more] = all[at + 1].replace(/\.$/, "").split(/, (?=with|진행)/);
		const said = tasks ? this.words.tasksInstead(flights[0].toFixed(1), flights.at(-1).toFixed(1)) : `${clause}.`;
		const others = [...all.slice(0, at), ...all.slice(at + 2)];

		return [`${head}: ${said}`, others.concat(tasks ? [] : more.map((m) => `${m[0].toUpperCase()}${m.slice(1)}.`)).join(" ")];
	}
	headline() {
		const e = corun.element;
		const [first, ...rest] = this.traces.length === 1 ? this.lines(this.traces[0]) : this.comparison();

		return e("div.headline", {}, e("h1", {}, ...this.underlined(first)), e("p", {}, rest.join(" ")), this.table());
	}
	/* What the picture proves is underlined in its colour. */
	underlined(text) {
		const match = /[\d.]+ running|(?<=실행 중은 [\d.]+개가 아니라 )[\d.]+개|실행 중은 [\d.]+개(?!가)|[\d.]+개 실행 중/.exec(text);

		return match ? [text.slice(0, match.index), corun.element("span.proven", {}, match[0]), text.slice(match.index + match[0].length)] : [text];
	}
	/* Several traces side by side in numbers. */
	table() {
		const e = corun.element, w = this.words, painter = this.painters.get(this.traces[0]), look = this.looks.get(this.traces[0]);

		if (this.traces.length === 1)
			return "";
		const all = this.traces.map((t) => this.stackFigures(t)), code = (name) => this.traces[0].codeOf(name);
		const whole = (r) => Object.entries(r.time_ns).reduce((sum, [name, ns]) => sum + (name === "running" || this.traces[0].flight(code(name)) ? ns : 0), 0);
		/* The states in which they differ most. */
		const spread = (name) => {
			const shares = all.map((r) => (r.time_ns[name] ?? 0) / (whole(r) || 1));

			return Math.max(...shares) - Math.min(...shares);
		};
		const states = [...new Set(all.flatMap((r) => Object.keys(r.time_ns)))].filter((name) => !["running", "stopped", "unknown"].includes(name) &&
			this.traces[0].flight(code(name))).sort((p, q) => spread(q) - spread(p)).slice(0, 2).filter((name) => spread(name) > 0.02);
		const head = [[""], [w.wall], [w.inFlight], [w.running, "running"], ...states.map((name) => [painter.label(code(name)), look.family(code(name))]),
			[w.cpuTime], [w.idle], [w.verdict]];
		const cells = (t, i) => {
			const r = all[i], { window, time_ns: time } = this.figuresOf(t), cpus = t.report.target.usable_cpus;
			const idle = cpus ? cpus * window.duration_ns - time.running : NaN;

			return [e("span", {}, e("span.letter", {}, this.letter(t)), t.title), e("b", {}, corun.duration(window.duration_ns)),
				r.concurrency.mean.toFixed(1), e("b", {}, r.parallelism.mean.toFixed(1)),
				...states.map((name) => corun.percent((r.time_ns[name] ?? 0) / (whole(r) || 1))), corun.duration(time.running),
				idle >= 0 ? corun.duration(idle) : w.notKnown, this.verdictTail(t)];
		};

		return e("table.compare", {}, e("tr", {}, ...head.map(([text, family]) => e("th", { scope: "col" },
			family ? this.panel.swatch(this.traces[0], family) : null, text))),
		...this.traces.map((t, i) => e("tr", {}, ...cells(t, i).map((c) => e("td", {}, c)))));
	}
	/* What the colours mean: in print and in the help, for in the picture the labels say it. */
	legend() {
		const e = corun.element, codes = new Map();

		for (const t of this.lesson?.hidden ? [] : this.traces)
			for (const code of t.codes)
				codes.set(this.painters.get(t).doing(code), [t, this.looks.get(t).family(code)]);
		return e("div.legend", {}, ...[...codes].map(([text, [t, family]]) => e("span", {}, this.panel.swatch(t, family), text)));
	}
	/* Where each trace's rows stand in the scrolled picture: with the highest lanes that all of it fits into. */
	arrange() {
		const compared = this.traces.length > 1, lesson = Boolean(this.lesson), lanes = corun.lanesFor(this.traces, { compared, lesson });
		/* One scale of height for all. */
		const how = { compared, lesson, playing: this.play.shown,
			tasks: this.traces.some((t) => t.stacked.tasks), words: this.words, peak: Math.max(...this.traces.map((t) => t.stacked.peak)) };

		for (const lane of lanes) {
			let y = 0;

			this.sections = this.traces.map((trace, i) => {
				const { rows, height } = corun.rows(trace, { ...how, lane, folded: this.folded.get(trace) });
				const section = { trace, rows, y: i ? y += 20 : y };

				y += height;
				return section;
			});
			this.height = y;
			if (y <= (lesson ? Math.max(this.scroll.clientHeight, innerHeight - 80) : this.scroll.clientHeight))
				break;
		}
		/* A lesson's page scrolls as a whole once there is an answer. */
		this.scroll.style.minHeight = lesson && !this.lesson.hidden ? `${Math.min(this.height, 3000)}px` : "";
		this.spacer.style.height = `${this.height}px`;
		this.panel.align();
	}
};
