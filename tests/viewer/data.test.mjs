// SPDX-License-Identifier: MIT
// What the page reads out of its data is what the report says, to the nanosecond.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun, page, program, top, traces } from "./load.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-viewer-"));
const files = [...fs.readdirSync(path.join(top, "tests/golden")).filter((f) => f.endsWith(".txt"))
	.map((f) => path.join(top, "tests/golden", f)),
...fs.readdirSync(path.join(top, "samples/demo")).filter((f) => f.endsWith(".corun"))
	.map((f) => path.join(top, "samples/demo", f))];

test.after(() => fs.rmSync(folder, { recursive: true }));

function byState(trace, usage) {
	const ns = { running: 0, ready: 0, stopped: 0, unknown: 0 };

	for (const [text, length] of Object.entries(usage)) {
		const code = Number(text);
		const key = ["running", "ready", "ready", "stopped", "unknown"][code] ?? trace.kinds[code - corun.WAIT].name;

		ns[key] = (ns[key] ?? 0) + length;
	}
	return ns;
}

for (const file of files) {
	test(path.basename(file), async () => {
		const [trace] = await traces(page(path.join(folder, "page.html"), file)), r = trace.report;
		const whole = corun.usage(trace, 0, trace.window_ns);

		assert.deepEqual(byState(trace, whole), { ...r.time_ns });
		const means = corun.means(trace, 0, trace.window_ns);

		assert.ok(Math.abs(means.inFlight - r.concurrency.mean) < 1e-4, `${means.inFlight} ${r.concurrency.mean}`);
		assert.ok(Math.abs(means.running - r.parallelism.mean) < 1e-4);
		/* The critical path tiles the window; each thread's part of it is what the report says. */
		const onPath = new Map();
		let state = {};

		for (let i = 0; i < trace.path.n; i++) {
			const length = trace.path.end[i] - trace.path.startOf(i), thread = trace.path.a[i] - 1;

			state[trace.path.code[i]] = (state[trace.path.code[i]] ?? 0) + length;
			if (thread >= 0)
				onPath.set(thread, (onPath.get(thread) ?? 0) + length);
		}
		assert.equal(trace.path.startOf(trace.path.n), r.critical_path?.duration_ns ?? 0);
		assert.deepEqual([...onPath].sort(([p], [q]) => p - q), (r.critical_path?.threads ?? []).map(({ thread, time_ns }) =>
			[thread, Object.values(time_ns).reduce((sum, ns) => sum + ns, 0)]).sort(([p], [q]) => p - q));
		state = byState(trace, state);
		for (const [name, ns] of Object.entries(r.critical_path?.time_ns ?? {}))
			assert.equal(state[name], ns, name);
		/* The verdict on a range: over all of it, and over each phase, it is the report's. */
		assert.equal(corun.verdict(trace, 0, trace.window_ns, corun.words.en).class, r.verdict.class);
		for (const phase of r.phases)
			assert.equal(corun.verdict(trace, phase.begin_ns, phase.begin_ns + phase.duration_ns, corun.words.ko).class, phase.verdict.class);
		/* Any cut of the time in two adds up; columns of every width have the same area. */
		const middle = trace.window_ns / 3;
		const left = corun.usage(trace, 0, middle), right = corun.usage(trace, middle, trace.window_ns);

		for (const code of trace.codes)
			assert.ok(Math.abs((left[code] ?? 0) + (right[code] ?? 0) - (whole[code] ?? 0)) < 1);
		const levels = new corun.Levels(trace);

		for (const n of [1, 7, 64, 1000, 5000]) {
			const view = levels.view(0, Math.max(trace.window_ns, 1), n);
			let area = 0;

			for (const id of trace.threads)
				area += view.of(id).reduce((sum, share) => sum + share, 0) * view.width;
			const alive = Object.values(whole).reduce((sum, ns) => sum + ns, 0);

			assert.ok(Math.abs(area - alive) <= alive * 1e-6 + 1, `${n} columns: ${area} of ${alive}`);
		}
		/* In any view the whole is the sum of its lanes, and each column is what the spans in it say. */
		for (const [from, to] of [[0, 1], [0.31, 0.47], [0.5, 0.5001]].map((part) => part.map((x) => x * trace.window_ns))) {
			const n = 97, view = levels.view(from, to, n), total = view.total(), sums = new Float64Array(total.length);

			for (const id of trace.threads)
				view.of(id).forEach((share, i) => { sums[i] += share; });
			total.forEach((share, i) => assert.ok(Math.abs(share - sums[i]) < 1e-3, `${share} ${sums[i]}`));
			const k = 41, exact = corun.usage(trace, from + k * view.width, from + (k + 1) * view.width);

			for (const code of trace.codes)
				assert.ok(Math.abs(total[k * view.slots + levels.slot[code]] * view.width - (exact[code] ?? 0)) <= view.width * 1e-3 + 1e-3);
		}
	});
}

test("numbers, spans and their ends", () => {
	/* Thread 0 starts at 5, runs 300 on CPU 1, waits 2 (kind 0) for object 1, nobody known. */
	const { threads } = corun.decode(Uint8Array.from([0, 5, 1, 0xac, 2, 0, 2, 1, 2, 5, 1, 0, 0]));
	const s = threads.get(0);

	assert.deepEqual([s.n, s.start, s.end[0], s.end[1], s.a[0], s.a[1]], [2, 5, 305, 307, 2, 1]);
	assert.deepEqual([s.at(0), s.at(304), s.at(305), s.at(307)], [0, 0, 1, 2]);
	assert.throws(() => corun.decode(Uint8Array.from([0])), /cut/);
});

/* https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
function contrast(...colours) {
	const [light, dark] = colours.map((hex) => {
		const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
			.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);

		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	}).sort((p, q) => q - p);

	return (light + 0.05) / (dark + 0.05);
}

test("the palette: text on every fill and on the page can be read, pale fills have an edge", () => {
	for (const [name, [light, dark, ink, , edge]] of Object.entries(corun.families)) {
		if (ink && name !== "parked")
			assert.ok(contrast(light, ink) >= 4.5 && contrast(dark, ink) >= 4.5, name);
		if (edge)
			assert.ok(contrast(edge, corun.neutrals.light.page) >= 3.7, `${name}'s edge`);
		else if (ink && name !== "parked")
			assert.ok(contrast(light, corun.neutrals.light.page) >= 3, `${name} has no edge`);
	}
	for (const { page, ink, ink2, ink3 } of Object.values(corun.neutrals))
		for (const text of [ink, ink2, ink3])
			assert.ok(contrast(page, text) >= 4.5, `${text} on ${page}`);
	/* Running, ready and the GIL are apart in grey, too: print works. */
	const grey = ["running", "ready", "gil"].map((name) => corun.families[name][0]);

	for (const [i, j] of [[0, 1], [0, 2], [1, 2]])
		assert.ok(contrast(grey[i], grey[j]) >= 1.6, `${grey[i]} ${grey[j]}`);
});

test("Korean particles follow the sound of a word", () => {
	const { ko } = corun.words, kind = (label_ko) => ({ name: "x", label_ko });

	assert.equal(ko.waitingFor(kind("GIL")), "GIL을 기다림");
	assert.equal(ko.waitingFor(kind("뮤텍스")), "뮤텍스를 기다림");
	assert.equal(ko.waitingFor(kind("락")), "락을 기다림");
	assert.equal(ko.ran("worker-1", "5 ms"), "worker-1이 5 ms 동안 실행되었다");
	assert.equal(ko.ran("worker-2", "5 ms"), "worker-2가 5 ms 동안 실행되었다");
	assert.equal(ko.subject('"ten"'), '"ten"이');
	assert.equal(ko.subject('"processes"'), '"processes"가');
	assert.equal(ko.ran("MainThread", "5 ms"), "MainThread가 5 ms 동안 실행되었다");
});

test("words: the same in both languages", () => {
	const shape = (words) => Object.fromEntries(Object.entries(words).map(([k, v]) => [k, typeof v]));

	assert.deepEqual(shape(corun.words.ko), shape(corun.words.en));
	assert.equal(corun.duration(1250000000), "1.25 s");
	assert.equal(corun.duration(41234567), "41.2 ms");
	assert.equal(corun.duration(340000), "340 µs");
	assert.equal(corun.duration(0), "0 ns");
	assert.equal(corun.duration(999960000), "1.00 s");
});

/* Time by state of what the tables of the same options have. */
function tables(...options) {
	const ns = {};

	for (const line of execFileSync(program, ["export", "-f", "ndjson", "-o", "-", ...options],
		{ encoding: "utf8", maxBuffer: 1 << 28 })
		.split("\n")) {
		const row = line ? JSON.parse(line) : {};

		if (row.table === "span")
			ns[row.kind ?? row.state] = (ns[row.kind ?? row.state] ?? 0) + row.dur;
	}
	return ns;
}

const kept = path.join(top, "samples/demo/threads.corun");
const third = JSON.parse(execFileSync(program, ["report", "--json", kept], { encoding: "utf8" })).threads[2];

for (const options of [["--from", "50ms", "--to", "0.3"], ["--tid", String(third.tid)], ["--pid", String(third.tgid)],
	["--comm", third.name], ["--from", "0.2", "--tid", String(third.tid)], ["--to", "10ms"], ["--comm", "nobody"]]) {
	test(`a part of a recording: ${options.join(" ")}`, async () => {
		const [trace] = await traces(page(path.join(folder, "part.html"), ...options, kept));
		const used = Object.entries(byState(trace, corun.usage(trace, 0, trace.window_ns))).filter(([, ns]) => ns);

		assert.deepEqual(Object.fromEntries(used), tables(...options, kept));
		assert.deepEqual(byState(trace, corun.usage(trace, 0, trace.window_ns)), { ...trace.report.time_ns });
		assert.ok(trace.part.length > 4 && trace.file === "threads.corun");
		assert.equal(trace.report.window.duration_ns, trace.window_ns);
		/* What was left out is still known by its name. */
		if (options.includes("--tid"))
			assert.ok(trace.names.some((t) => t.outsider && t.name.startsWith("worker")));
	});
}

test("--min-wait: shorter waits are counted, and not drawn", async () => {
	const [trace] = await traces(page(path.join(folder, "min.html"), "--min-wait", "10ms", kept));
	const levels = new corun.Levels(trace), view = levels.view(0, trace.window_ns, 50), total = view.total();
	const sum = (list) => list.reduce((p, q) => p + q, 0);
	const lanes = sum(trace.threads.map((id) => sum(view.of(id)))), all = sum(total);
	let short = 0;

	for (const [id, s] of trace.spans_of)
		for (let i = 0; i < s.n; i++)
			short += trace.tooShort(id, s, i) ? s.end[i] - s.startOf(i) : 0;
	assert.ok(short > 0);
	assert.ok(Math.abs((all - lanes) * view.width - short) < 1e-3 * short, `${(all - lanes) * view.width} ${short}`);
	assert.deepEqual(byState(trace, corun.usage(trace, 0, trace.window_ns)), { ...trace.report.time_ns });
});
