// SPDX-License-Identifier: MIT
// The page in a real browser, opened from file://: what it shows, and what it makes of bad input. No request, no error.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { browserOrWhy, openPage } from "./browser.mjs";
import { corun, page as write, program, top } from "./load.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-viewer-")), { browser, why } = await browserOrWhy();
const browserTest = (name, f) => test(name, { skip: why }, f);
const demo = (name) => path.join(top, "samples/demo", name), golden = (name) => path.join(top, "tests/golden", name);
const report = (file) => JSON.parse(execFileSync(program, ["report", "--json", file]));

test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

async function open(files, options = {}) {
	const file = path.join(folder, `${files.map((f) => path.basename(f)).join("-")}.html`);

	if (!options.raw)
		write(file, ...files);
	return openPage(browser, file, options);
}

/* How many pixels of the picture have each of @wanted, {name: [r, g, b]}. */
const coloured = (p, wanted) => p.evaluate((all) => {
	const c = corun.page.canvas, { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height), count = {};

	for (const [name, [r, g, b]] of Object.entries(all)) {
		count[name] = 0;
		for (let i = 0; i < data.length; i += 4)
			count[name] += data[i] === r && data[i + 1] === g && data[i + 2] === b;
	}
	return count;
}, wanted);

browserTest("one trace: sentence, figures, shares, table are the report's", async () => {
	const { p, bad, done } = await open([demo("threads.corun")]), r = report(demo("threads.corun"));

	assert.equal(await p.textContent("h1"), r.verdict.text.split("\n")[0]);
	assert.match(await p.textContent(".proven"), /^\d\.\d running$/);
	assert.deepEqual(await p.$$eval(".figure b", (all) => all.map((b) => b.textContent)), [r.concurrency.mean, r.parallelism.mean,
		r.demand.mean, r.target.usable_cpus].map((n) => n.toFixed(1)));
	/* The table for screen readers has the means to six digits and every state's time to the nanosecond. */
	const table = Object.fromEntries(await p.$$eval("details tr", (all) => all.map((tr) => [...tr.cells].map((c) => c.textContent))));

	assert.equal(table["in flight"], r.concurrency.mean.toFixed(6));
	assert.equal(table.running === undefined, false);
	const cells = await p.$$eval("details tr", (all) => all.map((tr) => tr.textContent));

	for (const state of ["running", "gil", "join"])
		assert.ok(cells.some((text) => text.includes(`${r.time_ns[state]} ns`)), `${state} ${r.time_ns[state]}: ${cells}`);
	/* Shares of the time in flight. */
	const flight = r.concurrency.mean * (r.window.duration_ns - r.window.idle_ns), shares = await p.$$eval(".two .share", (all) =>
		Object.fromEntries(all.map((s) => [s.querySelector("span:not(.swatch)").textContent, s.querySelector("b").textContent])));

	assert.equal(shares.GIL, `${(100 * r.time_ns.gil / flight).toFixed(1)} %`);
	assert.equal(shares.running, `${(100 * r.time_ns.running / flight).toFixed(1)} %`);
	/* The histogram's square is that of the report. */
	const whole = r.joint.flat().reduce((sum, ns) => sum + ns, 0);

	assert.ok((await p.getAttribute("canvas.joint", "aria-label")).startsWith(
		`4 in flight, 1 running: ${(100 * r.joint[1][4] / whole).toFixed(1)} %`));
	/* The picture is no empty canvas: the green of running and the orange of the GIL are in it. */
	const count = await coloured(p, { running: [0, 0x7a, 0x66], gil: [0xee, 0x7a, 0x45] });

	assert.ok(count.running > 10000 && count.gil > 20000, JSON.stringify(count));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("several traces: the table is the reports', on one scale of time and height", async () => {
	const files = ["threads.corun", "processes.corun"].map(demo), { p, bad, done } = await open(files), all = files.map(report);

	const [before, after] = all.map((r) => ({ wall: r.window.duration_ns, running: r.parallelism.mean.toFixed(1) }));

	assert.equal(await p.textContent("h1"), `"processes" is ${(before.wall / after.wall).toFixed(1)} times as fast as "threads": ` +
		`${after.running} running instead of ${before.running}.`);
	const rows = await p.$$eval(".compare tr", (trs) => trs.slice(1).map((tr) => [...tr.cells].map((c) => c.textContent)));

	rows.forEach((cells, i) => assert.deepEqual([cells[2], cells[3], cells.at(-1)], [all[i].concurrency.mean.toFixed(1),
		all[i].parallelism.mean.toFixed(1), all[i].verdict.text.split("\n")[0].replace(/^.*: /, "").replace(/\.$/, "")]));
	/* Wall time, and the share of what was ready of the time in flight. */
	all.forEach((r, i) => {
		const flight = r.concurrency.mean * (r.window.duration_ns - r.window.idle_ns);

		assert.equal(rows[i][1], corun.duration(r.window.duration_ns));
		assert.ok(rows[i].includes(corun.percent(r.time_ns.ready / flight)), `${rows[i].join()}: ${r.time_ns.ready / flight}`);
	});
	const [ends, peaks] = await p.evaluate(() => [corun.page.traces.map((t) => corun.page.xOf(t.window_ns)),
		corun.page.sections.map((s) => s.rows[0].peak)]);

	assert.ok(ends[1] < ends[0]);
	assert.equal(peaks[0], peaks[1]);
	assert.equal((await p.$$("canvas.joint")).length, 2);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("where one thread switches between tasks, the stack, the figures and the histogram are of tasks", async () => {
	const file = path.join(top, "samples/sync-async/async.corun"), { p, bad, done } = await open([file]), { tasks } = report(file);

	assert.deepEqual(await p.$$eval(".figure b", (all) => all.slice(0, 3).map((b) => b.textContent)),
		[tasks.concurrency, tasks.parallelism, tasks.demand].map((c) => c.mean.toFixed(1)));
	assert.equal(await p.textContent("h1"), tasks.verdict.text.split("\n")[0]);
	const { peak, times } = await p.evaluate(() => {
		const trace = corun.page.traces[0], joint = corun.jointTimes(trace, corun.page.levels.get(trace)), sums = {};

		joint.forEach((row) => row?.forEach((ns, m) => { sums[m] = (sums[m] ?? 0) + ns; }));
		return { peak: trace.stacked.peak, times: sums };
	});

	assert.equal(peak, tasks.concurrency.max);
	tasks.concurrency.time_ns_at.forEach((ns, m) => assert.equal(times[m] ?? 0, ns, `${m} in flight`));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("losses and cuts are banners that stand in saved pictures, too; nothing recorded is said", async () => {
	let { p, bad, done } = await open([golden("lost.txt")]);

	assert.match(await p.textContent(".banner"), /5 events were lost/);
	assert.ok((await p.$eval(".banner", (b) => b.getBoundingClientRect())).width >= 1440);
	assert.match(await p.evaluate(() => corun.page.svg().toString()), /5 events were lost/);
	assert.deepEqual(bad, []);
	await done();
	const cut = path.join(folder, "cut.txt");

	fs.writeFileSync(cut, fs.readFileSync(golden("two-threads.txt"), "utf8").replace(/\n[^\n]*end\n$/, "\n") + "# cut\n");
	({ p, bad, done } = await open([cut], { locale: "ko-KR" }));
	assert.match(await p.textContent(".banner"), /^기록이 .+에서 끊겼습니다\. 그 앞부분은 온전합니다\.$/);
	assert.deepEqual(bad, []);
	await done();
	({ p, bad, done } = await open([golden("empty.txt")]));
	assert.match(await p.textContent(".banner"), /Nothing was recorded.*right process/);
	/* The empty axis stays. */
	assert.ok(await p.isVisible(".axis"));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("hostile names are text: markup, ten thousand letters, bytes that are no UTF-8", async () => {
	/* As the kernel gave them, */
	const first = await open([golden("hostile-names.txt")]);

	assert.equal(await first.p.$("img"), null);
	assert.deepEqual(first.bad, []);
	await first.done();
	/* and with worse ones in every place where a page carries a name. */
	const evil = `</script><img src=x onerror="hacked=1">\u0000\ufffd\ud800${"x".repeat(10000)}`, file = path.join(folder, "hostile.html");
	const html = write(file, demo("threads.corun")).replace(/(class="trace">)([^]*?)(<\/script>)/, (_, before, json, after) => {
		const info = JSON.parse(json);

		info.names.forEach((name) => { name.name = evil; });
		info.process_names.forEach((name) => { name.name = evil; });
		info.objects = info.objects.map(() => `${evil}\n${evil}`);
		Object.assign(info, { file: `${evil}.corun` }).report.target.command = [evil];
		return before + JSON.stringify(info).replaceAll("<", "\\u003c") + after;
	});

	fs.writeFileSync(file, html);
	const { p, bad, done } = await openPage(browser, file);

	assert.equal(await p.$("img"), null);
	assert.equal(await p.evaluate(() => globalThis.hacked), undefined);
	const row = await p.evaluate(() => corun.page.sections[0].rows.find((r) => r.type === "thread"));

	await p.click(".lanes", { position: { x: 700, y: row.y + row.bar - 3 } });
	await p.waitForSelector("section h2");
	assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
	/* A drawing of it is still XML. */
	const svg = await p.evaluate(() => new DOMParser().parseFromString(corun.page.svg().toString(), "image/svg+xml").querySelector("parsererror")?.textContent);

	assert.equal(svg, undefined);
	await p.keyboard.press(".");
	assert.ok((await p.$$(".zone")).length >= 3);
	assert.deepEqual(bad, []);
	await done();
});

browserTest("a page that was cut says so, and a browser that is too old is told", async () => {
	const whole = write(path.join(folder, "whole.html"), demo("threads.corun"));
	const at = whole.indexOf('class="spans">') + 2000;

	fs.writeFileSync(path.join(folder, "x.html"), whole.slice(0, at) + whole.slice(whole.indexOf("</script>", at)));
	let { p, done } = await open(["x"], { raw: true });

	assert.match(await p.textContent(".banner"), /cannot be read/);
	await done();
	fs.writeFileSync(path.join(folder, "old.html"), whole.replace("<div id=\"app\">", "<script>delete globalThis.DecompressionStream</script>$&"));
	({ p, done } = await open(["old"], { raw: true, locale: "ko-KR" }));
	assert.match(await p.textContent(".banner"), /브라우저가 오래되어.*Chrome 80/);
	await done();
});

browserTest("a mistake in the page, wherever it is, is a banner and an error of the console; the rest goes on", async () => {
	for (const make of [
		/* While it paints, in a click, and in what nobody waits for. */
		() => { corun.Painter.prototype.thread = () => { throw new Error("a lane"); }; corun.page.redraw(); },
		() => { corun.page.canvas.addEventListener("click", () => { throw new Error("a lane"); }); corun.page.canvas.click(); },
		() => { Promise.reject(new Error("a lane")); }]) {
		const { p, bad, done } = await open([demo("threads.corun")]);

		assert.equal(await p.$(".banner"), null);
		await p.evaluate(make);
		await p.waitForSelector(".banner");
		assert.equal(await p.textContent(".banner"), "Something went wrong in this page: what it shows may not be whole (a lane).");
		assert.ok(bad.length > 0 && bad.every((text) => text.includes("a lane")), bad.join());
		/* It stays, in the other language and in what is saved; it is one. */
		await p.click("text=한국어");
		await p.waitForSelector(".banner:has-text('문제가 생겨')");
		assert.equal((await p.$$(".banner")).length, 1);
		await done();
	}
	/* And where the page cannot be built at all. */
	const html = write(path.join(folder, "x.html"), demo("threads.corun"));

	fs.writeFileSync(path.join(folder, "unbuilt.html"), html.replace(/"concurrency":\{/g, '"nothing":{'));
	const { p, bad, done } = await open(["unbuilt"], { raw: true });

	await p.waitForSelector(".banner");
	assert.match(await p.textContent(".banner"), /cannot be read|went wrong/);
	assert.ok(bad.length > 0 || /cannot be read/.test(await p.textContent(".banner")));
	await done();
});

browserTest("the page's policy forbids every request", async () => {
	const { p, done } = await open([demo("threads.corun")]), server = http.createServer((_, answer) => { asked++; answer.end(); });
	let asked = 0;

	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const got = await p.evaluate(async (there) => {
		const refused = async (f) => { try { await f(); return false; } catch { return true; } };
		const image = await new Promise((resolve) => {
			const node = new Image();

			node.onload = () => resolve(false);
			node.onerror = () => resolve(true);
			node.src = `${there}/x.png`;
		});

		return [await refused(() => fetch(there)), image, await refused(() => new Promise((resolve, reject) => {
			const script = document.createElement("script");

			script.onload = resolve;
			script.onerror = reject;
			script.src = `${there}/x.js`;
			document.head.append(script);
		})), await refused(() => { new Function("return 1")(); })];
	}, `http://127.0.0.1:${server.address().port}`);

	assert.deepEqual(got, [true, true, true, true]);
	assert.equal(asked, 0);
	server.close();
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
	assert.match(await p.textContent("h1"), /is \d\.\d times as fast/);
	/* The keys are those of the page that is shown. */
	await p.keyboard.press("w");
	assert.ok(await p.evaluate(() => corun.page.to - corun.page.from < corun.page.longest));
	assert.deepEqual(bad, []);
	await done();
});

browserTest("fits a projector, a narrow window and a telephone, in both languages", async () => {
	for (const locale of ["en-US", "ko-KR"])
		for (const files of [["threads.corun"], ["threads.corun", "processes.corun"]]) {
			const { p, bad, done } = await open(files.map(demo), { locale });

			for (const [width, height, key] of [[1440, 900], [1024, 768], [700, 900], [390, 800], [390, 800, "."], [1024, 768], [1440, 900]]) {
				await p.setViewportSize({ width, height });
				if (key)
					await p.keyboard.press(key); /* and once more with the kitchen */
				await p.waitForTimeout(50);
				assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} ${locale}: it scrolls sideways`);
				/* No text stands on other text: sentence, picture and panel have their own places. */
				const boxes = await p.$$eval(".headline, .play, .picture, .panel", (all) => all
					.map((node) => node.getBoundingClientRect().toJSON()).filter((box) => box.width));

				for (const [i, a] of boxes.entries())
					for (const b of boxes.slice(i + 1))
						assert.ok(a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1,
							`${width} ${locale} ${JSON.stringify([a, b])}`);
			}
			assert.deepEqual(bad, []);
			await done();
		}
});
