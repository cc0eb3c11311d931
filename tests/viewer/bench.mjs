// SPDX-License-Identifier: MIT
// How fast the page is: node bench.mjs PAGE.html. Prints its size, the time from opening to the first paint, and for
// several zooms the median and the slowest of thirty frames, as the page itself draws them while one pans; and how many frames a
// second there were on the clock while one panned and zoomed for two seconds (a browser without a screen makes 60).
import { statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { frames, meter, paced } from "./measure.mjs";

const file = process.argv[2];
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } }), cpu = await meter(page);

page.on("pageerror", (error) => { throw error; });
await page.goto(pathToFileURL(file).href, { waitUntil: "commit", timeout: 300000 });
/* The page's policy forbids what waitForFunction() does. */
while (!await page.evaluate(() => globalThis.corun?.firstPaint))
	await new Promise((resolve) => setTimeout(resolve, 20));
const first = await page.evaluate(() => {
	const load = performance.getEntriesByType("navigation")[0];

	return { paint: corun.firstPaint - load.responseEnd, spans: corun.page.traces[0].spans };
});

console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB, ${first.spans} slices, first paint ${(first.paint / 1000).toFixed(2)} s after load ` +
	`(${(await cpu()).toFixed(2)} s of CPU)`);
for (let zoom = 1; zoom <= 262144; zoom *= zoom < 2048 ? 2 : 8) {
	const { middle, worst, cpu: spent } = await frames(page, cpu, zoom, 31), clock = await paced(page, zoom, 120);

	console.log(`zoom ${zoom}: median ${middle.toFixed(1)} ms a frame, slowest ${worst.toFixed(1)} ms; ${spent.toFixed(1)} ms of CPU; ` +
		`${clock.fps.toFixed(1)} frames a second on the clock, longest ${clock.worst.toFixed(1)} ms`);
}
await browser.close();
