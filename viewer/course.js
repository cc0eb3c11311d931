// SPDX-License-Identifier: MIT
// The course's index: both languages are in the page, this shows one.
"use strict";
function show(language) {
	document.documentElement.lang = language;
	for (const button of document.querySelectorAll("[data-lang]"))
		button.setAttribute("aria-pressed", String(button.dataset.lang === language));
}
for (const button of document.querySelectorAll("[data-lang]"))
	button.addEventListener("click", () => show(button.dataset.lang));
show((document.documentElement.lang || navigator.language).startsWith("ko") ? "ko" : "en");
