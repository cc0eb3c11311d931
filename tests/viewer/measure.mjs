// SPDX-License-Identifier: MIT
// How long a page's frames take: on the clock, and on the CPU, which a busy machine does not change.

export async function meter(page) {
	const cdp = await page.context().newCDPSession(page);

	await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
	/* Seconds of the page's main thread, which also paints: there is no GPU. */
	return async () => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
}

/* @n frames while one pans through a view of 1 / @zoom of the whole: {middle, worst, cpu} in ms. */
export async function frames(page, cpu, zoom, n) {
	const run = () => page.evaluate(([by, count]) => {
		const p = corun.page, length = p.longest / by, times = [];

		for (let i = 0; i < count; i++) {
			const from = (p.longest - length) * 0.3 + length * 0.05 * i, begin = performance.now();

			p.from = from;
			p.to = from + length;
			p.paint();
			p.context.getImageData(0, 0, 1, 1); // the canvas has really drawn
			times.push(performance.now() - begin);
		}
		return times.sort((x, y) => x - y);
	}, [zoom, n]);

	await run(); // sums are made when they are first looked at
	const before = await cpu(), times = await run();

	return { middle: times[n >> 1], worst: times.at(-1), cpu: (await cpu() - before) / n * 1000 };
}
