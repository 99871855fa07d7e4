package scenarios

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing wrong with a file.
type Problem struct {
	File  string // "" when no file is to blame
	Line  int    // from 1; 0: the file as a whole
	Key   string // path of the key, such as "class[2].target"; "" when no key is to blame
	Value string // as a TOML value; "" when there is none
	// Allowed says what the value must be, such as "from 0 to 1"; "" when
	// Reason says it all.
	Allowed string
	// Reason says what is wrong where "must be" would not.
	Reason string
	// Nearest is the known word that was probably meant; "" when none is near.
	Nearest string
}

// Error returns one line:
//
//	week.toml:12: class[2].attain = 1.5: must be from 0 to 1
//	week.toml:14: class[2].tagret: unknown key (did you mean "target"?)
func (p *Problem) Error() string {
	var s strings.Builder
	if p.File != "" {
		s.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&s, ":%d", p.Line)
		}
		s.WriteString(": ")
	}
	if p.Key != "" {
		s.WriteString(p.Key)
		if p.Value != "" {
			s.WriteString(" = " + p.Value)
		}
		s.WriteString(": ")
	}
	switch {
	case p.Reason != "" && p.Allowed != "":
		fmt.Fprintf(&s, "%s: must be %s", p.Reason, p.Allowed)
	case p.Reason != "":
		s.WriteString(p.Reason)
	default:
		s.WriteString("must be " + p.Allowed)
	}
	if p.Nearest != "" {
		fmt.Fprintf(&s, " (did you mean %q?)", p.Nearest)
	}
	return s.String()
}

// Problems is everything wrong with a file, in the order of its lines. It is
// never empty when returned as an error.
type Problems []Problem

// Error returns one line per problem.
func (p Problems) Error() string {
	all := make([]string, len(p))
	for i := range p {
		all[i] = p[i].Error()
	}
	return strings.Join(all, "\n")
}

// BadInput marks the error as the user's.
func (p Problems) BadInput() bool { return true }

// sorted returns p by line, or nil if there is no problem.
func (p Problems) sorted() error {
	if len(p) == 0 {
		return nil
	}
	sort.SliceStable(p, func(i, j int) bool {
		if p[i].File != p[j].File {
			return p[i].File < p[j].File
		}
		return p[i].Line < p[j].Line
	})
	return p
}
