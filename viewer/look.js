// SPDX-License-Identifier: MIT
// Colours, patterns and heights: what a state looks like, in light and in dark. The same thing is said
// three times: by height (how near to running), colour (family of the cause) and pattern.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* family: [light, dark, ink on it, pattern, edge in light]. */
corun.families = {
	running: ["#007A66", "#00826D", "#FFFFFF", null, null],
	ready: ["#F0DC38", "#F0DC38", "#111111", "slash", "#8F7C00"],
	gil: ["#EE7A45", "#EE7A45", "#111111", null, "#C2501C"],
	lock: ["#A264DC", "#B07CE6", "#111111", "bars", "#7A3DB4"],
	disk: ["#2456C2", "#3667D6", "#FFFFFF", "lines", null],
	network: ["#44C4F5", "#44C4F5", "#111111", "waves", "#0E7FB0"],
	party: ["#FBB8B3", "#FBB8B3", "#111111", "crosses", "#B8605C"],
	sleep: ["#D0DBDD", "#D0DBDD", "#111111", "dots", "#74868A"],
	kernel: ["#4F433A", "#75675A", "#FFFFFF", "backslash", null],
	parked: ["#8D949D", "#7F8894", "#111111", null, null],
	stopped: ["#8D949D", "#7F8894", null, "pairs", null],
	unknown: ["#8D949D", "#7F8894", null, "hatch", null],
};

corun.neutrals = {
	light: { page: "#FCFCF9", panel: "#F4F4EF", ink: "#16191D", ink2: "#4C535C", ink3: "#666D77",
		rule: "#DEDED7", id1: "#D9DCE1", id2: "#BFC5CD", tint: "rgba(20,60,140,.09)", edge: "#23406F" },
	dark: { page: "#14171B", panel: "#1B1F25", ink: "#EEF0F2", ink2: "#B4BCC6", ink3: "#98A1AD",
		rule: "#353B44", id1: "#3D444E", id2: "#555E6A", tint: "rgba(160,190,255,.12)", edge: "#A9C4F5" },
};

/* A kind that --parked moved into flight: which family it takes. */
const OUT_OF_PARKING = { condition: "lock", semaphore: "lock", futex: "lock", poll: "network",
	join: "kernel", child: "kernel", signal: "kernel" };

corun.Look = class {
	constructor(trace, dark) {
		this.trace = trace;
		this.dark = dark;
		this.neutral = corun.neutrals[dark ? "dark" : "light"];
		this.patterns = new Map();
	}
	family(code) {
		if (code === corun.RUNNING)
			return "running";
		if (code <= corun.PREEMPTED)
			return "ready";
		if (code === corun.STOPPED)
			return "stopped";
		if (code === corun.UNKNOWN)
			return "unknown";
		const kind = this.trace.kinds[code - corun.WAIT];

		if (this.trace.parked(code))
			return "parked";
		return kind.role === "parked" ? OUT_OF_PARKING[kind.name] ?? "kernel" : kind.role;
	}
	fill(family) {
		return corun.families[family][this.dark ? 1 : 0];
	}
	ink(family) {
		return corun.families[family][2] ?? this.neutral.ink;
	}
	edge(family) {
		return this.dark ? null : corun.families[family][4];
	}
	/* Share of the lane's height. */
	height(family) {
		return { running: 1, ready: 0.8, parked: 0 }[family] ?? 0.56;
	}
	/* A CanvasPattern for slices of 12 px and more, or null. */
	pattern(context, family) {
		const kind = corun.families[family][3];

		if (!kind)
			return null;
		if (!this.patterns.has(family))
			this.patterns.set(family, context.createPattern(this.tile(family), "repeat"));
		return this.patterns.get(family);
	}
	/* Pixels after which the pattern of @family comes again. */
	tileSize(family) {
		return { bars: 5, lines: 4, dots: 6, waves: 7, hatch: 7 }[corun.families[family][3]] ?? 8;
	}
	tile(family) {
		const kind = corun.families[family][3], size = this.tileSize(family);
		const canvas = document.createElement("canvas");
		const c = canvas.getContext("2d");
		const line = (...points) => {
			c.beginPath();
			points.forEach(([x, y], i) => i ? c.lineTo(x, y) : c.moveTo(x, y));
			c.stroke();
		};

		canvas.width = canvas.height = size;
		c.strokeStyle = c.fillStyle = kind === "slash" ? "rgba(96,88,0,.42)" :
			this.dark ? "rgba(0,0,0,.34)" : "rgba(0,0,0,.26)";
		if (kind === "backslash" || kind === "lines")
			c.strokeStyle = "rgba(255,255,255,.34)";
		if (kind === "hatch" || kind === "pairs")
			c.strokeStyle = this.neutral.ink3;
		c.lineWidth = kind === "slash" || kind === "backslash" ? 2 : 1;
		switch (kind) {
		case "slash": line([-1, 9], [9, -1]); line([-1, 1], [1, -1]); line([7, 9], [9, 7]); break;
		case "backslash": line([-1, -1], [9, 9]); line([7, -1], [9, 1]); line([-1, 7], [1, 9]); break;
		case "bars": line([0.5, 0], [0.5, size]); break;
		case "lines": line([0, 0.5], [size, 0.5]); break;
		case "waves": line([0, 4], [1.75, 2], [3.5, 4], [5.25, 6], [7, 4]); break;
		case "crosses": line([2, 4], [6, 4]); line([4, 2], [4, 6]); break;
		case "dots": c.fillRect(2, 2, 1.6, 1.6); break;
		case "pairs": line([1.5, 0], [1.5, 8]); line([3.5, 0], [3.5, 8]); break;
		case "hatch": line([0, 7], [7, 0]); line([0, 0], [7, 7]); break;
		}
		return canvas;
	}
};
