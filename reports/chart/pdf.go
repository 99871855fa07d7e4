package chart

import (
	"io"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
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
	draw(&rasterSurface{canvas, height})
	_, err := canvas.WriteTo(w)
	return err
}
