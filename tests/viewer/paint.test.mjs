// SPDX-License-Identifier: MIT
// The painter against the exact state, in Node: random spans, zooms and offsets; no exception, and in every column of pixels
// what the spans say. CORUN_SEED=N begins elsewhere; a failure says which seed it was.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";
import { Canvas, install } from "./canvas.mjs";
import { corun, page as write, top, traces } from "./load.mjs";

install();
corun.font = "sans-serif";
for (const name of ["raster", "draw", "lanes"])
	vm.runInThisContext(fs.readFileSync(path.join(top, `viewer/${name}.js`), "utf8"));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-paint-"));
const [{ kinds, parked_kinds }] = await traces(write(path.join(folder, "p.html"), path.join(top, "samples/demo/threads.corun")));
const GIL = corun.WAIT + kinds.findIndex((kind) => kind.name === "gil"), MUTEX = corun.WAIT + kinds.findIndex((kind) => kind.name === "mutex");
const CODES = [corun.RUNNING, corun.WOKEN, corun.PREEMPTED, corun.STOPPED, corun.UNKNOWN, GIL, MUTEX,
	...["disk", "network", "sleep", "pipe", "join", "kernel"].map((name) => corun.WAIT + kinds.findIndex((kind) => kind.name === name))];

fs.rmSync(folder, { recursive: true });

/* Numbers that look random and come again: xorshift, https://www.jstatsoft.org/v08/i14/. */
function random(seed) {
	let x = seed * 2654435761 % 4294967296 || 1;
	const next = () => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return (x >>> 0) / 4294967296;
	};

	return { next, below: (n) => Math.floor(next() * n), one: (list) => list[Math.floor(next() * list.length)],
		/* From 1 to @most, as many small ones as large ones. */
		length: (most) => Math.max(1, Math.floor(most ** next())) };
}

/* A lane of about @n spans that begins at @start; waits of several turns go to @locks. */
function lane(r, thread, start, n, locks) {
	const s = new corun.Columns(), most = r.one([50, 1e4, 1e6]), few = Array.from({ length: r.one([1, 2, 5]) }, () => r.one(CODES));
	let t = s.start = start, wide = r.below(3) === 0;

	while (s.n < n) {
		const code = r.one(few.length > 1 || r.below(20) ? few : CODES);

		if (r.below(12) === 0) {
			const wait = { thread, start: t, kind: GIL - corun.WAIT, owner: 0, releaser: 0, turns: 2 + r.below(4) };

			for (let turn = 0; turn < wait.turns; turn++) {
				if (turn)
					s.add(t += r.length(most / 10), r.one([corun.RUNNING, corun.WOKEN]), 1 + thread, 0, 0);
				s.add(t += r.length(most), GIL, 0, 0, 0);
			}
			locks.push({ ...wait, length: t - wait.start, blocked: t - wait.start });
			wide = false;
		} else {
			/* Every lane on a CPU of its own: nobody runs where another does. */
			s.add(t += wide ? most * 40 : r.length(most), code, code === corun.RUNNING ? 1 + thread : 0, 0, 0);
			wide = r.below(40) === 0;
		}
	}
	return s;
}

function trace(r, lanes) {
	const locks = [], threads = new Map(), held = [new corun.Pieces()];

	for (let i = 0; i < lanes; i++)
		threads.set(i, lane(r, i, r.length(1e6) - 1, r.one([1, 3, 40, 400, 4000]), locks));
	const window_ns = Math.max(...[...threads.values()].map((s) => s.end[s.n - 1])) + r.below(2) * r.length(1e6);

	for (let t = 0; t < window_ns && held[0].n < 3000;)
		held[0].piece(t += r.length(window_ns / 100), t += r.length(window_ns / 50), r.below(lanes));
	const names = Array.from({ length: lanes }, (_, i) => ({ tid: 100 + i, process: i >> 1, outsider: false, name: `worker-${i}` }));

	return new corun.Trace({ file: "f", window_ns, names, process_names: names.map((_, i) => ({ tgid: i, name: "p" })), kinds, parked_kinds, tasks: [],
		lanes: [{ kind: GIL - corun.WAIT, tgid: 0, lock: "1", contended_ns: 1 }], objects: [], min_wait_ns: r.below(6) ? undefined : r.length(1e5),
		report: { threads: [], target: { usable_cpus: 2 }, concurrency: { max: lanes }, parallelism: { max: lanes } } },
	{ threads, tasks: new Map(), gils: new Map(), locks, lanes: held });
}

/* Every colour that says a state: plain fill, edge, and what a tile with lines counts as. */
function colours(look) {
	const of = new Map(), n = (hex) => (0xff000000 | parseInt(hex.slice(5), 16) << 16 | (parseInt(hex.slice(3, 5), 16) << 8) | parseInt(hex.slice(1, 3), 16)) >>> 0;

	for (const family of Object.keys(corun.families)) {
		const grey = ["parked", "stopped", "unknown"].includes(family) ? "grey" : family;

		of.set(n(look.fill(family)), grey);
		if (look.edge(family))
			of.set(n(look.edge(family)), grey);
	}
	of.set(n(look.neutral.ink3), "grey").set(n(look.neutral.page), "page").set(n(look.neutral.id1), 0).set(n(look.neutral.id2), 1);
	return of;
}
const colourOf = (family) => ["parked", "stopped", "unknown"].includes(family) ? "grey" : family;

/* The spans of [from, to) that are drawn: {family: ns, ...}, and how many there are. */
function exact({ tr, look }, id, s, from, to) {
	const ns = {}, lengths = [];
	let hidden = 0;

	for (let i = s.at(from); i < s.n && s.startOf(i) < to; i++) {
		const start = Math.max(s.startOf(i), from), length = Math.min(s.end[i], to) - start, family = look.family(s.code[i]);

		if (tr.tooShort(id, s, i))
			hidden += length;
		else
			ns[family] = (ns[family] ?? 0) + length;
		lengths.push(s.end[i] - s.startOf(i));
	}
	return { ns, hidden, lengths };
}

/* What a column of pixels shows from its base up: [[colour, how many]], and what there is above. */
function seen({ canvas, of }, x, base, bar) {
	const { pixels } = canvas.context, found = {};
	let gap = 0;

	for (let y = base - 1; y >= base - bar; y--) {
		const color = pixels[y * canvas.width + x];

		if (!color)
			gap++;
		else
			found[of.get(color) ?? `#${color.toString(16)}`] = (found[of.get(color) ?? `#${color.toString(16)}`] ?? 0) + 1;
	}
	return { found, gap };
}

/* A lane of a thread, at zooms at which spans are drawn one by one, and at those at which they are summed. */
function checkLane(p, row, y) {
	const { tr, look, view, zoom } = p, s = tr.columns(row.thread), bar = Math.round(row.bar * zoom), base = Math.round(y * zoom) + bar;
	const width = (view.to - view.from) / p.wide, dense = Math.min(s.at(view.to), s.n - 1) - s.at(view.from) > view.width / 3;

	for (let k = 0; k < p.wide; k++) {
		const from = view.from + k * width, to = from + width, { ns, hidden, lengths } = exact(p, row.thread, s, from, to), families = Object.keys(ns);
		const { found } = seen(p, p.left + k, base, bar), high = (family) => family === "parked" ? 2 * zoom : look.height(family) * bar;
		const say = () => `lane ${row.thread}, column ${k} of ${p.wide} (${dense ? "dense" : "spans"}): ${JSON.stringify({ found, ns, hidden })}`;
		const count = (family) => (found[colourOf(family)] ?? 0) + (colourOf(family) === "grey" ? found.page ?? 0 : 0);

		/* One state all over the column, well inside of it: its colour, its height, and nothing else. */
		if (families.length === 1 && !hidden && s.start <= from && s.end[s.n - 1] >= to) {
			assert.ok(Math.abs(count(families[0]) - high(families[0])) <= 1.5 * zoom, say());
			assert.deepEqual(Object.keys(found).filter((f) => f !== "page"), [String(colourOf(families[0]))], say());
		} else if (dense && !(lengths.length === 2 && lengths.every((length) => length >= width))) {
			/* Several: each one's part of the area. */
			const wanted = {};

			for (const family of families)
				wanted[colourOf(family)] = (wanted[colourOf(family)] ?? 0) + ns[family] / width * high(family);
			for (const family of new Set([...families.map(colourOf), ...Object.keys(found)]))
				assert.ok(Math.abs((found[family] ?? 0) - (wanted[family] ?? 0)) <= lengths.length + 1.5 && Math.abs((found[family] ?? 0) -
					(wanted[family] ?? 0)) <= tr.codes.length + 1.5, `${family} of ${say()}`);
		} else if (dense && families.length === 2 && !hidden && s.start < from) {
			/* Two wide ones that meet: it is the one's or the other's that has more of it. */
			const most = families.sort((a, b) => ns[b] - ns[a])[0];

			if (Math.abs(ns[families[0]] - ns[families[1]]) > width * 1e-3)
				assert.ok(Math.abs(count(most) - high(most)) <= 1.5 * zoom, say());
		}
	}
}

/* The stack: each band from the sum of those below it up to its own. */
function checkStack(p, row, y) {
	const { tr, look, view, zoom } = p, base = Math.round(y * zoom) + Math.round((row.h - 14) * zoom), unit = (row.h - 26) / row.peak * zoom;
	const width = (view.to - view.from) / p.wide, order = p.painter.bands().map((band) => band.family);

	for (let k = 0; k < p.wide; k++) {
		const ns = {}, from = view.from + k * width, column = [];

		for (const s of tr.spans_of.values())
			for (let i = s.at(from); i < s.n && s.startOf(i) < from + width; i++) {
				const family = look.family(s.code[i]);

				ns[family] = (ns[family] ?? 0) + Math.min(s.end[i], from + width) - Math.max(s.startOf(i), from);
			}
		let below = 0;

		for (const family of new Set(order)) {
			const high = (ns[family] ?? 0) / width * unit, middle = Math.round(base - below - high / 2);

			if (high > 6 * zoom) {
				const color = p.of.get(p.canvas.context.pixels[middle * p.canvas.width + p.left + k]);

				column.push(family);
				/* Text on an outlined band stands on page colour. */
				assert.equal(color === "page" ? "grey" : color, colourOf(family), `stack, column ${k} of ${p.wide}: ${column.join()} ${JSON.stringify(ns)}`);
			}
			below += high;
		}
		const above = Math.round(base - below - 2 * zoom - order.length);

		assert.equal(p.canvas.context.pixels[above * p.canvas.width + p.left + k], 0, `above the stack, column ${k} of ${p.wide}`);
	}
}

/* CPUs, holders: the grey of who was there all the while; nothing where nobody was. */
function checkWho(p, row, y) {
	const { view, zoom } = p, s = row.pieces, width = (view.to - view.from) / p.wide, middle = Math.round((y + row.bar / 2) * zoom);

	for (let k = 0; k < p.wide; k++) {
		const from = view.from + k * width, i = s.at(from), edge = 1.5 * zoom * width;
		let end = i;

		/* Neighbours of one thread are one piece, with a gap of a pixel at its end (or that of the picture); none is thinner than 0.6 px. */
		while (end + 1 < s.n && s.a[end + 1] === s.a[i])
			end++;
		if (i >= s.n || s.startOf(i) > from - edge || Math.min(s.end[end], view.to) < from + width + edge)
			continue;
		assert.equal(p.of.get(p.canvas.context.pixels[middle * p.canvas.width + p.left + k]), s.a[i] ? p.painter.shade(s.a[i] - 1) : undefined,
			`${row.type}, column ${k} of ${p.wide}`);
	}
}

/* A view of a trace, painted and looked at. */
function check(r, tr, view, zoom) {
	const canvas = new Canvas(Math.round((view.x + view.width + 10) * zoom), 10), look = new corun.Look(tr, r.below(2) === 1), { words } = corun;
	const painter = new corun.Painter(canvas.context, tr, new corun.Levels(tr), look, words.en, false);
	const { rows, height } = corun.rows(tr, { compared: false, lesson: false, playing: false, words: words.en, folded: new Set(), peak: tr.stacked.peak,
		tasks: false, lane: r.one([[60, 46], [32, 26], [18, 14]]) });

	canvas.height = Math.round((height + 20) * zoom);
	Object.assign(canvas.context, { zoom });
	globalThis.devicePixelRatio = zoom;
	const p = { canvas, painter, look, tr, view, zoom, of: colours(look), wide: Math.round(view.width * zoom), left: Math.round(view.x * zoom) };

	for (const row of rows)
		painter.paint(view, row, row.y);
	for (const row of rows) {
		if (row.type === "thread")
			checkLane(p, row, row.y);
		else if (row.type === "stack")
			checkStack(p, row, row.y);
		else if (row.pieces)
			checkWho(p, row, row.y);
	}
}

test("the first span of a lane, drawn densely, may begin anywhere in a pixel", () => {
	const s = new corun.Columns(), locks = [];

	/* A pixel is 100 ns: a wide span from the middle of one on, then many that are narrower than a pixel. */
	s.start = 1040;
	s.add(5060, corun.RUNNING, 1, 0, 0);
	for (let i = 0; i < 1000; i++)
		s.add(s.end[s.n - 1] + 40, i % 2 ? corun.RUNNING : GIL, i % 2, 0, 0);
	const tr = trace(random(1), 1);

	tr.min_wait_ns = undefined;
	tr.spans_of.set(0, s);
	tr.locks = locks;
	tr.turns = null;
	tr.codes = tr.usedCodes();
	tr.cpus = tr.cpuPieces();
	tr.window_ns = s.end[s.n - 1];
	for (const by of [0, 10, 40, 50, 60, 99])
		check(random(1), tr, { from: by, to: by + 50000, x: 20, width: 500 }, 1);
});

test("random spans at random zooms: no exception, and every column of pixels is what the spans say", () => {
	const begin = Number(process.env.CORUN_SEED ?? 1), rounds = Number(process.env.CORUN_ROUNDS ?? 60);

	for (let seed = begin; seed < begin + rounds; seed++) {
		const r = random(seed), tr = trace(r, 1 + r.below(4));

		for (let n = 0; n < 5; n++) {
			const s = tr.columns(0), length = Math.max(n ? r.length(tr.window_ns) : tr.window_ns, 100), from = r.below(2) ?
				Math.min(s.startOf(r.below(s.n)), tr.window_ns) : r.next() * (tr.window_ns - Math.min(length, tr.window_ns));

			try {
				check(r, tr, { from: n ? from : 0, to: (n ? from : 0) + length, x: 20, width: 60 + r.below(500) }, r.one([1, 1, 2]));
			} catch (error) {
				error.message = `CORUN_SEED=${seed} CORUN_ROUNDS=1, view ${n}: ${error.message}`;
				throw error;
			}
		}
	}
});
