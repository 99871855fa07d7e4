package traces

import (
	"fmt"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// Source yields a trace's jobs in arrival order.
type Source interface {
	// Next fills b with the next jobs, at least one. It returns io.EOF after
	// the last; any other error ends the source. The slices of b are valid
	// until the next call.
	Next(b *Batch) error
	// Meta returns what is known of the trace so far. Jobs and Span may
	// become known only when the trace has been read to its end.
	Meta() Meta
	// Close releases what the source holds. Next must not follow.
	Close() error
}

// Meta describes a trace. The zero Meta claims to hold no jobs: a source that
// cannot tell says Jobs: -1.
type Meta struct {
	Name           string
	Start          time.Time     // UTC instant of arrival 0; zero when unknown
	Jobs           int64         // -1 when unknown
	Span           time.Duration // arrival of the last job; 0 when unknown
	ReferenceSpeed float64       // speed of the core Service was measured on, from SpeedMin to SpeedMax; 0 when unknown
	Origin         string        // what wrote or generated the trace, for people; "" when unknown
}

// InputError says what is wrong with a trace and where.
type InputError struct {
	File   string
	Line   int64  // line of a text file, or row of a binary one, from 1; 0: no single place
	Column string // "" when the row or file as a whole is wrong
	Value  string // as it stands in the file; "" when there is none
	Reason string // what is wrong and what is allowed
	Fix    string // a command to run or a change to make; "" when Reason says it all
	Err    error  // the cause, if another error reported it
}

// Error returns one line: file, line, column, value, reason, and what to do.
func (e *InputError) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&s, ":%d", e.Line)
	}
	s.WriteString(": ")
	if e.Column != "" {
		s.WriteString(e.Column)
		if e.Value != "" {
			fmt.Fprintf(&s, " = %s", shown(e.Value))
		}
		s.WriteString(": ")
	} else if e.Value != "" {
		fmt.Fprintf(&s, "%s: ", shown(e.Value))
	}
	s.WriteString(e.Reason)
	if e.Fix != "" {
		s.WriteString("; ")
		s.WriteString(e.Fix)
	}
	return s.String()
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// BadInput reports that the input, not the program or the machine, is at
// fault.
func (e *InputError) BadInput() bool { return true }

// shown returns value quoted where needed and cut to a readable length.
func shown(value string) string {
	const most = 60
	if len(value) > most {
		value = value[:most] + "…"
	}
	return fmt.Sprintf("%q", value)
}

// runImport is the fix for a file that only a lenient reader can take.
func runImport(file string) string {
	return "run: skynet trace import " + spell.Shell(file) + " -o OUT"
}
