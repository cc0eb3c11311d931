// SPDX-License-Identifier: MIT
// The page: reads its data, lays out bar, sentence, picture and panel, and listens to the user.
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
		this.readLink();
		this.play = new corun.Play(this);
		this.lesson = lesson ? new corun.Lesson(this, lesson) : null;
	}
	get words() {
		return corun.words[this.korean ? "ko" : "en"];
	}

	/* ---- building ---- */

	build() {
		const e = corun.element, w = this.words;

		document.documentElement.lang = this.korean ? "ko" : "en";
		this.traces.forEach((t, i) => { t.title = this.lesson?.title(i) || t.file.replace(/\.corun$/, ""); });
		document.documentElement.dataset.theme = this.dark ? "dark" : "light";
		this.axis = e("canvas.axis", { tabindex: 0, "aria-label": w.whole });
		this.canvas = e("canvas.lanes", { tabindex: 0, role: "img", "aria-label": this.lesson?.hidden ? "" : this.sentence() });
		this.spacer = e("div.spacer");
		this.scroll = e("div.scroll", {}, this.spacer, this.canvas);
		this.panel = new corun.Panel(this);
		this.status = e("span.status", { role: "status" });
		this.field = e("input", { type: "search", placeholder: `${w.search}  /`, "aria-label": w.search });
		this.looks = new Map(this.traces.map((t) => [t, new corun.Look(t, this.dark)]));
		this.context = this.canvas.getContext("2d");
		this.painters = new Map(this.traces.map((t) =>
			[t, new corun.Painter(this.context, t, this.levels.get(t), this.looks.get(t), w, this.korean)]));
		document.getElementById("app").replaceChildren(this.bar(), ...this.banners(), this.lesson?.headline() ?? this.headline(),
			this.play.node,
			e("main", {}, e("div.picture", {}, this.axis, this.scroll, e("p.keys", {}, w.keys)),
				this.panel.node), this.lesson?.body() ?? "");
		this.arrange();
		this.listen();
		this.field.hidden = Boolean(this.lesson?.hidden);
		this.panel.render();
		this.play.render();
		this.redraw();
	}
	bar() {
		const e = corun.element, w = this.words, t = this.traces[0], r = t.report;
		const button = (label, name, click) => e("button", { onclick: click, "aria-label": name, title: name }, label);
		const facts = [r.target.command?.join(" ") ?? "", w.cpus(r.target.cpus), w.lostCount(r.losses.events)];

		return e("header", {}, e("b", {}, "corun"), e("b", {}, this.traces.map((x) => x.title).join(` ${w.against} `)),
			e("span.facts", {}, facts.filter(Boolean).join(" · ")), this.status, this.field,
			this.lesson?.hidden ? null : button(`▶ ${w.play}`, w.play, () => this.play.toggle()),
			e("div.lang", { role: "group" }, button("EN", "English", () => this.setLanguage(false)),
				button("한국어", "한국어", () => this.setLanguage(true))),
			button("◐", w.theme, () => { this.dark = !this.dark; this.build(); }),
			button(w.save, `${w.save} PNG`, () => this.savePicture()),
			button(w.help, w.helpText, () => this.help()));
	}
	banners() {
		const w = this.words;

		return this.traces.flatMap((t) => {
			const { losses, time_ns: time } = t.report, whole = Object.values(time).reduce((p, q) => p + q, 0) || 1;
			const list = [];

			if (losses.events || time.unknown)
				list.push(w.lost(losses.events, corun.duration(time.unknown), corun.percent(time.unknown / whole)));
			if (t.part)
				list.push(w.part(t.part));
			if (losses.trace !== "whole")
				list.push((losses.trace === "cut" ? w.cut : w.damaged)(corun.duration(t.window_ns)));
			if (!t.threads.length)
				list.push(w.empty);
			return list.map((text) => corun.element("div.banner", { role: "alert" }, text));
		});
	}
	/* A lesson is about the region "work" of its programs, not about their start. */
	figuresOf(trace) {
		return (this.lesson && trace.report.regions?.find((region) => region.name === "work")) || trace.report;
	}
	lines(trace) {
		const figures = this.figuresOf(trace), tasks = figures.tasks?.verdict;
		const said = (v) => (v ? (this.korean ? v.text_ko : v.text).trim().split("\n") : []);

		/* One thread that switches between tasks: what the tasks did says more. */
		return tasks?.leads ? [...said(tasks), ...said(figures.verdict)] : [...said(figures.verdict), ...said(tasks)];
	}
	sentence() {
		return this.traces.length === 1 ? this.lines(this.traces[0])[0] : this.comparison()[0];
	}
	comparison() {
		return (this.korean ? this.compared.text_ko : this.compared.text).trim().split("\n");
	}
	headline() {
		const e = corun.element;
		const [first, ...rest] = this.traces.length === 1 ? this.lines(this.traces[0]) : this.comparison();

		return e("div.headline", {}, e("h1", {}, first), e("p", {}, rest.join(" ")), this.table());
	}
	/* Several traces side by side in numbers. */
	table() {
		const e = corun.element, w = this.words;

		if (this.traces.length === 1)
			return "";
		const cells = (t, i) => {
			const r = this.figuresOf(t);

			return [`${"ABCDEFGH"[i] ?? "?"}  ${t.title}`, corun.duration(r.window.duration_ns),
				r.concurrency.mean.toFixed(1), r.parallelism.mean.toFixed(1),
				corun.duration(r.time_ns.running), this.lines(t)[0].replace(/^.*: /, "")];
		};

		return e("table.compare", {},
			e("tr", {}, ...["", w.wall, w.inFlight, w.running, w.cpuTime, w.verdict].map((h) => e("th", {}, h))),
			...this.traces.map((t, i) => e("tr", {}, ...cells(t, i).map((c) => e("td", {}, c)))));
	}
	/* Where each trace's rows stand in the scrolled picture. */
	arrange() {
		const dense = this.traces.length > 1;

		this.sections = [];
		let y = 0;

		for (const trace of this.traces) {
			const { rows, height } = corun.rows(trace, dense, this.words);

			this.sections.push({ trace, rows, y });
			y += height + (dense ? 18 : 0);
		}
		this.height = y;
		this.spacer.style.height = `${y}px`;
	}

	/* ---- the user ---- */

	setView(from, to) {
		const least = 100, length = Math.min(Math.max(to - from, least), this.longest);

		from = Math.min(Math.max(from, 0), this.longest - length);
		this.from = from;
		this.to = from + length;
		this.writeLink();
		this.redraw();
	}
	zoom(factor, at = this.pointer) {
		const length = (this.to - this.from) * factor, middle = this.from + (this.to - this.from) * at;

		this.setView(middle - length * at, middle + length * (1 - at));
	}
	pan(share) {
		const by = (this.to - this.from) * share;

		this.setView(this.from + by, this.to + by);
	}
	timeAt(x) {
		return this.from + (x - this.plot.x) / this.plot.width * (this.to - this.from);
	}
	select(selected) {
		if (this.lesson?.hidden)
			return;
		this.selected = selected;
		this.writeLink();
		this.panel.render();
		this.redraw();
	}
	/* What lies under a point of the picture. */
	hit(x, y) {
		const t = this.timeAt(x), at = y + this.scroll.scrollTop;

		if (x < this.plot.x)
			return null;
		for (const { trace, rows, y: base } of this.sections) {
			const row = rows.find((r) => at >= base + r.y && at < base + r.y + r.h);

			if (!row)
				continue;
			const thread = this.threadAt(trace, row, t), s = trace.columns(thread);

			if (!s || t < s.start)
				return null;
			const i = s.at(t);

			return i < s.n ? { trace, thread, i } : null;
		}
		return null;
	}
	/* Whose row it is, or who was in it at time @t. */
	threadAt(trace, row, t) {
		if (row.type === "cpu")
			return row.spans.find((s) => s.start <= t && s.end > t)?.thread;
		return row.type === "path" ? trace.path.a[trace.path.at(t)] - 1 : row.thread;
	}
	step(by) {
		if (!this.selected)
			return;
		const { trace, thread, i } = this.selected, s = trace.columns(thread);
		const next = Math.min(Math.max(i + by, 0), s.n - 1);

		this.show({ trace, thread, i: next });
	}
	stepThread(by) {
		if (!this.selected)
			return;
		const { trace, thread, i } = this.selected, middle = trace.columns(thread).startOf(i);
		const rows = this.sections.find((s) => s.trace === trace).rows.filter((r) => r.type === "thread");
		const next = rows[rows.findIndex((r) => r.thread === thread) + by]?.thread;
		const s = trace.columns(next);

		if (s)
			this.show({ trace, thread: next, i: Math.min(s.at(middle), s.n - 1) });
	}
	/* Select, and bring it into the view. */
	show(selected) {
		const s = selected.trace.columns(selected.thread), start = s.startOf(selected.i), end = s.end[selected.i];

		if (end < this.from || start > this.to) {
			const length = this.to - this.from;

			this.setView((start + end - length) / 2, (start + end + length) / 2);
		}
		const section = this.sections.find((x) => x.trace === selected.trace);
		const row = section.rows.find((r) => r.thread === selected.thread), y = section.y + row.y;

		if (y < this.scroll.scrollTop || y + row.h > this.scroll.scrollTop + this.scroll.clientHeight)
			this.scroll.scrollTop = Math.max(0, y - 60);
		this.select(selected);
	}
	fit() {
		if (this.range) {
			this.setView(this.range.from, this.range.to);
		} else if (this.selected) {
			const { trace, thread, i } = this.selected, s = trace.columns(thread);
			const start = s.startOf(i), length = s.end[i] - start;

			this.setView(start - length / 2, s.end[i] + length / 2);
		} else {
			this.setView(0, this.longest);
		}
	}
	/* The selected span becomes the range, with figures of its own. */
	mark() {
		if (!this.selected)
			return;
		const { trace, thread, i } = this.selected, s = trace.columns(thread);

		this.range = { from: s.startOf(i), to: s.end[i] };
		this.panel.render();
		this.redraw();
	}
	find(text) {
		const wanted = text.trim().toLowerCase();

		this.found = [];
		for (const trace of this.traces) {
			const objects = new Set(trace.objects.flatMap((o, i) => o.toLowerCase().includes(wanted) ? [i + 1] : []));

			for (const [thread, s] of [...trace.spans_of, ...[...trace.tasks_of].map(([id, spans]) => [~id, spans])]) {
				const named = trace.name(thread).toLowerCase().includes(wanted) ||
					String(trace.names[thread]?.tid) === wanted;

				for (let i = 0; i < s.n && this.found.length < 10000; i++)
					if ((named && !i) || (s.code[i] >= corun.WAIT && objects.has(s.a[i])) ||
						this.painters.get(trace).label(s.code[i]).toLowerCase() === wanted)
						this.found.push({ trace, thread, i });
			}
		}
		this.foundAt = -1;
		this.status.textContent = wanted ? this.words.found(this.found.length) : "";
	}
	nextFound() {
		if (!this.found?.length)
			return;
		this.foundAt = (this.foundAt + 1) % this.found.length;
		this.status.textContent = this.words.outOf(this.foundAt + 1, this.found.length);
		this.show(this.found[this.foundAt]);
	}
	setLanguage(korean) {
		this.korean = korean;
		this.build();
	}
	help() {
		const dialog = corun.element("dialog", { onclick: () => dialog.remove() },
			corun.element("p", {}, this.words.helpText), corun.element("button", {}, "OK"));

		document.body.append(dialog);
		dialog.showModal();
	}
	savePicture() {
		const { axis, canvas } = this, whole = document.createElement("canvas");
		const c = whole.getContext("2d");

		whole.width = canvas.width;
		whole.height = axis.height + canvas.height;
		c.fillStyle = this.looks.get(this.traces[0]).neutral.page;
		c.fillRect(0, 0, whole.width, whole.height);
		c.drawImage(axis, 0, 0);
		c.drawImage(canvas, 0, axis.height);
		const link = corun.element("a", { download: `${this.traces[0].file}.png`, href: whole.toDataURL("image/png") });

		link.click();
	}

	/* ---- links: #t=from,to&sel=trace.thread.span ---- */

	writeLink() {
		const sel = this.selected ?
			`&sel=${this.traces.indexOf(this.selected.trace)}.${this.selected.thread}.${this.selected.i}` : "";

		try {
			history.replaceState(null, "", `#t=${Math.round(this.from)},${Math.round(this.to)}${sel}`);
		} catch {
			/* A page without an origin may not: then there is no link. */
		}
	}
	readLink() {
		const parts = new URLSearchParams(location.hash.slice(1));
		const [from, to] = (parts.get("t") ?? "").split(",").map(Number);
		const [trace, thread, i] = (parts.get("sel") ?? "").split(".").map(Number);

		if (to > from && from >= 0) {
			this.from = Math.min(from, this.longest);
			this.to = Math.min(to, this.longest);
		}
		if (this.traces[trace]?.columns(thread)?.n > i)
			this.selected = { trace: this.traces[trace], thread, i };
	}
	key(event) {
		if (event.target === this.field) {
			if (event.key === "Enter")
				this.nextFound();
			if (event.key === "Escape")
				this.field.blur();
			return;
		}
		if (this.lesson?.key(event) || (!this.lesson?.hidden && this.play.key(event)))
			return;
		const actions = { m: () => this.mark(), w: () => this.zoom(0.8), s: () => this.zoom(1.25), a: () => this.pan(-0.2),
			d: () => this.pan(0.2), f: () => this.fit(), "/": () => this.field.focus(), "?": () => this.help(),
			ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), ArrowUp: () => this.stepThread(-1),
			ArrowDown: () => this.stepThread(1),
			Escape: () => { this.range = null; this.select(null); } };
		const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];

		if (!action || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		action();
	}
	/* Another page takes its place. */
	leave() {
		this.abort?.abort();
		this.observer?.disconnect();
		this.play.playing = false;
	}
	listen() {
		/* Built again with the language: the listeners of before go with it. */
		this.abort?.abort();
		this.abort = new AbortController();
		const signal = this.abort.signal, on = (target, type, f, more) =>
			target.addEventListener(type, f, { signal, ...more });

		on(document, "keydown", (event) => this.key(event));
		this.observer?.disconnect();
		this.observer = new ResizeObserver(() => this.redraw());
		this.observer.observe(this.scroll);
		on(this.scroll, "scroll", () => this.redraw());
		on(this.field, "input", () => this.find(this.field.value));
		on(this.canvas, "wheel", (event) => {
			if (!event.ctrlKey && !event.shiftKey)
				return;
			event.preventDefault();
			this.pointer = (event.offsetX - this.plot.x) / this.plot.width;
			if (event.ctrlKey)
				this.zoom(event.deltaY > 0 ? 1.15 : 0.87);
			else
				this.pan(event.deltaY > 0 ? 0.08 : -0.08);
		}, { passive: false });
		this.drag(on);
		this.touch(on);
	}
	drag(on) {
		let start = null;

		on(this.canvas, "pointerdown", (event) => {
			start = { x: event.offsetX, from: this.from, to: this.to, moved: false };
			this.canvas.setPointerCapture(event.pointerId);
		});
		on(this.canvas, "pointermove", (event) => {
			this.pointer = Math.min(1, Math.max(0, (event.offsetX - this.plot.x) / this.plot.width));
			if (!start || this.pinching)
				return;
			const by = (event.offsetX - start.x) / this.plot.width * (start.to - start.from);

			start.moved ||= Math.abs(event.offsetX - start.x) > 3;
			if (start.moved)
				this.setView(start.from - by, start.to - by);
		});
		on(this.canvas, "pointerup", (event) => {
			if (start && !start.moved)
				this.select(this.hit(event.offsetX, event.offsetY));
			start = null;
		});
		let anchor = null;

		on(this.axis, "pointerdown", (event) => {
			anchor = this.timeAt(event.offsetX);
			this.axis.setPointerCapture(event.pointerId);
		});
		on(this.axis, "pointermove", (event) => {
			if (anchor === null)
				return;
			const t = Math.min(Math.max(this.timeAt(event.offsetX), 0), this.longest);

			this.range = { from: Math.max(0, Math.min(anchor, t)), to: Math.max(anchor, t) };
			this.redraw();
		});
		on(this.axis, "pointerup", () => {
			if (this.range && this.range.to - this.range.from < (this.to - this.from) / 500)
				this.range = null;
			anchor = null;
			this.panel.render();
			this.redraw();
		});
	}
	touch(on) {
		let before = null;
		const spread = (touches) => Math.abs(touches[0].clientX - touches[1].clientX) || 1;

		on(this.canvas, "touchmove", (event) => {
			if (event.touches.length !== 2)
				return;
			event.preventDefault();
			this.pinching = true;
			const now = spread(event.touches);

			if (before)
				this.zoom(before / now);
			before = now;
		}, { passive: false });
		on(this.canvas, "touchend", () => { before = null; this.pinching = false; });
	}
};
