package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var june = time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)

// sample has every kind of series, and names that XML must escape.
func sample() Figure {
	x := []float64{0, 900, 1800, 2700, 3600}
	return Figure{
		Title: `Fleet <"& co">`, X: Axis{Scale: Clock, Origin: june, Max: 3600, Label: "users' clock"},
		Shades: []Shade{{Name: "not judged", To: 600}, {Name: "fault", From: 2000, To: 2001, Hue: Yellow}},
		Panels: []Panel{
			{
				Name: "cores", Y: Axis{Label: "cores", Unit: Count},
				Series: []Series{
					{Name: "area", X: x, Y: []float64{1, 2, math.NaN(), 2, 1}, Kind: Area, Hue: Green},
					{Name: "step", X: x, Y: []float64{8, 8, 16, 16, 8}, Kind: Step, Hue: Blue},
					{Name: "line", X: x, Y: []float64{3, 9, 12, math.NaN(), 5}, Hue: Vermillion, Dash: Dashed},
				},
				Rules: []Rule{{Name: "limit", At: 20, Dash: Dotted}, {Name: "band", At: 4, To: 6, Hue: Green}},
			},
			{
				Y: Axis{Unit: Seconds, Scale: Log},
				Series: []Series{
					{Name: "bars", X: x, Y: []float64{1, 10, 100, 1000, 2}, Kind: Bars, Width: 900, Hue: Sky},
					{Name: "points", X: x, Y: []float64{1, 10, 100, 0, -1}, Kind: Points, Hue: Purple},
				},
				Rules: []Rule{{At: 1200, Vertical: true}},
			},
		},
	}
}

func TestFigureSameBytes(t *testing.T) {
	for name, write := range writers() {
		var first, second bytes.Buffer
		for _, b := range []*bytes.Buffer{&first, &second} {
			f := sample()
			if err := write(&f, b); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: two drawings of one figure differ", name)
		}
	}
}

func writers() map[string]func(*Figure, io.Writer) error {
	return map[string]func(*Figure, io.Writer) error{
		"SVG":      (*Figure).SVG,
		"embedded": (*Figure).EmbedSVG,
		"PNG":      (*Figure).PNG,
		"PDF":      (*Figure).PDF,
	}
}

// A file stands alone: no font, style or image from elsewhere.
func TestFigureSVGStandsAlone(t *testing.T) {
	f := sample()
	var b bytes.Buffer
	if err := f.SVG(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), `xmlns="http://www.w3.org/2000/svg"`, "")
	for _, never := range []string{"http", "url(", "<script", "<style", "var("} {
		if strings.Contains(text, never) {
			t.Errorf("the file contains %q", never)
		}
	}
	b.Reset()
	if err := f.EmbedSVG(&b); err != nil {
		t.Fatal(err)
	}
	for _, tone := range []string{"ink", "blue", "grid"} {
		if !strings.Contains(b.String(), "var(--"+tone+")") || !strings.Contains(Style(), "--"+tone+":#") {
			t.Errorf("the colour %s is not left to the page, or the page has none", tone)
		}
	}
}

// Whatever the numbers are, a figure is drawn, and it is well-formed.
func TestFigureDegenerate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	clock := func(low, high float64) Axis { return Axis{Scale: Clock, Origin: june, Min: low, Max: high} }
	one := func(x Axis, y Axis, kind Kind, xs, ys []float64) Figure {
		return Figure{X: x, Panels: []Panel{{Y: y, Series: []Series{{Name: "s", X: xs, Y: ys, Kind: kind, Width: 1}}}}}
	}
	figures := map[string]Figure{
		"zero":            {},
		"no series":       {Title: "t", Panels: []Panel{{}}},
		"no points":       one(Axis{}, Axis{}, Line, nil, nil),
		"one point":       one(Axis{}, Axis{}, Line, []float64{5}, []float64{5}),
		"one at zero":     one(Axis{Scale: Log}, Axis{Scale: Log}, Step, []float64{0}, []float64{0}),
		"all NaN":         one(clock(0, 60), Axis{}, Step, []float64{0, 1}, []float64{nan, nan}),
		"x NaN":           one(Axis{}, Axis{}, Bars, []float64{nan, inf, 1}, []float64{1, 2, 3}),
		"infinite":        one(Axis{}, Axis{Scale: Log}, Area, []float64{0, 1, 2}, []float64{inf, -inf, nan}),
		"huge":            one(Axis{}, Axis{}, Line, []float64{-1e308, 1e308}, []float64{-1e308, 1e308}),
		"tiny":            one(Axis{Scale: Log}, Axis{Scale: Log}, Line, []float64{1e-320, 1e-310}, []float64{5e-324, 1e300}),
		"equal":           one(Axis{}, Axis{}, Line, []float64{1, 1, 1}, []float64{1e15, 1e15, 1e15}),
		"unequal lengths": one(Axis{}, Axis{}, Line, []float64{1, 2, 3}, []float64{1}),
		"bounds reversed": one(Axis{Min: 3, Max: 1}, Axis{Min: nan, Max: inf}, Line, []float64{1, 2}, []float64{1, 2}),
		"log from zero":   one(Axis{Scale: Log, Min: 0, Max: 10}, Axis{Scale: Log, Min: -1, Max: 1}, Points, []float64{1}, []float64{1}),
		"clock of ages":   one(clock(0, 1e18), Axis{}, Line, []float64{0, 1e18}, []float64{0, 1}),
		"clock of a blip": one(clock(0, 1e-9), Axis{}, Line, []float64{0}, []float64{0}),
		"long names": {
			Title:  strings.Repeat("very long ", 1000),
			Panels: []Panel{{Name: strings.Repeat("x", 5000), Y: Axis{Label: strings.Repeat("unit ", 300)}, Series: []Series{{Name: strings.Repeat("name\n\x00", 400)}}, Empty: strings.Repeat("none ", 500)}},
		},
	}
	for name, f := range figures {
		t.Run(name, func(t *testing.T) {
			for kind, write := range writers() {
				var b bytes.Buffer
				if err := write(&f, &b); err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				switch kind {
				case "PNG":
					if _, err := png.Decode(&b); err != nil {
						t.Fatal(err)
					}
					continue
				case "PDF":
					if !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) || !bytes.Contains(b.Bytes(), []byte("%%EOF")) {
						t.Fatal("no PDF")
					}
					continue
				}
				if err := wellFormed(b.Bytes()); err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				for _, never := range []string{"NaN", "Inf", "-9223372036854775808"} {
					if bytes.Contains(b.Bytes(), []byte(never)) {
						t.Errorf("%s: a place is %s", kind, never)
					}
				}
			}
		})
	}
}

func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// textSurface notes where text goes.
type textSurface struct{ boxes []textBox }

type textBox struct {
	rectangle
	text string
}

func (*textSurface) stroke([][]point, pen)        {}
func (*textSurface) fill([][]point, Hue, float64) {}
func (s *textSurface) text(at point, l lettering, text string) {
	w := l.width(text)
	from := at.x - l.anchor*w
	s.boxes = append(s.boxes, textBox{rectangle{from, at.y - 0.72*l.size, from + w, at.y + 0.2*l.size}, text})
}

// problem tells of a text that covers another or leaves the drawing.
func (s *textSurface) problem(width, height float64) string {
	for i, a := range s.boxes {
		if a.left < -0.5 || a.right > width+0.5 || a.top < 0 || a.bottom > height {
			return fmt.Sprintf("%q leaves the figure: %+v of %v × %v", a.text, a.rectangle, width, height)
		}
		for _, b := range s.boxes[:i] {
			if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
				return fmt.Sprintf("%q at %+v overlaps %q at %+v", a.text, a.rectangle, b.text, b.rectangle)
			}
		}
	}
	return ""
}

// No two texts of a figure overlap and none leaves it, whatever is shown.
func TestFigureTextKeepsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		axis := func(name string, scales ...Scale) Axis {
			a := Axis{
				Scale: rapid.SampledFrom(scales).Draw(t, name+" scale"),
				Unit:  rapid.SampledFrom([]Unit{Number, Count, Share, Seconds}).Draw(t, name+" unit"),
				Label: rapid.SampledFrom([]string{"", "cores", "time from arrival to done"}).Draw(t, name+" label"),
			}
			a.Min = math.Pow(10, rapid.Float64Range(-7, 7).Draw(t, name+" min"))
			a.Max = a.Min * math.Pow(10, rapid.Float64Range(0.001, 9).Draw(t, name+" decades"))
			if a.Scale != Log && rapid.Bool().Draw(t, name+" from zero") {
				a.Min = 0
			}
			if a.Scale == Clock {
				a.Min = rapid.Float64Range(-1e5, 1e5).Draw(t, name+" clock min")
				a.Max = a.Min + math.Pow(10, rapid.Float64Range(0.5, 9.5).Draw(t, name+" clock length"))
				a.Origin = june.Add(time.Duration(rapid.Int64Range(-1e18, 1e18).Draw(t, name+" origin")))
			}
			return a
		}
		f := Figure{Title: "A title", X: axis("x", Linear, Log, Clock)}
		for p := range rapid.IntRange(1, 3).Draw(t, "panels") {
			panel := Panel{Name: fmt.Sprint("panel ", p), Y: axis("y", Linear, Log), Height: rapid.Float64Range(40, 300).Draw(t, "height")}
			for s := range rapid.IntRange(0, 12).Draw(t, "series") {
				panel.Series = append(panel.Series, Series{Name: strings.Repeat("name ", s), X: []float64{f.X.Max}, Y: []float64{panel.Y.Min}})
			}
			f.Panels = append(f.Panels, panel)
		}
		l := f.layout(true)
		var s textSurface
		f.draw(&s, l)
		if problem := s.problem(l.width, l.height); problem != "" {
			t.Fatal(problem)
		}
	})
}

// A clock axis marks what a person would.
func TestClockMarks(t *testing.T) {
	const hour, day = 3600.0, 86400.0
	for _, c := range []struct {
		length        float64
		first, second string
		above         string
	}{
		{hour, "00:00", "00:05", "Sun 1 June 2008"},
		{day, "00:00", "02:00", "Sun 1 June 2008"},
		{7 * day, "00:00", "12:00", "Sun 1 Jun 2008"},
		{30 * day, "1", "2", "June 2008"},
		{90 * day, "2 Jun", "9 Jun", "2008"},
		{365 * day, "Jun", "Jul", "2008"},
		{10 * 365 * day, "2008", "2009", ""},
	} {
		f := Figure{X: Axis{Scale: Clock, Origin: june, Max: c.length}, Panels: []Panel{{}}}
		marks := f.layout(false).calendar
		if len(marks.labels) < 2 || marks.labels[0].label != c.first || marks.labels[1].label != c.second {
			t.Errorf("%v days: labels %v, want %s, %s, …", c.length/day, marks.labels, c.first, c.second)
		}
		if above := append(marks.above, period{}); strings.Replace(above[0].label, " 0", " ", 1) != c.above {
			t.Errorf("%v days: above them %q, want %q", c.length/day, above[0].label, c.above)
		}
	}
}

func TestTickLabels(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		v    float64
		want string
	}{
		{Axis{}, 0, "0"},
		{Axis{}, -12_500, "−12\u202f500"},
		{Axis{}, 1500, "1500"},
		{Axis{}, 2_500_000, "2.5 M"},
		{Axis{}, 0.1 + 0.2, "0.3"},
		{Axis{Unit: Share}, 0.001, "0.1 %"},
		{Axis{Unit: Seconds}, 0.03, "30 ms"},
		{Axis{Unit: Seconds}, 90, "1 m 30 s"},
		{Axis{Unit: Seconds}, 86400, "1 d"},
		{Axis{Unit: Seconds}, 0, "0 s"},
		{Axis{Prefix: "$ "}, 3, "$ 3"},
	} {
		if got := c.axis.write(c.v); got != c.want {
			t.Errorf("%v as %v: %q, want %q", c.v, c.axis.Unit, got, c.want)
		}
	}
}

// Two of the first 24 series differ in hue or dash.
func TestDistinct(t *testing.T) {
	seen := map[string]int{}
	for i := range 24 {
		hue, dash := Distinct(i)
		key := fmt.Sprint(hue, dash)
		if before, ok := seen[key]; ok {
			t.Errorf("series %d looks like %d", i, before)
		}
		seen[key] = i
	}
}

// Tones that carry text stand out by at least 4.5 to 1 (WCAG 2, contrast).
func TestContrast(t *testing.T) {
	luminance := func(c rgb) float64 {
		sum := 0.0
		for shift, weight := range map[int]float64{16: 0.2126, 8: 0.7152, 0: 0.0722} {
			v := float64(c>>shift&0xff) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	for _, hue := range []Hue{Ink, muted} {
		for name, pair := range map[string][2]rgb{
			"light": {tones[hue].light, tones[paper].light}, "dark": {tones[hue].dark, tones[paper].dark},
			"light shade": {tones[hue].light, tones[shade].light}, "dark shade": {tones[hue].dark, tones[shade].dark},
		} {
			a, b := luminance(pair[0]), luminance(pair[1])
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s on %s: contrast %.2f, want 4.5", tones[hue].name, name, ratio)
			}
		}
	}
}
