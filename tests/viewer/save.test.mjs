// SPDX-License-Identifier: MIT
// What a page leaves behind: PNG, SVG, paper.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { browserOrWhy, openPage } from "./browser.mjs";
import { corun, page as write, program, top } from "./load.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-save-")), { browser, why } = await browserOrWhy();

test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

async function open(files, options = {}) {
	const file = path.join(folder, "page.html");

	write(file, ...files.map((name) => path.join(top, name)));
	return openPage(browser, file, options);
}

const report = (name) => JSON.parse(execFileSync(program, ["report", "--json", path.join(top, name)]));

async function save(p, item) {
	await p.click("summary:has-text('Save')");
	const [download] = await Promise.all([p.waitForEvent("download"), p.click(`[role=menuitem]:has-text('${item}')`)]);

	return { name: download.suggestedFilename(), data: fs.readFileSync(await download.path()) };
}

/* Size of an image, and how many of its pixels are @colour. */
const look = (p, data, type, [r, g, b]) => p.evaluate(async ([url, red, green, blue]) => {
	const image = new Image();

	image.src = url;
	await image.decode();
	const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height }), c = canvas.getContext("2d");

	c.drawImage(image, 0, 0);
	const pixels = c.getImageData(0, 0, canvas.width, canvas.height).data;
	let n = 0;

	for (let i = 0; i < pixels.length; i += 4)
		n += pixels[i] === red && pixels[i + 1] === green && pixels[i + 2] === blue;
	return { width: image.width, height: image.height, n };
}, [`data:${type};base64,${data.toString("base64")}`, r, g, b]);

test("PNG and SVG stand alone: title, sentence, figures, histogram, axis, all lanes, legend; names that are file names", { skip: why }, async () => {
	const { p, bad, done } = await open(["samples/demo/threads.corun"]), running = [0, 0x7a, 0x66], r = report("samples/demo/threads.corun");
	const png = await save(p, "Picture (PNG)"), svg = await save(p, "Drawing (SVG)"), text = svg.data.toString();

	assert.equal(png.name, "threads.png");
	assert.equal(svg.name, "threads.svg");
	const a = await look(p, png.data, "image/png", running), b = await look(p, svg.data, "image/svg+xml", running);

	assert.equal(a.width, 2 * b.width, "the PNG has two pixels for one of the screen");
	assert.ok(Math.abs(a.height - 2 * b.height) <= 2);
	assert.ok(a.n > 100000 && b.n > 20000, `${a.n} ${b.n}`);
	const most = r.joint.flatMap((row) => row ?? []), share = Math.round(100 * Math.max(...most) / most.reduce((sum, ns) => sum + ns, 0));

	for (const part of ["threads · ", `whole run, ${corun.duration(r.window.duration_ns)}`, r.verdict.text.split("\n")[0], r.concurrency.mean.toFixed(1),
		"usable CPUs", r.demand.mean.toFixed(1), "worker-4", "GIL, held by", "waiting for the GIL", "00 ms", `>${share}<`, " in flight, of",
		corun.percent(r.time_ns.gil / r.concurrency.mean / (r.window.duration_ns - r.window.idle_ns)), "and parked: join"])
		assert.ok(text.includes(part), part);
	/* Nothing is cut off at the right, and nothing stands on what is beside it. */
	const widths = await p.evaluate((source) => {
		const node = document.body.appendChild(new DOMParser().parseFromString(source, "image/svg+xml").documentElement);
		const boxes = [...node.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect().right - node.getBoundingClientRect().left]);

		node.remove();
		return { all: Number(node.getAttribute("width")), boxes };
	}, text);

	for (const [what, right] of widths.boxes)
		assert.ok(right <= widths.all, `${what} ends at ${right} of ${widths.all}`);
	assert.deepEqual(bad, []);
	await done();
});

test("what is selected and the range are in the picture; a lesson's answer is not", { skip: why }, async () => {
	const { p, bad, done } = await open(["samples/demo/threads.corun"], { hash: "#t=400000000,480000000&sel=0.5.40&range=420000000,440000000" });
	const svg = (await save(p, "Drawing (SVG)")).data.toString();

	assert.ok(svg.includes("#23406F"), "the edges of the range");
	assert.ok(svg.includes("Selected time: 420.000 ms – 440.000 ms"), "its own figures");
	assert.equal(await p.evaluate(() => corun.page.svg().toString()), svg, "and the picture is the same when it is saved again");
	assert.ok(/stroke-width="2.5"/.test(svg), "the frame of the selection");
	assert.ok(svg.indexOf("rgba(20,60,140,.09)") < svg.indexOf("#007A66"), "the tint lies under the data");
	assert.deepEqual(bad, []);
	await done();
});

test("several traces are one picture", { skip: why }, async () => {
	const { p, bad, done } = await open(["samples/demo/threads.corun", "samples/demo/processes.corun"]);
	const svg = (await save(p, "Drawing (SVG)"));

	assert.equal(svg.name, "threads-processes.svg");
	const [a, b] = ["threads", "processes"].map((name) => report(`samples/demo/${name}.corun`).window.duration_ns), text = svg.data.toString();

	assert.ok(text.includes(`${corun.duration(a - b)} sooner`));
	assert.ok([a, b].every((ns) => text.includes(`${corun.duration(ns)}: `)), "the figures of each");
	assert.equal(text.match(/>in flight</g).length, 2, "and the histogram of each");
	assert.deepEqual(bad, []);
	await done();
});

test("paper: light, with banner, sentence, all lanes, legend and tables, and nothing to click", { skip: why }, async () => {
	const { p, bad, done } = await open(["tests/golden/lost.txt"], { colorScheme: "dark" });

	await p.evaluate(() => dispatchEvent(new Event("beforeprint")));
	await p.emulateMedia({ media: "print" });
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "light");
	assert.ok(await p.isVisible(".printed"));
	for (const gone of ["header button", ".picture", ".keys", "input"])
		assert.equal(await p.isVisible(gone), false, gone);
	assert.ok(await p.isVisible(".numbers"), "the table of the figures is open");
	const pdf = await p.pdf({ preferCSSPageSize: true });

	assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
	assert.ok(pdf.length > 20000);
	await p.emulateMedia({ media: "screen" });
	await p.evaluate(() => dispatchEvent(new Event("afterprint")));
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "dark");
	assert.equal(await p.$(".printed"), null);
	assert.deepEqual(bad, []);
	await done();
});
