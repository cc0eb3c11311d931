// SPDX-License-Identifier: MIT
// How long a timeline takes to load, against a file made by hand with as many T and X events:
//
//     node tests/perfetto/load_time.mjs TIMELINE.json
//
// The trace processor's own time, in turns; the least of five of each. What else is in the timeline (counters, arrows) is
// left out in a third file, to tell what it costs.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { load } from "./trace_processor.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-load-"));
const lines = fs.readFileSync(process.argv[2], "utf8").split("\n");
const phase = (line) => /^\{"ph":"(.)"/.exec(line)?.[1];
const counts = {};

for (const line of lines)
	counts[phase(line) ?? "-"] = (counts[phase(line) ?? "-"] ?? 0) + 1;

/* As PERFETTO's documentation shows the events: a slice and a state, with an argument each, threads in turn. */
function made() {
	const events = [], names = ["On CPU", "Ready", "GIL", "socket 127.0.0.1:5432"];

	for (const ph of ["T", "X"])
		for (let i = 0; i < (counts[ph] ?? 0); i++)
			events.push(`{"ph":"${ph}","name":"${ph === "T" ? ["Running", "R", "S"][i % 3] : names[i % 4]}","pid":100,` +
				`"tid":${100 + i % 12},"ts":${(Math.floor(i / 12) * 20.125).toFixed(3)},"dur":20.125,"args":{"cpu":${i % 2}}}`);
	return `{"traceEvents":[\n${events.join(",\n")}\n]}\n`;
}

/* The same file without what is neither. */
function bare() {
	const kept = lines.filter((line) => ["T", "X", "M"].includes(phase(line))).map((line) => line.replace(/,$/, ""));

	return `{"traceEvents":[\n${kept.join(",\n")}\n]}\n`;
}

const files = { timeline: process.argv[2], "its T and X": path.join(folder, "bare.json"), "by hand": path.join(folder, "made.json") };

fs.writeFileSync(files["its T and X"], bare());
fs.writeFileSync(files["by hand"], made());
const best = {};

for (let i = 0; i < 5; i++) {
	for (const [name, file] of Object.entries(files)) {
		const begin = process.cpuUsage(), tp = await load(file), spent = process.cpuUsage(begin);

		tp.close();
		best[name] = Math.min(best[name] ?? Infinity, (spent.user + spent.system) / 1e6);
	}
}
fs.rmSync(folder, { recursive: true });
console.log(JSON.stringify({ counts, seconds: best, ratio: best.timeline / best["by hand"],
	bare_ratio: best["its T and X"] / best["by hand"] }));
