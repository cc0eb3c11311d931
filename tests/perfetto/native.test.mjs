// SPDX-License-Identifier: MIT
// What only the native format carries: priorities, end states, wakers, call stacks, units, order, descriptions.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { compareNative, corun } from "./compare.mjs";
import { load } from "./trace_processor.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-native-"));
let tp;

test.before(async () => {
	const trace = path.join(folder, "t.txt"), file = path.join(folder, "t.pftrace");

	fs.writeFileSync(trace, `# corun text 1
0.000000000 site id=1 text="take (queue.c:42)\\nwork (app.c:9)\\nmain (app.c:3)"
1.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm="boss"
1.000000000 thread cpu=1 tid=101 tgid=100 flags=snapshot|running comm="worker"
1.000000000 window begin=1
1.000000100 switch cpu=1 prev=101 state=0x1 call=futex lock-kind=mutex lock=0x40 owner=100 wait=owner site=1 prev-prio=110
1.000000300 waking cpu=0 tid=101 waker=100 context=task
1.000000310 switch cpu=1 next=101 next-prio=110
1.000000400 switch cpu=1 prev=101 flags=preempt prev-prio=110
1.000000500 switch cpu=1 next=101 next-prio=110
1.000000600 switch cpu=1 prev=101 state=0x2 call=read fd=file wait=io prev-prio=110
1.000000650 waking cpu=1 tid=101 context=hardirq
1.000000700 switch cpu=1 next=101 next-prio=110
1.000000750 lost cpu=1 count=7 until=1000000800
1.000000900 window
1.000000900 end records=14 lost=7
`);
	execFileSync(corun, ["export", "-f", "perfetto", "-o", file, trace], { stdio: ["ignore", "ignore", "pipe"] });
	tp = await load(file);
});
test.after(() => {
	tp?.close();
	fs.rmSync(folder, { recursive: true });
});

const rows = async (sql) => (await tp.rows(sql)).map((r) => Object.fromEntries(Object.entries(r)
	.map(([k, v]) => [k, typeof v === "bigint" ? Number(v) : v])));

test("priorities and end states of switches", async () => {
	const found = await rows("select s.ts, s.dur, s.end_state e, s.priority p from sched s join thread t using (utid) " +
		"where t.tid = 101 order by s.ts");

	assert.deepEqual(found.slice(0, 3).map((r) => r.e), ["S", "R+", "D"]);
	assert.deepEqual(found.slice(1, 4).map((r) => r.p), [110, 110, 110]);
});

test("wakers", async () => {
	const found = await rows("select s.ts, w.tid waker, s.irq_context irq from thread_state s join thread t using (utid) " +
		"left join thread w on w.utid = s.waker_utid where t.tid = 101 and s.state = 'R' order by s.ts");

	assert.deepEqual(found.map((r) => [r.ts, r.irq]), [[300, 0], [650, 1]]);
	assert.equal(found[0].waker, 100);
});

test("call stacks of waits, the innermost frame first", async () => {
	const [found] = await rows("select c.callsite_id id from __intrinsic_track_event_callstacks c join slice s " +
		"on s.id = c.slice_id where s.category = 'mutex'");
	const names = [];

	for (let id = found.id; id !== null;) {
		const [frame] = await rows("select f.name, c.parent_id parent from stack_profile_callsite c join stack_profile_frame f " +
			`on f.id = c.frame_id where c.id = ${id}`);

		names.push(frame.name);
		id = frame.parent;
	}
	assert.deepEqual(names, ["take (queue.c:42)", "work (app.c:9)", "main (app.c:3)"]);
});

test("counters have a unit, tracks an order and a description", async () => {
	const counters = await rows("select name, unit from counter_track where name in ('running', 'in flight')");

	assert.deepEqual(counters.map((r) => [r.name, r.unit]).sort(), [["in flight", "threads"], ["running", "threads"]]);
	const groups = await rows("select t.name, extract_arg(t.source_arg_set_id, 'sibling_order_rank') as rank, " +
		"extract_arg(t.source_arg_set_id, 'description') as text from track t " +
		"where t.name in ('Concurrency and parallelism', 'Contended locks')");

	assert.deepEqual(groups.map((g) => g.name).sort(), ["Concurrency and parallelism", "Contended locks"]);
	for (const group of groups)
		assert.ok(group.text.length > 40, JSON.stringify(group));
	const rank = Object.fromEntries(groups.map((g) => [g.name, g.rank]));

	assert.ok(rank["Concurrency and parallelism"] < rank["Contended locks"]);
});

test("a lock's holder, and events lost", async () => {
	const held = await rows("select s.name, s.ts, s.dur from slice s where s.category = 'lock'");

	assert.deepEqual(held[0], { name: "held by boss", ts: 100, dur: 200 });
	assert.deepEqual(await rows("select name, ts, dur from slice where category = 'lost'"),
		[{ name: "7 events lost here", ts: 750, dur: 50 }]);
});

/* A sample carries the counters that change at its instant: here ever other ones, more than are kept as groups. */
test("counters of threads that wait in ever other kinds", async () => {
	const kinds = ["call=read fd=pipe", "call=nanosleep", "call=poll nfds=2", "call=pread64 fd=file wait=io", "call=wait4",
		...["mutex", "rwlock", "condition", "semaphore", "barrier", "join", "futex"].map((k, i) =>
			`call=futex lock-kind=${k} lock=0x${i + 1}000`)];
	const threads = Array.from({ length: 24 }, (_, i) => 100 + i), asleep = [], ready = [], lines = [];
	let seed = 1, ts = 0, running = threads.slice(0, 4);

	const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
	const say = (text) => lines.push(`1.${String(ts).padStart(9, "0")} ${text}`);

	for (const tid of threads) {
		const cpu = running.indexOf(tid);

		say(`thread ${cpu < 0 ? "" : `cpu=${cpu} `}tid=${tid} tgid=100 flags=snapshot|${cpu < 0 ? "ready" : "running"} comm="t${tid}"`);
	}
	ready.push(...threads.slice(4));
	say("window begin=1");
	for (let i = 0; i < 6000; i++) {
		const cpu = random(4), tid = running[cpu];

		ts += 1 + random(3);
		if (asleep.length && random(2)) {
			const [woken] = asleep.splice(random(asleep.length), 1);

			say(`waking cpu=${cpu} tid=${woken} waker=${tid} context=task`);
			ready.push(woken);
		} else if (ready.length) {
			running[cpu] = ready.shift();
			asleep.push(tid);
			say(`switch cpu=${cpu} prev=${tid} next=${running[cpu]} state=0x1 ${kinds[random(kinds.length)]}`);
		}
	}
	ts++;
	say("window");
	say(`end records=${lines.length - 1}`);
	const trace = path.join(folder, "kinds.txt");

	fs.writeFileSync(trace, `# corun text 1\n${lines.join("\n")}\n`);
	await compareNative(trace, path.join(folder, "kinds.pftrace"));
});
