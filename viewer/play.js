// SPDX-License-Identifier: MIT
// Play: a cursor that moves through the recording, and every thread as a token that is where it is at
// that instant: waiting for something, in the queue, on a CPU. The knife is the GIL, at its holder.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* Where every thread of a trace is at time t. Pure. */
corun.scene = function (trace, t) {
	const scene = { waiting: [], queue: [], cpus: new Map(), parked: 0, other: 0, holders: new Set() };

	for (const samples of trace.gils.values()) {
		let low = 0, high = samples.length;

		while (low < high) {
			const mid = (low + high) >> 1;

			if (samples[mid].ts <= t)
				low = mid + 1;
			else
				high = mid;
		}
		if (low && samples[low - 1].holder > 0)
			scene.holders.add(samples[low - 1].holder - 1);
	}
	for (const id of trace.threads) {
		const s = trace.spans_of.get(id), i = s.at(t);

		if (trace.names[id]?.outsider || t < s.start || i >= s.n)
			continue;
		const code = s.code[i], wait = code >= corun.WAIT && trace.waitsOf(id).find((w) =>
			w.start <= t && w.start + w.length > t);
		const token = { thread: id, code, since: t - Math.min(s.startOf(i), wait ? wait.start : Infinity) };

		if (code === corun.RUNNING)
			scene.cpus.set(s.a[i] - 1, token);
		else if (code <= corun.PREEMPTED)
			scene.queue.push(token);
		else if (trace.parked(code))
			scene.parked++;
		else if (code >= corun.WAIT)
			scene.waiting.push(token);
		else
			scene.other++;
	}
	/* The one who has waited longest stands nearest to what comes next. */
	scene.waiting.sort((p, q) => p.since - q.since);
	scene.queue.sort((p, q) => p.since - q.since);
	return scene;
};

/* The next (by > 0) or previous instant at which a thread of the trace changes its state. */
corun.nextEvent = function (trace, t, by) {
	let best = by > 0 ? trace.window_ns : 0;

	for (const s of trace.spans_of.values()) {
		if (by > 0) {
			const end = t < s.start ? s.start : s.end[s.at(t)];

			if (end > t && end < best)
				best = end;
		} else if (t > s.start) {
			const start = s.startOf(Math.min(s.at(t - 1), s.n - 1));

			if (start < t && start > best)
				best = start;
		}
	}
	return best;
};

corun.Play = class {
	constructor(page) {
		this.page = page;
		this.speed = 5e7; /* ns of the recording to a second of the screen */
		this.node = corun.element("section.play");
		this.node.hidden = true;
	}
	get shown() {
		return !this.node.hidden;
	}
	open() {
		if (this.shown)
			return;
		this.node.hidden = false;
		this.at = this.page.from;
		/* At a speed that one can follow, some seconds of it at a time. */
		if (this.page.to - this.page.from > 20 * this.speed)
			this.page.setView(this.at, this.at + 6 * this.speed);
		this.render();
	}
	toggle() {
		this.open();
		this.playing = !this.playing;
		if (this.at >= this.page.longest)
			this.at = this.page.from;
		this.before = null;
		this.render();
		if (this.playing)
			requestAnimationFrame((now) => this.frame(now));
	}
	close() {
		this.playing = false;
		this.node.hidden = true;
		this.page.redraw();
	}
	frame(now) {
		if (!this.playing)
			return;
		/* A tab that was in the background goes on from where it was. */
		this.move(this.at + Math.min(now - (this.before ?? now), 100) / 1000 * this.speed);
		this.before = now;
		if (this.at >= this.page.longest)
			this.playing = false;
		this.render();
		requestAnimationFrame((then) => this.frame(then));
	}
	step(by) {
		this.open();
		this.playing = false;
		const all = this.page.traces.map((t) => corun.nextEvent(t, this.at, by));

		this.move(by > 0 ? Math.min(...all.map((t) => t > this.at ? t : Infinity)) :
			Math.max(...all));
		this.render();
	}
	move(t) {
		const page = this.page, length = page.to - page.from;

		this.at = Math.min(Math.max(Number.isFinite(t) ? t : page.longest, 0), page.longest);
		if (this.at < page.from || this.at > page.to)
			page.setView(this.at - length * 0.1, this.at + length * 0.9);
	}
	key(event) {
		const actions = { " ": () => this.toggle(), ".": () => this.step(1), ",": () => this.step(-1) };

		if (event.key === "Escape" && this.shown) {
			this.close();
			return true;
		}
		if (!actions[event.key] || event.target.tagName === "BUTTON" || event.ctrlKey || event.metaKey)
			return false;
		event.preventDefault();
		actions[event.key]();
		return true;
	}

	/* ---- what one sees ---- */

	render() {
		if (!this.shown)
			return;
		const e = corun.element, w = this.page.words;
		const button = (text, name, click, on) => e(`button${on ? ".on" : ""}`, { onclick: click, "aria-label": name }, text);
		const speeds = [5e6, 5e7, 5e8].map((speed) => button(corun.duration(speed), `${w.second} ${corun.duration(speed)}`,
			() => { this.speed = speed; this.render(); }, speed === this.speed));

		this.node.replaceChildren(...this.page.traces.map((t) => this.strip(t)), e("div.controls", {},
			button("|◀", w.stepBack, () => this.step(-1)),
			button(this.playing ? `❚❚ ${w.pause}` : `▶ ${w.play}`, this.playing ? w.pause : w.play, () => this.toggle(), true),
			button("▶|", w.stepOn, () => this.step(1)), e("b.now", {}, corun.instant(this.at)),
			e("span", {}, w.second), ...speeds, button("✕", w.close, () => this.close())));
		this.page.redraw();
	}
	strip(trace) {
		const e = corun.element, w = this.page.words, s = corun.scene(trace, this.at);
		const zone = (cls, title, n, nodes, note) => e(`div.zone.${cls}`, {}, e("h4", {}, title, e("b", {}, String(n))),
			e("div.tokens", {}, ...(nodes.length ? nodes : [e("span.none", {}, w.nobody)])), e("p", {}, note));
		const token = (t) => this.token(trace, t, s.holders.has(t.thread));
		const n = Math.max(trace.report.target.cpus || 0, ...[...s.cpus.keys()].map((c) => c + 1), 0);
		const list = n > 16 ? [...s.cpus.keys()].sort((p, q) => p - q) : Array.from({ length: n }, (_, i) => i);
		const cpus = list.map((cpu) => e(`div.seat${s.cpus.has(cpu) ? ".taken" : ""}`, {},
			s.cpus.has(cpu) ? token(s.cpus.get(cpu)) : e("span.none", {}, w.nobody), e("small", {}, `CPU ${cpu}`)));
		const name = this.page.traces.length > 1 ? `${trace.title}: ` : "";

		return e("div.strip", {}, e("h2", {}, name + w.now(s.cpus.size, s.queue.length, s.waiting.length, s.parked)),
			e("div.zones", {}, zone("wait", w.zoneWait, s.waiting.length, s.waiting.slice(-24).map(token), w.zoneWaitNote),
				zone("queue", w.queueShort, s.queue.length, s.queue.slice(-12).map(token), w.zoneQueueNote),
				zone("cpus", w.zoneCpu, s.cpus.size, cpus, s.holders.size ? w.knife : "")));
	}
	/* A cook with a hat, a number, and a knife if the GIL is theirs. */
	token(trace, { thread, code, since }, knife) {
		const look = this.page.looks.get(trace), family = look.family(code), painter = this.page.painters.get(trace);
		const svg = (tag, attributes, text) => {
			const node = document.createElementNS("http://www.w3.org/2000/svg", tag);

			for (const [key, value] of Object.entries(attributes))
				node.setAttribute(key, value);
			node.textContent = text ?? "";
			return node;
		};
		const cook = svg("svg", { viewBox: "0 0 64 66", width: 64, height: 66, "aria-hidden": "true" });

		cook.append(svg("path", { d: "M18 26v-7c-9-2-7-14 3-12 4-8 18-8 22 0 10-2 12 10 3 12v7z", fill: "#fff",
			stroke: "#16191D", "stroke-width": 2 }), svg("circle", { cx: 32, cy: 42, r: 21, fill: look.fill(family),
			stroke: "#16191D", "stroke-width": 2 }), svg("text", { x: 32, y: 49, "text-anchor": "middle",
			"font-size": 19, "font-weight": 700, fill: look.ink(family) }, String(thread)));
		if (knife)
			cook.append(svg("path", { d: "M55 12c5 6 5 16 1 25l-5-2zM51 36l5 2-5 13-5-2z", fill: "#fff",
				stroke: "#16191D", "stroke-width": 2 }));
		return corun.element("div.token", { title: `${trace.name(thread)}: ${painter.label(code)}` }, cook,
			corun.element("b", {}, corun.duration(since)), corun.element("small", {}, painter.label(code)));
	}
	/* The cursor in the picture; what is to come lies under a veil. */
	paint(c, height, n) {
		if (!this.shown)
			return;
		const { x, width } = this.page.plot, at = Math.min(Math.max(this.page.xOf(this.at), x), x + width);

		c.fillStyle = n.page;
		c.globalAlpha = 0.62;
		c.fillRect(at, 0, x + width - at, height);
		c.globalAlpha = 1;
		c.fillStyle = n.ink;
		c.fillRect(at - 1, 0, 2.5, height);
	}
};
