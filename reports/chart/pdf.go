package chart

import (
	"io"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// PDF writes the figure as a page of its own size, on white.
func (f *Figure) PDF(w io.Writer) error {
	l := f.layout(true)
	return pdfFile(w, l.width, l.height, func(s surface) { f.draw(s, l) })
}

// PDF writes the map as a page of its own size, on white.
func (h *Heat) PDF(w io.Writer) error {
	return pdfFile(w, figureWidth, h.layout(true).height, func(s surface) { h.draw(s, true) })
}

// timeless makes files say no time of their making: the same figure gives the
// same bytes.
var timeless = sync.OnceFunc(func() {
	fpdf.SetDefaultCreationDate(time.Unix(0, 0).UTC())
	fpdf.SetDefaultModificationDate(time.Unix(0, 0).UTC())
	fpdf.SetDefaultCatalogSort(true)
})

func pdfFile(w io.Writer, width, height float64, draw func(surface)) error {
	timeless()
	canvas := vgpdf.New(vg.Length(width), vg.Length(height))
	draw(&outlineSurface{rasterSurface{canvas, height}})
	_, err := canvas.WriteTo(w)
	return err
}

// outlineSurface writes letters as the shapes they have: the writer of PDF knows
// 256 of them only, and neither − nor ≥.
type outlineSurface struct{ rasterSurface }

// em is the size in which shapes are loaded.
const em = 2048

func (s *outlineSurface) text(at point, l lettering, text string) {
	measuring.Lock()
	defer measuring.Unlock()
	face := l.face()
	scale := l.size / em
	x := at.x - l.anchor*float64(face.Width(text))
	s.canvas.SetColor(tones[l.hue].light.opaque())
	var letters sfnt.Buffer
	for _, r := range text {
		glyph, err := face.Face.GlyphIndex(&letters, r)
		if err != nil {
			continue // a face in the program has every index it names
		}
		shape, err := face.Face.LoadGlyph(&letters, glyph, fixed.I(em), nil)
		if err == nil && len(shape) > 0 {
			s.canvas.Fill(outline(shape, x, s.height-at.y, scale))
		}
		if advance, err := face.Face.GlyphAdvance(&letters, glyph, fixed.I(em), font.HintingNone); err == nil {
			x += pixelsOf(advance) * scale
		}
	}
}

func pixelsOf(v fixed.Int26_6) float64 { return float64(v) / 64 }

// outline returns a letter's shape at a place of a canvas that counts upward.
func outline(shape sfnt.Segments, x, y, scale float64) vg.Path {
	to := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: vg.Length(x + pixelsOf(p.X)*scale), Y: vg.Length(y - pixelsOf(p.Y)*scale)}
	}
	var path vg.Path
	for _, part := range shape {
		switch a := part.Args; part.Op {
		case sfnt.SegmentOpMoveTo:
			if len(path) > 0 {
				path.Close()
			}
			path.Move(to(a[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(to(a[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(to(a[0]), to(a[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(to(a[0]), to(a[1]), to(a[2]))
		}
	}
	path.Close()
	return path
}
