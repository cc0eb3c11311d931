// SPDX-License-Identifier: MIT
// The viewer's scripts in Node, and a page's data out of it, without a browser.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

export const top = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const program = path.join(top, "build/corun");

for (const name of ["words", "data", "levels", "verdict", "look"])
	vm.runInThisContext(fs.readFileSync(path.join(top, `viewer/${name}.js`), "utf8"));
export const corun = globalThis.corun;

export function page(file, ...traces) {
	execFileSync(program, ["export", "-f", "html", "-o", file, ...traces], { stdio: ["ignore", "ignore", "pipe"] });
	return fs.readFileSync(file, "utf8");
}

export async function traces(html) {
	const all = (cls) => [...html.matchAll(new RegExp(`class="${cls}">([^]*?)</script>`, "g"))].map((m) => m[1]);
	const infos = all("trace").map((text) => JSON.parse(text)), made = [];

	const paths = all("path");

	for (const [i, text] of all("spans").entries())
		made.push(new corun.Trace(infos[i], corun.decode(await corun.unpack(text)), corun.decodePath(await corun.unpack(paths[i]))));
	return made;
}
