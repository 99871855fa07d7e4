package photo

import (
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// A Watermark is what to put on a photo: a text, or a picture.
type Watermark struct {
	Text     string   // at most TextMax characters
	Mark     *Photo   // where there is no text
	Position Position // "": bottom-right
	Opacity  float64  // from 0 (exclusive) to 1; 0: OpacityDefault
	// Scale is the height of the text's letters, or the width of the picture,
	// as a share of the photo's shorter side; 0: ScaleText or ScaleMark.
	Scale float64
}

// Defaults and bounds of watermarks.
const (
	OpacityDefault = 0.6
	ScaleText      = 0.05
	ScaleMark      = 0.25
	TextMax        = 200
)

// A Position is where a watermark stands.
type Position string

// positions are the words for positions, with the share of the free space left
// of and above the watermark.
var positions = []struct {
	word Position
	x, y float64
}{
	{"bottom-right", 1, 1},
	{"bottom", 0.5, 1},
	{"bottom-left", 0, 1},
	{"left", 0, 0.5},
	{"center", 0.5, 0.5},
	{"right", 1, 0.5},
	{"top-left", 0, 0},
	{"top", 0.5, 0},
	{"top-right", 1, 0},
}

// Positions returns the words for positions.
func Positions() []string {
	var words []string
	for _, p := range positions {
		words = append(words, string(p.word))
	}
	return words
}

// Check returns an error if there is no such watermark.
func (m Watermark) Check() error {
	switch {
	case m.Text == "" && m.Mark == nil:
		return fmt.Errorf("watermark: it has neither text nor mark")
	case m.Text != "" && m.Mark != nil:
		return fmt.Errorf("watermark: it has both text and mark")
	case !utf8.ValidString(m.Text) || utf8.RuneCountInString(m.Text) > TextMax:
		return fmt.Errorf("watermark: text of %d bytes: must be at most %d characters of UTF-8", len(m.Text), TextMax)
	case !(m.Opacity >= 0 && m.Opacity <= 1):
		return fmt.Errorf("watermark: opacity %v: must be from 0 to 1", m.Opacity)
	case !(m.Scale >= 0 && m.Scale <= 1):
		return fmt.Errorf("watermark: scale %v: must be from 0 to 1", m.Scale)
	}
	if words := Positions(); m.Position != "" && !slices.Contains(words, string(m.Position)) {
		return fmt.Errorf("watermark: position %q: must be one of %v%s", m.Position, words, spell.DidYouMean(string(m.Position), words))
	}
	return nil
}

// Watermark returns p with m on it.
func (p *Photo) Watermark(m Watermark) (*Photo, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	below := p.upright()
	out := image.NewRGBA(image.Rect(0, 0, below.Bounds().Dx(), below.Bounds().Dy()))
	stddraw.Draw(out, out.Rect, below, below.Bounds().Min, stddraw.Src)

	side := min(out.Rect.Dx(), out.Rect.Dy())
	margin := side / 40
	room := out.Rect.Inset(margin)
	if room.Empty() {
		room = out.Rect
	}
	mark, err := m.picture(side, room)
	if err != nil {
		return nil, err
	}
	opacity := m.Opacity
	if opacity == 0 {
		opacity = OpacityDefault
	}
	through := image.NewUniform(color.Alpha16{A: uint16(math.Round(opacity * 0xffff))})
	stddraw.DrawMask(out, mark.Bounds().Add(m.corner(room, mark.Bounds().Size())), mark, image.Point{}, through, image.Point{}, stddraw.Over)
	if isGray(p.pixels) {
		return p.with(gray(out)), nil
	}
	return p.with(out), nil
}

// gray returns the brightness of m: the mark may have colors.
func gray(m *image.RGBA) *image.Gray {
	out := image.NewGray(m.Rect)
	stddraw.Draw(out, out.Rect, m, image.Point{}, stddraw.Src)
	return out
}

// corner returns where in room the top left of a mark of a size stands.
func (m Watermark) corner(room image.Rectangle, size image.Point) image.Point {
	at := positions[0]
	for _, p := range positions {
		if p.word == m.Position {
			at = p
		}
	}
	free := room.Size().Sub(size)
	return room.Min.Add(image.Pt(int(at.x*float64(free.X)), int(at.y*float64(free.Y))))
}

// picture returns the mark as large as it is to be, no larger than room.
func (m Watermark) picture(side int, room image.Rectangle) (image.Image, error) {
	if m.Mark == nil {
		return m.lettering(side, room)
	}
	scale := m.Scale
	if scale == 0 {
		scale = ScaleMark
	}
	width := min(max(1, int(scale*float64(side))), room.Dx())
	mark := m.Mark.upright()
	from := mark.Bounds()
	height := max(1, width*from.Dy()/from.Dx())
	if height > room.Dy() {
		width, height = max(1, width*room.Dy()/height), room.Dy()
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(out, out.Rect, mark, from, draw.Src, nil)
	return out, nil
}

// letters is the font of watermarks.
var letters = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// lettering returns the text in white with a dark edge, readable on anything.
func (m Watermark) lettering(side int, room image.Rectangle) (image.Image, error) {
	letters, err := letters()
	if err != nil {
		return nil, fmt.Errorf("watermark: font: %w", err)
	}
	scale := m.Scale
	if scale == 0 {
		scale = ScaleText
	}
	size := max(6, scale*float64(side))
	face, width, err := faceOf(letters, m.Text, size)
	if err == nil && width > room.Dx() { // smaller, so that all of it is seen
		face.Close()
		face, width, err = faceOf(letters, m.Text, max(1, size*float64(room.Dx())/float64(width)))
	}
	if err != nil {
		return nil, fmt.Errorf("watermark: font: %w", err)
	}
	defer face.Close()
	metrics := face.Metrics()
	edge := max(1, metrics.Height.Ceil()/20)
	out := image.NewRGBA(image.Rect(0, 0, width+2*edge, (metrics.Ascent+metrics.Descent).Ceil()+2*edge))
	d := font.Drawer{Dst: out, Face: face}
	write := func(x, y int, c color.Color) {
		d.Src = image.NewUniform(c)
		d.Dot = fixed.Point26_6{X: fixed.I(x), Y: fixed.I(y) + metrics.Ascent}
		d.DrawString(m.Text)
	}
	write(2*edge, 2*edge, color.NRGBA{A: 0xc0})
	write(edge, edge, color.White)
	return out, nil
}

// faceOf returns the font at a size in pixels, and how wide text is in it.
func faceOf(letters *opentype.Font, text string, size float64) (font.Face, int, error) {
	face, err := opentype.NewFace(letters, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, 0, err
	}
	return face, font.MeasureString(face, text).Ceil(), nil
}
