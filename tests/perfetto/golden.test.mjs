// SPDX-License-Identifier: MIT
// What the trace processor reads out of `corun export -f chrome` is what `corun report` says.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { load } from "./trace_processor.mjs";

const top = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const corun = path.join(top, "build/corun");
const golden = path.join(top, "tests/golden");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-perfetto-"));

test.after(() => fs.rmSync(folder, { recursive: true }));

for (const name of fs.readdirSync(golden).filter((f) => f.endsWith(".txt"))) {
	test(name, async () => {
		const trace = path.join(golden, name);
		const json = path.join(folder, `${name}.json`);

		execFileSync(corun, ["export", "-f", "chrome", "-o", json, trace],
			{ stdio: ["ignore", "ignore", "pipe"] });
		const report = JSON.parse(execFileSync(corun, ["report", "--json", trace]));
		const tp = await load(json);

		try {
			assert.deepEqual(await tp.rows("select name, value from stats where value <> 0 " +
				"and severity in ('error', 'data_loss')"), []);
			const sum = async (sql) => Number((await tp.rows(sql))[0].ns ?? 0);
			const running = report.time_ns.running ?? 0;

			assert.equal(await sum("select sum(dur) ns from thread_state " +
				"where state = 'Running'"), running);
			assert.equal(await sum("select sum(dur) ns from sched"), running);
			assert.equal(await sum("select sum(dur) ns from thread_state " +
				"where state in ('R', 'R+')"), report.time_ns.ready ?? 0);
		} finally {
			tp.close();
		}
	});
}
