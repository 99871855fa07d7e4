package chart

import (
	"io"
	"math"
)

// Tornado is a row of bars for each of several causes, from none to what they
// move a number by: down one way, up the other, the largest on top. The zero
// Tornado is an empty drawing.
type Tornado struct {
	Title string
	// XLabel names what is moved and its unit; X writes its numbers.
	XLabel string
	X      Unit
	// Down and Up name the two ends of each row.
	Down, Up string
	Rows     []TornadoRow
}

// TornadoRow is one cause.
type TornadoRow struct {
	// Name of the cause, Note beside it (its value, for instance).
	Name, Note string
	Down, Up   End
}

// End is what one end of a row moves the number by.
type End struct {
	// By is NaN where nobody knows.
	By float64
	// Text stands at the bar's end. Marked bars carry a frame.
	Text   string
	Marked bool
}

const (
	tornadoRow = 36
	tornadoBar = 13
)

var (
	downHue, upHue = Orange, Blue
	endType        = lettering{size: 10.5}
)

// tornadoLayout is where everything of a tornado goes.
type tornadoLayout struct {
	top, bottom, height float64
	x                   scale
	ticks               []tick
}

func (t *Tornado) layout(titled bool) tornadoLayout {
	l := tornadoLayout{top: 8}
	if titled {
		l.top = titleHeight
	}
	l.top += rowHeight + 6
	left, ends := 40.0, 0.0
	var e extent
	e.see(0)
	for i := range t.Rows {
		r := &t.Rows[i]
		left = max(left, math.Ceil(max(nameType.width(r.Name), tickType.width(r.Note)))+14)
		ends = max(ends, endType.width(r.Down.Text), endType.width(r.Up.Text))
		e.see(r.Down.By)
		e.see(r.Up.By)
	}
	left = min(left, figureWidth/3)
	low, high := (&Axis{}).bounds(e, true)
	// room for the texts at the bars' ends
	const share = 0.2
	room := min((ends+16)/(figureWidth-marginRight-left), share)
	span := (high - low) / (1 - 2*room)
	l.x = scale{min: low - room*span, max: high + room*span, a: left, b: figureWidth - marginRight}
	l.bottom = l.top + float64(len(t.Rows))*tornadoRow
	l.height = l.bottom + axisHeight + captionRow + 4
	axis := Axis{Unit: t.X}
	at := layout{x: l.x, width: figureWidth}
	l.ticks = axis.ticks(l.x.min, l.x.max, at.labelsFit)
	return l
}

func (t *Tornado) draw(s surface, titled bool) {
	l := t.layout(titled)
	if titled {
		s.text(point{8, 20}, titleType, titleType.fit(t.Title, figureWidth-2*marginRight))
	}
	key := l.x.a
	for _, k := range []struct {
		name string
		hue  Hue
	}{{t.Down, downHue}, {t.Up, upHue}} {
		if k.name == "" {
			continue
		}
		s.fill([][]point{rectangle{key, l.top - 19, key + 12, l.top - 9}.polygon()}, k.hue, barOpacity)
		s.text(point{key + 18, l.top - 10}, legendType, k.name)
		key += 18 + legendType.width(k.name) + legendGap
	}
	middle := tickType
	middle.anchor = 0.5
	var lines [][]point
	for _, m := range l.ticks {
		x := l.x.place(m.at)
		lines = append(lines, []point{{x, l.top}, {x, l.bottom}})
		s.text(point{x, l.bottom + 16}, middle, m.label)
	}
	s.stroke(lines, pen{hue: grid, width: 1})
	for i := range t.Rows {
		t.Rows[i].draw(s, l, l.top+float64(i)*tornadoRow)
	}
	if len(t.Rows) == 0 {
		word := labelType
		word.anchor = 0.5
		s.text(point{(l.x.a + l.x.b) / 2, l.bottom - 4}, word, "no data")
	}
	zero := l.x.place(0)
	s.stroke([][]point{{{zero, l.top}, {zero, l.bottom}}}, pen{hue: Grey, width: 1})
	s.stroke([][]point{{{l.x.a, l.bottom}, {l.x.b, l.bottom}}}, pen{hue: Grey, width: 1})
	end := labelType
	end.anchor = 1
	s.text(point{l.x.b, l.height - 8}, end, labelType.fit(t.XLabel, l.x.b-l.x.a))
}

func (r *TornadoRow) draw(s surface, l tornadoLayout, top float64) {
	right := nameType
	right.anchor = 1
	note := tickType
	note.anchor = 1
	s.text(point{l.x.a - 8, top + tornadoRow/2 - 2}, right, right.fit(r.Name, l.x.a-10))
	s.text(point{l.x.a - 8, top + tornadoRow/2 + 11}, note, note.fit(r.Note, l.x.a-10))
	zero := l.x.place(0)
	for i, e := range []End{r.Down, r.Up} {
		if math.IsNaN(e.By) {
			continue
		}
		y := top + 4 + float64(i)*(tornadoBar+2)
		x := l.x.place(e.By)
		box := rectangle{min(zero, x), y, max(zero, x), y + tornadoBar}
		hue := [...]Hue{downHue, upHue}[i]
		if box.right > box.left {
			s.fill([][]point{box.polygon()}, hue, barOpacity)
		}
		if e.Marked {
			s.stroke([][]point{append(box.polygon(), point{box.left, box.top})}, pen{hue: Vermillion, width: 1.5})
		}
		word, at := endType, box.right+5
		if e.By < 0 {
			word.anchor, at = 1, box.left-5
		}
		s.text(point{at, y + tornadoBar - 3}, word, e.Text)
	}
}

// SVG writes the tornado as a file of its own, on white.
func (t *Tornado) SVG(w io.Writer) error { return t.svg(w, false) }

// EmbedSVG writes the tornado as an element of an HTML page, as that of a Figure.
func (t *Tornado) EmbedSVG(w io.Writer) error { return t.svg(w, true) }

func (t *Tornado) svg(w io.Writer, embedded bool) error {
	return svgFile(w, t.Title, figureWidth, t.layout(!embedded).height, embedded, func(s surface) { t.draw(s, !embedded) })
}

// PNG writes the tornado as an image on white, two dots to the pixel.
func (t *Tornado) PNG(w io.Writer) error {
	return pngFile(w, figureWidth, t.layout(true).height, func(s surface) { t.draw(s, true) })
}

// PDF writes the tornado as a page of its own size, on white.
func (t *Tornado) PDF(w io.Writer) error {
	return pdfFile(w, figureWidth, t.layout(true).height, func(s surface) { t.draw(s, true) })
}
