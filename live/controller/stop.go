package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Stopped says that somebody has stopped the controller: it goes on deciding and
// recording, and launches and terminates nothing. The zero Stopped is not
// stopped.
type Stopped struct {
	// Reason why; empty: it is not stopped.
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Until is when it ends by itself; zero: when it is taken back.
	Until time.Time `json:"until,omitzero"`
}

// Is reports whether it is stopped at now.
func (s Stopped) Is(now time.Time) bool {
	return s.Reason != "" && (s.Until.IsZero() || now.Before(s.Until))
}

// String says why, by whom and since when.
func (s Stopped) String() string {
	text := "stopped: " + s.Reason
	if s.By != "" {
		text += ", by " + s.By
	}
	if !s.Since.IsZero() {
		text += ", since " + s.Since.UTC().Format(time.RFC3339)
	}
	if !s.Until.IsZero() {
		text += ", until " + s.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// Act returns what stopping is among the acts.
func (s Stopped) Act() Act {
	what := "stop"
	if !s.Until.IsZero() {
		what += " until " + s.Until.UTC().Format(time.RFC3339)
	}
	return Act{At: s.Since, By: s.By, What: what, Why: s.Reason}
}

// Validate returns an error unless s says who stops it, since when and why.
func (s Stopped) Validate() error {
	if !s.Until.IsZero() && !s.Until.After(s.Since) {
		return invalid("for: must be more than 0")
	}
	return signed(s.By, s.Reason)
}

// stopTimeout bounds the reading of the row: a store that hangs stops.
const stopTimeout = 5 * time.Second

// RowStops returns a stop that is the row of a fleet in a store. A row that cannot
// be read stops: nobody can say that it is not there.
func RowStops(of Switch, fleet string) func(now time.Time) Stopped {
	return func(now time.Time) Stopped {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		s, err := of.StopRow(ctx, fleet)
		if err != nil {
			return Stopped{Reason: fmt.Sprintf("the store does not say whether it is stopped (%v)", err)}
		}
		if !s.Is(now) {
			return Stopped{}
		}
		return s
	}
}

// Stops returns a stop that is a file: a Stopped as JSON. Where there is none the
// controller is not stopped; one that cannot be read, or holds something else,
// stops it, since somebody must have put it there.
func Stops(file string) func(now time.Time) Stopped {
	return func(now time.Time) Stopped {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return Stopped{}
		}
		var s Stopped
		if err == nil {
			err = json.Unmarshal(text, &s)
		}
		if err == nil && s.Reason == "" {
			err = errors.New("reason: must be given")
		}
		if err != nil {
			return Stopped{Reason: fmt.Sprintf("%s cannot be read (%v)", file, err)}
		}
		if !s.Is(now) {
			return Stopped{}
		}
		return s
	}
}

// EitherStops returns a stop that any of others stops.
func EitherStops(others ...func(now time.Time) Stopped) func(now time.Time) Stopped {
	return func(now time.Time) Stopped {
		for _, stop := range others {
			if s := stop(now); s.Is(now) {
				return s
			}
		}
		return Stopped{}
	}
}
