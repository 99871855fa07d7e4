package chart

import (
	"encoding/json"
	"math"
	"strconv"
)

// figureData is a figure as the browser draws it: scales, ticks and colours are
// decided here.
type figureData struct {
	ID string `json:"id"`
	// Title names the chart to those who hear it.
	Title string `json:"title"`
	// Origin of the clock in seconds since 1970, shown as it reads in UTC.
	Origin float64     `json:"origin"`
	Min    float64     `json:"min"`
	Max    float64     `json:"max"`
	Label  string      `json:"label,omitempty"`
	Panels []panelData `json:"panels"`
	Shades []shadeData `json:"shades,omitempty"`
	Events *eventData  `json:"events,omitempty"`
}

type panelData struct {
	Name   string       `json:"name,omitempty"`
	Label  string       `json:"label,omitempty"`
	Unit   string       `json:"unit"`
	Prefix string       `json:"prefix,omitempty"`
	Height float64      `json:"height"`
	Log    bool         `json:"log,omitempty"`
	Min    number       `json:"min"`
	Max    number       `json:"max"`
	Ticks  []tickData   `json:"ticks"`
	Empty  string       `json:"empty"`
	Series []seriesData `json:"series"`
	Rules  []ruleData   `json:"rules,omitempty"`
}

type tickData struct {
	At    number `json:"at"`
	Label string `json:"label"`
}

type seriesData struct {
	Name  string    `json:"name,omitempty"`
	Kind  string    `json:"kind"`
	Hue   string    `json:"hue"`
	Dash  []float64 `json:"dash,omitempty"`
	Thin  bool      `json:"thin,omitempty"`
	Width float64   `json:"width,omitempty"`
	// X are steps, each since the one before, of 1 ÷ Per seconds.
	X   []int64  `json:"x"`
	Per int64    `json:"per"`
	Y   []number `json:"y"`
	Low []number `json:"low,omitempty"`
}

type ruleData struct {
	Name     string    `json:"name,omitempty"`
	At       number    `json:"at"`
	To       *number   `json:"to,omitempty"`
	Vertical bool      `json:"vertical,omitempty"`
	Hue      string    `json:"hue"`
	Dash     []float64 `json:"dash,omitempty"`
}

type shadeData struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Hue  string  `json:"hue,omitempty"`
}

// number is written with five digits, as null where it has no value.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	x := float64(n)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	const largest = 1e300 // rounding what is larger may pass what a number can be
	x = min(max(x, -largest), largest)
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 5, 64), 64)
	return strconv.AppendFloat(nil, rounded, 'g', -1, 64), nil
}

var (
	kindNames = [...]string{Line: "line", Step: "step", Area: "area", Bars: "bars", Points: "points"}
	unitNames = [...]string{Number: "number", Count: "count", Share: "share", Seconds: "seconds"}
)

// Data returns what the browser draws a live chart of, as JSON.
func (c *Chart) Data() ([]byte, error) {
	f := c.Figure
	low, high := f.X.bounds(f.xExtent(), false)
	d := figureData{
		ID: c.ID, Title: c.Title, Origin: float64(f.X.Origin.Unix()), Min: low, Max: high, Label: f.X.Label, Panels: []panelData{},
	}
	for _, s := range f.Shades {
		if !(s.From < s.To && s.From < high && s.To > low) {
			continue
		}
		h := shadeData{Name: s.Name, From: max(s.From, low), To: min(s.To, high)}
		if s.Hue != Ink {
			h.Hue = tones[s.Hue].name
		}
		d.Shades = append(d.Shades, h)
	}
	for i := range f.Panels {
		d.Panels = append(d.Panels, f.Panels[i].data(len(f.Panels)))
	}
	if c.Events != nil && len(c.Events.List) > 0 {
		d.Events = c.Events.data()
	}
	return json.Marshal(d)
}

func (p *Panel) data(panels int) panelData {
	scale, ticks := p.yScale(panels)
	d := panelData{
		Name: p.Name, Label: p.Y.Label, Unit: unitNames[p.Y.Unit], Prefix: p.Y.Prefix, Height: p.height(panels),
		Log: scale.log, Min: number(scale.min), Max: number(scale.max), Ticks: []tickData{}, Empty: p.empty(), Series: []seriesData{},
	}
	for _, t := range ticks {
		d.Ticks = append(d.Ticks, tickData{number(t.at), t.label})
	}
	for _, s := range p.thinned() {
		d.Series = append(d.Series, s.data())
	}
	for _, r := range p.Rules {
		x := ruleData{Name: r.Name, At: number(r.At), Vertical: r.Vertical, Hue: tones[r.Hue].name, Dash: r.Dash.lengths()}
		if r.band() {
			to := number(r.To)
			x.To = &to
		}
		d.Rules = append(d.Rules, x)
	}
	return d
}

func (s *Series) data() seriesData {
	d := seriesData{
		Name: s.Name, Kind: kindNames[s.Kind], Hue: tones[s.Hue].name, Dash: s.Dash.lengths(), Thin: s.Thin, Width: s.Width,
		Per: 1, X: []int64{}, Y: []number{},
	}
	for _, x := range s.X {
		if x != math.Trunc(x) && !math.IsNaN(x) {
			d.Per = 1000
		}
	}
	before := int64(0)
	for i, x := range s.X {
		if math.IsNaN(x) || math.Abs(x) > clockMax { // no place
			continue
		}
		at := int64(math.Round(x * float64(d.Per)))
		d.X = append(d.X, at-before)
		before = at
		d.Y = append(d.Y, number(s.Y[i]))
		if i < len(s.Low) {
			d.Low = append(d.Low, number(s.Low[i]))
		}
	}
	return d
}
