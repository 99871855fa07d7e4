package chart

// point is a place on a surface, in pixels from its upper left corner.
type point struct{ x, y float64 }

// pen is how a line is drawn.
type pen struct {
	hue   Hue
	width float64
	dash  Dash
}

// surface is what a figure is drawn on.
type surface interface {
	// stroke draws each row of points as a line.
	stroke(lines [][]point, p pen)
	// fill paints polygons; opacity 1 covers what is behind.
	fill(polygons [][]point, hue Hue, opacity float64)
	// text writes on a baseline.
	text(at point, l lettering, s string)
}

// rectangle lies between two corners: left < right, top < bottom.
type rectangle struct{ left, top, right, bottom float64 }

// polygon returns the rectangle's outline.
func (r rectangle) polygon() []point {
	return []point{{r.left, r.top}, {r.right, r.top}, {r.right, r.bottom}, {r.left, r.bottom}}
}
