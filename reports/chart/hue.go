package chart

import "fmt"

// Hue is a colour of the palette of Okabe and Ito ("Color universal design",
// 2008), or a tone of grey. The zero Hue is the colour of text.
type Hue uint8

const (
	// Ink is the colour of text.
	Ink Hue = iota
	Blue
	Vermillion
	Green
	Purple
	Orange
	Sky
	Yellow
	// Grey is for what is behind.
	Grey

	muted // text of less weight
	grid
	shade
	paper
)

// Dash is the pattern of a line.
type Dash uint8

const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDot
)

// Distinct returns the i-th of a row of hues and dashes that differ as much as
// possible. After 24 it repeats.
func Distinct(i int) (Hue, Dash) {
	hues := [...]Hue{Blue, Vermillion, Green, Purple, Orange, Sky}
	dashes := [...]Dash{Solid, Dashed, DashDot, Dotted}
	return hues[i%len(hues)], dashes[(i+i/len(hues))%len(dashes)]
}

// rgb is a colour of the screen.
type rgb uint32

// hex returns the colour as style sheets write it.
func (c rgb) hex() string { return fmt.Sprintf("#%06x", uint32(c)) }

// tone is a hue's name in a style sheet, and its colour on white paper and on
// a dark page. All tones of text have a contrast of at least 4.5 on both.
type tone struct {
	name        string
	light, dark rgb
}

var tones = [...]tone{
	Ink:        {"ink", 0x1b1f24, 0xe6eaee},
	Blue:       {"blue", 0x0072b2, 0x4ba3dc},
	Vermillion: {"vermillion", 0xd55e00, 0xf0803c},
	Green:      {"green", 0x009e73, 0x2fc79a},
	Purple:     {"purple", 0xcc79a7, 0xe09bc3},
	Orange:     {"orange", 0xe69f00, 0xf0b429},
	Sky:        {"sky", 0x56b4e9, 0x7cc8f2},
	Yellow:     {"yellow", 0xf0e442, 0xf0e442},
	Grey:       {"grey", 0x8a929a, 0x87919b},
	muted:      {"muted", 0x57606a, 0x9aa4af},
	grid:       {"grid", 0xe3e7eb, 0x2a3138},
	shade:      {"shade", 0xf0f2f5, 0x20262d},
	paper:      {"paper", 0xffffff, 0x14181d},
}

// lengths of dash and gap in pixels.
func (d Dash) lengths() []float64 {
	switch d {
	case Dashed:
		return []float64{7, 4}
	case Dotted:
		return []float64{1.5, 3}
	case DashDot:
		return []float64{8, 3, 1.5, 3}
	}
	return nil
}
