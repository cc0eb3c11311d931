// SPDX-License-Identifier: MIT
// `corun export -f ndjson` in DuckDB, as it is: the sums are those of `corun report --json`, and the
// columns those of TABLES.md.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun, report, top } from "./compare.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-tables-"));
const { DuckDBInstance } = await import("@duckdb/node-api").catch(() => ({}));
const skip = DuckDBInstance ? false : "DuckDB has no binary for this machine";

test.after(() => fs.rmSync(folder, { recursive: true }));

async function open(file) {
	const instance = await DuckDBInstance.create(":memory:");
	const db = await instance.connect();

	await db.run(`create table corun as select * from read_json('${file}', ` +
		"format='newline_delimited', sample_size=-1)");
	return async (sql) => (await db.runAndReadAll(sql)).getRowObjects();
}

function tables(file, ...traces) {
	execFileSync(corun, ["export", "-f", "ndjson", "-o", file, ...traces],
		{ stdio: ["ignore", "ignore", "pipe"] });
	return file;
}

const traces = [...["two-processes", "waits", "hostile-names", "lost", "regions", "gil"]
	.map((n) => `tests/golden/${n}.txt`), "samples/demo/threads.corun", "samples/demo/processes.corun"]
	.map((f) => path.join(top, f)).filter((f) => fs.existsSync(f));

for (const trace of traces) {
	test(path.basename(trace), { skip }, async () => {
		const sql = await open(tables(path.join(folder, "t.ndjson.gz"), trace));
		const figures = report(trace);
		const rows = await sql("select coalesce(case state when 'waiting' then kind end, state) k, " +
			"sum(dur)::bigint ns from corun where \"table\" = 'span' group by 1");
		const by = Object.fromEntries(rows.map((r) => [r.k, Number(r.ns)]));

		assert.deepEqual(by, Object.fromEntries(Object.entries(figures.time_ns).filter(([, ns]) => ns)));
		/* Threads by id: each lives as long as the report says, and its spans tile that. */
		const lives = await sql("select t.thread, t.dur, sum(s.dur)::bigint tiled from corun t join corun s " +
			"using (thread) where t.\"table\" = 'thread' and s.\"table\" = 'span' group by all");

		assert.equal(lives.length, figures.threads.filter((t) => t.alive_ns).length);
		for (const row of lives)
			assert.equal(Number(row.tiled),
				figures.threads.find((t) => t.id === Number(row.thread)).alive_ns);
		/* The curve's integral is the mean parallelism. */
		const [p] = await sql("select sum(value * (next - ts))::bigint ns from (select value, ts, " +
			"coalesce(lead(ts) over (order by ts), ts) as next from corun where " +
			"\"table\" = 'sample' and curve = 'running' " +
			((await sql("select 1 from (describe corun) where column_name = 'process'")).length ?
				`and not ("table" = 'sample' and process is not null))` : ")"));

		assert.equal(Number(p.ns ?? 0), figures.time_ns.running);
	});
}

test("two traces in one database", { skip }, async () => {
	const kept = traces.filter((t) => t.endsWith(".corun"));
	const sql = await open(tables(path.join(folder, "two.ndjson"), ...kept));
	const [{ ns }] = await sql("select sum(dur)::bigint ns from corun where \"table\" = 'span' and " +
		"state = 'running'");

	assert.equal(Number(ns), kept.reduce((sum, t) => sum + report(t).time_ns.running, 0));
	assert.equal((await sql("select * from corun where \"table\" = 'trace'")).length, 2);
});

test("TABLES.md has every column", () => {
	const text = fs.readFileSync(path.join(top, "userspace/export/TABLES.md"), "utf8");

	for (const trace of traces) {
		const lines = fs.readFileSync(tables(path.join(folder, "c.ndjson"), trace), "utf8").trim()
			.split("\n").map(JSON.parse);

		for (const row of lines) {
			assert.ok(new RegExp(`^## [^:\\n]*\\b${row.table}\\b`, "m").test(text), row.table);
			for (const column of Object.keys(row))
				assert.ok(new RegExp(`\\b${column}\\b`).test(text), column);
		}
	}
});
