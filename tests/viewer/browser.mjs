// SPDX-License-Identifier: MIT
// Debian's Chromium by playwright-core; pages opened from file://, in which no error and no request may happen.
import { spawnSync } from "node:child_process";

const path = ["chromium", "chromium-browser", "google-chrome"]
	.map((name) => spawnSync("which", [name]).stdout.toString().trim()).find((p) => p);

export async function launch() {
	if (!path)
		throw new Error("Chromium is not installed");
	const { chromium } = await import("playwright-core");

	/* The same letters on every machine: no hinting, no subpixels. */
	return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--font-render-hinting=none", "--disable-lcd-text"] });
}

/* A browser, or why there is none: tests that need it are skipped then, and say so. */
export async function browserOrWhy() {
	try {
		return { browser: await launch(), why: false };
	} catch (error) {
		return { browser: null, why: error.message.split("\n")[0] };
	}
}

/* Opens @file; what must not happen in it is collected in bad. */
export async function openPage(browser, file, { hash = "", ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", ...options });
	const p = await context.newPage(), bad = [];

	p.on("console", (m) => m.type() === "error" && bad.push(m.text()));
	p.on("pageerror", (e) => bad.push(e.message));
	context.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && bad.push(r.url()));
	await p.goto(`file://${file}${hash}`);
	/* Not waitForFunction(), which the page's policy forbids when it has to ask twice. */
	await p.waitForSelector(".lanes, .banner", { state: "attached" });
	await p.waitForTimeout(150);
	return { p, bad, done: () => context.close() };
}
