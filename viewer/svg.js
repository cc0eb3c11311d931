// SPDX-License-Identifier: MIT
// A drawing context that writes SVG: as much of CanvasRenderingContext2D as the viewer paints with. What is painted
// into it by pixels (raster.js) stands in the file as an image.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

const round = (n) => Math.round(n * 100) / 100;

corun.SvgContext = class {
	constructor(width, height) {
		Object.assign(this, { width, height, under: [], over: [], defs: [], stack: [], path: "", dash: "", clips: 0, open: 0,
			fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, globalCompositeOperation: "source-over",
			font: "12px sans-serif", textAlign: "left", textBaseline: "alphabetic" });
		this.measure = document.createElement("canvas").getContext("2d");
	}
	static text(value) {
		/* What XML cannot hold is shown as what it is: not a character. */
		return String(value).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
			.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" })[c]);
	}
	put(tag, attributes, content) {
		const list = Object.entries(attributes).filter(([, value]) => value !== "" && value !== null)
			.map(([key, value]) => ` ${key}="${corun.SvgContext.text(value)}"`).join("");

		(this.globalCompositeOperation === "destination-over" ? this.under : this.over)
			.push(content === undefined ? `<${tag}${list}/>` : `<${tag}${list}>${corun.SvgContext.text(content)}</${tag}>`);
	}
	paintOf(style) {
		return style?.svg ? `url(#${style.svg})` : style;
	}
	get alpha() {
		return this.globalAlpha === 1 ? "" : round(this.globalAlpha);
	}
	get stroked() {
		return { fill: "none", stroke: this.paintOf(this.strokeStyle), "stroke-width": round(this.lineWidth), "stroke-dasharray": this.dash,
			opacity: this.alpha };
	}
	createPattern(tile) {
		const svg = `p${this.defs.length}`;

		this.defs.push(`<pattern id="${svg}" width="${tile.width}" height="${tile.height}" patternUnits="userSpaceOnUse">` +
			`<image width="${tile.width}" height="${tile.height}" href="${tile.toDataURL()}"/></pattern>`);
		return { svg };
	}
	fillRect(x, y, w, h) {
		if (w > 0 && h > 0)
			this.put("rect", { x: round(x), y: round(y), width: round(w), height: round(h), fill: this.paintOf(this.fillStyle), opacity: this.alpha });
	}
	strokeRect(x, y, w, h) {
		this.put("path", { d: `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`, ...this.stroked });
	}
	clearRect() {}
	beginPath() {
		this.path = "";
	}
	moveTo(x, y) {
		this.path += `M${round(x)} ${round(y)}`;
	}
	lineTo(x, y) {
		this.path += `L${round(x)} ${round(y)}`;
	}
	rect(x, y, w, h) {
		this.path += `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`;
	}
	/* Whole circles alone. */
	arc(x, y, r) {
		this.path += `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
	}
	stroke() {
		this.put("path", { d: this.path, ...this.stroked });
	}
	fill() {
		this.put("path", { d: this.path, fill: this.paintOf(this.fillStyle), opacity: this.alpha });
	}
	clip() {
		const id = `c${this.clips++}`;

		this.defs.push(`<clipPath id="${id}"><path d="${this.path}"/></clipPath>`);
		this.over.push(`<g clip-path="url(#${id})">`);
		this.open++;
	}
	save() {
		const { fillStyle, strokeStyle, lineWidth, globalAlpha, font, dash, textAlign, open } = this;

		this.stack.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, font, dash, textAlign, open });
	}
	restore() {
		const before = this.stack.pop();

		for (; this.open > before.open; this.open--)
			this.over.push("</g>");
		Object.assign(this, before);
	}
	setLineDash(list) {
		this.dash = list.join(" ");
	}
	measureText(text) {
		this.measure.font = this.font;
		return this.measure.measureText(text);
	}
	fillText(text, x, y) {
		const [, weight, size, family] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font);

		this.put("text", { x: round(x), y: round(y + (this.textBaseline === "middle" ? size * 0.35 : 0)), fill: this.paintOf(this.fillStyle),
			"font-size": size, "font-weight": weight === "400" ? "" : weight, "font-family": family, opacity: this.alpha,
			"text-anchor": { center: "middle", right: "end" }[this.textAlign] ?? "", "xml:space": "preserve" }, text);
	}
	drawImage(canvas, x, y, w, h) {
		this.put("image", { x: round(x), y: round(y), width: round(w), height: round(h), preserveAspectRatio: "none",
			style: "image-rendering:pixelated", href: canvas.toDataURL("image/png") });
	}
	toString() {
		return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ` +
			`${this.height}">\n<defs>${this.defs.join("\n")}</defs>\n${this.under.join("\n")}\n${this.over.join("\n")}\n</svg>\n`;
	}
};
