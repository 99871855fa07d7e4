package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of a file's shape. No scenario comes near them; a hostile file would.
const (
	fileMax  = 1 << 20 // bytes
	depthMax = 32      // of arrays, inline tables and dotted keys
)

// lines tells where a TOML file says what: line numbers by path, such as
// "class[2].target". Elements of arrays count from 1.
type lines map[string]int

// of returns the line of path or, if the file does not have it, of the nearest
// table or key around it; 0 when there is none.
func (l lines) of(path string) int {
	for {
		if n, ok := l[path]; ok {
			return n
		}
		at := strings.LastIndexAny(path, ".[")
		if at < 0 {
			return 0
		}
		path = path[:at]
	}
}

// locate returns the lines of a TOML text. It believes the text to be valid
// TOML: of anything else it returns as much as it understands. It fails only
// on text nested deeper than depthMax, which no decoder should see.
//
// The TOML library says where syntax is wrong, not where values stand; hence
// this scanner, which knows just enough of the syntax to skip over values.
func locate(text string) (lines, error) {
	s := &locator{text: text, line: 1, found: lines{}, tables: map[string]int{}}
	for s.more() {
		if s.skipBlank(); !s.more() {
			break
		}
		before := s.at
		if s.peek() == '[' {
			s.header()
		} else {
			s.assignment(s.table)
		}
		s.skipLine()
		if s.at == before { // not TOML
			break
		}
	}
	if s.deep > 0 {
		return nil, fmt.Errorf("line %d: nested deeper than %d", s.deep, depthMax)
	}
	return s.found, nil
}

// locator reads a text from front to back.
type locator struct {
	text   string
	at     int
	line   int
	table  string // path of the table that assignments go to
	depth  int
	deep   int // line where depthMax was exceeded; 0: nowhere
	found  lines
	tables map[string]int // elements so far of each array of tables
}

func (s *locator) more() bool { return s.at < len(s.text) && s.deep == 0 }

func (s *locator) peek() byte { return s.text[s.at] }

func (s *locator) next() {
	if s.text[s.at] == '\n' {
		s.line++
	}
	s.at++
}

// note remembers where path first stands.
func (s *locator) note(path string) {
	if _, known := s.found[path]; !known {
		s.found[path] = s.line
	}
}

// skipBlank skips white space, line ends and comments.
func (s *locator) skipBlank() {
	for s.more() {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.next()
		case '#':
			for s.more() && s.peek() != '\n' {
				s.next()
			}
		default:
			return
		}
	}
}

func (s *locator) skipSpace() {
	for s.more() && (s.peek() == ' ' || s.peek() == '\t') {
		s.next()
	}
}

// skipLine goes to the next line.
func (s *locator) skipLine() {
	for s.more() && s.peek() != '\n' {
		s.next()
	}
	if s.more() {
		s.next()
	}
}

// header reads [table] or [[array of tables]].
func (s *locator) header() {
	array := strings.HasPrefix(s.text[s.at:], "[[")
	s.next()
	if array {
		s.next()
	}
	path := ""
	parts := s.key()
	for i, part := range parts {
		path = join(path, part)
		if array && i == len(parts)-1 {
			s.note(path)
			s.tables[path]++
		}
		if n := s.tables[path]; n > 0 {
			path = element(path, n)
		}
	}
	s.note(path)
	s.table = path
}

// assignment reads key = value into the table at path.
func (s *locator) assignment(path string) {
	for _, part := range s.key() {
		path = join(path, part)
		s.note(path)
	}
	s.skipSpace()
	if !s.more() || s.peek() != '=' {
		return
	}
	s.next()
	s.skipSpace()
	s.value(path)
}

// key reads a key, dotted or not, and returns its parts.
func (s *locator) key() (parts []string) {
	for s.more() {
		s.skipSpace()
		if !s.more() {
			break
		}
		switch c := s.peek(); {
		case c == '"' || c == '\'':
			parts = append(parts, s.quoted())
		case isBare(c):
			from := s.at
			for s.more() && isBare(s.peek()) {
				s.next()
			}
			parts = append(parts, s.text[from:s.at])
		default:
			return parts
		}
		if len(parts) > depthMax {
			s.deep = s.line
		}
		s.skipSpace()
		if !s.more() || s.peek() != '.' {
			return parts
		}
		s.next()
	}
	return parts
}

// quoted reads a string of one line and returns what it means.
func (s *locator) quoted() string {
	from, quote := s.at, s.peek()
	s.next()
	for s.more() && s.peek() != quote && s.peek() != '\n' {
		if quote == '"' && s.peek() == '\\' {
			s.next()
			if !s.more() {
				break
			}
		}
		s.next()
	}
	if !s.more() || s.peek() != quote {
		return s.text[from:s.at]
	}
	s.next()
	inner := s.text[from+1 : s.at-1]
	if quote == '"' {
		if meant, err := strconv.Unquote(`"` + inner + `"`); err == nil {
			return meant
		}
	}
	return inner
}

// value skips over a value and notes what stands inside.
func (s *locator) value(path string) {
	if !s.more() {
		return
	}
	s.note(path)
	switch c := s.peek(); c {
	case '"', '\'':
		if triple := strings.Repeat(string(c), 3); strings.HasPrefix(s.text[s.at:], triple) {
			s.quotedLines(triple)
		} else {
			s.quoted()
		}
	case '[':
		s.array(path)
	case '{':
		s.inline(path)
	default:
		for s.more() && !strings.ContainsRune(",]}#\n", rune(s.peek())) {
			s.next()
		}
	}
}

// quotedLines skips a string of many lines.
func (s *locator) quotedLines(triple string) {
	for range triple {
		s.next()
	}
	for s.more() && !strings.HasPrefix(s.text[s.at:], triple) {
		if triple[0] == '"' && s.peek() == '\\' && s.at+1 < len(s.text) {
			s.next()
		}
		s.next()
	}
	// up to two more quotes belong to the string
	for s.more() && s.peek() == triple[0] {
		s.next()
	}
}

// inside counts a level of nesting while f reads up to close.
func (s *locator) inside(close byte, f func(n int)) {
	if s.depth++; s.depth > depthMax {
		s.deep = s.line
		return
	}
	s.next()
	for n := 1; s.more(); n++ {
		s.skipBlank()
		if !s.more() {
			break
		}
		if s.peek() == close {
			s.next()
			break
		}
		before := s.at
		f(n)
		s.skipBlank()
		if s.more() && s.peek() == ',' {
			s.next()
		}
		if s.at == before { // not TOML
			break
		}
	}
	s.depth--
}

func (s *locator) array(path string) {
	s.inside(']', func(n int) { s.value(element(path, n)) })
}

func (s *locator) inline(path string) {
	s.inside('}', func(int) { s.assignment(path) })
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// join returns the path of a key in the table at path.
func join(path, key string) string {
	bare := key != ""
	for i := range len(key) {
		bare = bare && isBare(key[i])
	}
	if !bare {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// element returns the path of the n-th element, from 1, of the array at path.
func element(path string, n int) string { return path + "[" + strconv.Itoa(n) + "]" }
