// SPDX-License-Identifier: MIT
// Pictures of more spans than pixels, one column of pixels after the other, straight into memory: the cost of a
// frame is that of its pixels, however many spans there are.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.Raster = class {
	constructor(look) {
		this.look = look;
		this.canvas = document.createElement("canvas");
		this.tiles = new Map();
	}
	/* Begin a picture of @width x @height CSS pixels. */
	begin(width, height) {
		this.scale = corun.savedScale || devicePixelRatio || 1;
		this.w = Math.max(1, Math.round(width * this.scale));
		this.h = Math.max(1, Math.round(height * this.scale));
		if (this.image?.width === this.w && this.image.height === this.h) {
			this.pixels.fill(0);
			return;
		}
		this.image = new ImageData(this.w, this.h);
		this.pixels = new Uint32Array(this.image.data.buffer);
	}
	/* Show it at @x, @y of context @c, over what is there. */
	end(c, x, y) {
		if (this.canvas.width !== this.w || this.canvas.height !== this.h)
			Object.assign(this.canvas, { width: this.w, height: this.h });
		this.canvas.getContext("2d").putImageData(this.image, 0, 0);
		c.drawImage(this.canvas, x, y, this.w / this.scale, this.h / this.scale);
	}
	/* A family's colour, with its pattern or plain, as a small square of pixels: {size, pixels}. */
	tile(family, plain) {
		const key = plain ? `${family} plain` : family;
		let tile = this.tiles.get(key);

		if (!tile) {
			const canvas = document.createElement("canvas"), size = plain ? 1 : this.look.tileSize(family);
			const c = canvas.getContext("2d"), outlined = family === "unknown" || family === "stopped";

			canvas.width = canvas.height = size;
			if (!outlined || plain) {
				c.fillStyle = this.look.fill(family);
				c.fillRect(0, 0, size, size);
			}
			if (!plain && corun.families[family][3])
				c.drawImage(this.look.tile(family), 0, 0);
			tile = { size, pixels: new Uint32Array(c.getImageData(0, 0, size, size).data.buffer) };
			this.tiles.set(key, tile);
		}
		return tile;
	}
	/* Pixels of column @x from @top down to @bottom (device pixels, whole numbers). */
	column(tile, x, top, bottom) {
		const { w, pixels } = this, { size } = tile, scale = Math.max(1, Math.round(this.scale));
		const column = Math.floor(x / scale) % size;

		top = Math.max(top, 0);
		bottom = Math.min(bottom, this.h);
		for (let y = top, at = top * w + x; y < bottom; y++, at += w)
			pixels[at] = tile.pixels[Math.floor(y / scale) % size * size + column];
	}
	/* Nothing in column @x. */
	clear(x) {
		for (let at = x; at < this.pixels.length; at += this.w)
			this.pixels[at] = 0;
	}
	/* One colour, "#rrggbb". */
	color(hex) {
		const n = parseInt(hex.slice(1), 16);

		return { size: 1, pixels: Uint32Array.of((0xff000000 | (n & 0xff) << 16 | (n & 0xff00) | n >> 16) >>> 0) };
	}
};
