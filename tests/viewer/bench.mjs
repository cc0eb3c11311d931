// SPDX-License-Identifier: MIT
// How fast the page is: node bench.mjs PAGE.html. Prints its size, the time from opening to the first paint, and for
// several zooms the median and the slowest of thirty frames, as the page itself draws them while one pans: as they
// took on the clock, and on the CPU, which a busy machine does not change.
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";

const file = process.argv[2];
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const cdp = await page.context().newCDPSession(page);
const cpu = async () => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "ThreadTime")?.value ??
	(await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;

page.on("pageerror", (error) => { throw error; });
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
await page.goto(pathToFileURL(file).href, { waitUntil: "commit", timeout: 300000 });
/* The page's policy forbids what waitForFunction() does. */
while (!await page.evaluate(() => globalThis.corun?.firstPaint))
	await new Promise((resolve) => setTimeout(resolve, 20));
const first = await page.evaluate(() => {
	const load = performance.getEntriesByType("navigation")[0];

	return { paint: corun.firstPaint - load.responseEnd, spans: corun.page.traces[0].spans };
});

console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB, ${first.spans} slices, first paint ${(first.paint / 1000).toFixed(2)} s after load ` +
	`(${(await cpu()).toFixed(2)} s on the CPU)`);
for (const zoom of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384, 65536, 262144]) {
	const frames = (z) => page.evaluate((by) => {
		const p = corun.page, length = p.longest / by, times = [];

		for (let i = 0; i < 31; i++) {
			const from = (p.longest - length) * 0.3 + length * 0.05 * i, begin = performance.now();

			p.from = from;
			p.to = from + length;
			p.paint();
			p.context.getImageData(0, 0, 1, 1); // the canvas has really drawn
			times.push(performance.now() - begin);
		}
		times.sort((x, y) => x - y);
		return [times[15], times.at(-1)];
	}, z);

	await frames(zoom); // sums are made when they are first looked at
	const before = await cpu(), [middle, worst] = await frames(zoom), spent = (await cpu() - before) / 31 * 1000;

	console.log(`zoom ${zoom}: median ${middle.toFixed(1)} ms a frame (${Math.round(1000 / middle)} fps), slowest ${worst.toFixed(1)} ms; ` +
		`${spent.toFixed(1)} ms of CPU (${Math.round(1000 / spent)} fps)`);
}
await browser.close();
