// SPDX-License-Identifier: MIT
// How long a page's frames take: on the clock, and on the CPU, which a busy machine does not change.

export async function meter(page) {
	const cdp = await page.context().newCDPSession(page);

	await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
	/* Seconds of the page's main thread, which also paints: there is no GPU. */
	return async () => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
}

/*
 * @n frames as the browser itself paces them, while one pans and zooms about 1 / @zoom of the whole: frames a second on the
 * clock, and the longest time from one to the next, in ms.
 */
export const paced = (page, zoom, n) => page.evaluate(([by, count]) => new Promise((resolve) => {
	const p = corun.page, times = [];
	const frame = (now) => {
		const i = times.push(now), length = Math.min(p.longest / by * (0.8 + 0.2 * Math.sin(i / 7)), p.longest);

		if (i > count) {
			const steps = times.slice(1).map((t, k) => t - times[k]);

			resolve({ fps: 1000 * count / (times.at(-1) - times[0]), worst: Math.max(...steps) });
			return;
		}
		p.setView((p.longest - length) * (0.3 + 0.2 * Math.sin(i / 23 / by)), (p.longest - length) * (0.3 + 0.2 * Math.sin(i / 23 / by)) + length);
		requestAnimationFrame(frame);
	};

	requestAnimationFrame(frame);
}), [zoom, n]);

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
