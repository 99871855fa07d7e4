// Package provider reads what the provider says of itself: its public status feed,
// or the AWS Health API. What it says annotates decisions and may hold them; it
// never launches anything, and when it cannot be read nothing is held.
package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Trouble is one thing that is wrong, and that nobody has called resolved.
type Trouble struct {
	Title string
	Since time.Time
}

// Source tells of trouble.
type Source interface {
	// Look returns what is wrong now, the latest first.
	Look(ctx context.Context, now time.Time) ([]Trouble, error)
}

// Status is what is known at a time. The zero Status knows of nothing.
type Status struct {
	Trouble []Trouble
	At      time.Time // when the source last answered
}

// String says what is wrong in a line; "" if nothing is.
func (s Status) String() string {
	if len(s.Trouble) == 0 {
		return ""
	}
	first := s.Trouble[0]
	text := fmt.Sprintf("%s, since %s", first.Title, first.Since.UTC().Format(time.RFC3339))
	if more := len(s.Trouble) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// lookTime bounds a look.
const lookTime = 20 * time.Second

// staleLooks is how many looks may fail before what was known is forgotten.
const staleLooks = 3

// Watcher looks at a source again and again. Its methods may be called at once.
type Watcher struct {
	source Source
	every  time.Duration
	log    *slog.Logger

	mu   sync.Mutex
	last Status
}

// Watch returns a watcher of a source. Run makes it look.
func Watch(s Source, every time.Duration, log *slog.Logger) *Watcher {
	return &Watcher{source: s, every: every, log: log}
}

// Run looks until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	for {
		w.look(ctx)
		select {
		case <-time.After(w.every):
		case <-ctx.Done():
			return
		}
	}
}

// look asks the source once.
func (w *Watcher) look(ctx context.Context) {
	bound, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	now := time.Now().UTC()
	trouble, err := w.source.Look(bound, now)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("the provider's status cannot be read, and holds nothing", "error", err)
		}
		return
	}
	next := Status{trouble, now}
	w.mu.Lock()
	before := w.last.String()
	w.last = next
	w.mu.Unlock()
	if text := next.String(); text != before {
		w.log.Info("the provider's status changes", "trouble", text)
	}
}

// Status returns what is known at now, without waiting for anything. What was
// learned too long ago is known no more.
func (w *Watcher) Status(now time.Time) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.last.At) > staleLooks*w.every {
		return Status{}
	}
	return w.last
}

// answerMax bounds an answer, in bytes.
const answerMax = 4 << 20

// titleMax bounds what is kept of a title.
const titleMax = 200

// clean returns a title as one line of at most titleMax bytes.
func clean(title string) string {
	title = strings.Join(strings.Fields(title), " ")
	if len(title) > titleMax {
		title = strings.ToValidUTF8(title[:titleMax], "") + "…"
	}
	return title
}

// errTooLong is an answer beyond answerMax.
var errTooLong = errors.New("the answer is too long")
