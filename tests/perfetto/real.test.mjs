// SPDX-License-Identifier: MIT
// Real programs, recorded here (as root) or kept in the repository.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { compare, compareNative, corun, top } from "./compare.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-perfetto-"));
const demo = path.join(top, "samples/demo");
const able = spawnSync(corun, ["doctor"]).status === 0;

test.after(() => fs.rmSync(folder, { recursive: true }));

for (const name of fs.readdirSync(demo).filter((f) => f.endsWith(".corun")))
	test(`kept ${name}, compressed`, () => compare(path.join(demo, name),
		path.join(folder, `${name}.json.gz`)));

const programs = {
	"python3 threads": ["python3", "-c", "import threading\ndef f():\n s=0\n" +
		" for i in range(400000): s+=i\nts=[threading.Thread(target=f) for _ in range(4)]\n" +
		"[t.start() for t in ts]; [t.join() for t in ts]"],
	"python3 asyncio": ["python3", "-c", "import asyncio\nasync def f(): await asyncio.sleep(0.02)\n" +
		"async def main(): await asyncio.gather(*(f() for _ in range(20)))\nasyncio.run(main())"],
	"xz -T2": ["sh", "-c", "head -c 6000000 /dev/urandom | xz -T2 --block-size=1MiB -0 >/dev/null"],
	"make -j2": ["make", "-j2", "-C", top, "B=" + path.join(folder, "build"),
		path.join(folder, "build/userspace/base/buf.o"),
		path.join(folder, "build/userspace/base/map.o")],
	java: ["java", "-version"],
	node: ["node", "-e", "const c=require('crypto');for(let i=0;i<4;i++)" +
		"c.pbkdf2('a','b',20000,64,'sha512',()=>{});"],
	redis: ["sh", "-c", "redis-server --port 7392 --save '' --appendonly no >/dev/null & s=$!; " +
		"sleep 0.5; redis-benchmark -p 7392 -t set -n 1000 -q >/dev/null; kill $s; wait $s"],
};

for (const [name, command] of Object.entries(programs)) {
	const needed = name === "redis" ? "redis-benchmark" : command[0];
	const skip = !able ? "recording is not possible here" :
		spawnSync("which", [needed]).status ? `${needed} is not installed` : false;

	test(name, { skip }, async () => {
		const trace = path.join(folder, "real.corun");
		const env = { ...process.env };

		for (const key of ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"])
			delete env[key];
		execFileSync(corun, ["record", "-q", "--wait-all", "-o", trace, "--", ...command],
			{ stdio: "ignore", env });
		const figures = await compare(trace, path.join(folder, "real.json"));

		assert.equal(figures.losses.events, 0);
		assert.equal(figures.time_ns.unknown, 0);
		assert.ok(figures.time_ns.running > 0);
		await compare(trace, path.join(folder, "compat.json"), ["--compat"]);
		await compareNative(trace, path.join(folder, "real.pftrace"));
	});
}
