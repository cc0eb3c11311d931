// SPDX-License-Identifier: MIT
// How fast the page is: node bench.mjs PAGE.html. Prints its size, the time from opening to the first paint, and for
// several zooms the slowest and the median of thirty frames, as the page itself would draw them while one pans.
import { existsSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const file = process.argv[2];
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

page.on("pageerror", (error) => { throw error; });
await page.goto(pathToFileURL(file).href, { waitUntil: "commit", timeout: 300000 });
/* The page's policy forbids what waitForFunction() does. */
while (!await page.evaluate(() => globalThis.corun?.firstPaint))
	await new Promise((resolve) => setTimeout(resolve, 20));
const first = await page.evaluate(() => {
	const load = performance.getEntriesByType("navigation")[0];

	return { paint: corun.firstPaint - load.responseEnd, spans: corun.page.traces[0].spans };
});

console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB, ${first.spans} slices, first paint ${(first.paint / 1000).toFixed(2)} s after load`);
for (const zoom of [1, 4, 16, 64, 256, 1024, 4096, 16384]) {
	const [middle, worst] = await page.evaluate((z) => {
		const p = corun.page, length = p.longest / z, frames = [];

		for (let i = 0; i < 31; i++) {
			const from = (p.longest - length) * (0.3 + 0.01 * i), begin = performance.now();

			p.from = from;
			p.to = from + length;
			p.paint();
			p.context.getImageData(0, 0, 1, 1); // the canvas has really drawn
			frames.push(performance.now() - begin);
		}
		frames.shift(); // a level is summed when it is first looked at
		frames.sort((x, y) => x - y);
		return [frames[15], frames.at(-1)];
	}, zoom);

	console.log(`zoom ${zoom}: median ${middle.toFixed(1)} ms a frame (${Math.round(1000 / middle)} fps), slowest ${worst.toFixed(1)} ms`);
}
await browser.close();
