package journal

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// codec writes values as encoding/json does, or reads what was written so. One
// description of a struct (observation.go) serves both ways, so they cannot
// drift apart.
//
// Reading is strict: every field in the order in which it is written, no spaces.
// Text that is good JSON but looks different makes the codec give up (bad), and
// the caller falls back on encoding/json. That is a tenth of the cost of
// decoding an observation, and it is what bounds a replay.
type codec struct {
	reading bool
	out     []byte // written so far
	in      string // not read yet
	first   bool   // the open object has no field yet
	bad     bool   // the text is not as written here
	err     error  // a value that JSON cannot hold

	// the last time read: most of an observation's are the same
	timeText string
	time     time.Time
}

func (c *codec) writeTo(out []byte) { *c = codec{out: out} }

func (c *codec) readFrom(in string) {
	*c = codec{reading: true, in: in, timeText: c.timeText, time: c.time}
}

// lit writes or reads a literal.
func (c *codec) lit(s string) {
	if !c.reading {
		c.out = append(c.out, s...)
	} else if !c.take(s) {
		c.bad = true
	}
}

// take reads a literal if it comes next.
func (c *codec) take(s string) bool {
	if !strings.HasPrefix(c.in, s) {
		return false
	}
	c.in = c.in[len(s):]
	return true
}

// object is a struct: its fields are those that fields names.
func (c *codec) object(fields func()) {
	c.lit("{")
	c.first = true
	fields()
	c.lit("}")
	c.first = false
}

// key begins a field. Keys are given with quotes and colon.
func (c *codec) key(k string) {
	if !c.maybe(k, true) {
		c.bad = true
	}
}

// maybe begins a field that may be left out: where it is not there, in writing,
// or does not come next, in reading, it returns false.
func (c *codec) maybe(k string, there bool) bool {
	if !c.reading {
		if !there {
			return false
		}
		if !c.first {
			c.out = append(c.out, ',')
		}
		c.first = false
		c.out = append(c.out, k...)
		return true
	}
	in := c.in
	if !c.first {
		if len(in) == 0 || in[0] != ',' {
			return false
		}
		in = in[1:]
	}
	if !strings.HasPrefix(in, k) {
		return false
	}
	c.in = in[len(k):]
	c.first = false
	return true
}

// list is a list of values. Room of *xs is used again.
func list[T any](c *codec, xs *[]T, value func(*T)) {
	c.lit("[")
	if !c.reading {
		for i := range *xs {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			value(&(*xs)[i])
		}
		c.lit("]")
		return
	}
	all := (*xs)[:0]
	for more := !c.take("]"); more && !c.bad; {
		if len(all) < cap(all) {
			all = all[:len(all)+1]
		} else {
			var x T
			all = append(all, x)
		}
		value(&all[len(all)-1])
		if more = c.take(","); !more {
			c.lit("]")
		}
	}
	*xs = all
}

// lists is a list that is left out when it is empty.
func lists[T any](c *codec, k string, xs *[]T, value func(*T)) {
	if c.maybe(k, len(*xs) > 0) {
		list(c, xs, value)
	} else if c.reading {
		*xs = (*xs)[:0]
	}
}

// fixed is an array of n values.
func fixed[T any](c *codec, k string, xs []T, value func(*T)) {
	c.key(k)
	c.lit("[")
	for i := range xs {
		if i > 0 {
			c.lit(",")
		}
		value(&xs[i])
	}
	c.lit("]")
}

func (c *codec) flag(k string, x *bool) {
	c.key(k)
	c.boolean(x)
}

func (c *codec) flagIf(k string, x *bool) {
	if c.maybe(k, *x) {
		c.boolean(x)
	} else if c.reading {
		*x = false
	}
}

func (c *codec) boolean(x *bool) {
	if !c.reading {
		c.out = strconv.AppendBool(c.out, *x)
		return
	}
	*x = c.take("true")
	if !*x {
		c.lit("false")
	}
}

func integer[T ~int | ~int64 | ~uint8](c *codec, k string, x *T) {
	c.key(k)
	whole(c, x)
}

func integerIf[T ~int | ~int64 | ~uint8](c *codec, k string, x *T) {
	if c.maybe(k, *x != 0) {
		whole(c, x)
	} else if c.reading {
		*x = 0
	}
}

func whole[T ~int | ~int64 | ~uint8](c *codec, x *T) {
	if !c.reading {
		c.out = strconv.AppendInt(c.out, int64(*x), 10)
		return
	}
	digits, plain := c.number()
	if !plain {
		c.bad = true
		return
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || int64(T(n)) != n {
		c.bad = true
	}
	*x = T(n)
}

func number[T ~float64](c *codec, k string, x *T) {
	c.key(k)
	if f := float64(*x); !c.reading && (math.IsNaN(f) || math.IsInf(f, 0)) {
		c.err = fmt.Errorf("%s %v: JSON has no such number", strings.Trim(k, `":`), f)
		return
	}
	real(c, x)
}

// real is a number that need not be whole.
func real[T ~float64](c *codec, x *T) {
	if !c.reading {
		if f := float64(*x); math.IsNaN(f) || math.IsInf(f, 0) {
			c.err = fmt.Errorf("%v: JSON has no such number", f)
		} else {
			c.out = appendFloat(c.out, f)
		}
		return
	}
	text, _ := c.number()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		c.bad = true
	}
	*x = T(f)
}

// appendFloat writes f as encoding/json does.
func appendFloat(out []byte, f float64) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	out = strconv.AppendFloat(out, f, format, -1, 64)
	if n := len(out); format == 'e' && n >= 4 && out[n-4] == 'e' && out[n-3] == '-' && out[n-2] == '0' {
		out[n-2] = out[n-1] // e-09 to e-9
		out = out[:n-1]
	}
	return out
}

// number reads a number as JSON spells them, and tells whether it is whole.
func (c *codec) number() (text string, plain bool) {
	s, i := c.in, 0
	digits := func() int {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i - from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	from := i
	if n := digits(); n == 0 || n > 1 && s[from] == '0' {
		c.bad = true
		return "", false
	}
	plain = true
	if i < len(s) && s[i] == '.' {
		plain = false
		i++
		if digits() == 0 {
			c.bad = true
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		plain = false
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if digits() == 0 {
			c.bad = true
		}
	}
	c.in = s[i:]
	return s[:i], plain
}

func (c *codec) text(k string, x *string) {
	c.key(k)
	c.str(x)
}

func (c *codec) textIf(k string, x *string) {
	if c.maybe(k, *x != "") {
		c.str(x)
	} else if c.reading {
		*x = ""
	}
}

func (c *codec) str(x *string) {
	if !c.reading {
		c.out = appendString(c.out, *x)
		return
	}
	// names come again and again, and must not keep a whole line in memory
	if s := c.quoted(); s != *x {
		*x = strings.Clone(s)
	}
}

// quoted reads a string that needs no unquoting.
func (c *codec) quoted() string {
	if len(c.in) == 0 || c.in[0] != '"' {
		c.bad = true
		return ""
	}
	for i := 1; i < len(c.in); i++ {
		switch b := c.in[i]; {
		case b == '"':
			s := c.in[1:i]
			c.in = c.in[i+1:]
			return s
		case !simple(b):
			c.bad = true
			return ""
		}
	}
	c.bad = true
	return ""
}

// simple reports whether encoding/json writes a byte as it is.
func simple(b byte) bool {
	return b >= 0x20 && b < 0x7f && b != '"' && b != '\\' && b != '<' && b != '>' && b != '&'
}

func appendString(out []byte, s string) []byte {
	for i := range len(s) {
		if !simple(s[i]) {
			quoted, _ := json.Marshal(s) // a string can always be written
			return append(out, quoted...)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}

// wordy is a value that is written as a word.
type wordy[T any] interface {
	*T
	encoding.TextUnmarshaler
}

// word is a value of a few words; say is its word.
func word[T ~uint8, P wordy[T]](c *codec, x *T, say func(T) string) {
	if !c.reading {
		c.out = appendString(c.out, say(*x))
		return
	}
	s := c.quoted()
	if c.bad || s == say(*x) {
		return
	}
	if P(x).UnmarshalText([]byte(s)) != nil {
		c.bad = true
	}
}

// instant is a time, always written in UTC.
func (c *codec) instant(k string, x *time.Time) {
	c.key(k)
	if !c.reading {
		c.out = append(c.out, '"')
		c.out = x.UTC().AppendFormat(c.out, time.RFC3339Nano)
		c.out = append(c.out, '"')
		return
	}
	s := c.quoted()
	if s != c.timeText || s == "" {
		var at time.Time
		if !strings.HasSuffix(s, "Z") || at.UnmarshalText([]byte(s)) != nil {
			c.bad = true
			return
		}
		c.timeText, c.time = s, at
	}
	*x = c.time
}
