// SPDX-License-Identifier: MIT
// How long a timeline takes to load, against a file made by hand with as many T and X events:
//
//     node tests/perfetto/load_time.mjs TIMELINE.json [TURNS]
//
// The trace processor's own time, in turns; the least of five of each, or of TURNS. What else is in the timeline (counters,
// arrows) is left out in other files, to tell what each costs. Each load is a process of its own, and no file is held in
// memory as a whole: a timeline of 500,000 switches has half a gigabyte.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { load } from "./trace_processor.mjs";

if (process.argv[2] === "--once") {
	const begin = process.cpuUsage(), tp = await load(process.argv[3]), spent = process.cpuUsage(begin);

	console.log((spent.user + spent.system) / 1e6);
	tp.close();
	process.exit(0);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-load-"));
const phase = (line) => /^\{"ph":"(.)"/.exec(line)?.[1] ?? "-";
const counts = {};

/* Events one by one into a file. */
function writer(name) {
	const file = path.join(folder, `${name}.json`), fd = fs.openSync(file, "w");
	let text = "{\"traceEvents\":[\n", first = true;

	return {
		file,
		put(event) {
			text += first ? event : `,\n${event}`;
			first = false;
			if (text.length > 1 << 20) {
				fs.writeSync(fd, text);
				text = "";
			}
		},
		end() {
			fs.writeSync(fd, `${text}\n]}\n`);
			fs.closeSync(fd);
		},
	};
}

/* The same file without what the name says, and what it is made of. */
async function split() {
	const parts = { "its T and X": /[TXM]/, "without counters": /[^C-]/, "without arrows": /[^sf-]/ };
	const files = Object.fromEntries(Object.entries(parts).map(([name]) => [name, writer(name)]));

	for await (const line of readline.createInterface({ input: fs.createReadStream(process.argv[2]) })) {
		const ph = phase(line.replace(/^\{"traceEvents":\[/, ""));

		counts[ph] = (counts[ph] ?? 0) + 1;
		for (const [name, which] of Object.entries(parts))
			if (which.test(ph))
				files[name].put(line.replace(/^\{"traceEvents":\[/, "").replace(/,$/, ""));
	}
	for (const file of Object.values(files))
		file.end();
	return Object.fromEntries(Object.entries(files).map(([name, { file }]) => [name, file]));
}

/* As PERFETTO's documentation shows the events: a slice and a state, with an argument each, threads in turn. */
function make() {
	const names = ["On CPU", "Ready", "GIL", "socket 127.0.0.1:5432"], out = writer("by hand");

	for (const ph of ["T", "X"])
		for (let i = 0; i < (counts[ph] ?? 0); i++)
			out.put(`{"ph":"${ph}","name":"${ph === "T" ? ["Running", "R", "S"][i % 3] : names[i % 4]}","pid":100,` +
				`"tid":${100 + i % 12},"ts":${(Math.floor(i / 12) * 20.125).toFixed(3)},"dur":20.125,"args":{"cpu":${i % 2}}}`);
	out.end();
	return out.file;
}

const files = { timeline: process.argv[2], ...await split() };

files["by hand"] = make();
const best = {};

for (let i = 0; i < Number(process.argv[3] ?? 5); i++) {
	for (const [name, file] of Object.entries(files)) {
		const seconds = Number(execFileSync(process.execPath, [process.argv[1], "--once", file], { encoding: "utf8" }));

		best[name] = Math.min(best[name] ?? Infinity, seconds);
	}
}
fs.rmSync(folder, { recursive: true });
console.log(JSON.stringify({ counts, seconds: best,
	ratios: Object.fromEntries(Object.entries(best).map(([name, s]) => [name, +(s / best["by hand"]).toFixed(3)])) }));
