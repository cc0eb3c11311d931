// SPDX-License-Identifier: MIT
// What the user does with a page: every key, click, drag and touch, and what is seen for it. No request, no error.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { browserOrWhy, openPage } from "./browser.mjs";
import { page as write, program, top } from "./load.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-user-")), file = path.join(folder, "demo.html"), { browser, why } = await browserOrWhy();
const threads = path.join(top, "samples/demo/threads.corun"), report = JSON.parse(execFileSync(program, ["report", "--json", threads]));

write(file, threads);
test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

/* A test of the page; @f does things, then nothing bad may have happened. */
function userTest(name, f, options = {}) {
	test(name, { skip: why }, async () => {
		const { p, bad, done } = await openPage(browser, options.file ?? file, options);

		await f(p);
		assert.deepEqual(bad, []);
		await done();
	});
}

const view = (p) => p.evaluate(() => [corun.page.from, corun.page.to]);
const selected = (p) => p.evaluate(() => corun.page.selected && { thread: corun.page.selected.thread, i: corun.page.selected.i });
/* The wait for the GIL of several turns that is longest: where to click it, and its numbers. */
const longWait = (p, thread) => p.evaluate((who) => {
	const { page } = corun, [trace] = page.traces, id = trace.threads.find((t) => trace.name(t) === who);
	const wait = trace.waitsOf(id).filter((w) => w.length < 3e7).sort((a, b) => b.length - a.length)[0];

	page.setView(wait.start - 1.5e7, wait.start + wait.length + 1.5e7);
	page.paint();
	const row = page.sections[0].rows.find((r) => r.thread === id);

	return { x: page.xOf(wait.start + wait.length / 2), y: row.y + row.bar - 3, wait, thread: id, releaser: trace.name(wait.releaser - 1) };
}, thread);

userTest("W S A D F zoom, pan and fit; at the pointer", async (p) => {
	const whole = await view(p);

	await p.hover(".lanes", { position: { x: 172 + 10, y: 300 } });
	await p.keyboard.press("w");
	const zoomed = await view(p);

	assert.ok(Math.abs((zoomed[1] - zoomed[0]) / (whole[1] - whole[0]) - 0.8) < 1e-6);
	assert.ok(zoomed[0] < whole[1] * 0.01, "what is under the pointer stays there");
	await p.keyboard.press("d");
	assert.ok((await view(p))[0] > zoomed[0]);
	await p.keyboard.press("a");
	await p.keyboard.press("s");
	await p.keyboard.press("f");
	assert.deepEqual(await view(p), whole);
	/* The wheel: with Ctrl it zooms, with Shift it pans; alone it scrolls the lanes. */
	await p.keyboard.down("Control");
	await p.mouse.wheel(0, -100);
	await p.keyboard.up("Control");
	await p.waitForTimeout(50);
	const wheeled = await view(p);

	assert.ok(wheeled[1] - wheeled[0] < whole[1] - whole[0]);
	await p.keyboard.down("Shift");
	await p.mouse.wheel(0, 100);
	await p.keyboard.up("Shift");
	await p.waitForTimeout(50);
	assert.ok((await view(p))[0] > wheeled[0]);
	/* Dragging pans. */
	const before = await view(p);

	await p.mouse.move(800, 400);
	await p.mouse.down();
	await p.mouse.move(600, 400, { steps: 4 });
	await p.mouse.up();
	assert.ok((await view(p))[0] > before[0]);
	assert.equal(await selected(p), null, "a drag selects nothing");
});

userTest("a click on a wait: the whole of it, who released it, who held it meanwhile, who woke whom", async (p) => {
	const { x, y, wait, thread, releaser } = await longWait(p, "worker-4");

	await p.click(".lanes", { position: { x, y } });
	assert.equal((await selected(p)).thread, thread);
	assert.match(await p.textContent(".selection h2"), /^worker-4 waited [\d.]+ ms for the GIL$/);
	const rows = Object.fromEntries(await p.$$eval(".selection .row", (all) => all.map((r) => [...r.children].map((c) => c.textContent))));

	assert.deepEqual(Object.keys(rows).slice(0, 4), ["at", "of that", "released by", "ran after"]);
	assert.equal(rows.at, `${(wait.start / 1e6).toFixed(3)} ms, until ${((wait.start + wait.length) / 1e6).toFixed(3)} ms`);
	assert.ok(rows["released by"].startsWith(releaser), `${rows["released by"]} ${releaser}`);
	assert.match(rows["of that"], /^blocked [\d.]+ ms, ready /);
	/* The holders' pieces and the gaps between them are the wait. */
	const holders = await p.$$eval(".holders div", (all) => all.map((h) => Number(/, (\d+) ns/.exec(h.title)[1])));
	const between = await p.textContent(".holders ~ p");

	assert.ok(holders.length > 0 && holders.reduce((sum, ns) => sum + ns, 0) <= wait.length);
	assert.match(between, /^and .+ between: the whole wait\.$/);
	assert.ok((await p.$$(".chain li")).length > 1);
	/* In the picture: the frame, the holders' frames, the arrow with its label. */
	const painted = await p.evaluate(() => {
		const texts = [], c = corun.page.context, fillText = c.fillText.bind(c);
		let frames = 0;
		const strokeRect = c.strokeRect.bind(c);

		c.fillText = (text, ...rest) => { texts.push(text); fillText(text, ...rest); };
		c.strokeRect = (...rest) => { frames += c.lineWidth > 1; strokeRect(...rest); };
		corun.page.paint();
		return { texts, frames };
	});

	assert.ok(painted.texts.includes(`released by ${releaser}`), painted.texts.join());
	assert.ok(painted.frames >= 2, "the wait, and whoever held the GIL");
	/* A click on a link of the chain goes there; Copy has nanoseconds; esc lets go. */
	await p.click(".chain li:nth-child(2) button");
	assert.notEqual((await selected(p)).thread, thread);
	await p.click("text=Copy");
	await p.waitForSelector(".status:has-text(\"Copied\")"); /* the clipboard answers when it likes */
	await p.click(".selection h3 >> text=esc");
	assert.equal(await selected(p), null);
});

userTest("hovering shows the title with nanoseconds, and arrows from waker to woken and holder to waiter", async (p) => {
	const { x, y, wait } = await longWait(p, "worker-2");

	await p.hover(".lanes", { position: { x, y } });
	assert.match(await p.getAttribute(".lanes", "title"), new RegExp(`waited .* for the GIL\\n${wait.length} ns`));
	const link = await p.evaluate(() => corun.page.link(corun.page.hovered));

	assert.equal(link.from, wait.releaser - 1);
	assert.equal(link.at, wait.start + wait.length);
	assert.equal(await selected(p), null);
	await p.hover("h1");
	assert.equal(await p.getAttribute(".lanes", "title"), null);
});

userTest("arrows go from slice to slice and from thread to thread; M marks, F fits, Escape lets go", async (p) => {
	const { x, y, wait, thread } = await longWait(p, "worker-2");

	await p.click(".lanes", { position: { x, y } });
	await p.keyboard.press("ArrowRight");
	const next = await p.evaluate(() => corun.page.traces[0].columns(corun.page.selected.thread).startOf(corun.page.selected.i));

	assert.equal(next, wait.start + wait.length, "a wait of many turns is left in one step");
	await p.keyboard.press("ArrowLeft");
	assert.equal((await p.evaluate(() => corun.wholeOf(corun.page.selected))).end, wait.start + wait.length);
	await p.keyboard.press("ArrowDown");
	assert.match(await p.textContent(".selection h2"), /worker-3/);
	await p.keyboard.press("ArrowUp");
	assert.equal((await selected(p)).thread, thread);
	await p.click(".lanes", { position: { x, y } });
	await p.keyboard.press("m");
	assert.deepEqual(await p.evaluate(() => corun.page.range), { from: wait.start, to: wait.start + wait.length });
	await p.keyboard.press("f");
	assert.deepEqual((await view(p)).map(Math.round), [wait.start, wait.start + wait.length]);
	await p.keyboard.press("Escape");
	assert.equal(await p.$(".panel section"), null);
});

userTest("a range has its own sentence, shares, verdict and hand-offs; a link keeps it", async (p) => {
	const box = await (await p.$(".axis")).boundingBox();

	await p.mouse.move(box.x + 500, box.y + box.height - 10);
	await p.mouse.down();
	await p.mouse.move(box.x + 800, box.y + box.height - 10, { steps: 3 });
	await p.mouse.up();
	const { from, to } = await p.evaluate(() => corun.page.range);

	assert.match(await p.textContent(".range h2"), /^\d\.\d\d in flight, \d\.\d\d running: concurrent, not parallel\.$/);
	assert.equal(await p.textContent(".range .why"), "The GIL let one thread run at a time.");
	const shares = await p.$$eval(".range .share b", (all) => all.map((b) => parseFloat(b.textContent)));

	assert.ok(Math.abs(shares.reduce((sum, n) => sum + n, 0) - 100) < 0.3, shares.join());
	assert.match(await p.textContent(".range"), /hand-offs\d+, one every/);
	/* And what the report says of the phases that it lies in. */
	const phases = report.phases.filter((f) => f.begin_ns < to && f.begin_ns + f.duration_ns > from);
	const said = await p.$$eval(".phase", (all) => all.map((node) => node.textContent));

	assert.equal(said.length, Math.min(phases.length, 3));
	said.forEach((text, i) => assert.ok(text.includes(phases[i].verdict.text.split("\n")[0]), text));
	await p.waitForTimeout(150);
	const hash = await p.evaluate(() => location.hash);

	assert.match(hash, /^#t=\d+,\d+&range=\d+,\d+$/);
	const again = await openPage(browser, file, { hash });

	assert.equal(await again.p.textContent(".range h2"), await p.textContent(".range h2"));
	await again.done();
	/* A click on the axis lets go of it; the overview is for going somewhere. */
	await p.mouse.click(box.x + 600, box.y + box.height - 10);
	assert.equal(await p.$(".range"), null);
	await p.keyboard.press("w");
	await p.mouse.click(box.x + 900, box.y + 12);
	assert.ok((await view(p))[1] > report.window.duration_ns * 0.7);
});

userTest("a link opens where it was made, and writes itself", async (p) => {
	assert.deepEqual(await p.evaluate(() => [corun.page.from, corun.page.to, corun.page.selected.i]), [3e8, 4e8, 3]);
	await p.evaluate(() => { location.hash = "#t=100000000,200000000"; });
	await p.waitForTimeout(50);
	assert.deepEqual(await view(p), [1e8, 2e8]);
	const row = await p.evaluate(() => corun.page.sections[0].rows.find((r) => r.type === "thread"));

	await p.click(".lanes", { position: { x: 700, y: row.y + row.bar - 1 } });
	await p.waitForTimeout(200);
	assert.match(await p.evaluate(() => location.hash), /^#t=100000000,200000000&sel=0\.\d+\.\d+$/);
}, { hash: "#t=300000000,400000000&sel=0.0.3" });

userTest("wrong links do no harm", async (p) => {
	assert.deepEqual(await view(p), [0, report.window.duration_ns]);
	assert.equal(await selected(p), null);
}, { hash: "#t=9e99,-4&sel=7.x.%00&range=5,1" });

userTest("/ searches by thread, lock, call and text; Enter goes from find to find", async (p) => {
	for (const [text, title] of [["worker-3", /worker-3/], ["gil", /GIL/], ["futex", /waited/], ["0x", /waited/], ["join", /thread's end/]]) {
		await p.keyboard.press("/");
		await p.fill("input[type=search]", text);
		assert.match(await p.textContent(".status"), /^[1-9]\d* found$/, text);
		await p.keyboard.press("Enter");
		assert.match(await p.textContent(".selection h2"), title, text);
		assert.match(await p.textContent(".status"), /^1 of \d+$/);
		await p.keyboard.press("Escape");
	}
	await p.fill("input[type=search]", "no such thing");
	assert.equal(await p.textContent(".status"), "0 found");
});

userTest("lanes of CPUs, locks and the critical path lead to the thread that was there", async (p) => {
	for (const type of ["cpu", "holder", "path"]) {
		const { x, y, thread } = await p.evaluate((t) => {
			const row = corun.page.sections[0].rows.filter((r) => r.type === t).sort((a, b) => b.pieces.n - a.pieces.n)[0], s = row.pieces;
			let longest = -1;

			for (let i = 0; i < s.n; i++)
				if (s.a[i] && (longest < 0 || s.end[i] - s.startOf(i) > s.end[longest] - s.startOf(longest)))
					longest = i;
			return { x: corun.page.xOf((s.startOf(longest) + s.end[longest]) / 2), y: row.y + 8, thread: s.a[longest] - 1 };
		}, type);

		await p.click(".lanes", { position: { x, y } });
		assert.equal((await selected(p)).thread, thread, type);
	}
});

userTest("nothing is drawn outside of the plot, wherever one looks", async (p) => {
	const out = await p.evaluate(() => {
		const { page } = corun, c = page.context, wrong = [], fillRect = c.fillRect.bind(c), right = page.plot.x + page.plot.width;

		c.fillRect = (x, y, w, h) => {
			const family = Object.values(corun.families).some(([light]) => light.toLowerCase() === String(c.fillStyle).toLowerCase());

			if (family && (w < 0 || x < page.plot.x - 0.01 || x + w > right + 0.01))
				wrong.push([x, w]);
			fillRect(x, y, w, h);
		};
		for (const [from, to] of [[0, 1e7], [2e7, 3e7], [4e8, 4.1e8], [8.9e8, 9.01e8]]) {
			page.setView(from, to);
			page.paint();
		}
		return wrong;
	});

	assert.deepEqual(out, []);
});

userTest("a process folds its threads away", async (p) => {
	const rows = () => p.evaluate(() => corun.page.sections[0].rows.filter((r) => r.type === "thread").length);
	const row = await p.evaluate(() => corun.page.sections[0].rows.find((r) => r.type === "process")), before = await rows();

	await p.click(".lanes", { position: { x: 60, y: row.y + 12 } });
	assert.equal(await rows(), 0);
	await p.click(".lanes", { position: { x: 60, y: row.y + 12 } });
	assert.equal(await rows(), before);
});

userTest("language, theme, help", async (p) => {
	await p.click("text=한국어");
	assert.equal(await p.textContent("h1"), report.verdict.text_ko.split("\n")[0]);
	assert.equal(await p.textContent(".proven"), `실행 중은 ${report.parallelism.mean.toFixed(1)}개`);
	assert.equal(await p.evaluate(() => document.documentElement.lang), "ko");
	await p.click("text=◐");
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "dark");
	await p.click("text=EN");
	await p.keyboard.press("?");
	assert.match(await p.textContent("dialog"), /zoom at the pointer.*waiting for the GIL/s);
	await p.keyboard.press("w");
	assert.equal((await view(p))[0], 0, "keys are the dialog's while it is open");
	await p.keyboard.press("Escape");
	await p.waitForSelector("dialog", { state: "detached" });
});

userTest("the browser's language and theme are the page's", async (p) => {
	assert.equal(await p.evaluate(() => document.documentElement.lang), "ko");
	assert.equal(await p.evaluate(() => document.documentElement.dataset.theme), "dark");
}, { locale: "ko-KR", colorScheme: "dark" });

/* Fingers, as the browser itself makes pointer events of them. */
async function fingers(p) {
	const cdp = await p.context().newCDPSession(p), box = await (await p.$(".lanes")).boundingBox();

	return (type, ...xs) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: xs.map((x, id) => ({ x: box.x + x, y: box.y + 330 + 20 * id, id })) });
}

userTest("fingers: tap selects, drag pans, two pinch, one that rests begins a range", async (p) => {
	const touch = await fingers(p), whole = await view(p);

	await touch("touchStart", 500);
	await touch("touchEnd");
	await p.waitForTimeout(50);
	assert.ok(await selected(p), "a tap selects");
	/* What was under the two fingers stays under them. */
	const at = (x) => p.evaluate((px) => corun.page.timeAt(px), x), [left, right] = [await at(400), await at(600)];

	await touch("touchStart", 400, 600);
	await touch("touchMove", 350, 650);
	await touch("touchMove", 300, 700);
	await touch("touchEnd");
	assert.ok(Math.abs(await at(300) - left) < 1e6 && Math.abs(await at(700) - right) < 1e6);
	const zoomed = await view(p);

	assert.ok(Math.abs((zoomed[1] - zoomed[0]) / (whole[1] - whole[0]) - 0.5) < 0.02);
	await touch("touchStart", 700);
	for (const x of [680, 640, 600])
		await touch("touchMove", x);
	await touch("touchEnd");
	assert.ok((await view(p))[0] > zoomed[0], "a drag pans");
	const panned = await view(p);

	await touch("touchStart", 400);
	await p.waitForTimeout(600);
	await touch("touchMove", 450);
	await touch("touchMove", 520);
	await touch("touchEnd");
	assert.match(await p.textContent(".range h2"), /in flight/);
	assert.deepEqual(await view(p), panned, "and does not pan");
	const small = await p.$$eval("header button, header summary", (all) => all.map((b) => b.getBoundingClientRect()).filter((r) => r.height < 44).length);

	assert.equal(small, 0, "targets for fingers");
}, { hasTouch: true, isMobile: true, viewport: { width: 1024, height: 768 } });

userTest("reduced motion: cooks jump, otherwise they walk", async (p) => {
	const walks = async () => {
		await p.evaluate(() => { corun.page.play.open(); });
		return p.evaluate(() => {
			let n = 0;
			const animate = Element.prototype.animate;

			Element.prototype.animate = function (...rest) { n++; return animate.apply(this, rest); };
			for (let i = 0; i < 60; i++)
				corun.page.play.step(1);
			Element.prototype.animate = animate;
			return n;
		});
	};

	assert.ok(await walks() > 0);
	await p.emulateMedia({ reducedMotion: "reduce" });
	assert.equal(await walks(), 0);
});

/* Anything, anywhere, in any order: what a mistake throws is an error of the page, which fails the test. */
const storm = (p) => p.evaluate(() => {
	const { page } = corun;
	let x = 1, painted = 0;
	const next = () => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return (x >>> 0) / 4294967296;
	};
	const one = (list) => list[Math.floor(next() * list.length)], time = () => next() * page.longest;
	const lane = (trace) => one([...trace.threads, ...[...trace.tasks_of.keys()].map((id) => ~id)]);
	const acts = [
		() => page.setView(time(), time()),
		() => { const from = time(); page.setView(from, from + page.longest ** next()); },
		() => { const trace = one(page.traces), thread = lane(trace), s = trace.columns(thread); page.show({ trace, thread, i: Math.floor(next() * s.n) }); },
		() => page.select(page.hit(next() * page.canvas.clientWidth, next() * page.canvas.clientHeight)),
		() => page.setHovered(page.hit(next() * page.canvas.clientWidth, next() * page.canvas.clientHeight)),
		() => page.setRange(next() < 0.2 ? null : { from: Math.min(time(), page.longest / 2), to: page.longest * (0.5 + next() / 2) }),
		() => page.step(one([-1, 1])), () => page.stepThread(one([-1, 1])), () => page.zoom(one([0.01, 0.8, 1.25, 50])), () => page.pan(next() - 0.5),
		() => page.fit(), () => page.mark(),
		() => { page.find(one(["gil", "worker", "ready", "0x", "sleep", ""])); page.nextFound(); },
		() => { const { trace, rows } = one(page.sections), row = one(rows); row.key && page.fold(trace, row); },
		() => { page.play.step(one([-1, 1])); }, () => page.play.jump(time()), () => page.play.close(),
		() => { page.scroll.scrollTop = next() * page.height; },
	];

	for (let n = 0; n < 400; n++) {
		one(acts)();
		page.paint();
		painted++;
		if (n % 100 === 99) {
			page.svg().toString();
			page.dark = !page.dark;
			page.setLanguage(!page.korean);
		}
	}
	return painted;
});

for (const names of [["demo/threads"], ["demo/threads", "demo/processes"], ["sync-async/sync", "sync-async/async"]]) {
	const stormy = path.join(folder, `${names.length}${path.basename(names[0])}.html`);

	write(stormy, ...names.map((name) => path.join(top, `samples/${name}.corun`)));
	userTest(`whatever one does, in any order: ${names.join(", ")}`, async (p) => {
		assert.equal(await storm(p), 400);
		assert.equal(await p.$(".banner"), null);
	}, { file: stormy });
}
