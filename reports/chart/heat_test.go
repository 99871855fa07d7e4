package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A map renders whatever its numbers and texts are, as XML and to the same
// bytes.
func TestHeatRenders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringN(0, 40, -1), rapid.Just("<&>"))
		h := &Heat{Title: text.Draw(t, "title"), XLabel: text.Draw(t, "x label"), YLabel: text.Draw(t, "y label")}
		h.X = rapid.SliceOfN(text, 0, 6).Draw(t, "x")
		h.Y = rapid.SliceOfN(text, 0, 6).Draw(t, "y")
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.MaxFloat64, -math.MaxFloat64}))
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			var row []Cell
			for range rapid.IntRange(0, 6).Draw(t, "columns") {
				row = append(row, Cell{Value: value.Draw(t, "value"), Text: text.Draw(t, "text"), Note: text.Draw(t, "note"), Marked: rapid.Bool().Draw(t, "marked")})
			}
			h.Cells = append(h.Cells, row)
		}
		var first, second bytes.Buffer
		if err := h.EmbedSVG(&first); err != nil {
			t.Fatal(err)
		}
		if err := h.EmbedSVG(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("drawn twice, the bytes differ")
		}
		d := xml.NewDecoder(&first)
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if err := h.PNG(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}

// The largest number has the deepest colour, the smallest the palest, rows
// count from below, and what is missing is blank.
func TestHeatColours(t *testing.T) {
	h := &Heat{X: []string{"a", "b"}, Y: []string{"low", "high"}, Cells: [][]Cell{
		{{Value: 1, Text: "one"}, {Value: 3, Text: "three"}},
		{{Value: math.NaN(), Text: "none"}},
	}}
	var b bytes.Buffer
	if err := h.SVG(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n := strings.Count(text, "fill-opacity"); n != 2 {
		t.Errorf("%d cells are coloured, want 2", n)
	}
	if !strings.Contains(text, `fill-opacity="0.04"`) || !strings.Contains(text, `fill-opacity="0.55"`) {
		t.Errorf("no palest and deepest cell in\n%s", text)
	}
	if strings.Index(text, ">low<") > strings.Index(text, ">high<") {
		t.Error("rows are not drawn from the first")
	}
	low, high := strings.Index(text, ">low<"), strings.Index(text, ">high<")
	y := func(at int) (y float64) {
		line := text[strings.LastIndex(text[:at], "<text"):at]
		if _, err := fmt.Sscanf(line[strings.Index(line, ` y="`):], ` y="%g`, &y); err != nil {
			t.Fatal(err)
		}
		return y
	}
	if y(low) <= y(high) {
		t.Errorf("the first row is at %v, the second at %v: want it below", y(low), y(high))
	}
}
