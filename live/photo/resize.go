package photo

import (
	"cmp"
	"fmt"
	"image"
	"slices"

	"golang.org/x/image/draw"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// A Size is one of the sizes to make of a photo.
type Size struct {
	Name   string `json:"name"`          // of the file, without its extension
	Width  int    `json:"width"`         // pixels
	Height int    `json:"height"`        // pixels
	Fit    Fit    `json:"fit,omitempty"` // "": inside
}

// Fit is how a photo meets a size of another shape.
type Fit string

// The fits.
const (
	Inside Fit = "inside" // whole, at most as large as the size; a smaller photo stays as it is
	Cover  Fit = "cover"  // exactly the size, cut at its longer sides' ends
)

// fits are the words for the fits.
var fits = []string{string(Inside), string(Cover)}

// SideMax bounds a side of what is made, in pixels: JPEG knows no longer one.
const SideMax = 65_535

// Check returns an error if s cannot be made.
func (s Size) Check() error {
	switch {
	case s.Width < 1 || s.Width > SideMax:
		return fmt.Errorf("size %q: width %d: must be from 1 to %d", s.Name, s.Width, SideMax)
	case s.Height < 1 || s.Height > SideMax:
		return fmt.Errorf("size %q: height %d: must be from 1 to %d", s.Name, s.Height, SideMax)
	case s.Fit == Cover && int64(s.Width)*int64(s.Height) > PixelsMax:
		return fmt.Errorf("size %q: %d × %d: must be at most %d pixels", s.Name, s.Width, s.Height, int64(PixelsMax))
	case s.Fit != "" && !slices.Contains(fits, string(s.Fit)):
		return fmt.Errorf("size %q: fit %q: must be inside or cover%s", s.Name, s.Fit, spell.DidYouMean(string(s.Fit), fits))
	}
	return nil
}

// Resize makes sizes of p, in their order. A small one is made of a larger one
// where that has at least twice its width and height: as good to the eye, and
// much less work.
func (p *Photo) Resize(sizes []Size) ([]*Photo, error) {
	order := make([]int, len(sizes))
	for i, s := range sizes {
		if err := s.Check(); err != nil {
			return nil, err
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(sizes[b].Width*sizes[b].Height, sizes[a].Width*sizes[a].Height)
	})
	out := make([]*Photo, len(sizes))
	sources := []*Photo{p} // whole pictures, from large to small
	for _, i := range order {
		s := sizes[i]
		for j := len(sources) - 1; out[i] == nil; j-- {
			w, h := s.scaled(sources[j].Dimensions())
			have, tall := sources[j].Dimensions()
			if j == 0 || have >= 2*w && tall >= 2*h {
				out[i] = sources[j].scale(s)
			}
		}
		if s.Fit != Cover {
			sources = append(sources, out[i])
		}
	}
	return out, nil
}

// scaled returns the size that a whole picture of w × h pixels is scaled to.
func (s Size) scaled(w, h int) (int, int) {
	byWidth := int64(s.Width)*int64(h) < int64(s.Height)*int64(w) // the width is the tighter bound
	if s.Fit != Cover && w <= s.Width && h <= s.Height {
		return w, h
	}
	if byWidth == (s.Fit != Cover) {
		return s.Width, max(1, int((int64(h)*int64(s.Width)+int64(w)/2)/int64(w)))
	}
	return max(1, int((int64(w)*int64(s.Height)+int64(h)/2)/int64(h))), s.Height
}

// scale returns p at a size. Turning upright comes last, when there are fewer
// pixels to turn.
func (p *Photo) scale(s Size) *Photo {
	if p.orientation.swaps() {
		s.Width, s.Height = s.Height, s.Width
	}
	from := p.pixels.Bounds()
	w, h := s.scaled(from.Dx(), from.Dy())
	if s.Fit == Cover {
		from = middle(from, s.Width, s.Height)
		w, h = s.Width, s.Height
	}
	if w == from.Dx() && h == from.Dy() && from == p.pixels.Bounds() {
		return p.with(p.upright())
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Rect, p.pixels, from, draw.Src, nil)
	if isGray(p.pixels) {
		return p.with(p.orientation.turn(toGray(out)))
	}
	return p.with(p.orientation.turn(out))
}

// middle returns the largest part of r with the shape of w × h, in its middle.
func middle(r image.Rectangle, w, h int) image.Rectangle {
	dx, dy := int64(r.Dx()), int64(r.Dy())
	if dx*int64(h) > dy*int64(w) {
		dx = max(1, dy*int64(w)/int64(h))
	} else {
		dy = max(1, dx*int64(h)/int64(w))
	}
	x, y := r.Min.X+(r.Dx()-int(dx))/2, r.Min.Y+(r.Dy()-int(dy))/2
	return image.Rect(x, y, x+int(dx), y+int(dy))
}
