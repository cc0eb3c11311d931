// SPDX-License-Identifier: MIT
// The joint histogram: for how long k ran while m were in flight. One small square that holds the whole story.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const MOST_CELLS = 13;

/* Time by k running and m in flight in the window of @figures, of what the stack is of: joint[k][m]. */
corun.jointTimes = function (trace, levels, figures = trace.report) {
	if (!trace.stacked.tasks)
		return figures.joint;
	const sums = levels.total("tasks_of"), joint = [], from = figures === trace.report ? 0 : figures.window.begin_ns;
	const to = from + figures.window.duration_ns;
	const ways = trace.codes.map((code) => [trace.flight(code) ? 1 : 0, code === corun.RUNNING ? 1 : 0]);
	let flight = 0, running = 0, before = from;

	for (let i = 0; i <= sums.n; i++) {
		const t = Math.min(Math.max(i < sums.n ? sums.time[i] : to, from), to), row = (joint[running] ??= []);

		row[flight] = (row[flight] ?? 0) + t - before;
		before = t;
		if (i === sums.n)
			break;
		flight += (ways[sums.to[i]]?.[0] ?? 0) - (ways[sums.from[i]]?.[0] ?? 0);
		running += (ways[sums.to[i]]?.[1] ?? 0) - (ways[sums.from[i]]?.[1] ?? 0);
	}
	return joint;
};

/* What to draw of it: {cells: [{k, m, share, beyond, free, none}], n, bin, cpus}. Above 12 several numbers are one cell. */
corun.jointCells = function (joint, max, cpus) {
	const bin = Math.ceil((max + 1) / MOST_CELLS), n = Math.ceil((max + 1) / bin), sums = new Map();
	let whole = 0;

	joint.forEach((row, k) => row?.forEach((ns, m) => {
		const key = `${Math.floor(k / bin)} ${Math.floor(m / bin)}`;

		sums.set(key, (sums.get(key) ?? 0) + ns);
		whole += ns;
	}));
	const cells = [];

	for (let m = 0; m < n; m++)
		for (let k = 0; k <= m; k++)
			cells.push({ k, m, share: whole ? (sums.get(`${k} ${m}`) ?? 0) / whole : 0, beyond: k * bin > cpus,
				free: k >= Math.min(m, Math.floor(cpus / bin)), none: m === 0 && bin === 1 });
	return { cells, n, bin, cpus };
};

corun.jointSize = (n, cell, type) => ({ width: 26 * type + n * cell + 4, height: n * cell + 38 * type });

/* The side of a cell, for a square that is about @size px and letters of @type. */
corun.jointCell = (n, size, type) => Math.min(Math.round(34 * type), Math.max(9, Math.floor(size / n)));

/* Paints it with its corner at @x, @y: running to the right, in flight upwards. */
corun.paintJoint = function (painter, { cells, n, bin, cpus }, cause, x, y, cell) {
	const { c, look } = painter, neutral = look.neutral, size = Math.round(12 * painter.type), left = x + size * 2 + 2, family = look.family(cause);
	const text = (string, tx, ty, color, align, weight = 400) => painter.text(string, tx, ty, size, weight, color, align);

	for (const { k, m, share, beyond, free, none } of cells) {
		const cx = left + k * cell, cy = y + (n - 1 - m) * cell, color = none ? neutral.rule : look.fill(free ? "running" : family);
		const side = share ? Math.max((cell - 1) * Math.sqrt(share), 3) : 0, over = side >= 15 * painter.type;

		if (beyond) {
			c.strokeStyle = neutral.rule;
			c.lineWidth = 1;
			c.strokeRect(cx + 0.5, cy + 0.5, cell - 2, cell - 2);
		} else {
			c.fillStyle = neutral.panel;
			c.fillRect(cx, cy, cell - 1, cell - 1);
		}
		c.fillStyle = color;
		c.fillRect(cx + (cell - 1 - side) / 2, cy + (cell - 1 - side) / 2, side, side);
		if (share >= 0.03 && cell >= 18 * painter.type && bin === 1 && over)
			text(String(Math.round(100 * share)), cx + (cell - 1) / 2, cy + cell / 2, none ? neutral.ink : look.ink(free ? "running" : family),
				"center", 700);
		else if (share >= 0.03 && cell >= 30 * painter.type && bin === 1)
			text(String(Math.round(100 * share)), cx + cell - 4, cy + 8 * painter.type, neutral.ink2, "right");
	}
	/* As parallel as these CPUs allow: each one in flight runs, until the CPUs are used up. */
	const middle = (i) => (i / bin + 0.5) * cell, top = n * bin - 1, knee = Math.min(Math.floor(cpus) || top, top);

	c.strokeStyle = neutral.ink2;
	c.lineWidth = 1.5;
	c.setLineDash([2, 3]);
	c.beginPath();
	c.moveTo(left + middle(0) / bin, y + n * cell - middle(0) / bin);
	c.lineTo(left + middle(knee), y + n * cell - middle(knee));
	c.lineTo(left + middle(knee), y + cell / 2);
	c.stroke();
	c.setLineDash([]);
	for (let i = 0; i < n; i += cell < 14 ? 2 : 1) {
		text(String(i * bin), left - 8, y + (n - 0.5 - i) * cell, neutral.ink2, "right");
		text(String(i * bin), left + (i + 0.5) * cell, y + n * cell + size, neutral.ink2, "center");
	}
	text(painter.words.running, left + n * cell, y + n * cell + size * 2 + 4, neutral.ink2, "right");
};
