// SPDX-License-Identifier: MIT
// Begin: unpack what the page carries, or say why it cannot be shown.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

corun.start = async function () {
	const app = document.getElementById("app"), words = corun.words[navigator.language.startsWith("ko") ? "ko" : "en"];
	const say = (text) => app.replaceChildren(corun.element("div.banner", { role: "alert" }, text));

	if (typeof DecompressionStream === "undefined") {
		say(words.old);
		return;
	}
	try {
		const all = (name) => [...document.querySelectorAll(`script.${name}`)];
		const infos = all("trace"), spans = all("spans"), paths = all("path");

		if (!infos.length || infos.length !== spans.length || infos.length !== paths.length)
			throw new Error("no data");
		const traces = [];

		for (let i = 0; i < infos.length; i++)
			traces.push(new corun.Trace(JSON.parse(infos[i].textContent),
				corun.decode(await corun.unpack(spans[i].textContent)),
				corun.decodePath(await corun.unpack(paths[i].textContent))));
		const compared = document.querySelector("script.comparison");

		const lesson = document.querySelector("script.lesson");

		corun.page = new corun.Page(traces, compared && JSON.parse(compared.textContent),
			lesson && JSON.parse(lesson.textContent));
		corun.page.build();
		requestAnimationFrame(() => requestAnimationFrame(() => { corun.firstPaint = performance.now(); }));
	} catch (error) {
		say(`${words.broken} (${error.message})`);
	}
};

if (typeof document !== "undefined")
	corun.start();
