// SPDX-License-Identifier: MIT
// Contended locks in both timelines: a track for each, named after lock and process; on it who held it
// meanwhile, for as long as `report` says; and arrows from who let go to the thread that got it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun, report, top } from "./compare.mjs";
import { load } from "./trace_processor.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-locks-"));
const traces = ["samples/demo/threads.corun", "samples/gil/four.corun", "tests/golden/two-threads.txt"]
	.map((f) => path.join(top, f));

test.after(() => fs.rmSync(folder, { recursive: true }));

function rows(trace, table) {
	return execFileSync(corun, ["export", "-f", "ndjson", "-o", "-", trace], { maxBuffer: 1 << 28 })
		.toString().trim().split("\n").map(JSON.parse).filter((r) => r.table === table);
}

/* {track: {slice: ns}}, by SQL that knows where each format keeps the track's name. */
async function lanes(tp, format) {
	const name = format === "chrome" ? "(select th.name from thread_track k join thread th using (utid) " +
		"where k.id = s.track_id)" : "(select t.name from track t where t.id = s.track_id)";
	const by = {};

	for (const r of await tp.rows(`select ${name} lane, s.name, sum(s.dur) ns from slice s where s.category = 'lock' ` +
		"group by 1, 2"))
		(by[r.lane] ??= {})[r.name] = Number(r.ns);
	return by;
}

/* What the same holders' time must be. */
function expected(trace) {
	const figures = report(trace), by = {};

	for (const r of rows(trace, "lock_hold")) {
		const process = figures.processes.find((p) => p.tgid === r.tgid);
		const lane = `${r.kind === "gil" ? "GIL" : `${r.kind} ${r.lock}`} of ${process.name} ${r.tgid}`;
		const holder = figures.threads.find((t) => t.id === r.holder);

		if (!holder)
			continue;
		by[lane] ??= {};
		by[lane][`held by ${holder.name}`] = (by[lane][`held by ${holder.name}`] ?? 0) + r.dur;
	}
	return by;
}

/* The arrows drawn: "waker > woken at ts". */
const arrows = "select o.tid a, i.tid b, si.ts from flow f " +
	"join slice so on so.id = f.slice_out join thread_track ko on ko.id = so.track_id join thread o on o.utid = ko.utid " +
	"join slice si on si.id = f.slice_in join thread_track ki on ki.id = si.track_id join thread i on i.utid = ki.utid";

/* The native format's arrows must be these: the waits for a lock that a thread ended which ran. */
function handOffs(trace) {
	const spans = rows(trace, "span").filter((r) => r.state === "running");
	const waits = new Set(rows(trace, "wait").filter((r) => r.lock !== undefined).map((r) => `${r.thread} ${r.ts + r.dur}`));
	const tids = Object.fromEntries(rows(trace, "thread").map((r) => [r.thread, r.tid]));

	return rows(trace, "wakeup").filter((w) => w.causal && w.waker in tids && waits.has(`${w.thread} ${w.ts}`) &&
		spans.some((s) => s.thread === w.waker && s.ts < w.ts && w.ts <= s.ts + s.dur))
		.map((w) => `${tids[w.waker]} > ${w.tid} at ${w.ts}`).sort();
}

for (const trace of traces)
	for (const format of ["chrome", "perfetto"])
		test(`${path.relative(top, trace)} as ${format}`, async () => {
			const file = path.join(folder, `t.${format}`);

			execFileSync(corun, ["export", "-f", format, "-o", file, trace], { stdio: "ignore" });
			const tp = await load(file), figures = report(trace);

			try {
				const found = await lanes(tp, format), wanted = expected(trace);

				assert.ok(Object.keys(wanted).length, "no contended lock");
				for (const [lane, holders] of Object.entries(found)) {
					const held = Object.entries(holders).filter(([name]) => name.startsWith("held by ") &&
						name !== "held by nobody");

					assert.deepEqual(Object.fromEntries(held), wanted[lane] ?? {}, lane);
					for (const name of Object.keys(holders))
						assert.match(name, /^(held by .+|handed on|holder not known)$/);
				}
				for (const lane of Object.keys(wanted))
					assert.ok(lane in found, `${lane} is not among ${Object.keys(found)}`);
				/* Between two samples the holder is inferred, and that is said. */
				const how = await tp.rows(format === "chrome" ? "select distinct extract_arg(arg_set_id, 'args.holder') how " +
					"from slice where category = 'lock'" : "select distinct extract_arg(source_arg_set_id, " +
					"'description') how from track where name like '% of % %'");
				const said = Object.keys(wanted)[0].startsWith("GIL") ? "seen at switches, inferred between them" :
					"read when a wait began";

				assert.ok(how.some((h) => h.how === said), JSON.stringify(how));
				/* From who let go to who got it, at a moment within the wait. */
				const drawn = await tp.rows(arrows);
				const tids = Object.fromEntries(figures.threads.map((t) => [t.id, t.tid]));
				let waits = 0;

				for (const w of rows(trace, "lock_wait").filter((r) => ["gil", "mutex", "rwlock"].includes(r.kind) &&
					r.got_it && r.releaser !== undefined)) {
					waits++;
					assert.ok(drawn.some((d) => Number(d.a) === tids[w.releaser] && Number(d.b) === w.tid &&
						Number(d.ts) >= w.ts && Number(d.ts) <= w.ts + w.dur),
						`no arrow from ${tids[w.releaser]} to ${w.tid} in ${w.ts} + ${w.dur}`);
				}
				assert.ok(waits > 0, "nobody let go of anything");
				if (format === "perfetto")
					assert.deepEqual(drawn.map((d) => `${d.a} > ${d.b} at ${d.ts}`).sort(), handOffs(trace));
			} finally {
				tp.close();
			}
		});
