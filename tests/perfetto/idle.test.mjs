// SPDX-License-Identifier: MIT
// --all-idle, of a recording of everything: kernel threads, and what no thread ran in.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun } from "./compare.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-idle-")), trace = path.join(folder, "t.txt");

test.after(() => fs.rmSync(folder, { recursive: true }));
fs.writeFileSync(trace, `# corun text 1
0.000000000 meta key="target" value="all"
1.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm="main"
1.000000000 thread tid=9 tgid=9 flags=snapshot|kernel state=0x1 comm="kworker/1:0"
1.000000000 window begin=1
1.000000100 waking cpu=1 tid=9 context=hardirq
1.000000110 switch cpu=1 prev=0 next=9
1.000000200 switch cpu=1 prev=9 next=0 state=0x80
1.000000300 switch cpu=0 prev=100 next=0 state=0x1 call=read fd=pipe
1.000000400 lost cpu=1 count=5 until=1000000500
1.000000600 waking cpu=0 tid=100 context=hardirq
1.000000600 switch cpu=0 prev=0 next=100
1.000000900 window
1.000000900 end records=13 lost=5
`);

function events(...options) {
	return JSON.parse(execFileSync(corun, ["export", ...options, "-o", "-", trace],
		{ stdio: ["ignore", "pipe", "pipe"] })).traceEvents;
}

test("without it neither kernel threads nor idle CPUs", () => {
	const all = events();

	assert.ok(all.some((e) => e.ph === "X" && e.tid === 100));
	assert.ok(!all.some((e) => e.tid === 9 || e.cat === "idle"));
});

test("with it both; nothing is said of a CPU after it lost events", () => {
	const all = events("--all-idle");
	const idle = all.filter((e) => e.cat === "idle").map((e) => [e.tid % 100, e.ts, e.dur]);

	assert.ok(all.some((e) => e.ph === "X" && e.tid === 9));
	assert.deepEqual(idle.filter(([cpu]) => cpu === 1), [[1, 0, 0.11]]);
	assert.deepEqual(idle.filter(([cpu]) => cpu === 0), [[0, 0.3, 0.3]]);
	for (const name of ["swapper/0", "swapper/1"])
		assert.ok(all.some((e) => e.name === "thread_name" && e.args.name === name));
});

test("in the tables: idle and loss", () => {
	const rows = execFileSync(corun, ["export", "-f", "ndjson", "--all-idle", "-o", "-", trace],
		{ stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" }).trim().split("\n").map(JSON.parse);

	assert.deepEqual(rows.filter((r) => r.table === "loss").map((r) => [r.cpu, r.ts, r.dur, r.lost]), [[1, 400, 100, 5]]);
	assert.deepEqual(rows.filter((r) => r.table === "idle").map((r) => [r.cpu, r.ts, r.dur]).sort(), [[0, 300, 300], [1, 0, 110]]);
});
