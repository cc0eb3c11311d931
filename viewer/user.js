// SPDX-License-Identifier: MIT
// What the user does: the view, the selection, the search, links; input.js turns events into it.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

Object.assign(corun.Page.prototype, {
	setView(from, to) {
		const least = 100, length = Math.min(Math.max(to - from, least), this.longest);

		from = Math.min(Math.max(from, 0), this.longest - length);
		this.from = from;
		this.to = from + length;
		this.writeLink();
		this.redraw();
	},
	zoom(factor, at = this.pointer) {
		const length = (this.to - this.from) * factor, middle = this.from + (this.to - this.from) * at;

		this.setView(middle - length * at, middle + length * (1 - at));
	},
	pan(share) {
		const by = (this.to - this.from) * share;

		this.setView(this.from + by, this.to + by);
	},
	timeAt(x) {
		return this.from + (x - this.plot.x) / this.plot.width * (this.to - this.from);
	},
	select(selected) {
		if (this.lesson?.hidden)
			return;
		this.selected = selected;
		this.writeLink();
		this.panel.render();
		this.redraw();
	},
	setRange(range) {
		this.range = range;
		this.writeLink();
		this.panel.render();
		this.redraw();
	},
	/* The row under a point of the picture, with its trace. */
	rowAt(y) {
		const at = y + this.scroll.scrollTop;

		for (const { trace, rows, y: base } of this.sections) {
			const row = rows.find((r) => at >= base + r.y && at < base + r.y + r.h);

			if (row)
				return { trace, row };
		}
		return null;
	},
	/* What lies under a point of the picture. */
	hit(x, y) {
		const t = this.timeAt(x), found = x >= this.plot.x ? this.rowAt(y) : null;

		if (!found)
			return null;
		const { trace, row } = found, thread = this.threadAt(row, t), s = trace.columns(thread);

		if (!s || t < s.start)
			return null;
		const i = s.at(t);

		return i < s.n ? { trace, thread, i } : null;
	},
	/* Whose row it is, or who was in it at time @t. */
	threadAt(row, t) {
		if (!row.pieces)
			return row.thread;
		const i = row.pieces.at(t);

		return i < row.pieces.n && row.pieces.a[i] ? row.pieces.a[i] - 1 : undefined;
	},
	/* Hides what belongs to a process, or the tasks of a thread; shows it again. */
	fold(trace, row) {
		const folded = this.folded.get(trace);

		folded.has(row.key) ? folded.delete(row.key) : folded.add(row.key);
		this.arrange();
		this.redraw();
	},
	/* The first or last span that can be seen, where nothing is selected. */
	firstSeen() {
		for (const { trace, rows } of this.sections)
			for (const { thread } of rows.filter((r) => r.type === "thread")) {
				const s = trace.columns(thread), i = s.at(this.from);

				if (i < s.n && s.startOf(i) < this.to)
					return { trace, thread, i };
			}
		return null;
	},
	step(by) {
		if (!this.selected) {
			this.select(this.firstSeen());
			return;
		}
		const { trace, thread, i } = this.selected, s = trace.columns(thread), { start, end } = corun.wholeOf(this.selected);
		/* Beyond the whole of a wait, not to its next time-out. */
		const next = trace.waitAt(thread, s.startOf(i), s.code[i]) ? by > 0 ? s.at(end) : s.at(start) - 1 : i + by;

		this.show({ trace, thread, i: Math.min(Math.max(next, 0), s.n - 1) });
	},
	stepThread(by) {
		if (!this.selected) {
			this.select(this.firstSeen());
			return;
		}
		const { trace, thread, i } = this.selected, s = trace.columns(thread), middle = (s.startOf(i) + s.end[i]) / 2;
		const rows = this.sections.find((section) => section.trace === trace).rows.filter((r) => r.type === "thread");
		const next = rows[rows.findIndex((r) => r.thread === thread) + by]?.thread, columns = trace.columns(next);

		if (columns?.n)
			this.show({ trace, thread: next, i: Math.min(columns.at(middle), columns.n - 1) });
	},
	/* Select, and bring it into the view. */
	show(selected) {
		const { start, end } = corun.wholeOf(selected);

		if (end < this.from || start > this.to) {
			const length = this.to - this.from;

			this.setView((start + end - length) / 2, (start + end + length) / 2);
		}
		const section = this.sections.find((x) => x.trace === selected.trace);
		const row = section.rows.find((r) => r.thread === selected.thread);

		if (row && (section.y + row.y < this.scroll.scrollTop || section.y + row.y + row.h > this.scroll.scrollTop + this.scroll.clientHeight))
			this.scroll.scrollTop = Math.max(0, section.y + row.y - 60);
		this.select(selected);
	},
	fit() {
		if (this.range) {
			this.setView(this.range.from, this.range.to);
		} else if (this.selected) {
			const { start, end } = corun.wholeOf(this.selected);

			this.setView(start - (end - start) / 2, end + (end - start) / 2);
		} else {
			this.setView(0, this.longest);
		}
	},
	/* What is selected becomes the range, with figures of its own; without a selection, what is seen. */
	mark() {
		const { start, end } = this.selected ? corun.wholeOf(this.selected) : { start: this.from, end: this.to };

		this.setRange({ from: start, to: end });
	},

	/* ---- search ---- */

	find(text) {
		const wanted = text.trim().toLowerCase();

		this.found = [];
		for (const trace of wanted ? this.traces : []) {
			const objects = new Set(trace.objects.flatMap((o, i) => o.toLowerCase().includes(wanted) ? [i + 1] : []));
			const codes = new Set(trace.codes.filter((code) => [this.painters.get(trace).label(code), trace.kinds[code - corun.WAIT]?.name ?? ""]
				.some((name) => name.toLowerCase() === wanted)));

			for (const [thread, s] of [...trace.spans_of, ...[...trace.tasks_of].map(([id, spans]) => [~id, spans])])
				this.findIn(trace, thread, s, wanted, objects, codes);
		}
		this.foundAt = -1;
		this.status.textContent = wanted ? this.words.found(this.found.length) : "";
	},
	findIn(trace, thread, s, wanted, objects, codes) {
		const named = trace.name(thread).toLowerCase().includes(wanted) || String(trace.names[thread]?.tid) === wanted ||
			trace.task_by.get(~thread)?.site?.toLowerCase().includes(wanted);

		for (let i = 0; i < s.n && this.found.length < 10000; i++)
			if ((named && !i) || codes.has(s.code[i]) || (s.code[i] >= corun.WAIT && objects.has(s.a[i])))
				this.found.push({ trace, thread, i });
	},
	nextFound() {
		if (!this.found?.length)
			return;
		this.foundAt = (this.foundAt + 1) % this.found.length;
		this.status.textContent = this.words.outOf(this.foundAt + 1, this.found.length);
		this.show(this.found[this.foundAt]);
	},

	/* ---- language, help, copy ---- */

	setLanguage(korean) {
		this.korean = korean;
		this.build();
	},
	help() {
		const e = corun.element, w = this.words, dialog = e("dialog", { "aria-label": w.helpTitle, onclick: (event) => event.target === dialog && dialog.close(),
			onclose: () => dialog.remove() }, e("h2", {}, w.helpTitle), e("dl", {}, ...w.helpRows.flatMap(([key, text]) =>
			[e("dt", {}, key), e("dd", {}, text)])), e("h3", {}, w.legend), this.legend(), e("button", { onclick: () => dialog.close() }, w.close));

		document.body.append(dialog);
		dialog.showModal();
	},
	async copy(text) {
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			/* A page from file:// may not, in some browsers: the old way. */
			const area = corun.element("textarea", { style: "position:fixed;opacity:0" });

			area.value = text;
			document.body.append(area);
			area.select();
			document.execCommand("copy");
			area.remove();
		}
		this.status.textContent = this.words.copied;
	},

	/* ---- links: #t=from,to&sel=trace.thread.span&range=from,to ---- */

	writeLink() {
		const sel = this.selected ? `&sel=${this.traces.indexOf(this.selected.trace)}.${this.selected.thread}.${this.selected.i}` : "";
		const range = this.range ? `&range=${Math.round(this.range.from)},${Math.round(this.range.to)}` : "";

		/* Once a while: browsers slow down who writes hundreds a second. */
		clearTimeout(this.linkTimer);
		this.linkTimer = setTimeout(() => {
			try {
				history.replaceState(null, "", `#t=${Math.round(this.from)},${Math.round(this.to)}${sel}${range}`);
			} catch {
				/* A page without an origin may not: then there is no link. */
			}
		}, 100);
	},
	readLink() {
		const parts = new URLSearchParams(location.hash.slice(1)), times = (name) => (parts.get(name) ?? "").split(",").map(Number);
		const [from, to] = times("t"), [begin, end] = times("range");
		const [trace, thread, i] = (parts.get("sel") ?? "").split(".").map(Number);

		if (to > from && from >= 0 && from < this.longest)
			Object.assign(this, { from, to: Math.min(to, this.longest) });
		this.selected = i >= 0 && this.traces[trace]?.columns(thread)?.n > i ? { trace: this.traces[trace], thread, i } : null;
		this.range = end > begin && begin >= 0 && begin < this.longest ? { from: begin, to: Math.min(end, this.longest) } : null;
	},
});
