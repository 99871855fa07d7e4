package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Replay says what of a journal is replayed, and with which policy.
type Replay struct {
	// New makes the policy of a header, before its first step.
	New func(*Header) (policy.Policy, error)
	// Other: New makes another policy than the one that decided. Then only what
	// it would have done is compared, not why, and no state.
	Other bool
	// From and To bound the time of the decisions that are compared, To not
	// included; zero: no bound.
	From, To time.Time
	// Most differences are reported one by one; all are counted.
	Most int
	// Each, if set, is called after every decision that is compared. An error of
	// it ends the replay.
	Each func(*Record) error
}

// Difference is a field that is not as it was recorded.
type Difference struct {
	ID   int64     `json:"id"`
	At   time.Time `json:"at"`
	File string    `json:"file"`
	Line int       `json:"line"`
	// Field is a path: decision.launches[0].count, decision.because[1].figures[0],
	// state.lines[0].head; state_hash where only the hash tells.
	Field    string `json:"field"`
	Recorded string `json:"recorded"`
	Now      string `json:"now"`
}

// Report is what a replay came to.
type Report struct {
	// Policy that was recorded, by its label.
	Policy string `json:"policy"`
	// Headers, Decisions and States that were compared, and the time from the
	// first decision to the last.
	Headers   int       `json:"headers"`
	Decisions int64     `json:"decisions"`
	States    int64     `json:"states"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	// Differing decisions, and states at whose lines the state itself or its hash
	// differed.
	Differing       int64 `json:"differing"`
	DifferingStates int64 `json:"differing_states"`
	// Differences are the first of them, by time.
	Differences []Difference `json:"differences,omitempty"`
	// Breaks are headers at which the policy began with another state than the
	// one it had: a restart that lost it, or another policy. They are no
	// differences.
	Breaks []Break `json:"breaks,omitempty"`
	Torn   []Torn  `json:"torn,omitempty"`
}

// Break is a header with a state that does not follow from the one before.
type Break struct {
	File string `json:"file"`
	Line int    `json:"line"`
	ID   int64  `json:"id"` // of the decision that follows
}

// Same reports whether everything was as recorded.
func (r *Report) Same() bool { return r.Differing == 0 && r.DifferingStates == 0 }

// Run replays what r reads. Its errors are those of r and of a policy that
// cannot be made; a difference is none.
func (x *Replay) Run(r *Reader) (*Report, error) {
	run := replaying{Replay: x, r: r, out: &Report{}, player: Player{New: x.New, Other: x.Other}}
	if !x.From.IsZero() && !x.Other {
		before, err := StateBefore(r.Again(), func(_ int64, at time.Time) bool { return !at.Before(x.From) })
		if err != nil {
			return nil, err
		}
		run.from = before
		r.Skip = func(_ int64, at time.Time) bool { return at.Before(before) }
	}
	err := run.all()
	run.out.Torn = r.Torn
	if err == nil && run.out.Decisions == 0 {
		file, _ := r.Position()
		err = &Error{File: file, Err: errors.New("there is no decision in that time")}
	}
	return run.out, err
}

// StateBefore returns the time of the last state that is not behind the decision
// asked for: the first for which reached returns true. It reads r no further,
// and closes it.
func StateBefore(r *Reader, reached func(id int64, at time.Time) bool) (time.Time, error) {
	defer r.Close()
	var before time.Time
	found := false
	r.Skip = func(id int64, at time.Time) bool {
		found = found || reached(id, at)
		return !found
	}
	for !found {
		line, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return time.Time{}, err
		}
		if s, ok := line.(*State); ok {
			before = s.At
		}
	}
	return before, nil
}

// replaying is a Replay under way.
type replaying struct {
	*Replay
	r      *Reader
	out    *Report
	player Player
	from   time.Time // states before it are passed over
	hash   string
	fresh  bool // a header came, its state did not
	codec  codec
}

func (x *replaying) all() error {
	for {
		line, err := x.r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch line := line.(type) {
		case *Header:
			err = x.header(line)
		case *State:
			if x.over(line.At) {
				return nil
			}
			if !line.At.Before(x.from) {
				err = x.state(line)
			}
		case *Record:
			if x.over(line.At) {
				return nil
			}
			err = x.decision(line)
		}
		if err != nil {
			return err
		}
	}
}

// over reports whether nothing from at on is compared.
func (x *replaying) over(at time.Time) bool { return !x.To.IsZero() && !at.Before(x.To) }

// wrong names where in the journal an error is.
func (x *replaying) wrong(err error) error {
	file, line := x.r.Position()
	return &Error{File: file, Line: line, Err: err}
}

func (x *replaying) header(h *Header) error {
	if err := x.player.Header(h); err != nil {
		return x.wrong(fmt.Errorf("header: %w", err))
	}
	x.out.Headers++
	x.fresh = true
	if x.out.Policy == "" {
		x.out.Policy = h.Policy.Label
	}
	return nil
}

func (x *replaying) state(s *State) error {
	if x.fresh && x.hash != "" && x.hash != s.Hash {
		file, line := x.r.Position()
		x.out.Breaks = append(x.out.Breaks, Break{file, line, s.Before})
	}
	x.fresh = false
	at, differs, err := x.player.State(s)
	if err != nil {
		return x.wrong(fmt.Errorf("state: %w", err))
	}
	if x.Other {
		return nil
	}
	x.out.States++
	if differs {
		x.out.DifferingStates++
		at.field = "state." + at.field
		x.note(s.Before, s.At, at)
	}
	return nil
}

func (x *replaying) decision(rec *Record) error {
	wanted, allowed, err := x.player.Step(rec)
	if err != nil {
		return x.wrong(fmt.Errorf("decision #%d: %w", rec.ID, err))
	}
	x.hash = rec.StateHash
	if rec.At.Before(x.From) {
		return nil
	}
	if x.out.Decisions == 0 {
		x.out.First = rec.At
	}
	x.out.Decisions++
	x.out.Last = rec.At
	at, differs, err := x.compare(rec, &wanted, &allowed)
	if err != nil {
		return x.wrong(fmt.Errorf("decision #%d: %w", rec.ID, err))
	}
	if differs {
		x.out.Differing++
		x.note(rec.ID, rec.At, at)
	}
	if x.Each != nil {
		return x.Each(rec)
	}
	return nil
}

func (x *replaying) note(id int64, at time.Time, d difference) {
	if len(x.out.Differences) < x.Most {
		file, line := x.r.Position()
		x.out.Differences = append(x.out.Differences, Difference{id, at, file, line, d.field, d.recorded, d.now})
	}
}

// compare returns the first field of a decision, or of the state after it, that
// is not as recorded.
func (x *replaying) compare(rec *Record, wanted, allowed *policy.Decision) (difference, bool, error) {
	x.codec.writeTo(x.codec.out[:0])
	x.codec.decision(allowed)
	if x.codec.err != nil {
		return difference{}, false, x.codec.err
	}
	now := x.codec.out
	if string(now) != rec.Decision {
		recorded := []byte(rec.Decision)
		if x.Other {
			var err error
			if recorded, now, err = actions(recorded, now); err != nil {
				return difference{}, false, err
			}
		}
		at, differs, err := firstDifference(recorded, now)
		if err != nil || differs {
			at.field = "decision." + at.field
			return at, differs, err
		}
	}
	if x.Other {
		return difference{}, false, nil
	}
	if removed := removedBy(wanted, allowed); removed != rec.Removed {
		return difference{"removed", fmt.Sprint(rec.Removed), fmt.Sprint(removed)}, true, nil
	}
	hash, err := StateHash(x.player.Policy())
	if err != nil {
		return difference{}, false, err
	}
	if now := hash.String(); now != rec.StateHash {
		return difference{"state_hash", rec.StateHash, now}, true, nil
	}
	return difference{}, false, nil
}

// actions returns two decisions without their reasons.
func actions(a, b []byte) (x, y []byte, err error) {
	strip := func(text []byte) (out []byte) {
		var d Decision
		if e := json.Unmarshal(text, &d); e != nil {
			err = errors.Join(err, e)
		}
		d.Because = nil
		out, e := json.Marshal(&d)
		err = errors.Join(err, e)
		return out
	}
	return strip(a), strip(b), err
}

// removedBy returns what the guard took away.
func removedBy(wanted, allowed *policy.Decision) Removed {
	return Removed{wanted.Instances() - allowed.Instances(), len(wanted.Drains) - len(allowed.Drains)}
}
