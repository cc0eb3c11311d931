// SPDX-License-Identifier: MIT
// Names that a process can choose are any bytes: they come through every format, and break none.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { corun } from "./compare.mjs";
import { load } from "./trace_processor.mjs";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "corun-names-"));

test.after(() => fs.rmSync(folder, { recursive: true }));

/* As the text form of a trace writes them. */
const hostile = {
	quotes: String.raw`\"'\\`, control: String.raw`\x01\x1b[31m\x7f\n\t`, script: "</script><!--",
	"invalid UTF-8": String.raw`\xc3(\xed\xa0\x80`, "16 bytes of 0xff": String.raw`\xff`.repeat(16),
	"right to left": String.raw`\xe2\x80\xae\xd7\x90cod.exe`, json: String.raw`},{\"ph\":\"X\"`, astral: "😀 한국어",
};

/* What a reader sees: U+FFFD for each byte that is no UTF-8. */
function shown(text) {
	const bytes = [];

	for (let i = 0; i < text.length;) {
		const escape = /^\\(x..|.)/.exec(text.slice(i));

		if (!escape) {
			const c = String.fromCodePoint(text.codePointAt(i));

			bytes.push(...Buffer.from(c));
			i += c.length;
			continue;
		}
		bytes.push(escape[1][0] === "x" && escape[1].length === 3 ? parseInt(escape[1].slice(1), 16) :
			({ n: 10, t: 9 }[escape[1]] ?? escape[1].charCodeAt(0)));
		i += escape[0].length;
	}
	return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function write(file, name) {
	fs.writeFileSync(file, `# corun text 1
0.000000000 meta key="command" value="${name}"
1.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm="main" cmdline="${name}"
1.000000000 thread cpu=1 tid=101 tgid=100 flags=snapshot|running comm="worker"
1.000000000 window begin=1
1.000000000 name tid=101 name="${name}"
1.000000010 desc id=0x9 kind=file name="${name}"
1.000000020 region cpu=0 tid=100 begin=1 name="${name}"
1.000000100 switch cpu=1 prev=101 state=0x2 call=read wait=io fd=file desc=0x9
1.000000200 waking cpu=0 tid=101 waker=100 context=task
1.000000200 switch cpu=1 next=101
1.000000300 region cpu=0 tid=100 begin=0 name="${name}"
1.000000400 window
1.000000400 end records=12
`);
}

function convert(trace, format, ...options) {
	const file = path.join(folder, `t.${format}`);

	execFileSync(corun, ["export", "-f", format, ...options, "-o", file, trace], { stdio: ["ignore", "ignore", "pipe"] });
	return file;
}

for (const [what, name] of Object.entries(hostile)) {
	test(what, async () => {
		const trace = path.join(folder, "t.txt"), want = shown(name), texts = {};

		write(trace, name);
		for (const options of [[], ["--compat"]]) {
			const text = fs.readFileSync(convert(trace, "chrome", ...options), "utf8"), json = JSON.parse(text);

			assert.ok(!text.includes("</script"));
			assert.ok(json.traceEvents.some((e) => e.name === "thread_name" && e.args.name === want));
			assert.ok(json.traceEvents.some((e) => e.ph === "X" && e.args?.on === want));
			assert.ok(json.traceEvents.some((e) => e.cat === "region" && e.name === want));
			assert.equal(json.corun.command, want);
		}
		const rows = fs.readFileSync(convert(trace, "ndjson"), "utf8").trim().split("\n").map(JSON.parse);

		assert.ok(rows.some((r) => r.table === "thread" && r.name === want));
		const page = fs.readFileSync(convert(trace, "html"), "utf8");
		const [, data] = /class="trace">([^]*?)<\/script>/.exec(page);

		assert.ok(JSON.parse(data).names.some((t) => t.name === want));
		const tp = await load(convert(trace, "perfetto"));

		try {
			assert.deepEqual(await tp.rows("select name, value from stats where value <> 0 " +
				"and severity in ('error', 'data_loss')"), []);
			for (const [key, sql] of Object.entries({ thread: "thread", slice: "slice", track: "track" }))
				texts[key] = (await tp.rows(`select name from ${sql}`)).map((r) => r.name);
			assert.ok(texts.thread.includes(want), JSON.stringify(texts.thread));
			assert.ok(texts.slice.includes(want) && texts.track.includes(want));
			assert.ok(texts.slice.some((s) => s.endsWith(want) && s !== want));
			assert.deepEqual((await tp.rows("select str_value v from metadata where name = 'cr-corun.command'"))
				.map((r) => r.v), [want]);
		} finally {
			tp.close();
		}
	});
}
