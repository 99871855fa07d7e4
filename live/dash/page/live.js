// Renews the parts of the page, as the server sends them. An element that stays is
// kept, so that what is focused, selected, opened or scrolled stays so, too.
(() => {
"use strict";
const link = document.getElementById("link");
const stream = new EventSource(document.currentScript.dataset.stream);

const key = node => node.nodeType === 1 && (node.dataset.key || node.id) || "";

function patch(now, then) {
	for (const a of [...now.attributes]) if (!then.hasAttribute(a.name) && a.name !== "open") now.removeAttribute(a.name);
	for (const a of then.attributes) if (now.getAttribute(a.name) !== a.value) now.setAttribute(a.name, a.value);
	children(now, then);
}

function children(now, then) {
	const keyed = new Map();
	for (const n of now.children) if (key(n)) keyed.set(key(n), n);
	let at = now.firstChild;
	for (const t of [...then.childNodes]) {
		let n = key(t) ? keyed.get(key(t)) : at && !key(at) ? at : null;
		if (n && (n.nodeType !== t.nodeType || n.nodeName !== t.nodeName)) n = null;
		if (!n) { now.insertBefore(t, at); continue; }
		if (n === at) at = at.nextSibling; else now.insertBefore(n, at);
		if (n.nodeType === 1) patch(n, t);
		else if (n.nodeValue !== t.nodeValue) n.nodeValue = t.nodeValue;
	}
	while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

for (const part of document.querySelectorAll("[data-part]")) {
	stream.addEventListener(part.dataset.part, event => {
		link.textContent = "live";
		const made = document.createElement("template");
		made.innerHTML = event.data; // made by the server, which escapes what others wrote
		children(part, made.content);
	});
}
stream.addEventListener("now", event => {
	link.textContent = "live";
	document.getElementById("now").textContent = event.data;
});
stream.addEventListener("chart", event => {
	const data = JSON.parse(event.data);
	charts.update(data.id, data);
});
stream.onerror = () => {
	link.textContent = stream.readyState === EventSource.CLOSED ? "ended: load the page again" : "connection lost: trying again";
};
})();
