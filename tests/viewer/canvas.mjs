// SPDX-License-Identifier: MIT
// As much of a canvas as the painter needs, without a browser: rectangles and images, pixel by pixel. Letters and lines are
// not drawn. What a browser would swallow, a number that is none or a colour that is none, is thrown.

/* "#rrggbb" as a pixel of an ImageData; what lets through what is below it paints nothing here. */
function pixel(style) {
	if (typeof style === "object" && style !== null)
		return 0;
	if (typeof style !== "string" || !/^#[0-9a-f]{6}$|^rgba?\(/i.test(style))
		throw new Error(`no colour: ${style}`);
	const n = style[0] === "#" ? parseInt(style.slice(1), 16) : NaN;

	return Number.isNaN(n) ? 0 : (0xff000000 | (n & 0xff) << 16 | (n & 0xff00) | n >> 16) >>> 0;
}

function finite(...numbers) {
	if (!numbers.every(Number.isFinite))
		throw new Error(`no number: ${numbers.join(", ")}`);
}

class Context {
	constructor(canvas) {
		Object.assign(this, { canvas, zoom: 1, fillStyle: "#000000", strokeStyle: "#000000", globalAlpha: 1, lineWidth: 1 });
	}
	/* Of a canvas that has a new size: empty ones. */
	get pixels() {
		const n = this.canvas.width * this.canvas.height;

		if (this.kept?.length !== n)
			this.kept = new Uint32Array(n);
		return this.kept;
	}
	/* A pixel whose middle is inside is painted. */
	paint(style, x, y, w, h) {
		finite(x, y, w, h);
		const color = pixel(style), { width, height } = this.canvas, { pixels, zoom } = this, edge = (v, most) =>
			Math.min(Math.max(Math.ceil(v * zoom - 0.5), 0), most);

		if (!color || this.globalAlpha < 1)
			return;
		for (let row = edge(y, height); row < edge(y + h, height); row++)
			pixels.fill(color, row * width + edge(x, width), Math.max(row * width + edge(x, width), row * width + edge(x + w, width)));
	}
	fillRect(x, y, w, h) {
		this.paint(this.fillStyle, x, y, w, h);
	}
	/* An outline counts as what it outlines. */
	strokeRect(x, y, w, h) {
		const by = this.lineWidth / 2;

		this.paint(this.strokeStyle, x - by, y - by, w + 2 * by, h + 2 * by);
	}
	/* And a tile with lines in it as filled. */
	stroke() {
		if (this.canvas.width <= 8)
			this.paint(this.strokeStyle, 0, 0, 8, 8);
	}
	putImageData(image) {
		this.pixels.set(new Uint32Array(image.data.buffer));
	}
	getImageData(x, y, width, height) {
		return { width, height, data: { buffer: this.pixels.slice().buffer } };
	}
	drawImage({ width, height, context }, x, y) {
		finite(x, y);
		const left = Math.round(x * this.zoom), top = Math.round(y * this.zoom);

		for (let row = 0; row < height && top + row < this.canvas.height; row++)
			for (let column = 0; column < width && left + column < this.canvas.width; column++) {
				const color = context.pixels[row * width + column];

				if (color)
					this.pixels[(top + row) * this.canvas.width + left + column] = color;
			}
	}
	measureText(text) {
		return { width: 7 * text.length };
	}
	fillText(text, x, y) {
		finite(x, y);
		if (typeof text !== "string" || /undefined|NaN/.test(text))
			throw new Error(`no text: ${text}`);
	}
	moveTo(...at) {
		finite(...at);
	}
	lineTo(...at) {
		finite(...at);
	}
	createPattern(tile) {
		return { tile };
	}
	rect(...at) {
		finite(...at);
	}
	beginPath() {}
	clip() {}
	save() {}
	restore() {}
	setLineDash() {}
}

export class Canvas {
	constructor(width = 300, height = 150) {
		Object.assign(this, { width, height });
		this.context = new Context(this);
	}
	getContext() {
		return this.context;
	}
}

/* What the viewer's scripts look for in a browser. */
export function install() {
	globalThis.document = { createElement: () => new Canvas() };
	globalThis.ImageData = class {
		constructor(width, height) {
			Object.assign(this, { width, height, data: new Uint8ClampedArray(width * height * 4) });
		}
	};
	globalThis.devicePixelRatio = 1;
}
