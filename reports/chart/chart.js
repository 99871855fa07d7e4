// Draws the live charts of a page with uPlot. Scales, ticks and colours come
// with the data; here is what needs a reader: crosshair, zoom, theme, search.
var charts = (() => {
"use strict";

const root = document.documentElement;
const all = new Map(); // charts by id

// The time shown and the moment under the crosshair are one for all charts.
const view = {min: 0, max: 1, low: 0, high: 1, at: null};
const zoomLeast = 60; // seconds

// ---- elements and texts

function el(tag, className, ...children) {
	const e = document.createElement(tag);
	if (className) e.className = className;
	e.append(...children);
	return e;
}

function svg(tag, attributes) {
	const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const k in attributes) {
		if (k === "style") e.style.cssText = attributes[k]; // an attribute of that name is what strict policies forbid
		else e.setAttribute(k, attributes[k]);
	}
	return e;
}

const thin = "\u202f"; // parts groups of digits
const grouped = text => {
	const [whole, rest] = text.split(".");
	return whole.replace(/\B(?=(\d{3})+$)/g, thin).replace("-", "−") + (rest ? "." + rest : "");
};

function plain(v) {
	const a = Math.abs(v);
	if (a >= 1000 || v === Math.round(v)) return grouped(v.toFixed(0));
	if (a >= 0.01) return grouped(String(Number(v.toPrecision(4))));
	return String(Number(v.toPrecision(3))).replace("-", "−");
}

function span(s) {
	const a = Math.abs(s), two = (x, big, unit, small) => {
		const n = Math.round(x / small), per = big / small;
		return plain(Math.floor(n / per)) + " " + unit[0] + (n % per ? " " + n % per + " " + unit[1] : "");
	};
	if (s === 0) return "0 s";
	if (a < 1) return plain(s * 1000) + " ms";
	if (a < 60) return Number(s.toFixed(1)) + " s";
	if (a < 3600) return two(s, 60, "ms", 1);
	if (a < 86400) return two(s, 3600, "hm", 60);
	return two(s, 86400, "dh", 3600);
}

const writers = {
	number: plain,
	count: v => v === Math.round(v) ? plain(v) : grouped(v.toFixed(1)),
	share: v => (100 * v).toFixed(1).replace("-", "−") + " %",
	seconds: span,
};
const write = (panel, v) => v == null || Number.isNaN(v) ? "–" : panel.prefix ? panel.prefix + grouped(v.toFixed(2)) : writers[panel.unit](v);

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = n => String(n).padStart(2, "0");
const hours = d => two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
const day = d => days[d.getUTCDay()] + " " + d.getUTCDate() + " " + months[d.getUTCMonth()];
const utc = t => new Date(Math.round(t * 1000));
const moment = t => { const d = utc(t); return day(d) + " " + d.getUTCFullYear() + " " + hours(d); };

// ---- the calendar below a chart

// grains are ways to mark a clock: how often, and what stands at each mark and,
// where it changes, in the line below.
const sub = d => day(d), grains = [];
for (const s of [10, 30]) grains.push({every: s, mark: d => hours(d) + ":" + two(d.getUTCSeconds()), below: sub});
for (const s of [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]) grains.push({every: s, mark: hours, below: sub});
const month = d => months[d.getUTCMonth()] + " " + d.getUTCFullYear(), year = d => String(d.getUTCFullYear());
grains.push({every: 86400, mark: d => days[d.getUTCDay()] + " " + d.getUTCDate(), below: month});
grains.push({every: 172800, mark: d => days[d.getUTCDay()] + " " + d.getUTCDate(), below: month});
grains.push({every: 604800, mark: d => d.getUTCDate() + " " + months[d.getUTCMonth()], below: year});
for (const n of [1, 3]) grains.push({months: n, mark: d => months[d.getUTCMonth()], below: year});
for (const n of [12, 60, 120]) grains.push({months: n, mark: year, below: () => ""});

const edge = 18; // pixels right of a chart's plot

function grainOf(min, max, width) {
	const apart = 64; // pixels between marks
	return grains.find(g => (g.every || g.months * 2.6e6) * width / (max - min) >= apart) || grains[grains.length - 1];
}

function marks(min, max, width) {
	const g = grainOf(min, max, width), list = [];
	if (g.every) {
		const monday = 4 * 86400, offset = g.every === 604800 ? monday : 0;
		for (let t = Math.ceil((min - offset) / g.every) * g.every + offset; t <= max; t += g.every) list.push(t);
		return list;
	}
	const d = utc(min);
	for (let m = Math.floor((d.getUTCFullYear() * 12 + d.getUTCMonth()) / g.months) * g.months; ; m += g.months) {
		const t = Date.UTC(Math.floor(m / 12), m % 12) / 1000;
		if (t > max) return list;
		if (t >= min) list.push(t);
	}
}

function markTexts(list, min, max, width) {
	const g = grainOf(min, max, width), room = 110, place = t => (t - min) / (max - min) * width;
	const below = list.map((t, i) => {
		const text = g.below(utc(t));
		return i && text === g.below(utc(list[i - 1])) ? "" : text;
	});
	const next = below.findIndex((text, i) => i && text);
	if (next > 0 && place(list[next]) - place(list[0]) < room) below[0] = "";
	// what would pass the right edge is left out
	const fits = (text, t) => place(t) + 3.4 * text.length <= width + edge;
	return list.map((t, i) => {
		const mark = g.mark(utc(t));
		return (fits(mark, t) ? mark : "") + (below[i] && fits(below[i], t) ? "\n" + below[i] : "");
	});
}

// ---- colours

const tones = new Map();
function tone(name) {
	if (!tones.has(name)) tones.set(name, getComputedStyle(root).getPropertyValue("--" + name).trim());
	return tones.get(name);
}
const tint = (name, opacity) => tone(name) + Math.round(opacity * 255).toString(16).padStart(2, "0");
const opacity = {area: 0.3, bars: 0.9, band: 0.18};
const axisFont = '12px "Liberation Sans",Arial,Helvetica,sans-serif';

function repaint() {
	tones.clear();
	for (const c of all.values()) for (const p of c.panels) p.u.redraw(false, true);
}

// ---- series

// unpacked returns a series with its places summed up, in seconds of the clock.
function unpacked(s, origin) {
	let x = 0;
	return {...s, x: s.x.map(step => origin + (x += step) / s.per)};
}

// before returns the index of the last x at or before t, -1 without one.
function before(x, t) {
	let lo = 0, hi = x.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (x[mid] <= t) lo = mid + 1; else hi = mid;
	}
	return lo - 1;
}

// said returns what a series says at t.
function said(panel, s, t) {
	let i = before(s.x, t);
	if (i < 0) return "–";
	if (s.kind === "bars" && t >= s.x[i] + s.width) return "–";
	if ((s.kind === "line" || s.kind === "points") && i + 1 < s.x.length && s.x[i + 1] - t < t - s.x[i]) i++;
	const y = s.y[i], low = s.low ? s.low[i] : 0;
	if (y == null) return "–";
	if (s.kind === "bars") return write(panel, y - low);
	if (s.kind === "area" && s.low) return write(panel, low) + " to " + write(panel, y);
	return write(panel, y);
}

// path returns how uPlot draws a series: as lines, steps, areas or bars of the
// points themselves, whatever uPlot's own data are.
function pathOf(panel, s) {
	return u => {
		const stroke = new Path2D(), fill = new Path2D();
		const X = t => Math.round(u.valToPos(t, "x", true) * 10) / 10, Y = v => u.valToPos(panel.scale(v), "y", true);
		const from = Math.max(0, before(s.x, u.scales.x.min) - 1);
		let to = before(s.x, u.scales.x.max) + 2;
		to = Math.min(s.x.length, to);
		const low = i => s.low ? s.low[i] : 0;
		switch (s.kind) {
		case "bars":
			for (let i = from; i < to; i++) {
				if (s.y[i] == null || low(i) == null) continue;
				const a = X(s.x[i]), w = X(s.x[i] + s.width) - a, gap = w > 6 * devicePixelRatio ? 1.5 : w > 2 * devicePixelRatio ? 0.5 : 0;
				const y0 = Y(low(i)), y1 = Y(s.y[i]);
				if (y0 !== y1) fill.rect(a, Math.min(y0, y1), Math.max(w - gap * devicePixelRatio, 0.8), Math.abs(y1 - y0));
			}
			return {stroke: null, fill, clip: null, band: null, gaps: null, flags: 0};
		case "area": {
			for (let i = from; i < to; i++) {
				if (s.y[i] == null) continue;
				let k = i;
				while (k < to && s.y[k] != null) k++;
				fill.moveTo(X(s.x[i]), Y(low(i)));
				for (let j = i; j < k; j++) {
					if (j > i) fill.lineTo(X(s.x[j]), Y(s.y[j - 1]));
					fill.lineTo(X(s.x[j]), Y(s.y[j]));
				}
				for (let j = k - 1; j >= i; j--) {
					fill.lineTo(X(s.x[j]), Y(low(j)));
					if (j > i) fill.lineTo(X(s.x[j]), Y(low(j - 1)));
				}
				fill.closePath();
				i = k;
			}
			return {stroke: null, fill, clip: null, band: null, gaps: null, flags: 0};
		}
		}
		let open = false, y = 0;
		for (let i = from; i < to; i++) {
			if (s.y[i] == null) { open = false; continue; }
			const px = X(s.x[i]), py = Y(s.y[i]);
			if (s.kind === "points") {
				const r = 4 * devicePixelRatio;
				stroke.moveTo(px - r, py - r); stroke.lineTo(px + r, py + r);
				stroke.moveTo(px - r, py + r); stroke.lineTo(px + r, py - r);
				continue;
			}
			if (!open) stroke.moveTo(px, py);
			else {
				if (s.kind === "step") stroke.lineTo(px, y);
				stroke.lineTo(px, py);
			}
			open = true;
			y = py;
		}
		return {stroke, fill: null, clip: null, band: null, gaps: null, flags: 0};
	};
}

// sample is what stands beside a name in a legend.
function sample(kind, hue, dash, isThin) {
	const e = svg("svg", {width: 22, height: 12, "aria-hidden": "true"});
	const color = `var(--${hue})`;
	if (kind === "bars") e.append(svg("rect", {x: 6, y: 1, width: 10, height: 10, style: `fill:${color};fill-opacity:${opacity.bars}`}));
	else if (kind === "area" || kind === "band" || kind === "shade") {
		const o = kind === "shade" && hue === "shade" ? 1 : opacity[kind] || opacity.band;
		e.append(svg("rect", {x: 0.5, y: 0.5, width: 21, height: 11, style: `fill:${color};fill-opacity:${o};stroke:var(--grid)`}));
	} else if (kind === "points") e.append(svg("path", {d: "M7 2l8 8M7 10l8 -8", style: `fill:none;stroke:${color}`, "stroke-width": 2}));
	else {
		const line = svg("line", {x1: 0, x2: 22, y1: 6, y2: 6, style: `stroke:${color}`, "stroke-width": isThin ? 1.2 : 2});
		if (dash) line.setAttribute("stroke-dasharray", dash.join(" "));
		e.append(line);
	}
	return e;
}

// ---- a chart

class Chart {
	constructor(host, data) {
		this.host = host;
		this.set(data);
		new ResizeObserver(() => this.resize()).observe(host);
	}

	// set shows data, in the place of what was shown.
	set(data) {
		for (const p of this.panels || []) p.u.destroy();
		this.data = data;
		this.events = data.events ? unpackedEvents(data.events, data.origin) : null;
		this.host.replaceChildren();
		const list = data.panels.map(p => ({
			...p, rules: p.rules || [], series: p.series.map(s => unpacked(s, data.origin)),
			scale: p.log ? v => Math.log10(Math.max(v, p.min)) : v => v,
		}));
		if (this.events) list.unshift(lanePanel(this.events));
		this.panels = list.map((p, i) => this.build(p, i === 0, i === list.length - 1));
		if (data.label) this.host.append(el("p", "axis-label", data.label));
		if (this.events) {
			this.tip = el("div", "tip");
			this.tip.hidden = true;
			this.host.append(this.tip);
		}
		this.tell();
	}

	get width() { return Math.max(280, Math.floor(this.host.clientWidth)); }

	resize() {
		const w = this.width;
		for (const p of this.panels) if (p.u.width !== w) p.u.setSize({width: w, height: p.total});
		if (view.at != null) queueMicrotask(() => moveTo(view.at));
	}

	build(p, first, last) {
		const legend = el("div", "legend");
		if (p.name) legend.append(el("b", "", p.name));
		if (p.label) legend.append(el("span", "unit", p.label));
		p.said = [];
		p.series.forEach((s, i) => {
			if (!s.name) return;
			const value = el("span", "value");
			const key = el("button", "key", sample(s.kind, s.hue, s.dash, s.thin), s.name, value);
			key.type = "button";
			key.setAttribute("aria-pressed", "true");
			key.title = "hide or show " + s.name;
			key.addEventListener("click", () => {
				const show = key.getAttribute("aria-pressed") !== "true";
				key.setAttribute("aria-pressed", String(show));
				// areas without a name belong to the line of their colour
				p.series.forEach((t, k) => { if (k === i || !t.name && t.hue === s.hue) p.u.setSeries(k + 1, {show}); });
			});
			legend.append(key);
			p.said.push({s, value});
		});
		const named = new Set();
		for (const r of p.rules) if (r.name) legend.append(el("span", "key", sample(r.to == null ? "line" : "band", r.hue, r.dash, true), r.name));
		if (first || this.events && p.first) for (const s of this.data.shades || []) {
			if (named.has(s.name)) continue;
			named.add(s.name);
			legend.append(el("span", "key", sample("shade", s.hue || "shade"), s.name));
		}
		const plot = el("div", "plot");
		this.host.append(legend, plot);
		p.plot = plot;
		p.drawn = p.series.some(s => s.y.some(y => y != null)) || p.lanes;
		if (!p.drawn) plot.append(el("p", "empty", p.empty));
		const bottom = last ? 40 : 8;
		p.total = p.height + bottom + 8;
		p.u = new uPlot(this.options(p, bottom), [[view.low, view.high], ...p.series.map(() => [0, 0])], plot);
		p.u.over.addEventListener("mousemove", e => moveTo(p.u.posToVal(e.offsetX, "x"), p.u));
		p.u.over.addEventListener("mouseleave", () => moveTo(null));
		const name = this.data.title + (p.name ? ", " + p.name : "") + (p.label ? ", " + p.label : "");
		if (first) this.slider(p, name);
		else {
			plot.setAttribute("role", "img");
			plot.setAttribute("aria-label", name);
		}
		return p;
	}

	options(p, bottom) {
		const chart = this;
		const axis = {stroke: () => tone("muted"), font: axisFont, grid: {stroke: () => tone("grid"), width: 1}};
		return {
			width: this.width, height: p.total, legend: {show: false}, padding: [8, edge, 0, 0],
			scales: {
				x: {time: false, range: (u, min, max) => [min, max]},
				y: {range: () => [p.scale(p.min), p.scale(p.max)]},
			},
			axes: [
				{...axis, size: bottom, gap: 4, ticks: {show: bottom > 8, size: 4, width: 1, stroke: () => tone("grey")},
					splits: (u, i, min, max) => marks(min, max, u.bbox.width / devicePixelRatio),
					values: (u, list) => bottom > 8 ? markTexts(list, u.scales.x.min, u.scales.x.max, u.bbox.width / devicePixelRatio) : list.map(() => "")},
				{...axis, size: gutter(), gap: 6, ticks: {show: false},
					grid: {...axis.grid, show: !p.lanes},
					splits: () => p.ticks.map(t => p.scale(t.at)), values: () => p.ticks.map(t => t.label)},
			],
			series: [{}, ...p.series.map(s => ({
				paths: pathOf(p, s), points: {show: false}, dash: (s.dash || []).map(x => x * devicePixelRatio),
				width: s.kind === "points" ? 2 : s.kind === "bars" || s.kind === "area" ? 0 : s.thin ? 0.9 : 1.6,
				stroke: () => tone(s.hue), fill: () => s.kind in opacity ? tint(s.hue, opacity[s.kind]) : null,
			}))],
			cursor: {y: false, points: {show: false}, drag: {x: true, y: false, dist: 4}, bind: {dblclick: () => () => { reset(); return null; }}},
			hooks: {
				drawClear: [u => chart.behind(u, p)],
				draw: [u => chart.before(u, p)],
				setScale: [(u, key) => { if (key === "x") zoomTo(u.scales.x.min, u.scales.x.max); }],
			},
		};
	}

	// behind draws what lies under the series: shades and bands.
	behind(u, p) {
		const {ctx, bbox: b} = u, origin = this.data.origin;
		const box = (x0, x1, y0, y1) => {
			x0 = Math.max(x0, b.left); x1 = Math.min(x1, b.left + b.width);
			if (x1 > x0) ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
		};
		ctx.save();
		for (const s of this.data.shades || []) {
			ctx.fillStyle = s.hue ? tint(s.hue, opacity.band) : tone("shade");
			const x = u.valToPos(origin + s.from, "x", true);
			box(x, Math.max(u.valToPos(origin + s.to, "x", true), x + 1.5), b.top, b.top + b.height);
		}
		for (const r of p.rules) if (r.to != null) {
			ctx.fillStyle = tint(r.hue, opacity.band);
			const at = v => u.valToPos(p.scale(v), "y", true);
			if (r.vertical) box(u.valToPos(origin + r.at, "x", true), u.valToPos(origin + r.to, "x", true), b.top, b.top + b.height);
			else box(b.left, b.left + b.width, at(Math.max(r.at, r.to)), at(Math.min(r.at, r.to)));
		}
		ctx.restore();
	}

	// before draws what lies over the series: rules, the marks of events and the
	// line that bars stand on.
	before(u, p) {
		const {ctx, bbox: b} = u;
		ctx.save();
		ctx.beginPath();
		ctx.rect(b.left, b.top - 1, b.width, b.height + 2);
		ctx.clip();
		const line = (x0, y0, x1, y1, style, width, dash) => {
			ctx.strokeStyle = style;
			ctx.lineWidth = width * devicePixelRatio;
			ctx.setLineDash((dash || []).map(x => x * devicePixelRatio));
			ctx.beginPath(); ctx.moveTo(x0, y0); ctx.lineTo(x1, y1); ctx.stroke();
		};
		if (!p.log && p.min < 0 && p.max > 0) line(b.left, u.valToPos(0, "y", true), b.left + b.width, u.valToPos(0, "y", true), tone("grey"), 1);
		line(b.left, b.top + b.height, b.left + b.width, b.top + b.height, tone("grey"), 1);
		for (const r of p.rules) if (r.to == null && r.at != null && p.drawn) {
			if (r.vertical) { const x = u.valToPos(this.data.origin + r.at, "x", true); line(x, b.top, x, b.top + b.height, tone(r.hue), 1.3, r.dash); }
			else { const y = u.valToPos(p.scale(r.at), "y", true); line(b.left, y, b.left + b.width, y, tone(r.hue), 1.3, r.dash); }
		}
		if (p.lanes) drawLanes(u, p, this.events);
		ctx.restore();
	}

	// slider makes the first panel the place where the keyboard moves the
	// crosshair of all charts.
	slider(p, name) {
		const e = p.plot;
		e.tabIndex = 0;
		e.setAttribute("role", "slider");
		e.setAttribute("aria-label", name + ": crosshair");
		e.setAttribute("aria-valuemin", Math.round(this.data.min));
		e.setAttribute("aria-valuemax", Math.round(this.data.max));
		e.addEventListener("keydown", event => {
			if (event.ctrlKey || event.metaKey || event.altKey) return;
			if (this.key(event.key, event.shiftKey)) event.preventDefault();
		});
	}

	// key does what a key stands for, and reports whether it stands for anything.
	key(key, shift) {
		const wide = view.max - view.min, at = view.at ?? (view.min + view.max) / 2;
		const step = wide / (shift ? 20 : 200);
		switch (key) {
		case "ArrowLeft": case "ArrowDown": this.step(at, -1, step, shift); return true;
		case "ArrowRight": case "ArrowUp": this.step(at, 1, step, shift); return true;
		case "PageDown": this.step(at, -1, wide / 10, true); return true;
		case "PageUp": this.step(at, 1, wide / 10, true); return true;
		case "Home": moveTo(view.min); return true;
		case "End": moveTo(view.max); return true;
		case "+": case "=": zoomBy(0.5, at); return true;
		case "-": case "_": zoomBy(2, at); return true;
		case "0": case "Escape": reset(); return true;
		}
		return false;
	}

	// step moves the crosshair by so many seconds, or to the next event where the
	// chart has events.
	step(at, sign, by, far) {
		if (this.events && !far) {
			const x = this.events.at;
			const i = sign > 0 ? before(x, at) + 1 : before(x, at - 1e-6);
			if (i >= 0 && i < x.length) return moveTo(x[i]);
			return;
		}
		moveTo(Math.min(Math.max(at + sign * by, view.low), view.high));
	}

	// tell shows what the chart says at the crosshair.
	tell(from) {
		const t = view.at;
		const texts = [];
		for (const p of this.panels) for (const {s, value} of p.said) {
			const text = t == null ? "" : said(p, s, t);
			value.textContent = text;
			if (text) texts.push(s.name + " " + text);
		}
		const e = this.panels[0].plot;
		const hit = t == null || !this.events ? -1 : this.nearest(t);
		if (hit >= 0) texts.unshift(this.events.title[hit] + ": " + this.events.text(hit).join("; "));
		e.setAttribute("aria-valuenow", Math.round((t ?? view.min) - this.data.origin));
		e.setAttribute("aria-valuetext", t == null ? "none" : moment(t) + ": " + texts.join(", "));
		if (this.tip) this.showTip(hit, t, from);
	}

	// nearest returns the event within reach of a time, -1 without one.
	nearest(t) {
		const reach = 8 * (view.max - view.min) / (this.panels[0].u.bbox.width / devicePixelRatio);
		const x = this.events.at, i = before(x, t);
		const a = i >= 0 ? t - x[i] : Infinity, b = i + 1 < x.length ? x[i + 1] - t : Infinity;
		if (Math.min(a, b) > reach) return -1;
		return a <= b ? i : i + 1;
	}

	showTip(i, t, from) {
		const own = this.panels.some(p => p.u === from) || this.panels.some(p => p.plot === document.activeElement);
		this.tip.hidden = i < 0 || !own;
		if (this.tip.hidden) return;
		const e = this.events;
		this.tip.replaceChildren(el("b", "", moment(e.at[i]) + ": " + e.title[i]), ...e.text(i).map(s => el("p", "", s)));
		const p = this.panels[0], left = p.plot.offsetLeft + p.u.over.offsetLeft + p.u.valToPos(e.at[i], "x");
		this.tip.style.top = p.plot.offsetTop + p.total + "px";
		this.tip.style.left = Math.min(Math.max(0, left - this.tip.offsetWidth / 2), Math.max(0, this.width - this.tip.offsetWidth)) + "px";
	}
}

// gutter is the room left of all charts, for the longest number of any.
function gutter() {
	let longest = 4;
	for (const d of datas) for (const p of d.panels) for (const t of p.ticks) longest = Math.max(longest, t.label.length);
	for (const d of datas) for (const l of d.events ? d.events.lanes : []) longest = Math.max(longest, l.name.length);
	return Math.max(48, Math.min(16 + 6.5 * longest, 130));
}
const datas = new Set();

// ---- events

function unpackedEvents(e, origin) {
	let x = 0;
	const at = e.at.map(step => origin + (x += step));
	return {
		noun: e.noun, lanes: e.lanes, at, lane: e.lane, title: e.title.map(i => e.titles[i]),
		// text returns the sentences of an event with its numbers in them
		text: i => e.text[i] ? e.text[i].split("|").map(part => {
			const [sentence, numbers] = part.split(":"), list = numbers.split(",");
			let n = 0;
			return e.sentences[sentence].replace(/#/g, () => list[n++]);
		}) : [],
	};
}

// lanePanel is the panel that events are marked in.
function lanePanel(events) {
	const n = events.lanes.length;
	return {
		name: "", label: "", unit: "count", height: 18 * n + 6, min: 0.4, max: n + 0.6, scale: v => v, lanes: events.lanes, series: [], rules: [],
		ticks: events.lanes.map((l, i) => ({at: n - i, label: l.name})), empty: "", first: true,
	};
}

function drawLanes(u, p, events) {
	const {ctx} = u, r = devicePixelRatio, from = before(events.at, u.scales.x.min) + 1, to = before(events.at, u.scales.x.max) + 1;
	const dense = to - from > u.bbox.width / r / 5;
	p.lanes.forEach((lane, k) => {
		ctx.fillStyle = tint(lane.hue, dense ? 0.6 : 1);
		const y = u.valToPos(p.lanes.length - k, "y", true);
		for (let i = from; i < to; i++) {
			if (!(events.lane[i] >> k & 1)) continue;
			const x = u.valToPos(events.at[i], "x", true);
			const w = (dense ? 1 : 2.4) * r, h = 12 * r;
			ctx.fillRect(x - w / 2, y - h / 2, w, h);
		}
	});
}

// table lists a chart's events below it, with a search.
function eventTable(host, chart) {
	const e = chart.events, before = host.querySelector("input");
	for (const old of host.querySelectorAll(":scope > :not(.note)")) old.remove();
	if (!e) return;
	const id = host.dataset.events + "-search", page = 100, plural = host.dataset.noun + "s";
	const search = el("input");
	search.type = "search";
	search.id = id;
	search.value = before ? before.value : "";
	const label = el("label", "", "Search " + plural + " ");
	label.htmlFor = id;
	const found = el("output");
	found.htmlFor = id;
	const body = el("tbody");
	const head = el("tr", "", ...["at", host.dataset.noun, "because"].map(name => { const th = el("th", "", name); th.scope = "col"; return th; }));
	const scroll = el("div", "scroll rows", el("table", "", el("thead", "", head), body));
	scroll.tabIndex = 0;
	scroll.setAttribute("role", "region");
	scroll.setAttribute("aria-label", plural);
	const more = el("button", "more", "Show more");
	more.type = "button";
	host.append(el("p", "search", label, search, " ", found), scroll, more);
	const texts = e.at.map((t, i) => (moment(t) + " " + e.title[i] + " " + e.text(i).join(" ")).toLowerCase());
	let hits = [], shown = 0;
	const grow = () => {
		for (const i of hits.slice(shown, shown + page)) {
			const when = el("button", "when", moment(e.at[i]));
			when.type = "button";
			when.title = "show this moment in the charts";
			when.addEventListener("click", () => {
				const wide = Math.min(view.max - view.min, 6 * 3600);
				zoomTo(e.at[i] - wide / 2, e.at[i] + wide / 2);
				moveTo(e.at[i]);
			});
			body.append(el("tr", "", el("td", "", when), el("td", "", e.title[i]), el("td", "wide", ...e.text(i).flatMap((s, k) => k ? [el("br"), s] : [s]))));
		}
		shown = Math.min(shown + page, hits.length);
		more.hidden = shown >= hits.length;
	};
	const refresh = () => {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		hits = texts.flatMap((text, i) => words.every(w => text.includes(w)) ? [i] : []);
		found.textContent = plain(hits.length) + " of " + plain(texts.length) + " " + plural;
		shown = 0;
		body.replaceChildren();
		grow();
	};
	search.addEventListener("input", refresh);
	more.addEventListener("click", grow);
	refresh();
}

// ---- crosshair and zoom

function moveTo(t, from) {
	view.at = t;
	for (const c of all.values()) {
		for (const p of c.panels) if (p.u !== from) p.u.setCursor(t == null ? {left: -10, top: -10} : {left: p.u.valToPos(t, "x"), top: 1});
		c.tell(from);
	}
}

function zoomTo(min, max) {
	const least = Math.min(zoomLeast, view.high - view.low);
	if (max - min < least) { const mid = (min + max) / 2; min = mid - least / 2; max = mid + least / 2; }
	const wide = Math.min(max - min, view.high - view.low);
	min = Math.min(Math.max(min, view.low), view.high - wide);
	max = min + wide;
	if (min === view.min && max === view.max) return;
	view.min = min;
	view.max = max;
	for (const c of all.values()) for (const p of c.panels) p.u.setScale("x", {min, max});
	// the crosshair stays at its time, once the scales are drawn anew
	if (view.at != null) queueMicrotask(() => moveTo(view.at));
	bar();
}

const zoomBy = (factor, at) => zoomTo(at - (at - view.min) * factor, at + (view.max - at) * factor);
const reset = () => zoomTo(view.low, view.high);

// bar says which time is shown, in the page's element for it, and offers to
// change that.
let shownText, buttons = [];
function makeBar() {
	const host = document.querySelector("[data-timebar]");
	if (!host || !all.size) return;
	host.setAttribute("role", "toolbar");
	host.setAttribute("aria-label", "time shown");
	shownText = el("span", "shown");
	const middle = () => view.at != null && view.at > view.min && view.at < view.max ? view.at : (view.min + view.max) / 2;
	const button = (text, label, act) => {
		const b = el("button", "", text);
		b.type = "button";
		b.setAttribute("aria-label", label);
		b.title = label;
		b.addEventListener("click", act);
		buttons.push(b);
		return b;
	};
	const slide = share => () => { const by = share * (view.max - view.min); zoomTo(view.min + by, view.max + by); };
	host.append(shownText,
		button("◀", "earlier", slide(-0.5)), button("▶", "later", slide(0.5)),
		button("+", "zoom in", () => zoomBy(0.5, middle())), button("−", "zoom out", () => zoomBy(2, middle())),
		button("reset zoom", "reset zoom", reset));
	bar();
}

function bar() {
	if (!shownText) return;
	shownText.textContent = moment(view.min) + " – " + moment(view.max);
	const whole = view.min <= view.low && view.max >= view.high;
	for (const b of buttons) if (b.textContent !== "+") b.disabled = whole;
}

// ---- the page

function theme() {
	const host = document.querySelector("[data-theme-toggle]"), dark = matchMedia("(prefers-color-scheme:dark)");
	const now = () => root.dataset.theme || (dark.matches ? "dark" : "light");
	const say = () => { if (host) host.textContent = now() === "dark" ? "light colours" : "dark colours"; };
	try {
		const kept = localStorage.getItem("theme");
		if (kept === "dark" || kept === "light") root.dataset.theme = kept;
	} catch (e) { /* a page from disk may keep nothing */ }
	if (host) {
		host.hidden = false;
		host.addEventListener("click", () => {
			root.dataset.theme = now() === "dark" ? "light" : "dark";
			try { localStorage.setItem("theme", root.dataset.theme); } catch (e) { /* as above */ }
			say();
			repaint();
		});
	}
	dark.addEventListener("change", () => { say(); repaint(); });
	say();
}

// On paper charts are light and as wide as the sheet, and show the time that the
// reader chose.
const paperWidth = 700; // pixels: what A4 and Letter have room for
function print() {
	let before;
	addEventListener("beforeprint", () => {
		before = {theme: root.dataset.theme};
		root.dataset.theme = "light";
		tones.clear();
		moveTo(null);
		for (const c of all.values()) for (const p of c.panels) p.u.setSize({width: paperWidth, height: p.total});
		repaint();
	});
	addEventListener("afterprint", () => {
		if (!before) return;
		if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
		for (const c of all.values()) c.resize();
		repaint();
	});
}

function read(id) { return JSON.parse(document.getElementById(id + "-data").textContent); }

function widen() {
	let low = Infinity, high = -Infinity;
	for (const d of datas) { low = Math.min(low, d.origin + d.min); high = Math.max(high, d.origin + d.max); }
	const whole = view.min === view.low && view.max === view.high;
	view.low = low;
	view.high = high;
	if (whole) { view.min = low; view.max = high; }
}

// update shows new data in a chart of the page.
function update(id, data) {
	const c = all.get(id);
	if (!c) return;
	datas.delete(c.data);
	datas.add(data);
	widen();
	c.set(data);
	for (const p of c.panels) p.u.setScale("x", {min: view.min, max: view.max});
	for (const host of document.querySelectorAll(`[data-events="${id}"]`)) eventTable(host, c);
	c.tell();
	bar();
}

function start() {
	theme();
	print();
	view.low = view.min = 0;
	view.high = view.max = 0;
	const hosts = [...document.querySelectorAll("[data-chart]")].map(host => ({host, data: read(host.dataset.chart)}));
	for (const {data} of hosts) datas.add(data);
	if (hosts.length) widen();
	for (const {host, data} of hosts) all.set(data.id, new Chart(host, data));
	for (const host of document.querySelectorAll("[data-events]")) {
		const c = all.get(host.dataset.events);
		if (c) eventTable(host, c);
	}
	makeBar();
	root.dataset.drawn = "true";
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", start); else start();

return {update, moveTo: t => moveTo(t), zoomTo, reset, view};
})();
