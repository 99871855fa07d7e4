package chart

import (
	"io"
	"math"
)

// Heat is a table of numbers drawn as a map: the larger a number, the deeper
// its cell's colour. The zero Heat is an empty drawing.
type Heat struct {
	Title string
	// XLabel and YLabel name what varies from column to column and from row to
	// row, X and Y the columns from the left and the rows from below.
	XLabel, YLabel string
	X, Y           []string
	// Cells by row and column. What is missing is left blank.
	Cells [][]Cell
}

// Cell is a number of a Heat.
type Cell struct {
	// Value decides the colour; NaN: none.
	Value float64
	// Text stands in the cell, Note below it, smaller.
	Text, Note string
	// Marked cells carry a frame.
	Marked bool
}

const (
	cellHeight  = 46
	heatDeepest = 0.55 // opacity of the largest number: text on it stays legible
	heatPalest  = 0.04
)

// heatLayout is where everything of a map goes.
type heatLayout struct {
	left, top, cell float64
	height          float64
}

func (h *Heat) layout(titled bool) heatLayout {
	l := heatLayout{left: 40, top: 8}
	if titled {
		l.top = titleHeight
	}
	l.top += rowHeight + 6
	for _, y := range h.Y {
		l.left = max(l.left, math.Ceil(tickType.width(y))+14)
	}
	l.left = min(l.left, figureWidth/3)
	l.cell = (figureWidth - marginRight - l.left) / float64(max(1, len(h.X)))
	l.height = l.top + float64(len(h.Y))*cellHeight + axisHeight + captionRow + 4
	return l
}

// draw draws the map.
func (h *Heat) draw(s surface, titled bool) {
	l := h.layout(titled)
	if titled {
		s.text(point{8, 20}, titleType, titleType.fit(h.Title, figureWidth-2*marginRight))
	}
	s.text(point{8, l.top - 10}, labelType, labelType.fit(h.YLabel, figureWidth/2))
	var seen extent
	for _, row := range h.Cells {
		for _, c := range row {
			seen.see(c.Value)
		}
	}
	for i, y := range h.Y {
		// rows count from below
		top := l.top + float64(len(h.Y)-1-i)*cellHeight
		number := tickType
		number.anchor = 1
		s.text(point{l.left - 7, top + cellHeight/2 + 3.7}, number, number.fit(y, l.left-9))
		for k := range h.X {
			if i < len(h.Cells) && k < len(h.Cells[i]) {
				left := l.left + float64(k)*l.cell
				h.Cells[i][k].draw(s, rectangle{left + 1, top + 1, left + l.cell - 1, top + cellHeight - 1}, seen)
			}
		}
	}
	below := l.top + float64(len(h.Y))*cellHeight
	for k, x := range h.X {
		middle := tickType
		middle.anchor = 0.5
		s.text(point{l.left + (float64(k)+0.5)*l.cell, below + 16}, middle, middle.fit(x, l.cell-4))
	}
	end := labelType
	end.anchor = 1
	s.text(point{figureWidth - marginRight, l.height - 8}, end, labelType.fit(h.XLabel, figureWidth/2))
}

// draw draws one cell; seen is the range of all.
func (c *Cell) draw(s surface, box rectangle, seen extent) {
	opacity := heatPalest
	if span := seen.max - seen.min; span > 0 && !math.IsNaN(c.Value) {
		opacity += (heatDeepest - heatPalest) * (min(max(c.Value, seen.min), seen.max) - seen.min) / span
	}
	if !math.IsNaN(c.Value) {
		s.fill([][]point{box.polygon()}, Blue, opacity)
	}
	if c.Marked {
		s.stroke([][]point{append(box.polygon(), point{box.left, box.top})}, pen{hue: Vermillion, width: 2})
	}
	middle := (box.left + box.right) / 2
	word := lettering{size: 12, anchor: 0.5}
	note := lettering{size: 10.5, anchor: 0.5}
	line := box.top + (cellHeight-2)/2 + 4
	if c.Note != "" {
		line -= 7
		s.text(point{middle, line + 15}, note, note.fit(c.Note, box.right-box.left-6))
	}
	s.text(point{middle, line}, word, word.fit(c.Text, box.right-box.left-6))
}

// SVG writes the map as a file of its own, on white.
func (h *Heat) SVG(w io.Writer) error { return h.svg(w, false) }

// EmbedSVG writes the map as an element of an HTML page, as that of a Figure.
func (h *Heat) EmbedSVG(w io.Writer) error { return h.svg(w, true) }

func (h *Heat) svg(w io.Writer, embedded bool) error {
	return svgFile(w, h.Title, figureWidth, h.layout(!embedded).height, embedded, func(s surface) { h.draw(s, !embedded) })
}

// PNG writes the map as an image on white, two dots to the pixel.
func (h *Heat) PNG(w io.Writer) error {
	return pngFile(w, figureWidth, h.layout(true).height, func(s surface) { h.draw(s, true) })
}
