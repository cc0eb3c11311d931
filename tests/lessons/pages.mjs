// SPDX-License-Identifier: MIT
// The course's pages in Chromium, from file://. Prints "ok NAME" or "no NAME: why" for each.
import { readdirSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");
const site = process.argv[2];
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let failed = false;

async function check(name, language, look) {
	const context = await browser.newContext({ locale: language, viewport: { width: 1280, height: 800 } });
	const page = await context.newPage(), wrong = [];

	page.on("pageerror", (error) => wrong.push(error.message));
	page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
	page.on("request", (request) => {
		if (!/^(file|data|blob):/.test(request.url()))
			wrong.push(`asked for ${request.url()}`);
	});
	try {
		await page.goto(pathToFileURL(join(site, name)).href);
		await look(page);
	} catch (error) {
		wrong.push(error.message.split("\n")[0]);
	}
	await context.close();
	failed ||= wrong.length > 0;
	console.log(wrong.length ? `no ${name} (${language}): ${wrong.join("; ")}` : `ok ${name} (${language})`);
}

function assert(condition, text) {
	if (!condition)
		throw new Error(text);
}

async function lesson(page) {
	await page.waitForSelector(".lesson h1, main > p");
	if (!await page.locator(".lesson h1").count())
		return; // no recording: text alone
	const question = await page.locator(".lesson h1").innerText();

	assert(question.length > 10, "no question");
	assert(!await page.locator(".course").count(), "the text shows before the answer");
	await page.keyboard.press("Enter");
	await page.waitForSelector(".course table.claims");
	assert(await page.locator(".lesson h1").innerText() !== question, "no answer");
	assert(await page.locator(".course h2").count() >= 6, "sections are missing");
	assert(await page.locator(".course .outcome1").count() === 0, "a claim does not hold");
	const shown = await page.evaluate(() => [...document.querySelectorAll("script.trace")].map((node) => {
		const { window_ns: length, report } = JSON.parse(node.textContent);

		return [length, report.window.duration_ns];
	}));

	/* So they begin together: the start-up of a program is not in the picture. */
	assert(shown.length > 0 && shown.every(([length, region]) => length === region), `not the region 'work': ${shown}`);
}

const names = readdirSync(site).filter((name) => existsSync(join(site, name, `${name}.html`)));

for (const name of names)
	for (const language of ["en-US", "ko-KR"])
		await check(join(name, `${name}.html`), language, lesson);
await check("index.html", "ko-KR", async (page) => {
	assert(await page.locator(".card").count() === names.length, "a lesson is missing");
	await page.locator("[data-lang=en]").click();
	assert((await page.locator("h1").innerText()).startsWith("What really"), "English does not show");
	await page.locator(".card").first().click();
	await page.waitForSelector("h1");
});
await check("glance.html", "en-US", async (page) => {
	assert(await page.locator("table.glance tr").count() === names.length + 1, "a lesson is missing");
});
await browser.close();
process.exit(failed ? 1 : 0);
