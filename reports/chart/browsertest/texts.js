// Remembers which texts stand on which canvas, and tells which of them cover
// each other or pass the edge.
(() => {
const drawn = new Map(); // texts by canvas
const proto = CanvasRenderingContext2D.prototype, fillText = proto.fillText, clearRect = proto.clearRect;
proto.clearRect = function (x, y, w, h) {
	if (w >= this.canvas.width && h >= this.canvas.height) drawn.set(this.canvas, []);
	return clearRect.call(this, x, y, w, h);
};
proto.fillText = function (text, x, y, ...rest) {
	if (!text.trim()) return;
	if (!drawn.has(this.canvas)) drawn.set(this.canvas, []);
	const m = this.measureText(text);
	drawn.get(this.canvas).push({
		text, left: x - m.actualBoundingBoxLeft, right: x + m.actualBoundingBoxRight,
		top: y - m.actualBoundingBoxAscent, bottom: y + m.actualBoundingBoxDescent,
	});
	return fillText.call(this, text, x, y, ...rest);
};
window.canvasTexts = () => {
	const problems = [];
	let count = 0;
	for (const [canvas, texts] of drawn) {
		if (!canvas.isConnected) continue;
		count += texts.length;
		texts.forEach((a, i) => {
			if (a.left < -1 || a.right > canvas.width + 1 || a.bottom > canvas.height + 1) problems.push(`"${a.text}" passes the edge`);
			for (const b of texts.slice(0, i)) {
				if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) problems.push(`"${a.text}" covers "${b.text}"`);
			}
		});
	}
	return {count, problems};
};
})();
