// SPDX-License-Identifier: MIT
// The golden traces, in both shapes.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { compare, compareNative, top } from "./compare.mjs";

const golden = path.join(top, "tests/golden");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-perfetto-"));

test.after(() => fs.rmSync(folder, { recursive: true }));

for (const name of fs.readdirSync(golden).filter((f) => f.endsWith(".txt"))) {
	test(name, () => compare(path.join(golden, name), path.join(folder, `${name}.json`)));
	test(`${name} --compat`, () => compare(path.join(golden, name),
		path.join(folder, `${name}.compat.json`), ["--compat"]));
	test(`${name} native`, () => compareNative(path.join(golden, name),
		path.join(folder, `${name}.pftrace`)));
}
