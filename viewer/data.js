// SPDX-License-Identifier: MIT
// The data of a page (PAGE.md): base64, gzip, variable-length numbers -> columns per thread.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* What a span is: these, then WAIT + wait kind. */
corun.RUNNING = 0;
corun.WOKEN = 1;
corun.PREEMPTED = 2;
corun.STOPPED = 3;
corun.UNKNOWN = 4;
corun.WAIT = 5;

/* Columns that grow. One span is end[i], code[i], and a, b, c: running: a = CPU + 1; ready: a = who
 * woke or preempted it, + 1; waiting: a = object, b = owner + 1, c = waker + 1. */
corun.Columns = class {
	constructor() {
		this.n = 0;
		this.start = 0;
		this.room(64);
	}
	room(cap) {
		const grow = (old, Type) => {
			const column = new Type(cap);

			if (old)
				column.set(old.subarray(0, this.n));
			return column;
		};

		this.end = grow(this.end, Float64Array);
		this.code = grow(this.code, Uint8Array);
		this.a = grow(this.a, Uint32Array);
		this.b = grow(this.b, Uint32Array);
		this.c = grow(this.c, Uint32Array);
		this.cap = cap;
	}
	add(end, code, a, b, c) {
		if (this.n === this.cap)
			this.room(this.cap * 2);
		this.end[this.n] = end;
		this.code[this.n] = code;
		this.a[this.n] = a;
		this.b[this.n] = b;
		this.c[this.n] = c;
		this.n++;
	}
	startOf(i) {
		return i ? this.end[i - 1] : this.start;
	}
	/* The span that holds time t: the first that ends after it; n if there is none. */
	at(t) {
		let low = 0, high = this.n;

		while (low < high) {
			const mid = (low + high) >> 1;

			if (this.end[mid] > t)
				high = mid;
			else
				low = mid + 1;
		}
		return low;
	}
};

/* Index of the first of @intervals ({start, length}, in order of time) that ends after @t. */
corun.firstAfter = function (intervals, t) {
	let low = 0, high = intervals.length;

	while (low < high) {
		const mid = (low + high) >> 1;

		if (intervals[mid].start + intervals[mid].length > t)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
};

/* Who it was, piece after piece: a = thread + 1; 0 where it was nobody, or is not known. */
corun.Pieces = class extends corun.Columns {
	piece(start, end, thread) {
		const last = this.startOf(this.n);

		if (start > last)
			this.add(start, corun.UNKNOWN, 0, 0, 0);
		if (end > last)
			this.add(end, thread < 0 ? corun.UNKNOWN : corun.RUNNING, thread + 1, 0, 0);
	}
};

/* The order of @keys, in which run after run is sorted: run i is [at[i], at[i + 1]). */
corun.merge = function (keys, at) {
	let from = new Uint32Array(keys.length), to = new Uint32Array(keys.length);

	for (let i = 0; i < from.length; i++)
		from[i] = i;
	while (at.length > 2) {
		const next = [0];

		for (let run = 0; run + 1 < at.length; run += 2) {
			const middle = at[run + 1], end = at[run + 2] ?? middle;
			let left = at[run], right = middle;

			for (let i = left; i < end; i++)
				to[i] = right >= end || (left < middle && keys[from[left]] <= keys[from[right]]) ? from[left++] : from[right++];
			next.push(end);
		}
		[from, to, at] = [to, from, next];
	}
	return from;
};

/* bytes -> {threads: Map id -> Columns, tasks: the same, gils: Map object -> [{ts, holder}], locks: [interval],
 * lanes: [Pieces]}. */
corun.decode = function (bytes) {
	const threads = new Map(), tasks = new Map(), gils = new Map(), locks = [], lanes = [];
	let at = 0;
	const number = () => {
		let value = 0, scale = 1;

		for (;;) {
			const byte = bytes[at++];

			if (byte === undefined)
				throw new Error("cut");
			value += (byte & 0x7f) * scale;
			if (byte < 0x80)
				return value;
			scale *= 128;
		}
	};

	while (at < bytes.length) {
		const head = number(), id = Math.floor(head / 8), what = head % 8;

		switch (what) {
		case 0:
		case 4: {
			const columns = new corun.Columns();

			columns.start = number();
			(what ? tasks : threads).set(id, columns);
			break;
		}
		case 1:
		case 5: {
			const columns = (what === 5 ? tasks : threads).get(id), length = number(), code = number();
			const end = columns.startOf(columns.n) + length;

			if (code >= corun.WAIT)
				columns.add(end, code, number(), number(), number());
			else if (code >= corun.STOPPED)
				columns.add(end, code, 0, 0, 0);
			else
				columns.add(end, code, number(), 0, 0);
			break;
		}
		case 2: {
			const object = number(), ts = number(), known = number();

			if (!gils.has(object))
				gils.set(object, []);
			gils.get(object).push({ ts, holder: known ? id : -1 });
			break;
		}
		case 3:
			locks.push({ thread: id, start: number(), length: number(), kind: number(),
				owner: number(), releaser: number(), blocked: number(), turns: number() });
			break;
		case 6: {
			const start = number();

			(lanes[id] ??= new corun.Pieces()).piece(start, start + number(), number() - 1);
			break;
		}
		default:
			throw new Error(`entry ${what}`);
		}
	}
	return { threads, tasks, gils, locks, lanes };
};

/* bytes -> Columns of the critical path, which tiles the window: a = its thread + 1, 0: not known. */
corun.decodePath = function (bytes) {
	const columns = new corun.Columns();
	let at = 0;
	const number = () => {
		let value = 0, scale = 1;

		for (; bytes[at] >= 0x80; scale *= 128)
			value += (bytes[at++] - 0x80) * scale;
		if (at >= bytes.length)
			throw new Error("cut");
		return value + bytes[at++] * scale;
	};

	while (at < bytes.length) {
		const end = columns.startOf(columns.n) + number(), thread = number();

		columns.add(end, number(), thread, 0, 0);
	}
	return columns;
};

corun.unpack = async function (text) {
	const binary = atob(text.trim()), packed = new Uint8Array(binary.length);

	for (let i = 0; i < binary.length; i++)
		packed[i] = binary.charCodeAt(i);
	const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));

	return new Uint8Array(await new Response(stream).arrayBuffer());
};

/* A trace, ready to draw: the JSON of the page with its columns. */
corun.Trace = class {
	constructor(info, spans, path) {
		Object.assign(this, info);
		this.path = path ?? new corun.Columns();
		this.spans_of = spans.threads;
		this.tasks_of = spans.tasks;
		this.task_by = new Map((info.tasks ?? []).map((task) => [task.id, task]));
		this.gils = spans.gils;
		this.held = spans.lanes;
		this.locks = spans.locks;
		this.parkedSet = new Set(info.parked_kinds);
		this.threads = [...spans.threads.keys()].sort((x, y) => x - y);
		this.cpus = this.cpuPieces();
		this.codes = this.usedCodes();
		/* What the stack is of: of tasks where one thread switches between them, for there they say more. */
		const tasks = info.report.tasks?.verdict?.leads ? info.report.tasks : null, { concurrency, parallelism } = tasks ?? info.report;

		this.stacked = { tasks: Boolean(tasks), what: tasks ? "tasks_of" : "spans_of",
			peak: Math.max(1, concurrency.max, parallelism.max) };
	}
	/* A lane is a thread, by its id, or a task, by ~id (which is negative). */
	columns(lane) {
		return lane < 0 ? this.tasks_of.get(~lane) : this.spans_of.get(lane);
	}
	name(lane) {
		return (lane < 0 ? this.task_by.get(~lane) : this.names[lane])?.name ?? "?";
	}
	/* The number that stands for a lane where its name has no room: of threads as they stand one under the other, from
	 * 0; of tasks from 1. */
	number(lane) {
		this.numbers ??= new Map(this.families().flatMap(({ threads }) => threads).map((id, i) => [id, i]));
		return lane < 0 ? ~lane + 1 : this.numbers.get(lane) ?? "?";
	}
	/* Processes with their threads, in the order of the picture: [{process, threads}]. */
	families() {
		const found = [], { names } = this;

		for (const id of this.threads.filter((t) => !names[t]?.outsider).sort((p, q) => names[p].process - names[q].process || p - q)) {
			if (found.at(-1)?.process !== names[id].process)
				found.push({ process: names[id].process, threads: [] });
			found.at(-1).threads.push(id);
		}
		return found;
	}
	/* Lanes of the tasks whose first step was on @thread, in order of their beginning. */
	tasksOn(thread) {
		if (!this.task_lanes) {
			this.task_lanes = new Map();
			for (const task of [...this.task_by.values()].sort((x, y) => x.id - y.id)) {
				if (!this.task_lanes.has(task.thread - 1))
					this.task_lanes.set(task.thread - 1, []);
				this.task_lanes.get(task.thread - 1).push(~task.id);
			}
		}
		return this.task_lanes.get(thread) ?? [];
	}
	/* Waits for locks of a thread that took several turns, in order of time. */
	waitsOf(thread) {
		if (!this.turns) {
			this.turns = new Map();
			for (const wait of this.locks) {
				if (!this.turns.has(wait.thread))
					this.turns.set(wait.thread, []);
				if (wait.turns > 1)
					this.turns.get(wait.thread).push(wait);
			}
			for (const list of this.turns.values())
				list.sort((p, q) => p.start - q.start);
		}
		return this.turns.get(thread) ?? [];
	}
	/* The wait for a lock, of however many turns, that @thread's blocked span of [@start, @end) is part of, or null. */
	lockWait(thread, start, end) {
		return this.locks.find((wait) => wait.thread === thread && wait.start <= start && wait.start + wait.length >= end) ?? null;
	}
	/* The wait of several turns that @thread was in at @t, blocked or between two turns; or null. */
	turnsAt(thread, t) {
		const waits = this.waitsOf(thread), wait = waits[corun.firstAfter(waits, t)];

		return wait?.start <= t ? wait : null;
	}
	/* Of a span that begins at @start: the wait of several turns that it is part of, or null. */
	waitAt(thread, start, code) {
		const wait = code >= corun.WAIT ? this.turnsAt(thread, start) : null;

		return wait && code === corun.WAIT + wait.kind ? wait : null;
	}
	/* The code of a state, or of a kind of wait, as the report calls it. */
	codeOf(name) {
		return { running: corun.RUNNING, ready: corun.WOKEN, stopped: corun.STOPPED, unknown: corun.UNKNOWN }[name] ??
			corun.WAIT + this.kinds.findIndex((kind) => kind.name === name);
	}
	parked(code) {
		return code >= corun.WAIT && this.parkedSet.has(code - corun.WAIT);
	}
	/* In flight: running, ready, or waiting in a kind that is not parked. */
	flight(code) {
		return code <= corun.PREEMPTED || (code >= corun.WAIT && !this.parked(code));
	}
	/* A wait of @lane, of however many turns, that is shorter than --min-wait: counted, not drawn. */
	tooShort(lane, s, i) {
		if (!(this.min_wait_ns > 0) || s.code[i] < corun.WAIT)
			return false;
		return (this.waitAt(lane, s.startOf(i), s.code[i])?.length ?? s.end[i] - s.startOf(i)) < this.min_wait_ns;
	}
	/* Who ran on each CPU: Pieces by its number. */
	cpuPieces() {
		const runs = [], cpus = [];
		let n = 0;

		/* Threads one after the other, each in order of time: then they are merged. */
		for (const s of this.spans_of.values()) {
			runs.push(n);
			for (let i = 0; i < s.n; i++)
				n += s.code[i] === corun.RUNNING && s.a[i] > 0;
		}
		const start = new Float64Array(n), end = new Float64Array(n), who = new Uint32Array(n), cpu = new Uint32Array(n);
		let k = 0;

		for (const [id, s] of this.spans_of)
			for (let i = 0; i < s.n; i++)
				if (s.code[i] === corun.RUNNING && s.a[i]) {
					start[k] = s.startOf(i);
					end[k] = s.end[i];
					who[k] = id;
					cpu[k++] = s.a[i] - 1;
				}
		for (const i of corun.merge(start, [...runs, n]))
			(cpus[cpu[i]] ??= new corun.Pieces()).piece(start[i], end[i], who[i]);
		return cpus;
	}
	usedCodes() {
		const used = new Set();

		for (const all of [this.spans_of, this.tasks_of])
			for (const s of all.values())
				for (let i = 0; i < s.n; i++)
					used.add(s.code[i]);
		return [...used].sort((x, y) => x - y);
	}
};
