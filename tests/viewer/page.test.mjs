// SPDX-License-Identifier: MIT
// The page in a real browser, opened from file://: what it shows, what the user does, no request.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { page as write, program, top } from "./load.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-viewer-"));
const browserPath = ["chromium", "chromium-browser", "google-chrome"]
	.map((name) => spawnSync("which", [name]).stdout.toString().trim()).find((p) => p);
let browser, why = false;

try {
	const { chromium } = await import("playwright-core");

	if (!browserPath)
		why = "Chromium is not installed";
	else
		browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
} catch (error) {
	why = `playwright-core: ${error.message.split("\n")[0]}`;
}
test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

const demo = (name) => path.join(top, "samples/demo", name);
const golden = (name) => path.join(top, "tests/golden", name);

/* Opens the page of some traces; fails the test on a console error or a request to anywhere. */
async function open(files, hash = "", options = {}) {
	const file = path.join(folder, `${files.map((f) => path.basename(f)).join("-")}.html`);
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
	const p = await context.newPage(), bad = [];

	if (!options.raw)
		write(file, ...files);
	p.on("console", (m) => m.type() === "error" && bad.push(m.text()));
	p.on("pageerror", (e) => bad.push(e.message));
	p.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && bad.push(r.url()));
	await p.goto(`file://${file}${hash}`);
	/* Not waitForFunction(), which the page's policy forbids when it has to ask twice. */
	await p.waitForSelector(".lanes, .banner", { state: "attached" });
	await p.waitForTimeout(150);
	return { p, bad, done: () => context.close() };
}

const browserTest = (name, f) => test(name, { skip: why }, f);

browserTest("one trace: sentence, figures, picture", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);
	const report = JSON.parse(execFileSync(program, ["report", "--json", demo("threads.corun")]));

	assert.equal(await p.textContent("h1"), report.verdict.text.split("\n")[0]);
	const figures = await p.$$eval(".figure b", (all) => all.map((b) => b.textContent));

	assert.deepEqual(figures, [report.concurrency.mean, report.parallelism.mean, report.demand.mean,
		report.target.usable_cpus].map((n) => n.toFixed(1)));
	/* The table for screen readers has every state's time. */
	const table = await p.$eval("details table", (t) => t.textContent);

	assert.ok(table.includes(`${report.time_ns.running} ns`) && table.includes(`${report.time_ns.gil} ns`), table);
	/* The picture is no empty canvas: the green of running and the orange of the GIL are in it. */
	const colours = await p.evaluate(() => {
		const c = corun.page.canvas, data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		const count = { running: 0, gil: 0 };

		for (let i = 0; i < data.length; i += 4) {
			if (data[i] === 0 && data[i + 1] === 0x7a && data[i + 2] === 0x66)
				count.running++;
			if (data[i] === 0xee && data[i + 1] === 0x7a && data[i + 2] === 0x45)
				count.gil++;
		}
		return count;
	});

	assert.ok(colours.running > 10000 && colours.gil > 20000, JSON.stringify(colours));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("keys zoom, pan, step and let go", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);
	const view = () => p.evaluate(() => [corun.page.from, corun.page.to]);
	const whole = await view();

	await p.keyboard.press("w");
	const zoomed = await view();

	assert.ok(zoomed[1] - zoomed[0] < whole[1] - whole[0]);
	await p.keyboard.press("d");
	assert.ok((await view())[0] > zoomed[0]);
	await p.keyboard.press("a");
	await p.keyboard.press("s");
	await p.keyboard.press("f");
	assert.deepEqual(await view(), whole);
	/* Click into worker-1's lane: a selection with a title, and a link that has it. */
	const row = await p.evaluate(() => corun.page.sections[0].rows.filter((r) => r.type === "thread")[1]);

	await p.click(".lanes", { position: { x: 700, y: row.y + row.bar - 3 } });
	const title = await p.textContent("section h2");

	assert.match(title, /worker-1/);
	assert.match(await p.evaluate(() => location.hash), /sel=0\.\d+\.\d+/);
	await p.keyboard.press("ArrowRight");
	assert.notEqual(await p.evaluate(() => location.hash), "");
	await p.keyboard.press("ArrowDown");
	assert.match(await p.textContent("section h2"), /worker-2/);
	await p.keyboard.press("Escape");
	assert.equal(await p.$("section h2"), null);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("a range has figures of its own", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);
	const box = await (await p.$(".axis")).boundingBox();

	await p.mouse.move(box.x + 500, box.y + 45);
	await p.mouse.down();
	await p.mouse.move(box.x + 800, box.y + 45);
	await p.mouse.up();
	assert.match(await p.textContent("section.range h2"), /^\d\.\d\d in flight, \d\.\d\d running$/);
	/* And what the report says of the phases that it lies in. */
	const report = JSON.parse(execFileSync(program, ["report", "--json", demo("threads.corun")]));
	const { from, to } = await p.evaluate(() => corun.page.range);
	const phases = report.phases.filter((f) => f.begin_ns < to && f.begin_ns + f.duration_ns > from);
	const said = await p.$$eval(".phase", (all) => all.map((node) => node.textContent));

	assert.equal(said.length, Math.min(phases.length, 3));
	said.forEach((text, i) => assert.ok(text.includes(phases[i].verdict.text.split("\n")[0]), text));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("the critical path has a lane, in which one finds who was on it", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);
	const { y, thread, x } = await p.evaluate(() => {
		const row = corun.page.sections[0].rows.find((r) => r.type === "path"), { path } = corun.page.traces[0];
		let longest = 0;

		for (let i = 0; i < path.n; i++)
			if (path.end[i] - path.startOf(i) > path.end[longest] - path.startOf(longest))
				longest = i;
		return { y: row.y, thread: path.a[longest] - 1, x: corun.page.xOf((path.startOf(longest) + path.end[longest]) / 2) };
	});

	await p.click(".lanes", { position: { x, y: y + 8 } });
	assert.equal(await p.evaluate(() => corun.page.selected.thread), thread);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("search goes from find to find", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);

	await p.keyboard.press("/");
	await p.keyboard.type("worker-3");
	await p.keyboard.press("Enter");
	assert.match(await p.textContent("section h2"), /worker-3/);
	assert.match(await p.textContent(".status"), /^1 of \d+$/);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("Korean, dark, saving, help", async () => {
	const { p, bad, done } = await open([demo("threads.corun")], "", { locale: "en-US" });

	await p.click("text=한국어");
	assert.match(await p.textContent("h1"), /진행 중/);
	assert.equal(await p.evaluate(() => document.documentElement.lang), "ko");
	await p.click("text=◐");
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "dark");
	await p.click("text=EN");
	const [download] = await Promise.all([p.waitForEvent("download"), p.click("text=Save")]);
	const png = fs.readFileSync(await download.path());

	assert.ok(png.subarray(1, 4).toString() === "PNG" && png.length > 10000);
	await p.keyboard.press("?");
	assert.match(await p.textContent("dialog"), /zoom/);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("two traces on one time scale", async () => {
	const { p, bad, done } = await open([demo("threads.corun"), demo("processes.corun")]);

	assert.match(await p.textContent("h1"), /times as fast/);
	assert.equal(await p.$$eval(".compare tr", (rows) => rows.length), 3);
	const ends = await p.evaluate(() => corun.page.traces.map((t) => corun.page.xOf(t.window_ns)));

	assert.ok(ends[1] < ends[0]);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("a link opens where it was made", async () => {
	const { p, bad, done } = await open([demo("threads.corun")], "#t=300000000,400000000&sel=0.0.3");

	assert.deepEqual(await p.evaluate(() => [corun.page.from, corun.page.to, corun.page.selected.i]), [3e8, 4e8, 3]);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("losses and cuts are banners; nothing recorded is said", async () => {
	let { p, bad, done } = await open([golden("lost.txt")]);

	assert.match(await p.textContent(".banner"), /5 events were lost/);
	assert.deepEqual(bad, []);
	await done();
	const cut = path.join(folder, "cut.txt");

	fs.writeFileSync(cut, fs.readFileSync(golden("two-threads.txt"), "utf8").replace(/\n[^\n]*end\n$/, "\n") + "# cut\n");
	({ p, bad, done } = await open([cut]));
	assert.match(await p.textContent(".banner"), /cut at/);
	assert.deepEqual(bad, []);
	await done();
	({ p, bad, done } = await open([golden("empty.txt")]));
	assert.match(await p.textContent(".banner"), /Nothing was recorded/);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("hostile names are text", async () => {
	const { p, bad, done } = await open([golden("hostile-names.txt")]);

	assert.equal(await p.$("img"), null);
	assert.equal(await p.evaluate(() => globalThis.hacked), undefined);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("a page that was cut says so", async () => {
	const whole = write(path.join(folder, "whole.html"), demo("threads.corun"));
	const at = whole.indexOf('class="spans">') + 2000;

	fs.writeFileSync(path.join(folder, "x.html"), whole.slice(0, at) + whole.slice(whole.indexOf("</script>", at)));
	const { p, done } = await open(["x"], "", { raw: true });

	assert.match(await p.textContent(".banner"), /cannot be read/);
	await done();
});

browserTest("a page that is dropped is shown; what is none, or was cut, gets a sentence", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]);
	const other = path.join(folder, "dropped.html");
	const drop = (name, text) => p.evaluate(([fileName, content]) => {
		const data = new DataTransfer();

		data.items.add(new File([content], fileName));
		document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
	}, [name, text]);

	write(other, demo("threads.corun"), demo("processes.corun"));
	const whole = fs.readFileSync(other, "utf8");

	await drop("</b><img src=x onerror=alert(1)>.txt", "nothing of ours");
	await p.waitForSelector(".dropped");
	assert.match(await p.textContent(".dropped"), /^<\/b><img src=x onerror=alert\(1\)>\.txt is no page of corun\./);
	await drop("cut.html", whole.slice(0, whole.lastIndexOf('class="trace"')));
	await p.waitForSelector(".dropped:has-text('cut.html')");
	assert.match(await p.textContent(".dropped"), /cut or changed/);
	assert.equal(await p.evaluate(() => corun.page.traces.length), 1);
	await drop("dropped.html", whole);
	await p.waitForSelector("table.compare");
	assert.equal(await p.evaluate(() => corun.page.traces.length), 2);
	assert.equal(await p.$(".dropped"), null);
	assert.match(await p.textContent("h1"), /finishes 1\.6 times as fast/);
	/* The keys are those of the page that is shown. */
	await p.keyboard.press("w");
	assert.ok(await p.evaluate(() => corun.page.to - corun.page.from < corun.page.longest));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("fits a projector and a narrow window", async () => {
	for (const viewport of [{ width: 1024, height: 768 }, { width: 700, height: 900 }]) {
		const { p, bad, done } = await open([demo("threads.corun")], "", { viewport });

		assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
		assert.deepEqual(bad, []);
		await done();
	}
});
