package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// live is a chart with everything that one can have.
func live() *Chart {
	f := sample()
	f.X.Scale, f.X.Origin = Clock, time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)
	return &Chart{
		ID: "queue", Title: "Queue", Caption: "What waits.", Figure: &f,
		Table:  Table{Note: "Each row is an hour.", Columns: []string{"from", "jobs"}, Rows: [][]string{{"00:00", "3"}}},
		Events: &Events{Noun: "decision", Lanes: []Lane{{"launch", Blue}}, List: []Event{{At: 60, Lanes: []int{0}, Title: "launch 1", Text: []string{"short of 1.5 cores"}}}},
	}
}

// hostile ends elements, attributes, scripts and comments.
const hostile = `</script><script>alert(1)</script>"'><img src=x onerror=alert(2)><!-- ` + "\u2028\x00]]>"

// No text of a chart becomes markup, wherever it stands.
func TestChartEscapes(t *testing.T) {
	c := live()
	c.Title, c.Caption = hostile, hostile
	c.Table = Table{Note: hostile, Columns: []string{hostile}, Rows: [][]string{{hostile}}}
	c.Events.Noun, c.Events.Note, c.Events.Lanes[0].Name = hostile, hostile, hostile
	c.Events.List[0].Title, c.Events.List[0].Text = hostile, []string{hostile}
	p := &c.Figure.Panels[0]
	p.Name, p.Y.Label, p.Empty, c.Figure.X.Label = hostile, hostile, hostile, hostile
	p.Series[0].Name = hostile
	c.Figure.Shades = []Shade{{Name: hostile, From: 0, To: 100}}
	drawn := &Chart{ID: "map", Title: hostile, Drawing: &Tornado{Title: hostile, Rows: []TornadoRow{{Name: hostile, Note: hostile, Up: End{By: 1, Text: hostile}}}}}
	for _, c := range []*Chart{c, drawn} {
		html, err := c.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if text := string(html); strings.Contains(text, "<img") || strings.Contains(text, "<script>") || strings.Contains(text, "<!--") || strings.Count(text, "</script>") > 1 {
			t.Errorf("%s: a text became markup:\n%s", c.ID, text)
		}
	}
}

// The data of a live chart are JSON, whatever the numbers are, and no series has
// more points than a page has room for.
func TestChartData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), -1, 1e300})), 0, 50)
		y, low := numbers.Draw(t, "y"), numbers.Draw(t, "low")
		x := make([]float64, len(y))
		for i := range x {
			x[i] = float64(i) * rapid.SampledFrom([]float64{1, 60, 0.25}).Draw(t, "step")
		}
		c := &Chart{Figure: &Figure{X: Axis{Scale: Clock}, Panels: []Panel{{
			Y:      Axis{Scale: Scale(rapid.IntRange(0, 1).Draw(t, "scale")), Min: low0(low), Max: low0(y)},
			Series: []Series{{X: x, Y: y, Low: low, Kind: Kind(rapid.IntRange(0, 4).Draw(t, "kind"))}},
			Rules:  []Rule{{At: low0(y), To: low0(low)}},
		}}}}
		data, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("no JSON: %s", data)
		}
	})
	c := live()
	s := &c.Figure.Panels[0].Series[0]
	s.X, s.Y, s.Low, s.Kind = nil, nil, nil, Line
	for i := range 100_000 {
		s.X, s.Y = append(s.X, float64(i)), append(s.Y, float64(i%97))
	}
	data, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	var back figureDataBack
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if n := len(back.Panels[0].Series[0].X); n > PointsMax || n < PointsMax/2 {
		t.Errorf("%d points, want about %d", n, PointsMax)
	}
}

type figureDataBack struct {
	Panels []struct {
		Series []struct {
			X []int64 `json:"x"`
		} `json:"series"`
	} `json:"panels"`
}

// low0 is the first number, 0 without any.
func low0(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	return list[0]
}

// Events travel as sentences and numbers, and what is put together again is what
// went out.
func TestSentences(t *testing.T) {
	for _, c := range []struct{ text, words, numbers string }{
		{"short of 19.4 cores in 115 s", "short of # cores in # s", "19.4,115"},
		{"launch 8×c1.xlarge.", "launch #×c#.xlarge.", "8,1"},
		{"nothing", "nothing", ""},
		{"a # of its own 7", "a ＃ of its own 7", ""},
		{"5.", "#.", "5"},
	} {
		words, numbers := sentence(c.text)
		if words != c.words || numbers != c.numbers {
			t.Errorf("%q: %q and %q, want %q and %q", c.text, words, numbers, c.words, c.numbers)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9. ,:|%-]{0,40}`).Draw(t, "text")
		words, numbers := sentence(text)
		for _, n := range strings.Split(numbers, ",") {
			words = strings.Replace(words, "#", n, 1)
		}
		if words != text {
			t.Fatalf("%q came back as %q", text, words)
		}
	})
}

// Where there is no room for all events, those that weigh most stay, in the
// order of time.
func TestEventsFit(t *testing.T) {
	e := &Events{}
	const all = 20_000
	for i := range all {
		e.List = append(e.List, Event{At: float64(i), Weight: float64(i % 10), Text: []string{fmt.Sprintf("short of %d.%d cores in %d s, %d wait", i, i, i, i)}})
	}
	fit := e.Fit()
	if len(fit) == all || len(fit) < 1000 {
		t.Fatalf("%d of %d events fit", len(fit), all)
	}
	least := 10.0
	for i, x := range fit {
		least = min(least, x.Weight)
		if i > 0 && x.At <= fit[i-1].At {
			t.Fatalf("event at %v after %v", x.At, fit[i-1].At)
		}
	}
	for w := least + 1; w < 10; w++ {
		n := 0
		for _, x := range fit {
			if x.Weight == w {
				n++
			}
		}
		if n != all/10 {
			t.Errorf("%d of %d events of weight %v stayed, and some of weight %v", n, all/10, w, least)
		}
	}
	data, err := json.Marshal(e.data())
	if err != nil || len(data) > eventsMax*5/4 {
		t.Errorf("%d bytes, want at most about %d; %v", len(data), eventsMax, err)
	}
}

// The texts of a tornado keep apart, within the drawing, and it is drawn
// whatever the numbers are.
func TestTornado(t *testing.T) {
	d := &Tornado{Title: "Which parameters matter", XLabel: "change", X: Share, Down: "−20 %", Up: "+20 %"}
	for i, by := range []float64{0.15, -0.02, 0.004, 0, math.NaN()} {
		d.Rows = append(d.Rows, TornadoRow{
			Name: fmt.Sprintf("a_parameter_%d", i), Note: "0.85",
			Down: End{By: -by / 3, Text: fmt.Sprintf("0.68: %.1f %%", -by/3*100), Marked: i == 1}, Up: End{By: by, Text: fmt.Sprintf("1.02: +%.1f %%", by*100)},
		})
	}
	s := &textSurface{}
	d.draw(s, true)
	if problem := s.problem(figureWidth, d.layout(true).height); problem != "" {
		t.Error(problem)
	}
	for name, d := range map[string]*Tornado{"full": d, "empty": {}, "zero": {Rows: []TornadoRow{{}}}} {
		for format, write := range map[string]func(io.Writer) error{"SVG": d.SVG, "PNG": d.PNG, "PDF": d.PDF, "embedded": d.EmbedSVG} {
			var b bytes.Buffer
			if err := write(&b); err != nil || b.Len() == 0 {
				t.Errorf("%s, %s: %v", name, format, err)
			}
			if (format == "SVG" || format == "embedded") && wellFormed(b.Bytes()) != nil {
				t.Errorf("%s, %s: %v", name, format, wellFormed(b.Bytes()))
			}
		}
	}
}
