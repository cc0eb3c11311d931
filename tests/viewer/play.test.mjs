// SPDX-License-Identifier: MIT
// Play and lessons, in a real browser; the pure part of play in Node.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";
import { corun, page as write, program, top, traces } from "./load.mjs";

vm.runInThisContext(fs.readFileSync(path.join(top, "viewer/play.js"), "utf8"));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-play-")), file = path.join(folder, "p.html");
const demo = path.join(top, "samples/demo/threads.corun");
const chromiumPath = ["chromium", "chromium-browser", "google-chrome"]
	.map((name) => spawnSync("which", [name]).stdout.toString().trim()).find((p) => p);
let browser, why = chromiumPath ? false : "Chromium is not installed";

try {
	const { chromium } = await import("playwright-core");

	if (chromiumPath)
		browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
} catch (error) {
	why = `playwright-core: ${error.message.split("\n")[0]}`;
}
test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

async function open() {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
	const p = await context.newPage(), bad = [];

	p.on("console", (m) => m.type() === "error" && bad.push(m.text()));
	p.on("pageerror", (e) => bad.push(e.message));
	p.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && bad.push(r.url()));
	await p.goto(`file://${file}`);
	await p.waitForSelector(".lanes");
	return { p, bad };
}

test("a scene has every living thread once; events lead from end to end", async () => {
	const [trace] = await traces(write(file, demo));
	let t = 0, events = 0;

	while (t < trace.window_ns && events < 400) {
		const s = corun.scene(trace, t);
		const alive = trace.threads.filter((id) => {
			const spans = trace.spans_of.get(id);

			return !trace.names[id].outsider && t >= spans.start && spans.at(t) < spans.n;
		}).length;

		assert.equal(s.cpus.size + s.queue.length + s.waiting.length + s.parked + s.other, alive);
		const next = corun.nextEvent(trace, t, 1);

		assert.ok(next > t);
		assert.equal(corun.nextEvent(trace, next, -1), t, "the way back is the way there");
		t = next;
		events++;
	}
	assert.ok(events > 50);
});

test("space plays, comma and full stop step, escape closes", { skip: why }, async () => {
	write(file, demo);
	const { p, bad } = await open(), at = () => p.evaluate(() => corun.page.play.at);

	await p.keyboard.press(".");
	const first = await at();

	await p.keyboard.press(".");
	assert.ok(await at() > first);
	await p.keyboard.press(",");
	assert.equal(await at(), first);
	assert.equal((await p.$$(".zone")).length, 3);
	await p.keyboard.press(" ");
	/* The page's policy forbids what waitForFunction does: ask again and again. */
	for (let i = 0; i < 100 && await at() < first + 1e6; i++)
		await p.waitForTimeout(50);
	assert.ok(await at() >= first + 1e6, "it plays");
	await p.keyboard.press(" ");
	const held = await at();

	await p.waitForTimeout(100);
	assert.equal(await at(), held);
	assert.ok((await p.$$(".token")).length > 0);
	await p.keyboard.press("Escape");
	assert.equal(await p.isVisible(".play"), false);
	assert.deepEqual(bad, []);
	await p.context().close();
});

test("a lesson asks first, and shows nothing before", { skip: why }, async () => {
	const lesson = path.join(folder, "lesson.json");

	fs.writeFileSync(lesson, JSON.stringify({ question: { en: "How many </script> times?", ko: "몇 배?" }, hint: "Choose.",
		choices: ["4", "2", "the same"], answer: 2, text: { en: "The same.", ko: "그대로." }, more: "One at a time.",
		highlights: [{ from_ns: 1e8, to_ns: 2e8, text: "here" }] }));
	execFileSync(program, ["export", "-f", "html", "--lesson", lesson, "-o", file, demo]);
	const { p, bad } = await open();
	const green = () => p.evaluate(() => {
		const c = corun.page.canvas, data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		let n = 0;

		for (let i = 0; i < data.length; i += 4)
			n += data[i] === 0 && data[i + 1] === 0x7a && data[i + 2] === 0x66;
		return n;
	});

	await p.waitForTimeout(150);
	assert.equal(await p.textContent("h1"), "How many </script> times?");
	assert.equal(await green(), 0);
	assert.equal(await p.textContent(".panel"), "");
	await p.keyboard.press("3");
	assert.equal(await p.getAttribute(".choices button:nth-child(3)", "aria-pressed"), "true");
	assert.equal(await green(), 0, "a choice does not reveal");
	await p.click(".reveal");
	await p.waitForTimeout(150);
	assert.equal(await p.textContent("h1"), "The same.");
	assert.ok(await green() > 1000);
	assert.notEqual(await p.textContent(".panel"), "");
	assert.deepEqual(bad, []);
	await p.context().close();
});
