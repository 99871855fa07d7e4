package chart

import (
	"math"
	"strings"
)

// Sizes in pixels.
const (
	figureWidth  = 900
	marginRight  = 18
	titleHeight  = 30
	rowHeight    = 17 // of a legend
	legendGap    = 18
	keyWidth     = 22 // of the sample beside a legend
	axisHeight   = 21 // of tick labels below a panel
	aboveHeight  = 16 // of days, months or years below them
	captionRow   = 17
	panelHeight  = 220
	panelShorter = 150
	panelGap     = 12
)

var (
	titleType  = lettering{size: 15, bold: true}
	nameType   = lettering{size: 11.5, bold: true}
	legendType = lettering{size: 11}
	labelType  = lettering{size: 11, hue: muted}
	tickType   = lettering{size: 10.5, hue: muted}
)

// layout is where everything of a figure goes.
type layout struct {
	width, height float64
	title         string
	titled        bool
	x             scale
	panels        []panelLayout
	xTicks        []tick
	calendar      calendar
	labelTop      float64 // where tick labels below the last panel begin
	xLabel        string
}

type panelLayout struct {
	box    rectangle
	y      scale
	ticks  []tick
	series []Series // thinned
	legend []legend
	empty  string
}

// legend is a text above a panel, perhaps with a sample of what it names.
type legend struct {
	at     point // baseline of the text
	text   string
	letter lettering
	key    func(s surface, at rectangle) // nil: text only
}

func (f *Figure) layout(titled bool) *layout {
	l := &layout{width: figureWidth, titled: titled, xLabel: f.X.Label}
	top := 8.0
	if titled {
		l.title = titleType.fit(f.Title, figureWidth-2*marginRight)
		top = titleHeight
	}

	low, high := f.X.bounds(f.xExtent(), false)
	scales := make([]scale, len(f.Panels))
	left := 40.0
	for i := range f.Panels {
		p := &f.Panels[i]
		pl := panelLayout{empty: p.empty()}
		pl.series = p.thinned()
		scales[i], pl.ticks = p.yScale(len(f.Panels))
		for _, t := range pl.ticks {
			left = max(left, math.Ceil(tickType.width(t.label))+14)
		}
		l.panels = append(l.panels, pl)
	}
	left = min(left, figureWidth/3)
	l.x = scale{log: f.X.Scale == Log, min: low, max: high, a: left, b: figureWidth - marginRight}

	for i := range l.panels {
		pl := &l.panels[i]
		var rows int
		pl.legend, rows = f.legends(i, left, top)
		top += float64(rows)*rowHeight + 6
		height := f.Panels[i].height(len(f.Panels))
		pl.box = rectangle{left, top, l.x.b, top + height}
		pl.y = scales[i]
		pl.y.a, pl.y.b = pl.box.bottom, pl.box.top
		top = pl.box.bottom + panelGap
	}
	if len(l.panels) > 0 {
		top -= panelGap
	}
	l.labelTop = top
	l.height = top + axisHeight
	if f.X.Scale == Clock {
		l.calendar = f.X.calendarFor(low, high, l.calendarFits)
		l.height += aboveHeight
	} else {
		l.xTicks = f.X.ticks(low, high, l.labelsFit)
	}
	if l.xLabel != "" {
		l.height += captionRow
	}
	l.height = math.Ceil(l.height + 4)
	return l
}

// empty is what a panel without data says.
func (p *Panel) empty() string {
	if p.Empty == "" {
		return "no data"
	}
	return p.Empty
}

func (p *Panel) height(panels int) float64 {
	switch {
	case p.Height > 0:
		return min(p.Height, 2000)
	case panels > 1:
		return panelShorter
	}
	return panelHeight
}

// thinned returns the panel's series with no more points than can be seen.
// Bars and areas on others stay whole: their edges belong together.
func (p *Panel) thinned() []Series {
	list := make([]Series, len(p.Series))
	for i, s := range p.Series {
		n := min(len(s.X), len(s.Y))
		s.X, s.Y = s.X[:n], whereFinite(s.X[:n], s.Y[:n])
		if s.Kind != Bars && s.Low == nil {
			s.X, s.Y = Thin(s.X, s.Y, PointsMax)
		}
		list[i] = s
	}
	return list
}

// whereFinite returns y, broken where x is no place.
func whereFinite(x, y []float64) []float64 {
	copied := false
	for i, v := range x {
		if (math.IsNaN(v) || math.IsInf(v, 0)) && !math.IsNaN(y[i]) {
			if !copied {
				y, copied = append([]float64(nil), y...), true
			}
			y[i] = math.NaN()
		}
	}
	return y
}

func (f *Figure) xExtent() extent {
	e := extent{positive: f.X.Scale == Log}
	for i := range f.Panels {
		for _, s := range f.Panels[i].Series {
			for k, x := range s.X {
				if k < len(s.Y) && !math.IsNaN(s.Y[k]) {
					e.see(x)
					e.see(x + s.Width)
				}
			}
		}
		for _, r := range f.Panels[i].Rules {
			if r.Vertical {
				e.see(r.At)
			}
		}
	}
	return e
}

// yScale returns the panel's scale, without its pixels, and its ticks.
func (p *Panel) yScale(panels int) (scale, []tick) {
	e := extent{positive: p.Y.Scale == Log}
	for _, s := range p.Series {
		for _, y := range s.Y {
			e.see(y)
		}
		for _, y := range s.Low {
			e.see(y)
		}
	}
	for _, r := range p.Rules {
		if !r.Vertical {
			e.see(r.At)
			if !math.IsNaN(r.To) && r.To != 0 {
				e.see(r.To)
			}
		}
	}
	low, high := p.Y.bounds(e, true)
	height := p.height(panels)
	const labelEvery = 24 // pixels between labels: legible, and not a ladder
	fits := func(marks []tick) bool {
		s := scale{log: p.Y.Scale == Log, min: low, max: high, a: 0, b: height}
		for i := 1; i < len(marks); i++ {
			if math.Abs(s.place(marks[i].at)-s.place(marks[i-1].at)) < labelEvery {
				return false
			}
		}
		return true
	}
	marks := p.Y.ticks(low, high, fits)
	if _, _, fixed := p.Y.fixed(); !fixed && p.Y.Scale != Log {
		// end on ticks, so that the highest value stands below a number; a longer
		// axis may need a longer step
		for step := 0.0; len(marks) > 1 && marks[1].at-marks[0].at > step*(1+1e-9); {
			step = marks[1].at - marks[0].at
			low = min(low, math.Floor(low/step+1e-9)*step)
			high = max(high, math.Ceil(high/step-1e-9)*step)
			marks = p.Y.ticks(low, high, fits)
		}
	}
	return scale{log: p.Y.Scale == Log, min: low, max: high}, marks
}

// labelsFit reports whether tick labels on the x axis keep apart.
func (l *layout) labelsFit(marks []tick) bool {
	end := math.Inf(-1)
	for _, t := range marks {
		from, to := l.labelSpan(t)
		if from < end+12 {
			return false
		}
		end = to
	}
	return true
}

// labelSpan returns where a tick's label on the x axis begins and ends: its
// middle at the tick, but inside the figure.
func (l *layout) labelSpan(t tick) (from, to float64) {
	w := tickType.width(t.label)
	from = min(max(l.x.place(t.at)-w/2, 2), l.width-w-2)
	return from, from + w
}

func (l *layout) calendarFits(c calendar) bool {
	if c.points {
		var marks []tick
		for _, p := range c.labels {
			marks = append(marks, tick{p.from, p.label})
		}
		return l.labelsFit(marks)
	}
	wide := 0 // stretches cut short by the axis may go without a label
	for i, p := range c.labels {
		if tickType.width(p.label)+8 <= l.x.place(p.to)-l.x.place(p.from) {
			wide++
		} else if i > 0 && i < len(c.labels)-1 {
			return false
		}
	}
	return wide > 0
}

// legends returns the texts above panel i from top on, and their rows.
func (f *Figure) legends(i int, left, top float64) (list []legend, rows int) {
	p := &f.Panels[i]
	x, right := 8.0, float64(figureWidth-marginRight)
	rows = 1
	add := func(text string, letter lettering, key func(surface, rectangle)) {
		if text == "" {
			return
		}
		room := 0.0
		if key != nil {
			room = keyWidth + 6
		}
		text = letter.fit(text, right-left-room)
		w := room + letter.width(text)
		if x+w > right && len(list) > 0 {
			rows++
			x = left
		}
		list = append(list, legend{point{x + room, top + float64(rows)*rowHeight - 4}, text, letter, key})
		x += w + legendGap
	}
	add(p.Name, nameType, nil)
	add(p.Y.Label, labelType, nil)
	if len(list) > 0 {
		x = max(x, left)
	}
	for _, s := range p.Series {
		add(s.Name, legendType, s.key)
	}
	for _, r := range p.Rules {
		add(r.Name, legendType, r.key)
	}
	if i == 0 {
		named := map[string]bool{}
		for _, s := range f.Shades {
			if !named[s.Name] {
				named[s.Name] = true
				add(s.Name, legendType, func(to surface, at rectangle) {
					s.fill(to, at)
					to.stroke([][]point{append(at.polygon(), point{at.left, at.top})}, pen{hue: grid, width: 1})
				})
			}
		}
	}
	return list, rows
}

// fit returns the text, cut short with an ellipsis where it is wider than width.
func (l lettering) fit(text string, width float64) string {
	text = strings.Join(strings.Fields(text), " ")
	if l.width(text) <= width {
		return text
	}
	letters := []rune(text)
	if len(letters) > 1000 {
		letters = letters[:1000]
	}
	for len(letters) > 0 && l.width(string(letters)+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}
