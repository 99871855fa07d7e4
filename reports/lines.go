package reports

import (
	"strings"
	"unicode/utf8"
)

// widthDefault is how many columns a text may take where nobody says.
const widthDefault = 110

// sheet is lines of text that keep within a width: what does not fit beside
// goes below.
type sheet struct {
	width int
	color bool
	b     strings.Builder
}

// paint of a text on a terminal.
type paint string

const (
	plain paint = ""
	bold  paint = "1"
	green paint = "32"
	red   paint = "1;31"
	faint paint = "2"
)

// words is a text of one paint.
type words struct {
	text  string
	paint paint
}

// part is a piece of a line that is not broken. Its words follow each other.
type part []words

func say(text string) part { return part{{text, plain}} }

func (p part) width() int {
	n := 0
	for _, w := range p {
		n += utf8.RuneCountInString(w.text)
	}
	return n
}

// line writes head and the parts, gap columns after the head and 4 at most
// apart. A part that would pass the
// width goes to a line of its own, indented. Empty parts are left out.
func (s *sheet) line(head part, indent, gap int, parts ...part) {
	s.write(head)
	column := head.width()
	for _, p := range parts {
		w := p.width()
		if w == 0 {
			continue
		}
		switch {
		case column < indent: // beside the head
			s.space(indent - column)
			column = indent
		case column == indent && indent > 0:
		case column+gap+w > s.width && column > indent:
			s.b.WriteByte('\n')
			s.space(indent)
			column = indent
		case column > 0:
			s.space(gap)
			column += gap
		}
		gap = min(gap, 4)
		s.write(p)
		column += w
	}
	s.b.WriteByte('\n')
}

func (s *sheet) write(p part) {
	for _, w := range p {
		if w.text == "" {
			continue
		}
		if s.color && w.paint != plain {
			s.b.WriteString("\x1b[" + string(w.paint) + "m" + w.text + "\x1b[0m")
		} else {
			s.b.WriteString(w.text)
		}
	}
}

func (s *sheet) space(n int) {
	for range n {
		s.b.WriteByte(' ')
	}
}

// padded returns the text with spaces after it, up to width columns.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// oneLine returns the text without what would break a line or steer a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}
