// SPDX-License-Identifier: MIT
// The kitchen: every thread as a cook with a number, who stands where it is at the cursor. The knife is the GIL.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* More do not fit; how many there are the zone says. */
const MOST_WAITING = 24, MOST_QUEUED = 12, MOST_SEATS = 16, MOVE_MS = 160;

function svgNode(tag, attributes, ...children) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);

	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	node.append(...children);
	return node;
}

/* A cook: one node that stays the same while its thread moves about. */
corun.Cook = class {
	constructor(number, name) {
		this.face = svgNode("circle", { cx: 36, cy: 62, r: 30, stroke: "#16191D", "stroke-width": 2.5 });
		this.number = svgNode("text", { x: 36, y: 73, "text-anchor": "middle", "font-size": String(number).length > 2 ? 22 : 30, "font-weight": 800 },
			String(number));
		this.knife = svgNode("g", { style: "stroke: var(--ink)", "stroke-width": 2.5, "stroke-linejoin": "round" },
			svgNode("path", { d: "M86 18c7 10 6 26-3 40l-8-3c0-16 4-29 11-37z", fill: "#fff" }),
			svgNode("path", { d: "M73 58l8 3-6 22c-1 3-8 1-8-3z", style: "fill: var(--ink3)" }));
		this.since = corun.element("b");
		this.state = corun.element("small");
		this.name = corun.element("small.name", {}, name);
		this.node = corun.element("div.token", {}, svgNode("svg", { viewBox: "0 0 96 96", "aria-hidden": "true" },
			svgNode("path", { d: "M16 38V26C2 24 4 4 20 8c5-10 27-10 32 0 16-4 18 16 4 18v12z", fill: "#fff", stroke: "#16191D",
				"stroke-width": 2.5, "stroke-linejoin": "round" }), this.face, this.number, this.knife), this.since, this.name, this.state);
		this.node.title = name;
	}
	show(look, family, since, state, knife) {
		this.face.setAttribute("fill", look.fill(family));
		this.number.setAttribute("fill", corun.families[family][2] ?? "#111");
		this.knife.style.display = knife ? "" : "none";
		this.since.textContent = corun.duration(since);
		this.state.textContent = state;
		return this.node;
	}
};

Object.assign(corun.Play.prototype, {
	/* What stands still: zones, seats, controls. */
	render() {
		if (!this.shown)
			return;
		const e = corun.element, w = this.page.words;
		const button = (cls, name, click, ...text) => e(`button${cls}`, { onclick: click, "aria-label": name, title: name }, ...text);

		document.getElementById("app").classList.add("playing");
		this.node.classList.toggle("many", this.page.traces.length > 1);
		this.cooks = new Map(this.page.traces.map((t) => [t, new Map()]));
		this.strips = this.page.traces.map((t) => this.strip(t));
		this.go = button(".go.on", w.play, () => this.toggle());
		this.now = e("b.now");
		this.speeds = [5e6, 5e7, 5e8].map((speed) => [speed, button("", `${w.second} ${corun.duration(speed)}`, () => {
			this.speed = speed;
			this.update();
		}, corun.duration(speed))]);
		this.node.replaceChildren(...this.strips.map((s) => s.node), e("div.controls", {},
			button("", w.stepBack, () => this.step(-1), "|◀"), this.go, button("", w.stepOn, () => this.step(1), "▶|"),
			e("span.by", {}, w.byEvent), this.now, e("span", {}, w.second), e("div.speeds", { role: "group" }, ...this.speeds.map(([, node]) => node)),
			button("", w.close, () => this.close(), "✕")));
		this.page.lesson?.here();
		this.page.arrange();
		this.update();
	},
	strip(trace) {
		const e = corun.element, w = this.page.words, zone = (cls, title) => {
			const z = { count: e("b"), title: e("span", {}, title), tokens: e("div.tokens"), note: e("p") };

			z.node = e(`div.zone.${cls}`, {}, e("h4", {}, z.title, z.count), z.tokens, z.note);
			return z;
		};
		const strip = { trace, title: e("h2", { "aria-live": "off" }), wait: zone("wait", w.zoneWait), queue: zone("queue", w.queueShort),
			cpus: zone("cpus", w.zoneCpu), seats: new Map() };

		strip.queue.note.textContent = w.zoneQueueNote;
		strip.node = e("div.strip", {}, strip.title, e("div.zones", {}, strip.wait.node, strip.queue.node, strip.cpus.node));
		return strip;
	},
	update() {
		if (!this.shown)
			return;
		const e = corun.element, w = this.page.words;

		for (const strip of this.strips)
			this.updateStrip(strip, corun.scene(strip.trace, this.at));
		this.go.replaceChildren(this.playing ? `❚❚ ${w.pause}` : `▶ ${w.play}`, e("kbd", {}, "Space"));
		this.go.setAttribute("aria-label", this.playing ? w.pause : w.play);
		this.now.textContent = corun.instant(this.at);
		for (const [speed, node] of this.speeds) {
			node.classList.toggle("on", speed === this.speed);
			node.setAttribute("aria-pressed", String(speed === this.speed));
		}
		this.page.redraw();
	},
	updateStrip(strip, scene) {
		const w = this.page.words, { trace } = strip, many = this.page.traces.length > 1, kinds = new Set(scene.waiting.map((t) => t.code));
		const painter = this.page.painters.get(trace), look = this.page.looks.get(trace), [only] = kinds.size === 1 ? kinds : [];
		const cook = (token) => this.cook(trace, token, scene, kinds.size > 1);

		strip.title.textContent = (many ? `${this.page.letter(trace)} ${trace.title}: ` : "") + w.now(scene.seats.size, scene.queue.length,
			scene.waiting.length, scene.parked);
		strip.wait.title.textContent = only === undefined ? w.zoneWait : w.zoneWaitFor(painter.doing(only));
		strip.wait.node.style.setProperty("--zone", look.fill(only === undefined ? kinds.size ? "gil" : "parked" : look.family(only)));
		strip.wait.note.textContent = scene.waiting.length ? w.zoneWaitNote : "";
		for (const [zone, n] of [[strip.wait, scene.waiting.length], [strip.queue, scene.queue.length], [strip.cpus, scene.seats.size]])
			zone.count.textContent = String(n);
		const holder = [...scene.holders].map((id) => trace.name(id)).join(", ");

		strip.cpus.note.textContent = holder ? w.knife(holder) : "";
		this.place(strip, [[strip.wait, scene.waiting.slice(-MOST_WAITING).map(cook)], [strip.queue, scene.queue.slice(-MOST_QUEUED).map(cook)],
			[strip.cpus, this.seats(strip, scene, cook)]]);
	},
	cook(trace, { lane, code, since }, scene, named) {
		const cooks = this.cooks.get(trace), look = this.page.looks.get(trace), painter = this.page.painters.get(trace);

		if (!cooks.has(lane))
			cooks.set(lane, new corun.Cook(trace.number(lane), trace.name(lane).slice(0, 200)));
		return cooks.get(lane).show(look, look.family(code), since, named && code !== corun.RUNNING ? painter.label(code) : "",
			scene.holders.has(lane));
	},
	/* A seat for every CPU; an empty one says so. Of very many, those that are taken. */
	seats(strip, scene, cook) {
		const e = corun.element, { trace } = strip, w = this.page.words, tasks = trace.stacked.tasks;
		const n = tasks ? 0 : Math.max(trace.report.target.cpus || 0, ...[...scene.seats.keys()].map((seat) => seat + 1), 0);
		const threads = tasks ? trace.threads.filter((id) => trace.tasksOn(id).length) : [];
		const all = tasks ? [...new Set([...threads, ...scene.seats.keys()])] : Array.from({ length: n }, (_, i) => i);
		const shown = all.length > MOST_SEATS ? [...scene.seats.keys()].sort((p, q) => p - q).slice(0, MOST_SEATS) : all;

		return shown.map((id) => {
			if (!strip.seats.has(id)) {
				const place = e("div.place");

				strip.seats.set(id, { place, node: e("div.seat", {}, place, e("small", {}, tasks ? trace.name(id).slice(0, 40) : `CPU ${id}`)) });
			}
			const seat = strip.seats.get(id), token = scene.seats.get(id);

			seat.node.classList.toggle("taken", Boolean(token));
			seat.who = token ? cook(token) : null;
			seat.none ??= e("span.none", {}, w.nobody);
			return seat.node;
		});
	},
	/* Puts every cook where it is now, and lets it walk there from where it was. */
	place(strip, zones) {
		const still = matchMedia("(prefers-reduced-motion: reduce)").matches, seats = [...strip.seats.values()];
		const wanted = [...zones.map(([zone, nodes]) => [zone.tokens, nodes.length ? nodes : [zone.none ??= corun.element("span.none", {}, this.page.words.nobody)]]),
			...seats.map((seat) => [seat.place, [seat.who ?? seat.none].filter(Boolean)])];
		const changed = wanted.filter(([parent, nodes]) => parent.childNodes.length !== nodes.length || nodes.some((node, i) => parent.childNodes[i] !== node));

		if (!changed.length)
			return;
		const cooks = [...this.cooks.get(strip.trace).values()].filter((cook) => cook.node.isConnected);
		const before = still ? [] : cooks.map((cook) => [cook.node, cook.node.getBoundingClientRect()]);

		for (const [parent, nodes] of changed)
			parent.replaceChildren(...nodes);
		for (const [node, was] of before) {
			const is = node.isConnected ? node.getBoundingClientRect() : null, dx = was.x - (is?.x ?? 0), dy = was.y - (is?.y ?? 0);

			if (is && (Math.abs(dx) > 1 || Math.abs(dy) > 1))
				node.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" });
		}
	},

	/* ---- the cursor in the picture ---- */

	/* What is to come lies under a veil. */
	paint(c, height, n) {
		if (!this.shown)
			return;
		const { x, width } = this.page.plot, at = Math.min(Math.max(this.page.xOf(this.at), x), x + width);

		c.fillStyle = n.page;
		c.globalAlpha = 0.62;
		c.fillRect(at, 0, x + width - at, height);
		c.globalAlpha = 1;
		c.fillStyle = n.ink;
		c.fillRect(at - 1.25, 0, 2.5, height);
	},
	/* Its time, on the axis. */
	flag(c, height, n) {
		if (!this.shown)
			return;
		const { x, width } = this.page.plot, at = this.page.xOf(this.at), size = Math.round(12 * this.page.type), text = corun.instant(this.at);

		if (at < x - 1 || at > x + width + 1)
			return;
		c.font = `700 ${size}px ${corun.font}`;
		const wide = c.measureText(text).width + 16, left = Math.min(Math.max(at - wide / 2, x), x + width - wide);

		c.fillStyle = n.ink;
		c.fillRect(left, height - size - 12, wide, size + 8);
		c.fillRect(at - 1.25, height - 5, 2.5, 5);
		c.fillStyle = n.page;
		c.textAlign = "center";
		c.textBaseline = "middle";
		c.fillText(text, left + wide / 2, height - size / 2 - 7);
	},
});
