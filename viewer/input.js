// SPDX-License-Identifier: MIT
// Keys, mouse and fingers.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* A finger that rests for so long begins a range. */
const LONG_PRESS_MS = 450;

Object.assign(corun.Page.prototype, {
	key(event) {
		if (event.target === this.field) {
			if (event.key === "Enter")
				this.nextFound();
			if (event.key === "Escape")
				this.field.blur();
			return;
		}
		if (document.querySelector("dialog[open]") || this.lesson?.key(event) || (!this.lesson?.hidden && this.play.key(event)))
			return;
		const actions = { m: () => this.mark(), w: () => this.zoom(0.8), s: () => this.zoom(1.25), a: () => this.pan(-0.2),
			d: () => this.pan(0.2), f: () => this.fit(), "/": () => this.field.focus(), "?": () => this.help(),
			ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), ArrowUp: () => this.stepThread(-1),
			ArrowDown: () => this.stepThread(1),
			Escape: () => { this.range = null; this.select(null); } };
		const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];

		if (!action || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		action();
	},
	/* Another page takes its place. */
	leave() {
		this.abort?.abort();
		this.observer?.disconnect();
		this.play.playing = false;
	},
	listen() {
		/* Built again with the language: the listeners of before go with it. */
		this.abort?.abort();
		this.abort = new AbortController();
		const signal = this.abort.signal, on = (target, type, f, more) => target.addEventListener(type, f, { signal, ...more });

		on(document, "keydown", (event) => this.key(event));
		this.observer?.disconnect();
		this.observer = new ResizeObserver(() => {
			const { type } = this;

			this.setType();
			if (this.type !== type) {
				this.build();
				return;
			}
			this.arrange();
			this.redraw();
		});
		this.observer.observe(this.scroll);
		on(this.scroll, "scroll", () => {
			this.panel.node.scrollTop = this.traces.length > 1 ? this.scroll.scrollTop : this.panel.node.scrollTop;
			this.redraw();
		});
		on(this.field, "input", () => this.find(this.field.value));
		on(this.canvas, "wheel", (event) => this.wheel(event), { passive: false });
		on(window, "hashchange", () => {
			this.readLink();
			this.select(this.selected);
		});
		on(window, "beforeprint", () => this.beforePrint());
		on(window, "afterprint", () => this.afterPrint());
		this.pointers(on);
		this.axisPointers(on);
	},
	wheel(event) {
		if (!event.ctrlKey && !event.shiftKey)
			return;
		event.preventDefault();
		this.pointer = (event.offsetX - this.plot.x) / this.plot.width;
		const by = event.deltaY || event.deltaX;

		if (event.ctrlKey)
			this.zoom(by > 0 ? 1.15 : 0.87);
		else
			this.pan(by > 0 ? 0.08 : -0.08);
	},
	timeInside(x) {
		return Math.min(Math.max(this.timeAt(x), 0), this.longest);
	},
	rangeFrom(anchor, t) {
		this.range = { from: Math.min(anchor, t), to: Math.max(anchor, t) };
		this.redraw();
	},
	/* A range of next to nothing was a click: it lets go of the range. */
	endRange() {
		if (this.range && this.range.to - this.range.from < (this.to - this.from) / 500)
			this.range = null;
		this.setRange(this.range);
	},
	/*
	 * One pointer drags or clicks, and a finger that rests first begins a range; two fingers pinch: what was under them
	 * stays under them.
	 */
	pointers(on) {
		const down = new Map();
		let drag = null, pinch = null, anchor = null, timer = 0;
		const xs = () => [...down.values()].sort((p, q) => p - q);
		const begin = (event) => ({ x: event.offsetX, y: event.offsetY, from: this.from, to: this.to, moved: false });

		on(this.canvas, "pointerdown", (event) => {
			down.set(event.pointerId, event.offsetX);
			this.canvas.setPointerCapture(event.pointerId);
			clearTimeout(timer);
			if (down.size === 2) {
				const [left, right] = xs();

				pinch = { left: this.timeAt(left), right: this.timeAt(right) };
				drag = null;
				return;
			}
			drag = begin(event);
			if (event.pointerType !== "mouse" && !this.lesson?.hidden)
				timer = setTimeout(() => {
					if (drag && !drag.moved && down.size === 1)
						anchor = this.timeInside(drag.x);
				}, LONG_PRESS_MS);
		});
		on(this.canvas, "pointermove", (event) => {
			if (down.has(event.pointerId))
				down.set(event.pointerId, event.offsetX);
			this.pointer = Math.min(1, Math.max(0, (event.offsetX - this.plot.x) / this.plot.width));
			if (anchor !== null)
				this.rangeFrom(anchor, this.timeInside(event.offsetX));
			else if (pinch)
				this.pinch(pinch, xs());
			else if (drag)
				this.dragTo(drag, event);
			else
				this.hover(event);
		});
		const up = (event) => {
			clearTimeout(timer);
			if (anchor !== null)
				this.endRange();
			else if (drag && !drag.moved && !pinch && event.type === "pointerup")
				this.click(event);
			down.delete(event.pointerId);
			drag = anchor = null;
			if (!down.size)
				pinch = null;
		};

		on(this.canvas, "pointerup", up);
		on(this.canvas, "pointercancel", up);
		on(this.canvas, "pointerleave", () => this.setHovered(null));
		on(this.canvas, "contextmenu", (event) => event.pointerType === "touch" && event.preventDefault());
	},
	pinch({ left, right }, [x0, x1]) {
		const apart = Math.max(x1 - x0, 8), length = (right - left) / apart * this.plot.width;

		if (length > 0)
			this.setView(left - (x0 - this.plot.x) / this.plot.width * length, left - (x0 - this.plot.x) / this.plot.width * length + length);
	},
	dragTo(drag, event) {
		const by = (event.offsetX - drag.x) / this.plot.width * (drag.to - drag.from);

		drag.moved ||= Math.abs(event.offsetX - drag.x) > 3;
		if (drag.moved)
			this.setView(drag.from - by, drag.to - by);
	},
	click(event) {
		const found = event.offsetX < this.plot.x ? this.rowAt(event.offsetY) : null;

		if (found?.row.key && !this.lesson?.hidden)
			this.fold(found.trace, found.row);
		else if (this.play.shown && event.offsetX >= this.plot.x)
			this.play.jump(this.timeInside(event.offsetX));
		else
			this.select(this.hit(event.offsetX, event.offsetY));
	},
	/* What lies under the mouse gets a frame, its arrow, and its title with nanoseconds. */
	hover(event) {
		if (event.pointerType === "mouse" && !this.lesson?.hidden)
			this.setHovered(this.hit(event.offsetX, event.offsetY));
		const row = event.offsetX < this.plot.x ? this.rowAt(event.offsetY)?.row : null;

		this.canvas.style.cursor = row?.key ? "pointer" : "";
	},
	setHovered(hovered) {
		if (hovered?.i === this.hovered?.i && hovered?.thread === this.hovered?.thread && hovered?.trace === this.hovered?.trace)
			return;
		this.hovered = hovered;
		if (hovered) {
			const { start, end } = corun.wholeOf(hovered), length = end - start;

			this.canvas.title = `${this.panel.titleOf(hovered, corun.duration(length))}\n${Math.round(length)} ns, ${corun.instant(start)}`.slice(0, 400);
		} else {
			this.canvas.removeAttribute("title");
		}
		this.redraw();
	},
	axisPointers(on) {
		let anchor = null;

		on(this.axis, "pointerdown", (event) => {
			if (this.lesson?.hidden)
				return;
			/* On the overview one goes to where one points. */
			if (event.offsetY < this.overviewHeight) {
				const middle = (event.offsetX - this.plot.x) / this.plot.width * this.longest, half = (this.to - this.from) / 2;

				this.setView(middle - half, middle + half);
				return;
			}
			anchor = this.timeInside(event.offsetX);
			this.axis.setPointerCapture(event.pointerId);
		});
		on(this.axis, "pointermove", (event) => anchor !== null && this.rangeFrom(anchor, this.timeInside(event.offsetX)));
		on(this.axis, "pointerup", (event) => {
			if (anchor === null)
				return;
			this.rangeFrom(anchor, this.timeInside(event.offsetX));
			anchor = null;
			this.endRange();
		});
	},
});
