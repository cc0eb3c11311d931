// SPDX-License-Identifier: MIT
// Traces of two hosts on one time line, by their wall clocks, and how sure that is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun, report } from "./compare.mjs";
import { load } from "./trace_processor.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-several-"));

test.after(() => fs.rmSync(folder, { recursive: true }));

/* The same numbers on both hosts; the second one's window opens 5 us later by the wall clocks. */
function trace(host, boot, wall, error) {
	const file = path.join(folder, `${host}.txt`);

	fs.writeFileSync(file, `# corun text 1
0.000000000 meta key="host" value="${host}"
0.000000000 meta key="boot_id" value="${boot}"
0.000000000 meta key="mono_ns" value="1000000000"
0.000000000 meta key="wall_ns" value="${wall}"
${error === null ? "" : `0.000000000 meta key="wall_error_ns" value="${error}"\n`}1.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm="main"
1.000000000 thread cpu=1 tid=101 tgid=100 flags=snapshot|running comm="worker"
1.000000000 window begin=1
1.000000100 switch cpu=1 prev=101 state=0x1 call=read fd=pipe
1.000000300 waking cpu=0 tid=101 waker=100 context=task
1.000000310 switch cpu=1 next=101
1.000001000 window
1.000001000 end records=12
`);
	return file;
}

function both(format, first, second, ...options) {
	const file = path.join(folder, `t.${format}`);
	const { status, stderr } = spawnSync(corun, ["export", "-f", format, ...options, "-o", file, first, second], { encoding: "utf8" });

	assert.equal(status, 0, stderr);
	return { file, said: stderr };
}

const web = trace("web", "a", "1700000000000000000", 2000), db = trace("db", "b", "1700000000000005000", 500);

for (const [name, options] of [["chrome"], ["chrome", ["--compat"]], ["perfetto"]].map(([n, o = []]) => [n, o])) {
	test(`${name} ${options.join(" ")}`, async () => {
		const { file, said } = both(name, web, db, ...options), tp = await load(file);

		assert.match(said, /wall clocks, which may be 0\.003 ms apart/);
		try {
			assert.deepEqual(await tp.rows("select name, value from stats where value <> 0 " +
				"and severity in ('error', 'data_loss')"), []);
			const names = (await tp.rows("select name from process where name is not null")).map((r) => r.name);

			assert.ok(names.includes("web: main") && names.includes("db: main"), JSON.stringify(names));
			const waits = (await tp.rows("select ts, dur from slice where category = 'pipe' order by ts"))
				.map((r) => [Number(r.ts), Number(r.dur)]);

			assert.deepEqual(waits.map(([, dur]) => dur), [200, 200]);
			assert.equal(waits[1][0] - waits[0][0], 5000);
			if (!options.length)
				assert.equal(Number((await tp.rows("select sum(iif(dur = -1, 6000 - ts, dur)) ns from sched " +
					"where utid <> 0"))[0].ns), report(web).time_ns.running + report(db).time_ns.running);
		} finally {
			tp.close();
		}
	});
}

test("where nothing kept a clock, that is said; one boot needs no wall clock", () => {
	assert.match(both("chrome", web, trace("db2", "c", "1700000000000005000", null)).said, /is not known/);
	assert.match(both("chrome", web, trace("web2", "a", "1700000000000005000", null)).said, /share one clock: their order is exact/);
});

test("tables: host, boot and wall clock are columns", () => {
	const rows = fs.readFileSync(both("ndjson", web, db).file, "utf8").trim().split("\n").map(JSON.parse);

	for (const row of rows) {
		assert.deepEqual([row.host, row.boot_id], row.host === "web" ? ["web", "a"] : ["db", "b"]);
		assert.equal(BigInt(Math.round(row.wall_ns / 1000)) * 1000n - 1700000000000000000n < 10000n, true);
	}
	assert.deepEqual(rows.filter((r) => r.table === "trace").map((r) => r.wall_unsure), [2500, 2500]);
});
