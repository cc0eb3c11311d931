// SPDX-License-Identifier: MIT
// Fifty frames a second at every zoom, and the first paint: on the CPU, for the machine may be busy. tests/bench/run has
// a page ten times as large; a frame costs what its pixels cost, so the limit is the same.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { browserOrWhy, openPage } from "./browser.mjs";
import { page as write, top } from "./load.mjs";
import { frames, meter } from "./measure.mjs";

const { browser, why } = await browserOrWhy();

test.after(() => browser?.close());

test("a page of a hundred thousand slices: fifty frames a second at every zoom", { skip: why }, async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-speed-")), file = path.join(folder, "p.html"), trace = path.join(folder, "p.corun");

	execFileSync("make", ["-s", "-C", top, "build/tests/bench/gen_trace"]);
	execFileSync(path.join(top, "build/tests/bench/gen_trace"), [trace, "70000"]);
	write(file, trace);
	assert.ok(fs.statSync(file).size < 2.4e6);
	const { p, bad, done } = await openPage(browser, file), cpu = await meter(p);

	assert.ok(await p.evaluate(() => corun.page.traces[0].spans) > 1e5);
	for (const zoom of [1, 2, 4, 8, 32, 128, 1024, 16384]) {
		const spent = (await frames(p, cpu, zoom, 11)).cpu;

		assert.ok(spent > 0.1 && spent < 20, `zoom ${zoom}: ${spent.toFixed(1)} ms of CPU a frame`);
	}
	assert.deepEqual(bad, []);
	await done();
	fs.rmSync(folder, { recursive: true });
});
