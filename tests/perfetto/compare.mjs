// SPDX-License-Identifier: MIT
// A trace, exported, read by Perfetto's trace processor, must say what `corun report --json` says of
// it: to the nanosecond, per thread and per state, by the slices, the native states and the counters.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "./trace_processor.mjs";

export const top = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const corun = path.join(top, "build/corun");

/* Names in figures -> names for people, from the program's own table. */
const labels = Object.fromEntries([...fs.readFileSync(path.join(top, "userspace/model/kind.c"), "utf8")
	.matchAll(/\{"([a-z-]+)", "([^"]+)", "/g)].map((m) => [m[1], m[2]]));

export function report(trace) {
	return JSON.parse(execFileSync(corun, ["report", "--json", trace],
		{ stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 }));
}

/* What the states are called in thread_state. */
function states(time) {
	const by = {};
	const add = (name, ns) => ns && (by[name] = (by[name] ?? 0) + ns);

	for (const [key, ns] of Object.entries(time))
		add({ running: "Running", ready: "R", stopped: "Stopped", unknown: "Unknown" }[key] ??
			`Blocked: ${labels[key]}`, ns);
	return by;
}

function sums(rows) {
	const by = {};

	for (const r of rows)
		by[r.name] = (by[r.name] ?? 0) + Number(r.ns);
	return by;
}

/* The integral of a counter of the whole set, in thread-nanoseconds. */
/* @where chooses the track. */
async function integral(tp, where, end) {
	const samples = await tp.rows("select c.ts, c.value from counter c join track t on " +
		`c.track_id = t.id where ${where} order by c.ts`);
	let sum = 0;

	samples.forEach((s, i) => {
		sum += Number(s.value) * (Number(samples[i + 1]?.ts ?? end) - Number(s.ts));
	});
	return sum;
}

/* Every counter of the set: its integral is the time that the report has. @where(name) chooses its track. */
async function checkCounters(tp, figures, where) {
	const end = figures.window.duration_ns;
	const mean = (c) => c.time_ns_at.reduce((sum, ns, k) => sum + k * ns, 0);

	assert.equal(await integral(tp, where("running"), end), mean(figures.parallelism));
	assert.equal(await integral(tp, where("in flight"), end), mean(figures.concurrency));
	for (const [key, ns] of Object.entries(figures.time_ns))
		assert.equal(await integral(tp, where(labels[key] ? `waiting: ${labels[key]}` : key), end), ns, key);
}

/* Which keys an event of each phase has, and which it may have. */
const keys = {
	M: ["name pid tid args", ""], X: ["name cat pid tid ts dur", "args"],
	T: ["name pid tid ts dur", "args"], C: ["name pid ts args", ""],
	s: ["name cat id pid tid ts", ""], f: ["name cat id bp pid tid ts", ""],
	b: ["name cat id pid ts", ""], e: ["name cat id pid ts", ""],
};

function checkKeys(event) {
	const [must, may] = keys[event.ph].map((list) => list.split(" ").filter((k) => k));
	const text = JSON.stringify(event);

	for (const key of must)
		assert.ok(key in event, `no ${key}: ${text}`);
	for (const [key, value] of Object.entries(event)) {
		assert.ok(key === "ph" || must.includes(key) || may.includes(key), `${key}: ${text}`);
		if (["pid", "tid", "id"].includes(key))
			assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 53, text);
		if (["ts", "dur"].includes(key))
			assert.ok(Number.isFinite(value), text);
		if (key === "args")
			assert.ok(value && typeof value === "object" && Object.keys(value).length, text);
	}
}

/* Events as they stand: known phases, times that are numbers, slices of a thread that never overlap. */
function checkEvents(events, compat) {
	const last = new Map();

	for (const e of events) {
		assert.match(e.ph, compat ? /^[MXCsfbe]$/ : /^[MXCTsfbe]$/);
		assert.equal(typeof e.name, "string");
		checkKeys(e);
		assert.ok(Number.isInteger(e.pid));
		if (e.ph !== "M")
			assert.ok(e.ts >= 0, JSON.stringify(e));
		if (e.ph !== "X" && e.ph !== "T")
			continue;
		assert.ok(e.dur >= 0, JSON.stringify(e));
		const key = `${e.ph} ${e.tid}`;
		const ns = (us) => Math.round(us * 1000);

		assert.ok(ns(e.ts) >= (last.get(key) ?? 0), `overlap: ${JSON.stringify(e)}`);
		last.set(key, ns(e.ts) + ns(e.dur));
	}
}

export async function compare(trace, json, options = []) {
	const compat = options.includes("--compat");

	execFileSync(corun, ["export", "-f", "chrome", ...options, "-o", json, trace],
		{ stdio: ["ignore", "ignore", "pipe"] });
	const figures = report(trace);

	if (!json.endsWith(".gz"))
		checkEvents(JSON.parse(fs.readFileSync(json)).traceEvents, compat);
	const tp = await load(json);

	try {
		assert.deepEqual(await tp.rows("select name, value from stats where value <> 0 " +
			"and severity in ('error', 'data_loss')"), []);
		/* Slices: every nanosecond of every thread, and each state by its category. */
		const categories = Object.fromEntries(Object.entries(figures.time_ns).filter(([, ns]) => ns));

		assert.deepEqual(sums(await tp.rows("select category name, sum(dur) ns from slice " +
			"where category not in ('lost', 'region', 'lock', 'task', 'path') group by 1")), categories);
		/* One lane a thread. (By length, not by number: an exec may give a thread another one.) */
		const lives = (await tp.rows("select sum(s.dur) ns from slice s where category not in ('lost', 'region', 'lock', 'task', 'path') " +
			"group by track_id")).map((r) => Number(r.ns));
		const alive = figures.threads.map((t) => t.alive_ns).filter((ns) => ns);

		assert.deepEqual(lives.sort((x, y) => x - y), alive.sort((x, y) => x - y));
		/* The critical path tiles the window. */
		assert.equal(Number((await tp.rows("select sum(dur) ns from slice where category = 'path'"))[0].ns),
			figures.window.duration_ns);
		await checkCounters(tp, figures, (name) => `t.name = '${compat ? `${name} threads` : `threads ${name}`}' and ` +
			"t.id in (select k.id from process_counter_track k join process p using (upid) " +
			"where p.pid = 2000000000)");
		/* Every arrow has both its ends. */
		const flows = (await tp.rows("select count(*) n from flow"))[0].n;
		const arrows = JSON.parse(json.endsWith(".gz") ? '{"traceEvents":[]}' : fs.readFileSync(json))
			.traceEvents.filter((e) => e.ph === "s").length;

		if (!json.endsWith(".gz"))
			assert.equal(Number(flows), arrows);
		if (compat)
			return figures;
		/* Native states and CPU tracks. A thread that never ran has none (the UI's own rule). */
		const native = sums(await tp.rows("select iif(state = 'R+', 'R', state) name, sum(dur) ns " +
			"from thread_state group by 1"));

		assert.deepEqual(native, states(figures.time_ns));
		assert.equal(Number((await tp.rows("select sum(dur) ns from sched"))[0].ns ?? 0),
			figures.time_ns.running);
		return figures;
	} finally {
		tp.close();
	}
}

/* Perfetto's own format: scheduling is native, by thread; waits are slices, by kind; counters. */
export async function compareNative(trace, file) {
	execFileSync(corun, ["export", "-f", "perfetto", "-o", file, trace],
		{ stdio: ["ignore", "ignore", "pipe"] });
	const figures = report(trace);
	const tp = await load(file);

	try {
		assert.deepEqual(await tp.rows("select name, value from stats where value <> 0 " +
			"and severity in ('error', 'data_loss')"), []);
		/* By length, not by number: one that came again has another. */
		const sorted = (list) => list.map(Number).filter((ns) => ns > 0).sort((a, b) => a - b);
		const end = figures.window.duration_ns;
		/* What is open at the end has no length yet. */
		const natively = async (states) => sorted((await tp.rows("select " +
			`sum(iif(dur = -1, ${end} - ts, dur)) ns from thread_state where state in (${states}) ` +
			"and utid <> 0 group by utid"))
			.map((r) => r.ns ?? 0));

		assert.deepEqual(await natively("'Running'"), sorted(figures.threads.map((t) => t.time_ns.running)));
		assert.deepEqual(await natively("'R', 'R+'"), sorted(figures.threads.map((t) => t.time_ns.ready)));
		assert.equal(Number((await tp.rows("select sum(dur) ns from sched where utid <> 0"))[0].ns ?? 0),
			figures.time_ns.running);
		/* What the recording says of itself. */
		const about = Object.fromEntries((await tp.rows("select name, str_value from metadata where name glob 'cr-corun.*'"))
			.map((r) => [r.name.slice("cr-corun.".length), r.str_value]));

		assert.equal(about.window_ns, String(end));
		assert.equal(about.lost_events, String(figures.losses.events));
		assert.equal(about.kernel ?? "", figures.target.kernel);
		assert.ok(about.clock && about.running && about["in flight"]);
		const { running, ready, ...waits } = figures.time_ns;

		assert.deepEqual(sums(await tp.rows("select category name, sum(dur) ns from slice " +
			"where category not in ('lost', 'region', 'lock', 'task', 'path', 'wake') group by 1")),
			Object.fromEntries(Object.entries(waits).filter(([, ns]) => ns)));

		await checkCounters(tp, figures, (name) => `t.name = '${name}' and t.parent_id in ` +
			"(select id from track where name = 'Concurrency and parallelism')");
	} finally {
		tp.close();
	}
}
