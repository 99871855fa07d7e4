package photo

import (
	"image"
	"image/color"
	"image/draw"
)

// isGray reports whether a picture has no colors.
func isGray(m image.Image) bool {
	switch m.(type) {
	case *image.Gray, *image.Gray16:
		return true
	}
	return false
}

// toRGBA returns m as 8-bit RGBA with its corner at 0, 0; m itself if it is.
func toRGBA(m image.Image) *image.RGBA {
	if r, ok := m.(*image.RGBA); ok && r.Rect.Min == (image.Point{}) {
		return r
	}
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, m, b.Min, draw.Src)
	return out
}

// toGray returns the first channel of m: all that a gray picture has.
func toGray(m *image.RGBA) *image.Gray {
	out := image.NewGray(m.Rect)
	for i := range out.Pix {
		out.Pix[i] = m.Pix[4*i]
	}
	return out
}

// opaque returns m on white, for a format without transparency.
func opaque(m image.Image) image.Image {
	if o, ok := m.(interface{ Opaque() bool }); ok && o.Opaque() {
		return m
	}
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, m, b.Min, draw.Over)
	return out
}

// upright returns the pixels as they are to be seen: 8-bit gray or RGB.
func (p *Photo) upright() image.Image {
	if isGray(p.pixels) {
		g, ok := p.pixels.(*image.Gray)
		if !ok {
			g = toGray(toRGBA(p.pixels))
		}
		return p.orientation.turn(g)
	}
	switch p.pixels.(type) {
	case *image.CMYK, *image.NRGBA64, *image.RGBA64:
		return p.orientation.turn(toRGBA(p.pixels))
	}
	return p.orientation.turn(p.pixels)
}

// with returns a photo of the same kind with other pixels, which stand upright.
func (p *Photo) with(pixels image.Image) *Photo {
	return &Photo{Format: p.Format, ICC: p.ICC, pixels: pixels, orientation: 1}
}
