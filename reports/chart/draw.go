package chart

import "math"

func (f *Figure) draw(s surface, l *layout) {
	if l.titled {
		s.text(point{8, 20}, titleType, l.title)
	}
	for i := range l.panels {
		p := &l.panels[i]
		l.drawShades(s, p, f.Shades)
		l.drawGrid(s, p, f.X.Scale)
		for _, r := range f.Panels[i].Rules {
			if r.band() {
				l.drawRule(s, p, r)
			}
		}
		drawn := false
		for k := range p.series {
			drawn = l.drawSeries(s, p, &p.series[k]) || drawn
		}
		for _, r := range f.Panels[i].Rules {
			if !r.band() && (drawn || r.Vertical) { // the word for no data would lie on it
				l.drawRule(s, p, r)
			}
		}
		if !drawn {
			middle := labelType
			middle.anchor = 0.5
			s.text(point{(p.box.left + p.box.right) / 2, (p.box.top+p.box.bottom)/2 + 4}, middle, middle.fit(p.empty, p.box.right-p.box.left))
		}
		s.stroke([][]point{{{p.box.left, p.box.bottom}, {p.box.right, p.box.bottom}}}, pen{hue: Grey, width: 1})
		for _, g := range p.legend {
			if g.key != nil {
				g.key(s, rectangle{g.at.x - keyWidth - 6, g.at.y - 9, g.at.x - 6, g.at.y + 1})
			}
			s.text(g.at, g.letter, g.text)
		}
	}
	if f.X.Scale == Clock {
		l.drawCalendar(s)
	} else {
		l.drawTicks(s)
	}
	if l.xLabel != "" {
		end := labelType
		end.anchor = 1
		s.text(point{l.x.b, l.height - 8}, end, labelType.fit(l.xLabel, l.x.b-l.x.a))
	}
}

// drawGrid draws the lines at y ticks with their numbers, and those at x ticks.
func (l *layout) drawGrid(s surface, p *panelLayout, x Scale) {
	number := tickType
	number.anchor = 1
	for _, t := range p.ticks {
		y := p.y.place(t.at)
		line := pen{hue: grid, width: 1}
		if t.at == 0 {
			line.hue = Grey // bars may hang below it
		}
		s.stroke([][]point{{{p.box.left, y}, {p.box.right, y}}}, line)
		s.text(point{p.box.left - 7, y + 3.7}, number, number.fit(t.label, p.box.left-9))
	}
	var lines [][]point
	at := l.calendar.ticks
	if x != Clock {
		for _, t := range l.xTicks {
			at = append(at, t.at)
		}
	}
	for _, v := range at {
		lines = append(lines, []point{{l.x.place(v), p.box.top}, {l.x.place(v), p.box.bottom}})
	}
	s.stroke(lines, pen{hue: grid, width: 1})
}

func (l *layout) drawShades(s surface, p *panelLayout, shades []Shade) {
	for _, h := range shades {
		if !(h.From < h.To && h.From < l.x.max && h.To > l.x.min) {
			continue
		}
		const least = 1.5 // a short time in a long run must not vanish
		from := l.x.place(h.From)
		h.fill(s, rectangle{from, p.box.top, max(l.x.place(h.To), from+least), p.box.bottom})
	}
}

func (h Shade) fill(s surface, r rectangle) {
	if h.Hue == Ink {
		s.fill([][]point{r.polygon()}, shade, 1)
	} else {
		s.fill([][]point{r.polygon()}, h.Hue, bandOpacity)
	}
}

// drawTicks writes the numbers of an x axis.
func (l *layout) drawTicks(s surface) {
	var marks [][]point
	for _, t := range l.xTicks {
		x := l.x.place(t.at)
		marks = append(marks, []point{{x, l.labelTop}, {x, l.labelTop + 4}})
		from, to := l.labelSpan(t)
		middle := tickType
		middle.anchor = 0.5
		s.text(point{(from + to) / 2, l.labelTop + 16}, middle, t.label)
	}
	s.stroke(marks, pen{hue: Grey, width: 1})
}

// drawCalendar writes the labels of a clock axis, and the longer periods they
// lie in below.
func (l *layout) drawCalendar(s surface) {
	c := &l.calendar
	middle := tickType
	middle.anchor = 0.5
	var marks [][]point
	for _, v := range c.ticks {
		marks = append(marks, []point{{l.x.place(v), l.labelTop}, {l.x.place(v), l.labelTop + 4}})
	}
	for _, p := range c.labels {
		if c.points {
			from, to := l.labelSpan(tick{p.from, p.label})
			s.text(point{(from + to) / 2, l.labelTop + 16}, middle, p.label)
			continue
		}
		from, to := l.x.place(p.from), l.x.place(p.to)
		if tickType.width(p.label)+4 <= to-from {
			s.text(point{(from + to) / 2, l.labelTop + 16}, middle, p.label)
		}
	}
	for i, p := range c.above {
		from, to := l.x.place(p.from), l.x.place(p.to)
		if i > 0 {
			marks = append(marks, []point{{from, l.labelTop + axisHeight - 1}, {from, l.labelTop + axisHeight + aboveHeight - 3}})
		}
		for _, label := range []string{p.label, p.short} {
			if tickType.width(label)+6 <= to-from {
				s.text(point{from + 4, l.labelTop + axisHeight + 10}, tickType, label)
				break
			}
		}
	}
	s.stroke(marks, pen{hue: Grey, width: 1})
}

// drawSeries reports whether there was anything to draw.
func (l *layout) drawSeries(s surface, p *panelLayout, series *Series) bool {
	switch series.Kind {
	case Bars:
		return l.drawBars(s, p, series)
	case Area:
		return l.drawArea(s, p, series)
	case Points:
		return l.drawPoints(s, p, series)
	}
	var lines [][]point
	var dots [][]point
	for _, stretch := range unbroken(series.Y) {
		var line []point
		for i := stretch.from; i < stretch.to; i++ {
			at := point{l.x.place(series.X[i]), p.y.place(series.Y[i])}
			if series.Kind == Step && len(line) > 0 {
				line = append(line, point{at.x, line[len(line)-1].y})
			}
			line = append(line, at)
		}
		if len(line) == 1 {
			dots = append(dots, disc(line[0], 2))
			continue
		}
		lines = append(lines, line)
	}
	s.stroke(lines, series.pen())
	s.fill(dots, series.Hue, 1)
	return len(lines)+len(dots) > 0
}

func (s *Series) pen() pen {
	if s.Thin {
		return pen{s.Hue, 0.8, s.Dash}
	}
	return pen{s.Hue, 1.6, s.Dash}
}

const (
	areaOpacity = 0.3
	barOpacity  = 0.9
)

func (l *layout) drawArea(s surface, p *panelLayout, series *Series) bool {
	var fills [][]point
	for _, stretch := range unbroken(series.Y) {
		var up, down []point
		for i := stretch.from; i < stretch.to; i++ {
			x := l.x.place(series.X[i])
			high, low := p.y.place(series.Y[i]), p.y.place(series.low(i))
			if i > stretch.from {
				up = append(up, point{x, up[len(up)-1].y})
				down = append(down, point{x, down[len(down)-1].y})
			}
			up, down = append(up, point{x, high}), append(down, point{x, low})
		}
		for i := len(down) - 1; i >= 0; i-- {
			up = append(up, down[i])
		}
		fills = append(fills, up)
	}
	s.fill(fills, series.Hue, areaOpacity)
	return len(fills) > 0
}

func (l *layout) drawBars(s surface, p *panelLayout, series *Series) bool {
	var bars [][]point
	for i, y := range series.Y {
		low := series.low(i)
		if math.IsNaN(y) || math.IsNaN(low) {
			continue
		}
		from, to := l.x.place(series.X[i]), l.x.place(series.X[i]+series.Width)
		switch width := to - from; {
		case width > 6:
			to -= 1.5
		case width > 2:
			to -= 0.5
		case width < 0.8:
			to = from + 0.8
		}
		if a, b := p.y.place(low), p.y.place(y); a != b {
			bars = append(bars, rectangle{from, min(a, b), to, max(a, b)}.polygon())
		}
	}
	s.fill(bars, series.Hue, barOpacity)
	return len(series.Y) > 0
}

func (s *Series) low(i int) float64 {
	if i < len(s.Low) {
		return s.Low[i]
	}
	return 0
}

func (l *layout) drawPoints(s surface, p *panelLayout, series *Series) bool {
	var crosses [][]point
	for i, y := range series.Y {
		if !math.IsNaN(y) {
			crosses = append(crosses, cross(point{l.x.place(series.X[i]), p.y.place(y)}, 4)...)
		}
	}
	s.stroke(crosses, pen{hue: series.Hue, width: 2})
	return len(crosses) > 0
}

func (r *Rule) band() bool { return r.To != 0 && !math.IsNaN(r.To) && r.To != r.At }

func (l *layout) drawRule(s surface, p *panelLayout, r Rule) {
	if math.IsNaN(r.At) {
		return
	}
	box := p.box
	if r.band() {
		if r.Vertical {
			box.left, box.right = l.x.place(min(r.At, r.To)), l.x.place(max(r.At, r.To))
		} else {
			box.top, box.bottom = p.y.place(max(r.At, r.To)), p.y.place(min(r.At, r.To))
		}
		s.fill([][]point{box.polygon()}, r.Hue, bandOpacity)
		return
	}
	line := []point{{box.left, p.y.place(r.At)}, {box.right, p.y.place(r.At)}}
	if r.Vertical {
		line = []point{{l.x.place(r.At), box.top}, {l.x.place(r.At), box.bottom}}
	}
	s.stroke([][]point{line}, pen{r.Hue, 1.3, r.Dash})
}

const bandOpacity = 0.18

// key draws a sample of the series.
func (s *Series) key(to surface, at rectangle) {
	middle := (at.top + at.bottom) / 2
	switch s.Kind {
	case Bars:
		to.fill([][]point{rectangle{at.left + 5, at.top, at.right - 5, at.bottom}.polygon()}, s.Hue, barOpacity)
	case Area:
		to.fill([][]point{at.polygon()}, s.Hue, areaOpacity)
	case Points:
		to.stroke(cross(point{(at.left + at.right) / 2, middle}, 4), pen{hue: s.Hue, width: 2})
	default:
		to.stroke([][]point{{{at.left, middle}, {at.right, middle}}}, s.pen())
	}
}

// key draws a sample of the rule.
func (r Rule) key(to surface, at rectangle) {
	if r.band() {
		to.fill([][]point{at.polygon()}, r.Hue, bandOpacity)
		return
	}
	middle := (at.top + at.bottom) / 2
	to.stroke([][]point{{{at.left, middle}, {at.right, middle}}}, pen{r.Hue, 1.3, r.Dash})
}

// disc returns a polygon that looks like a disc, and cross two lines.
func disc(at point, radius float64) []point {
	var p []point
	for i := range 8 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 4)
		p = append(p, point{at.x + radius*cos, at.y + radius*sin})
	}
	return p
}

func cross(at point, arm float64) [][]point {
	return [][]point{
		{{at.x - arm, at.y - arm}, {at.x + arm, at.y + arm}},
		{{at.x - arm, at.y + arm}, {at.x + arm, at.y - arm}},
	}
}

// stretch is a row of points without NaN.
type stretch struct{ from, to int }

func unbroken(y []float64) []stretch {
	var list []stretch
	for i := 0; i < len(y); i++ {
		if math.IsNaN(y[i]) {
			continue
		}
		from := i
		for i < len(y) && !math.IsNaN(y[i]) {
			i++
		}
		list = append(list, stretch{from, i})
	}
	return list
}
