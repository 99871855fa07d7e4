package chart

import (
	"image/color"
	"image/png"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// PNG writes the figure as an image on white, two dots to the pixel.
func (f *Figure) PNG(w io.Writer) error {
	l := f.layout(true)
	return pngFile(w, l.width, l.height, func(s surface) { f.draw(s, l) })
}

// pngFile writes a PNG of what draw draws.
func pngFile(w io.Writer, width, height float64, draw func(surface)) error {
	const dotsPerPixel = 2
	canvas := vgimg.NewWith(
		// vg counts in points of 1/72 inch: at 144 dpi one point is two dots
		vgimg.UseWH(vg.Length(width), vg.Length(height)),
		vgimg.UseDPI(72*dotsPerPixel),
		vgimg.UseBackgroundColor(tones[paper].light.opaque()),
	)
	draw(&rasterSurface{canvas, height})
	encoder := png.Encoder{CompressionLevel: png.BestSpeed} // packing longer takes longer than drawing
	return encoder.Encode(w, canvas.Image())
}

// rasterSurface paints dots. vg counts y from the bottom.
type rasterSurface struct {
	canvas vg.Canvas
	height float64
}

func (c rgb) opaque() color.NRGBA {
	return color.NRGBA{R: uint8(c >> 16), G: uint8(c >> 8), B: uint8(c), A: 0xff}
}

func (s *rasterSurface) path(rows [][]point, closed bool) vg.Path {
	var path vg.Path
	for _, points := range rows {
		for i, p := range points {
			at := vg.Point{X: vg.Length(p.x), Y: vg.Length(s.height - p.y)}
			if i == 0 {
				path.Move(at)
			} else {
				path.Line(at)
			}
		}
		if closed {
			path.Close()
		}
	}
	return path
}

// pieceMax is how many points of a line are painted at once.
const pieceMax = 200

func (s *rasterSurface) stroke(lines [][]point, p pen) {
	if len(lines) == 0 {
		return
	}
	s.canvas.SetColor(tones[p.hue].light.opaque())
	s.canvas.SetLineWidth(vg.Length(p.width))
	dash := []vg.Length{}
	for _, v := range p.dash.lengths() {
		dash = append(dash, vg.Length(v))
	}
	s.canvas.SetLineDash(dash, 0)
	for _, line := range lines {
		// painting takes longer than linear time: long lines go in pieces
		for p.dash == Solid && len(line) > pieceMax {
			s.canvas.Stroke(s.path([][]point{line[:pieceMax]}, false))
			line = line[pieceMax-1:]
		}
		s.canvas.Stroke(s.path([][]point{line}, false))
	}
}

func (s *rasterSurface) fill(polygons [][]point, hue Hue, opacity float64) {
	if len(polygons) == 0 {
		return
	}
	c := tones[hue].light.opaque()
	c.A = uint8(255 * opacity)
	s.canvas.SetColor(c)
	s.canvas.Fill(s.path(polygons, true))
}

func (s *rasterSurface) text(at point, l lettering, text string) {
	measuring.Lock()
	defer measuring.Unlock()
	face := l.face()
	x := at.x - l.anchor*float64(face.Width(text))
	s.canvas.SetColor(tones[l.hue].light.opaque())
	s.canvas.FillString(face, vg.Point{X: vg.Length(x), Y: vg.Length(s.height - at.y)}, text)
}
