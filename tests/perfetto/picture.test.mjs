// SPDX-License-Identifier: MIT
// An old Perfetto UI draws the compatible shape without running into anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun, report, top } from "./compare.mjs";
import { browserPath, picture } from "./picture.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-picture-"));
const skip = browserPath() ? false : "there is no Chromium";

test.after(() => fs.rmSync(folder, { recursive: true }));

for (const trace of ["samples/demo/threads.corun", "tests/golden/two-processes.txt"]) {
	test(`${path.basename(trace)} in Perfetto v20`, { skip }, async () => {
		const json = path.join(folder, "t.json");

		execFileSync(corun, ["export", "--compat", "-o", json, path.join(top, trace)],
			{ stdio: ["ignore", "ignore", "pipe"] });
		const { errors, tracks } = await picture(json, path.join(folder, "t.png"));

		assert.deepEqual(errors, []);
		/* A track a thread, and counters. */
		assert.ok(tracks > report(path.join(top, trace)).threads.length);
		assert.ok(fs.statSync(path.join(folder, "t.png")).size > 20000);
	});
}
