package chart

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// SVG writes the figure as a file of its own, on white.
func (f *Figure) SVG(w io.Writer) error { return f.svg(w, false) }

// EmbedSVG writes the figure as an element of an HTML page that carries Style:
// without its title, transparent, as wide as the page allows, in the page's
// light or dark colours.
func (f *Figure) EmbedSVG(w io.Writer) error { return f.svg(w, true) }

func (f *Figure) svg(w io.Writer, embedded bool) error {
	l := f.layout(!embedded)
	return svgFile(w, f.Title, l.width, l.height, embedded, func(s surface) { f.draw(s, l) })
}

// svgFile writes an SVG of what draw draws.
func svgFile(w io.Writer, title string, width, height float64, embedded bool, draw func(surface)) error {
	s := &svgSurface{embedded: embedded}
	if embedded {
		fmt.Fprintf(&s.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s">`+"\n",
			pixels(width), pixels(height), escape(title))
	} else {
		fmt.Fprintf(&s.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s">`+"\n",
			pixels(width), pixels(height))
		fmt.Fprintf(&s.b, "<title>%s</title>\n", escape(title))
		s.fill([][]point{{{0, 0}, {width, 0}, {width, height}, {0, height}}}, paper, 1)
	}
	draw(s)
	s.b.WriteString("</svg>\n")
	_, err := w.Write(s.b.Bytes())
	return err
}

// svgSurface writes elements. Text is anchored, and set in the width it was
// measured to have, so that a reader's font of another width does not make it
// run into its neighbours.
type svgSurface struct {
	b        bytes.Buffer
	embedded bool
}

func (s *svgSurface) stroke(lines [][]point, p pen) {
	if len(lines) == 0 {
		return
	}
	s.b.WriteString(`<path d="`)
	for _, line := range lines {
		s.path(line)
	}
	fmt.Fprintf(&s.b, `" fill="none" %s stroke-width="%s" stroke-linejoin="round"`, s.paint("stroke", p.hue), pixels(p.width))
	if lengths := p.dash.lengths(); lengths != nil {
		s.b.WriteString(` stroke-dasharray="`)
		for i, v := range lengths {
			if i > 0 {
				s.b.WriteByte(' ')
			}
			s.b.WriteString(pixels(v))
		}
		s.b.WriteByte('"')
	}
	s.b.WriteString("/>\n")
}

func (s *svgSurface) fill(polygons [][]point, hue Hue, opacity float64) {
	if len(polygons) == 0 {
		return
	}
	s.b.WriteString(`<path d="`)
	for _, polygon := range polygons {
		s.path(polygon)
		s.b.WriteByte('Z')
	}
	fmt.Fprintf(&s.b, `" %s`, s.paint("fill", hue))
	if opacity < 1 {
		fmt.Fprintf(&s.b, ` fill-opacity="%s"`, strconv.FormatFloat(opacity, 'g', 3, 64))
	}
	s.b.WriteString("/>\n")
}

func (s *svgSurface) text(at point, l lettering, text string) {
	fmt.Fprintf(&s.b, `<text x="%s" y="%s" font-family="Liberation Sans,Arial,Helvetica,sans-serif" font-size="%s" %s`,
		pixels(at.x), pixels(at.y), pixels(l.size), s.paint("fill", l.hue))
	if l.bold {
		s.b.WriteString(` font-weight="bold"`)
	}
	switch {
	case l.anchor >= 0.75:
		s.b.WriteString(` text-anchor="end"`)
	case l.anchor >= 0.25:
		s.b.WriteString(` text-anchor="middle"`)
	}
	if w := l.width(text); w > 0 {
		fmt.Fprintf(&s.b, ` textLength="%s" lengthAdjust="spacingAndGlyphs"`, pixels(w))
	}
	fmt.Fprintf(&s.b, ">%s</text>\n", escape(text))
}

// paint returns the attribute that colours a fill or a stroke.
func (s *svgSurface) paint(attribute string, hue Hue) string {
	t := tones[hue]
	if s.embedded {
		return fmt.Sprintf(`style="%s:var(--%s)"`, attribute, t.name)
	}
	return fmt.Sprintf(`%s="%s"`, attribute, t.light.hex())
}

// path writes the points as moves relative to the one before, in tenths of a
// pixel: half as long as absolute places.
func (s *svgSurface) path(points []point) {
	x, y := tenths(points[0].x), tenths(points[0].y)
	s.b.WriteByte('M')
	s.tenth(x)
	s.b.WriteByte(' ')
	s.tenth(y)
	for _, p := range points[1:] {
		dx, dy := tenths(p.x)-x, tenths(p.y)-y
		switch {
		case dx == 0 && dy == 0:
			continue
		case dy == 0:
			s.b.WriteByte('h')
			s.tenth(dx)
		case dx == 0:
			s.b.WriteByte('v')
			s.tenth(dy)
		default:
			s.b.WriteByte('l')
			s.tenth(dx)
			if dy >= 0 {
				s.b.WriteByte(' ')
			}
			s.tenth(dy)
		}
		x, y = x+dx, y+dy
	}
}

func tenths(v float64) int { return int(math.Round(v * 10)) }

func (s *svgSurface) tenth(v int) {
	if v < 0 {
		s.b.WriteByte('-')
		v = -v
	}
	s.b.WriteString(strconv.Itoa(v / 10))
	if v%10 != 0 {
		s.b.WriteByte('.')
		s.b.WriteString(strconv.Itoa(v % 10))
	}
}

// pixels returns a length with one decimal at most.
func pixels(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// escape returns the text as XML writes it, without control characters, which
// XML cannot hold.
func escape(text string) string {
	return escaper.Replace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�")))
}
