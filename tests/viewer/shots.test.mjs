// SPDX-License-Identifier: MIT
// Screenshots of recordings that are kept for it against those in shots/, which are half as large. They are compared by the
// mean of each six by six pixels: other hinting or a line moved by half a pixel is not seen there, a colour or a bar is.
// "UPDATE_SHOTS=1 tests/viewer/run shots" writes them anew: look at them before you keep them.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { browserOrWhy, openPage } from "./browser.mjs";
import { program, top } from "./load.mjs";

/* Letters of other widths are another picture: those of Debian, which tests/deps.sh installs, were kept. */
const fonts = ["system-ui", "sans-serif:lang=ko"].map((name) => spawnSync("fc-match", ["-f", "%{family}", name]).stdout?.toString() ?? "").join();
const others = /^DejaVu Sans,.*Nanum ?Gothic/.test(fonts) ? false : `the fonts here are ${fonts}`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-shots-")), { browser, why } = await browserOrWhy();
const kept = path.join(top, "tests/viewer/shots"), failed = path.join(top, "build/viewer-shots");
/* Of 255; and the share of such places that may differ by more. */
const TOLERANCE = 20, MOST = 0.01, MEAN_OF = 6;
const demo = ["threads", "processes"].map((name) => `samples/demo/${name}.corun`), async = ["sync", "async"].map((name) => `tests/viewer/shots/${name}.corun`);
const wide = { width: 1440, height: 900 }, projector = { width: 1024, height: 768 }, light = "light", dark = "dark", en = "en-US", ko = "ko-KR";
const question = { question: { en: "Four cooks (threads) count primes. There are two CPUs. How many times faster than alone?",
	ko: "요리사(스레드) 넷이 소수를 셉니다. CPU는 두 개입니다. 혼자 할 때보다 몇 배 빨라질까요?" },
hint: { en: "Four Python threads, the same amount of work.", ko: "Python 스레드 4개, 일의 양은 모두 같습니다. 먼저 답을 고르세요." },
choices: [{ en: "4 times", ko: "4배" }, { en: "2 times", ko: "2배" }, { en: "the same", ko: "그대로" }, { en: "slower", ko: "더 느려진다" }], answer: 2,
text: { en: "The same. Only one at a time holds the knife.", ko: "그대로입니다. 한 번에 한 명만 칼을 잡습니다." },
more: { en: "There is one knife, and it is the GIL.", ko: "칼은 하나뿐, 그 칼이 GIL입니다." }, view_ns: [4e8, 4.8e8] };

const shots = {
	"one-light-en": { files: demo.slice(0, 1), viewport: wide, colorScheme: light, locale: en },
	"one-dark-ko": { files: demo.slice(0, 1), viewport: projector, colorScheme: dark, locale: ko },
	"selected-light-en": { files: demo.slice(0, 1), viewport: wide, colorScheme: light, locale: en,
		hash: "#t=400000000,480000000&range=445000000,458000000", select: 4.3e8 },
	"two-dark-en": { files: demo, viewport: wide, colorScheme: dark, locale: en },
	"two-light-ko": { files: demo, viewport: projector, colorScheme: light, locale: ko },
	"async-light-en": { files: async, viewport: wide, colorScheme: light, locale: en },
	"question-light-ko": { files: demo.slice(0, 1), viewport: projector, colorScheme: light, locale: ko, lesson: question },
	"answer-light-ko": { files: demo.slice(0, 1), viewport: projector, colorScheme: light, locale: ko, lesson: question, keys: ["3", "Enter"] },
	"play-dark-en": { files: demo.slice(0, 1), viewport: projector, colorScheme: dark, locale: en, lesson: question, keys: ["3", "Enter"], play: 4.2e8 },
	"play-light-ko": { files: demo.slice(0, 1), viewport: wide, colorScheme: light, locale: ko, hash: "#t=400000000,480000000", play: 4.2e8 },
	"lost-light-ko": { files: ["tests/golden/lost.txt"], viewport: projector, colorScheme: light, locale: ko },
};

test.after(async () => {
	await browser?.close();
	fs.rmSync(folder, { recursive: true });
});

const url = (type, data) => `data:image/${type};base64,${data.toString("base64")}`;

/* Half as large, as WebP; and how much of it is not as @before. */
const compare = (blank, now, before) => blank.evaluate(async ([shot, reference, tolerance, apart]) => {
	const pixels = async (source, half, mean) => {
		const image = new Image();

		image.src = source;
		await image.decode();
		const canvas = Object.assign(document.createElement("canvas"), { width: image.width / half, height: image.height / half });
		const c = canvas.getContext("2d");

		c.imageSmoothingQuality = "high";
		c.drawImage(image, 0, 0, canvas.width, canvas.height);
		const small = Object.assign(document.createElement("canvas"), { width: Math.round(canvas.width * 2 / mean),
			height: Math.round(canvas.height * 2 / mean) }), s = small.getContext("2d");

		s.imageSmoothingQuality = "high";
		s.drawImage(canvas, 0, 0, small.width, small.height);
		return { canvas, data: s.getImageData(0, 0, small.width, small.height).data };
	};
	const is = await pixels(shot, 2, apart), webp = is.canvas.toDataURL("image/webp", 0.92);

	if (!reference)
		return { webp, different: 1 };
	const was = await pixels(reference, 1, apart);
	let n = 0;

	if (was.data.length !== is.data.length)
		return { webp, different: 1 };
	for (let i = 0; i < is.data.length; i += 4)
		n += Math.max(...[0, 1, 2].map((k) => Math.abs(is.data[i + k] - was.data[i + k]))) > tolerance;
	return { webp, different: n / (is.data.length / 4) };
}, [url("png", now), before && url("webp", before), TOLERANCE, MEAN_OF]);

/* The longest of the waits, of whatever thread, that there are at @t. */
const selectAt = (p, t) => p.evaluate((at) => {
	const { page } = corun, [trace] = page.traces, waits = trace.threads.map((thread) => ({ trace, thread, i: trace.columns(thread).at(at) }))
		.filter(({ thread, i }) => trace.waitAt(thread, at, trace.columns(thread).code[i]));

	page.select(waits.sort((a, b) => corun.wholeOf(b).wait.length - corun.wholeOf(a).wait.length)[0] ?? null);
}, t);

async function shoot(name, { files, lesson, keys = [], play, select, ...options }) {
	const file = path.join(folder, `${name}.html`), json = path.join(folder, "lesson.json");

	fs.writeFileSync(json, JSON.stringify(lesson ?? {}));
	execFileSync(program, ["export", "-f", "html", ...lesson ? ["--lesson", json] : [], "-o", file, ...files.map((f) => path.join(top, f))]);
	const { p, bad, done } = await openPage(browser, file, { ...options, reducedMotion: "reduce" });

	for (const key of keys)
		await p.keyboard.press(key);
	if (select)
		await selectAt(p, select);
	if (play)
		await p.evaluate((t) => { corun.page.play.open(); corun.page.play.jump(t); }, play);
	await p.waitForTimeout(200);
	const shot = await p.screenshot();

	assert.deepEqual(bad, []);
	await done();
	return shot;
}

for (const [name, what] of Object.entries(shots))
	test(`looks as it did: ${name}`, { skip: why || others }, async () => {
		const shot = await shoot(name, what), reference = path.join(kept, `${name}.webp`), blank = await browser.newPage();
		const before = fs.existsSync(reference) && !process.env.UPDATE_SHOTS ? fs.readFileSync(reference) : null;
		const { webp, different } = await compare(blank, shot, before);

		await blank.close();
		if (process.env.UPDATE_SHOTS) {
			fs.mkdirSync(kept, { recursive: true });
			fs.writeFileSync(reference, Buffer.from(webp.split(",")[1], "base64"));
			return;
		}
		if (different > MOST) {
			fs.mkdirSync(failed, { recursive: true });
			fs.writeFileSync(path.join(failed, `${name}.png`), shot);
		}
		if (process.env.SHOW)
			console.log(name, different);
		assert.ok(different <= MOST, `${(100 * different).toFixed(1)} % of it differs; it is in build/viewer-shots/${name}.png`);
	});
