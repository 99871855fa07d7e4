package chart

import (
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	stdfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// lettering is how a text is set.
type lettering struct {
	size float64 // pixels
	bold bool
	hue  Hue
	// anchor is where the text's place is: 0 at its start, 0.5 in its middle,
	// 1 at its end.
	anchor float64
}

// typeface is Liberation Sans, whose letters are as wide as Arial's: a browser
// without it sets the text in the same space.
var typeface = sync.OnceValue(func() *font.Cache {
	face := func(ttf []byte, weight stdfont.Weight) font.Face {
		parsed, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // compiled into the program
		}
		return font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, Face: parsed}
	}
	return font.NewCache(font.Collection{
		face(liberationsansregular.TTF, stdfont.WeightNormal),
		face(liberationsansbold.TTF, stdfont.WeightBold),
	})
})

func (l lettering) face() font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if l.bold {
		f.Weight = stdfont.WeightBold
	}
	return typeface().Lookup(f, vg.Length(l.size))
}

// measuring guards the faces, which remember glyphs as they measure.
var measuring sync.Mutex

// width returns how wide the text is, in pixels.
func (l lettering) width(text string) float64 {
	measuring.Lock()
	defer measuring.Unlock()
	face := l.face()
	return float64(face.Width(text))
}
