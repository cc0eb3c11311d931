// SPDX-License-Identifier: MIT
// Play and lessons, in a real browser; the pure part of play in Node.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";
import { browserOrWhy, openPage } from "./browser.mjs";
import { corun, page as write, program, top, traces } from "./load.mjs";

vm.runInThisContext(fs.readFileSync(path.join(top, "viewer/play.js"), "utf8"));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-play-")), file = path.join(folder, "p.html");
const demo = path.join(top, "samples/demo/threads.corun"), sample = (name) => path.join(top, "samples", name);
const { browser, why } = await browserOrWhy();

test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

const open = (options) => openPage(browser, file, options);

test("a scene has every living thread once; events lead from end to end", async () => {
	const [trace] = await traces(write(file, demo));
	let t = 0, events = 0;

	while (t < trace.window_ns && events < 400) {
		const s = corun.scene(trace, t);
		const alive = trace.threads.filter((id) => {
			const spans = trace.spans_of.get(id);

			return !trace.names[id].outsider && t >= spans.start && spans.at(t) < spans.n;
		}).length;

		assert.equal(s.seats.size + s.queue.length + s.waiting.length + s.parked + s.other, alive);
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

test("tasks are cooks of their own, and the thread that runs them is their seat", async () => {
	const [trace] = await traces(write(file, sample("sync-async/async.corun")));
	let most = 0;

	for (let t = 0, n = 0; t < trace.window_ns && n < 400; t = corun.nextEvent(trace, t, 1), n++) {
		const s = corun.scene(trace, t);

		assert.ok(s.seats.size <= 1 && [...s.seats.values(), ...s.waiting, ...s.queue].every(({ lane }) => lane < 0));
		most = Math.max(most, s.seats.size + s.queue.length + s.waiting.length);
	}
	assert.equal(most, trace.report.tasks.concurrency.max);
});

test("the speeds, the cursor that one drags, two traces together", { skip: why }, async () => {
	write(file, demo, sample("demo/processes.corun"));
	const { p, bad, done } = await open();

	await p.click("text=Play both");
	await p.keyboard.press(" ");
	assert.equal((await p.$$(".strip")).length, 2);
	for (const [text, speed] of [["5 ms", 5e6], ["500 ms", 5e8], ["50 ms", 5e7]]) {
		await p.click(`.speeds button:text-is("${text}")`);
		assert.equal(await p.evaluate(() => corun.page.play.speed), speed);
	}
	/* A click in the picture moves the cursor there; the scene is that of the moment. */
	await p.click(".lanes", { position: { x: 700, y: 100 } });
	const at = await p.evaluate(() => [corun.page.play.at, corun.page.timeAt(700)]);

	assert.ok(Math.abs(at[0] - at[1]) < 1e6);
	const counts = await p.$$eval(".strip:first-child .zone h4 b", (all) => all.map((b) => Number(b.textContent)));
	const [scene, texts] = await p.evaluate(() => {
		const s = corun.scene(corun.page.traces[0], corun.page.play.at);

		return [[s.waiting.length, s.queue.length, s.seats.size], document.querySelector(".strip h2").textContent];
	});

	assert.deepEqual(counts, scene);
	assert.match(texts, new RegExp(`${scene[2]} running, ${scene[1]} in the queue, ${scene[0]} waiting`));
	await p.click("button[aria-label=Close]");
	assert.equal(await p.isVisible(".play"), false);
	assert.deepEqual(bad, []);
	await done();
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
	assert.equal(await p.textContent(".legend"), "", "nor does what stands for print");
	assert.doesNotMatch(await p.evaluate(() => corun.page.svg().toString()), /#007A66|in flight 3/, "nor a saved picture");
	for (const key of [" ", ".", "w", "ArrowRight", "m"])
		await p.keyboard.press(key);
	assert.equal(await green(), 0, "nor does any other key");
	await p.keyboard.press("Enter");
	await p.waitForTimeout(150);
	assert.equal(await p.textContent("h1"), "The same.");
	assert.ok(await green() > 1000);
	assert.notEqual(await p.textContent(".panel"), "");
	assert.equal(await p.$eval(".choices .on", (b) => b.textContent), "3the same");
	assert.equal((await p.$$(".choices .faded")).length, 2);
	const boxes = await p.$$eval(".headline, .picture, .panel", (all) => all.map((node) => node.getBoundingClientRect().toJSON()));

	assert.ok(boxes.every((box, i) => !i || box.top >= boxes[i - 1].bottom - 1), JSON.stringify(boxes));
	/* The way back, and on to the kitchen. */
	await p.click("nav >> text=Question");
	await p.waitForTimeout(100);
	assert.equal(await green(), 0);
	await p.keyboard.press("Tab");
	await p.click(".reveal");
	await p.click("nav >> text=Play");
	assert.ok(await p.isVisible(".zones"));
	assert.equal(await p.getAttribute("nav .here", "aria-current"), "step");
	await p.click("nav >> text=Answer");
	assert.equal(await p.isVisible(".play"), false);
	/* Nothing is written in letters under 16 px. */
	const small = await p.$$eval("#app *", (all) => all.filter((node) => [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()) &&
		node.getClientRects().length && parseFloat(getComputedStyle(node).fontSize) < 16).map((node) => node.outerHTML.slice(0, 80)));

	assert.deepEqual(small, []);
	/* On a large projector all of it is larger, also what is painted; and as before where the window is small again. */
	const letters = () => p.evaluate(() => [parseFloat(getComputedStyle(document.querySelector("h1")).fontSize), corun.page.type, corun.page.gutter]);
	const before = await letters();

	for (const [width, height, larger] of [[1920, 1080, true], [1024, 768, false]]) {
		await p.setViewportSize({ width, height });
		for (let i = 0; i < 200 && (await letters())[1] > before[1] !== larger; i++)
			await p.waitForTimeout(20);
		const now = await letters();

		assert.ok(larger ? now.every((n, i) => n > before[i] * 1.19) : now.every((n, i) => n === before[i]), `${width}: ${now} ${before}`);
		assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}: it scrolls sideways`);
	}
	assert.deepEqual(bad, []);
	await p.context().close();
});
