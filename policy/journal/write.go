package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/statehash"
)

// stateEvery is the time between two lines of the state.
const stateEvery = time.Hour

// Writer writes a journal. Its methods are called in the order Before, Decided,
// Became for every decision, and Close at the end. The first error stays: after
// it nothing more is written, and every method returns it. It is not safe for
// concurrent use.
//
// Every line is given to the underlying writer at once, in one write or, of a
// decision, in two. Nothing is held back.
type Writer struct {
	w       io.Writer
	next    int64     // the next decision
	saved   time.Time // when the state was last written; zero: never
	open    bool      // the line of the last decision lacks its end
	codec   codec
	scratch []byte
	err     error

	header policy.Guard  // of the header
	limits *policy.Guard // in force, where it is another
}

// NewWriter returns a Writer of a journal whose first decision has the number
// first, 0 or that after the last of the file before. It writes the header, with
// Format filled in.
func NewWriter(w io.Writer, h Header, first int64) *Writer {
	j := &Writer{w: w, next: first, header: h.Guard}
	h.Format = Format
	text, err := json.Marshal(&h)
	if err != nil {
		j.err = fmt.Errorf("journal: header: %w", err)
		return j
	}
	j.write(append(text, '\n'))
	return j
}

// Err returns the first error.
func (j *Writer) Err() error { return j.err }

// Next returns the number of the next decision.
func (j *Writer) Next() int64 { return j.next }

func (j *Writer) write(text []byte) {
	if j.err == nil {
		_, j.err = j.w.Write(text)
	}
}

// Before is called before p decides about o. It writes p's state where that is
// due: before the first decision, and hourly.
func (j *Writer) Before(o *policy.Observation, p policy.Policy) error {
	j.end()
	if j.err != nil || !j.saved.IsZero() && o.Now.Sub(j.saved) < stateEvery {
		return j.err
	}
	state, err := p.MarshalJSON()
	if err != nil {
		return j.fail(err)
	}
	line, err := json.Marshal(&State{Before: j.next, At: o.Now.UTC(), Hash: hashOf(p, state).String(), State: state})
	if err != nil {
		return j.fail(fmt.Errorf("journal: state: %w", err))
	}
	j.write(append(line, '\n'))
	j.saved = o.Now
	return j.err
}

// Limits says that decisions pass g from here on, not the guard of the header:
// somebody changed a limit, or other fleets that the same guard spans use up a
// part of it. Each decision's line then carries the guard it passed.
func (j *Writer) Limits(g policy.Guard) {
	j.limits = nil
	if g != j.header {
		j.limits = &g
	}
}

// Decided is called when p has decided d about o, before d is applied. d is the
// decision after the guard, removed what the guard took away.
func (j *Writer) Decided(o *policy.Observation, d *policy.Decision, removed Removed, p policy.Policy) error {
	j.end()
	if j.err != nil {
		return j.err
	}
	hash, err := StateHash(p)
	if err != nil {
		return j.fail(err)
	}
	c := &j.codec
	c.writeTo(j.scratch[:0])
	c.out = append(c.out, '{')
	c.first = true
	integer(c, `"id":`, &j.next)
	c.instant(`"at":`, &o.Now)
	c.key(`"observation":`)
	c.observation(o)
	c.key(`"decision":`)
	c.decision(d)
	if c.maybe(`"guard":`, j.limits != nil) {
		text, err := json.Marshal(j.limits)
		if err != nil {
			return j.fail(err)
		}
		c.out = append(c.out, text...)
	}
	if c.maybe(`"removed":`, removed != Removed{}) {
		c.object(func() {
			integerIf(c, `"launches":`, &removed.Launches)
			integerIf(c, `"drains":`, &removed.Drains)
		})
	}
	c.key(`"state_hash":`)
	c.out = appendString(c.out, hash.String())
	j.scratch = c.out
	if c.err != nil {
		return j.fail(fmt.Errorf("journal: decision #%d: %w", j.next, c.err))
	}
	j.write(c.out)
	j.open = true
	j.next++
	return j.err
}

// Became is called when the decision has been applied, as far as it was. A
// decision it is not called for has no outcome.
func (j *Writer) Became(out Outcome) error {
	if !j.open {
		return j.fail(errors.New("journal: an outcome without a decision"))
	}
	text, err := json.Marshal(&out)
	if err != nil {
		return j.fail(err)
	}
	line := append(j.scratch[:0], `,"outcome":`...)
	line = append(line, text...)
	j.scratch = append(line, "}\n"...)
	j.open = false
	j.write(j.scratch)
	return j.err
}

// Close completes the last line. It does not close the underlying writer.
func (j *Writer) Close() error {
	j.end()
	return j.err
}

// end completes a line that has no outcome.
func (j *Writer) end() {
	if j.open {
		j.open = false
		j.write([]byte("}\n"))
	}
}

func (j *Writer) fail(err error) error {
	if j.err == nil {
		j.err = err
	}
	return j.err
}

// hashed is a policy that hashes its state without writing it down.
type hashed interface{ StateHash() statehash.Hash }

// StateHash returns the hash of what p remembers. Where p does not make it itself,
// it is that of its JSON.
func StateHash(p policy.Policy) (statehash.Hash, error) {
	if s, ok := p.(hashed); ok {
		return s.StateHash(), nil
	}
	state, err := p.MarshalJSON()
	return statehash.OfText(state), err
}

// hashOf is StateHash where the state's JSON is at hand.
func hashOf(p policy.Policy, state []byte) statehash.Hash {
	if s, ok := p.(hashed); ok {
		return s.StateHash()
	}
	return statehash.OfText(state)
}
