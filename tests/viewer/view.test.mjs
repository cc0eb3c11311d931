// SPDX-License-Identifier: MIT
// corun view: what it serves, to whom, and how it ends.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import test from "node:test";
import { program, top } from "./load.mjs";

const browserPath = ["chromium", "chromium-browser", "google-chrome"]
	.map((name) => spawnSync("which", [name]).stdout.toString().trim()).find((p) => p);
const { chromium } = await import("playwright-core").catch(() => ({}));
const why = !chromium ? "playwright-core is not installed" : !browserPath ? "Chromium is not installed" : false;

const trace = path.join(top, "samples/demo/threads.corun");

/* A port that nobody uses: tests of several checkouts may run at once. */
async function freePort() {
	const server = net.createServer().listen(0, "127.0.0.1");

	await new Promise((resolve) => server.once("listening", resolve));
	const { port } = server.address();

	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function view(port, options = [], file = trace) {
	const child = spawn(program, ["view", "--no-browser", "--port", String(port), ...options, file]);
	let out = "", err = "";

	child.stderr.on("data", (data) => { err += data; });
	await new Promise((resolve, reject) => {
		child.stdout.on("data", (data) => { out += data; resolve(); });
		child.once("exit", () => reject(new Error(err)));
	});
	return { child, out: () => out, end: () => new Promise((resolve) => {
		child.removeAllListeners("exit");
		child.once("exit", resolve);
		child.kill("SIGINT");
	}) };
}

function get(port, file, headers = {}, method = "GET") {
	return new Promise((resolve, reject) => {
		const request = http.request({ host: "127.0.0.1", port, path: file, headers, method }, (response) => {
			const parts = [];

			response.on("data", (part) => parts.push(part));
			response.on("end", () => resolve({ status: response.statusCode, headers: response.headers,
				body: Buffer.concat(parts) }));
		});

		request.on("error", reject);
		request.end();
	});
}

test("serves the page and the trace, to this machine and the Perfetto UI alone", async () => {
	const port = await freePort(), server = await view(port), ui = "https://ui.perfetto.dev";

	try {
		const page = await get(port, "/");

		assert.equal(page.status, 200);
		assert.match(page.headers["content-type"], /text\/html/);
		assert.ok(page.body.includes("class=\"spans\""));
		assert.equal(page.headers["access-control-allow-origin"], undefined);
		const native = await get(port, "/trace.pftrace", { origin: ui });

		assert.equal(native.status, 200);
		assert.equal(native.headers["access-control-allow-origin"], ui);
		assert.ok(native.body.length > 10000);
		for (const headers of [{ host: `evil.example:${port}` }, { host: "127.0.0.1:1" },
			{ origin: "https://evil.example" }, { origin: "null" }, { origin: `${ui}.evil.example` }])
			assert.equal((await get(port, "/trace.pftrace", headers)).status, 403, JSON.stringify(headers));
		for (const file of ["/x", "/../etc/passwd", "/trace.pftrace/", "//"])
			assert.equal((await get(port, file)).status, 404, file);
		assert.equal((await get(port, "/", {}, "POST")).status, 405);
		assert.equal((await get(port, "/", { host: `localhost:${port}` })).status, 200);
	} finally {
		assert.equal(await server.end(), 0);
	}
});

test("a port in use, and one that is none", async () => {
	const port = await freePort(), server = await view(port);
	const second = spawnSync(program, ["view", "--no-browser", "--port", String(port), trace]);

	assert.equal(second.status, 1);
	assert.match(second.stderr.toString(), /^corun: view: port \d+ is in use; .*\n$/);
	assert.equal(await server.end(), 0);
	assert.equal(spawnSync(program, ["view", "--port", "0", trace]).status, 2);
	assert.equal(spawnSync(program, ["view", "/no/such.corun"]).status, 1);
});

test("the link into the Perfetto UI", async (t) => {
	let server;

	try {
		server = await view(9001);
	} catch (error) {
		t.skip(`port 9001 is in use here: ${error.message.trim()}`);
		return;
	}
	const [page, link] = server.out().trim().split("\n");

	assert.equal(page, "http://127.0.0.1:9001/");
	const [base, query] = link.split("#!/?"), parameters = new URLSearchParams(query);

	assert.equal(base, "https://ui.perfetto.dev/");
	assert.equal(parameters.get("url"), "http://127.0.0.1:9001/trace.pftrace");
	const commands = JSON.parse(parameters.get("startupCommands"));

	assert.deepEqual(commands.map((c) => c.id), ["dev.perfetto.PinTracksByRegex", "dev.perfetto.ExpandTracksByRegex"]);
	for (const command of commands)
		assert.ok(new RegExp(command.args[0]));
	/* Counters of the set, and not those of the processes. */
	const pinned = new RegExp(commands[0].args[0]);

	for (const name of ["running", "in flight", "waiting: GIL"])
		assert.ok(pinned.test(name));
	for (const name of ["threads running", "threads in flight", "python3 12"])
		assert.ok(!pinned.test(name));
	const report = JSON.parse(spawnSync(program, ["report", "--json", trace]).stdout);

	/* Work all the time, and no region: all of it. */
	assert.equal(parameters.get("visStart"), "0");
	assert.equal(parameters.get("visEnd"), String(report.window.duration_ns));
	assert.equal((await get(9001, "/trace.pftrace")).status, 200);
	assert.equal(await server.end(), 0);
});

test("a region that the program marked is what comes into view", async (t) => {
	const file = path.join(top, "tests/golden/regions.txt");
	const { regions } = JSON.parse(spawnSync(program, ["report", "--json", file]).stdout);
	let server;

	try {
		server = await view(9001, [], file);
	} catch (error) {
		t.skip(`port 9001 is in use here: ${error.message.trim()}`);
		return;
	}
	const parameters = new URLSearchParams(server.out().trim().split("\n")[1].split("#!/?")[1]);

	assert.equal(Number(parameters.get("visStart")), Math.min(...regions.map((r) => r.window.begin_ns)));
	assert.ok(Number(parameters.get("visEnd")) > Number(parameters.get("visStart")));
	/* It ends as it should once it serves; before, a signal is a signal. */
	assert.equal((await get(9001, "/")).status, 200);
	assert.equal(await server.end(), 0);
});

test("in a browser: the page shows itself; the Perfetto UI may read the trace, no other page", { skip: why }, async () => {
	const port = await freePort(), server = await view(port), file = `http://127.0.0.1:${port}/trace.pftrace`;
	/* A page in the net that reads from this machine: newer Chromiums ask the user first, and here nobody answers. */
	const browser = await chromium.launch({ executablePath: browserPath,
		args: ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"] });

	try {
		const page = await browser.newPage(), bad = [];

		page.on("console", (m) => m.type() === "error" && bad.push(m.text()));
		page.on("pageerror", (e) => bad.push(e.message));
		await page.goto(`http://127.0.0.1:${port}/`);
		await page.waitForSelector(".lanes", { state: "attached" });
		const report = JSON.parse(spawnSync(program, ["report", "--json", trace]).stdout);

		assert.equal(await page.textContent("h1"), report.verdict.text.split("\n")[0]);
		assert.deepEqual(bad, []);
		/* Pages of other origins, as the browser sees them; what they would do is asked of them. */
		const read = async (origin) => {
			const other = await browser.newPage();

			await other.route(`${origin}/**`, (route) => route.fulfill({ contentType: "text/html", body: "<p>hello" }));
			await other.goto(`${origin}/`);
			const result = await other.evaluate((url) => fetch(url).then(async (r) => (r.ok ? (await r.blob()).size : r.status))
				.catch((e) => e.name), file);

			await other.close();
			return result;
		};
		const size = await read("https://ui.perfetto.dev");

		assert.ok(size > 10000, String(size));
		assert.equal(await read("https://evil.example"), "TypeError");
		/* Not by a name of its own that leads here, either (DNS rebinding). */
		assert.equal((await get(port, "/", { host: "evil.example" })).status, 403);
	} finally {
		await browser.close();
		assert.equal(await server.end(), 0);
	}
});
