// SPDX-License-Identifier: MIT
// Begin: unpack what the page carries, or say why it cannot be shown. A page of corun that is dropped on this
// one is shown instead.
"use strict";
var corun = globalThis.corun ?? (globalThis.corun = {});

/* What the page @doc carries: {traces, compared, lesson}; null if it is none of corun's. Throws if it was cut. */
corun.read = async function (doc) {
	const all = (name) => [...doc.querySelectorAll(`script.${name}`)];
	const infos = all("trace"), spans = all("spans"), paths = all("path"), traces = [];
	const json = (node) => node && JSON.parse(node.textContent);

	if (!spans.length)
		return null;
	if (infos.length !== spans.length || infos.length !== paths.length)
		throw new Error("no data");
	for (let i = 0; i < infos.length; i++)
		traces.push(new corun.Trace(JSON.parse(infos[i].textContent), corun.decode(await corun.unpack(spans[i].textContent)),
			corun.decodePath(await corun.unpack(paths[i].textContent))));
	return { traces, compared: json(all("comparison")[0]), lesson: json(all("lesson")[0]) };
};

corun.show = function ({ traces, compared, lesson }) {
	corun.page?.leave();
	corun.page = new corun.Page(traces, compared, lesson);
	corun.page.build();
};

/* In the language that is spoken now. */
corun.spoken = () => corun.page?.words ?? corun.words[navigator.language.startsWith("ko") ? "ko" : "en"];

/* A file from anywhere: its text is data, and none of it is run. */
corun.drop = async function (file) {
	const app = document.getElementById("app"), words = corun.spoken();
	const say = (text) => app.prepend(corun.element("div.banner.dropped", { role: "alert" }, text));

	app.querySelector(".dropped")?.remove();
	let found;

	try {
		found = await corun.read(new DOMParser().parseFromString(await file.text(), "text/html"));
	} catch {
		say(words.droppedCut(file.name));
		return;
	}
	if (!found) {
		say(words.foreign(file.name));
		return;
	}
	history.replaceState(null, "", "#"); /* the link was into the other one */
	corun.show(found);
};

/* A mistake in the page itself, wherever it was made: what one sees may not be whole, and a banner says so, also in what
 * is saved from then on. The browser's console has it too. */
corun.failed = function (error) {
	if (!error || corun.failure)
		return;
	corun.failure = String(error.message ?? error).slice(0, 200);
	const app = document.getElementById("app"), header = app.querySelector("header");
	const banner = corun.element("div.banner", { role: "alert" }, corun.spoken().failed(corun.failure));

	header ? header.after(banner) : app.prepend(banner);
};

corun.start = async function () {
	const app = document.getElementById("app"), words = corun.spoken();
	const say = (text) => app.replaceChildren(corun.element("div.banner", { role: "alert" }, text));

	if (typeof DecompressionStream === "undefined") {
		say(words.old);
		return;
	}
	addEventListener("error", (event) => corun.failed(event.error));
	addEventListener("unhandledrejection", (event) => corun.failed(event.reason));
	document.addEventListener("dragover", (event) => event.preventDefault());
	document.addEventListener("drop", (event) => {
		event.preventDefault();
		if (event.dataTransfer.files.length)
			corun.drop(event.dataTransfer.files[0]);
	});
	let found;

	try {
		found = await corun.read(document);
		if (!found)
			throw new Error("no data");
	} catch (error) {
		say(`${words.broken} (${error.message})`);
		return;
	}
	corun.show(found);
	requestAnimationFrame(() => requestAnimationFrame(() => { corun.firstPaint = performance.now(); }));
};

if (typeof document !== "undefined")
	corun.start();
