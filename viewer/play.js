// SPDX-License-Identifier: MIT
// Play: a cursor that moves through the recording, and every thread as a token that is where it is at
// that instant: waiting for something, in the queue, on a CPU. The knife is the GIL, at its holder.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/*
 * Where every thread of a trace is at time t; of a trace whose stack is of tasks, every task. Pure. A seat is a CPU, or
 * for tasks the thread that runs them.
 */
corun.scene = function (trace, t) {
	const scene = { waiting: [], queue: [], seats: new Map(), parked: 0, other: 0, holders: corun.gilHolders(trace, t) };
	const tasks = trace.stacked.tasks, lanes = tasks ? [...trace.tasks_of.keys()].sort((p, q) => p - q).map((id) => ~id) : trace.threads;

	for (const lane of lanes) {
		const s = trace.columns(lane), i = s.at(t);

		if (trace.names[lane]?.outsider || t < s.start || i >= s.n)
			continue;
		const code = s.code[i], wait = trace.waitAt(lane, t, code);
		const token = { lane, code, since: t - Math.min(s.startOf(i), wait ? wait.start : Infinity) };

		if (code === corun.RUNNING)
			scene.seats.set(s.a[i] - 1, token);
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

/* Who holds a GIL at @t, as far as it was seen. */
corun.gilHolders = function (trace, t) {
	const holders = new Set();

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
			holders.add(samples[low - 1].holder - 1);
	}
	return holders;
};

/* The next (by > 0) or previous instant at which a thread (or task) of the trace changes its state. */
corun.nextEvent = function (trace, t, by) {
	let best = by > 0 ? trace.window_ns : 0;

	for (const s of trace[trace.stacked.what].values()) {
		if (!s.n)
			continue;
		if (by > 0) {
			const end = t < s.start ? s.start : s.end[s.at(t)] ?? 0;

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
		document.getElementById("app").classList.add("playing");
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
		this.update();
		if (this.playing)
			requestAnimationFrame((now) => this.frame(now));
	}
	close() {
		if (!this.shown)
			return;
		this.playing = false;
		this.node.hidden = true;
		this.page.build();
	}
	/* To a time that somebody points at. */
	jump(t) {
		this.playing = false;
		this.move(t);
		this.update();
	}
	frame(now) {
		if (!this.playing)
			return;
		/* A tab that was in the background goes on from where it was. */
		this.move(this.at + Math.min(now - (this.before ?? now), 100) / 1000 * this.speed);
		this.before = now;
		if (this.at >= this.page.longest)
			this.playing = false;
		this.update();
		requestAnimationFrame((then) => this.frame(then));
	}
	step(by) {
		this.open();
		this.playing = false;
		const all = this.page.traces.map((t) => corun.nextEvent(t, this.at, by));

		this.move(by > 0 ? Math.min(...all.map((t) => t > this.at ? t : Infinity)) :
			Math.max(...all));
		this.update();
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
};
