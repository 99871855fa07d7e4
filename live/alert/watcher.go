package alert

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// Watcher turns ticks into alerts and hands them to senders. Its methods may be
// called at once.
type Watcher struct {
	fleet   string
	env     policy.Env
	caps    func() policy.Guard
	now     func() time.Time
	senders []*Sender

	mu   sync.Mutex
	open map[string]*pending
	last time.Time // of the last tick; zero: it does not lead
}

// pending is a condition that holds, or did a moment ago.
type pending struct {
	condition
	since, seen time.Time
	fired       bool
}

// Watch returns what watches the controller that c describes. Give c.Seen its Saw
// before the controller is opened, and Run it.
func Watch(c *controller.Config, senders []*Sender) *Watcher {
	w := &Watcher{fleet: c.Fleet, env: c.Env, senders: senders, now: c.Now, open: map[string]*pending{}}
	if w.now == nil {
		w.now = time.Now
	}
	guard, read := c.Guard, c.Caps
	w.caps = func() policy.Guard {
		if read != nil {
			if caps, err := read(); err == nil {
				return caps
			}
		}
		return guard
	}
	return w
}

// Saw looks at a tick. It returns at once.
func (w *Watcher) Saw(k *controller.Controller, r *controller.Result) { w.look(k.Observation(), r) }

func (w *Watcher) look(o *policy.Observation, r *controller.Result) {
	found := conditions(&w.env, w.caps(), o, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Hold == controller.Superseded { // another tells from now on
		w.last = time.Time{}
		w.open = map[string]*pending{}
		return
	}
	w.last = w.now()
	w.take(w.last, found)
}

// Run watches that there are ticks at all, until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	for {
		select {
		case <-time.After(w.env.Tick / 2):
			w.missing()
		case <-ctx.Done():
			return
		}
	}
}

// missing looks whether the controller has stopped deciding.
func (w *Watcher) missing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	age := now.Sub(w.last)
	if w.last.IsZero() || age <= unreadAfter*w.env.Tick {
		return
	}
	w.note(now, condition{name: "SkynetNoDecision", severity: Page, summary: fmt.Sprintf("no decision for %s", age.Round(time.Second))})
	w.fire(now)
}

// take takes in what is wrong at now; whatever else was is over.
func (w *Watcher) take(now time.Time, found []condition) {
	holds := map[string]bool{}
	for _, c := range found {
		w.note(now, c)
		holds[c.key()] = true
	}
	w.fire(now)
	for _, key := range slices.Sorted(maps.Keys(w.open)) {
		p := w.open[key]
		if holds[key] || now.Sub(p.seen) < p.lasts {
			continue
		}
		if delete(w.open, key); p.fired {
			w.send(p, now)
		}
	}
}

// note notes that a condition holds.
func (w *Watcher) note(now time.Time, c condition) {
	p := w.open[c.key()]
	if p == nil {
		p = &pending{since: now}
		w.open[c.key()] = p
	}
	p.condition, p.seen = c, now
}

// fire hands over what has held for long enough. Senders know what they have sent.
func (w *Watcher) fire(now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(w.open)) {
		if p := w.open[key]; now.Sub(p.since) >= p.after {
			p.fired = true
			w.send(p, time.Time{})
		}
	}
}

// send hands an alert to every sender; resolved is when it was, or zero.
func (w *Watcher) send(p *pending, resolved time.Time) {
	a := Alert{
		Key: w.fleet + "/" + p.key(), Status: Firing, Name: p.name, Fleet: w.fleet, Severity: p.severity,
		Summary: w.fleet + ": " + p.summary, Since: p.since.UTC(), Runbook: runbook(p.name),
	}
	if !resolved.IsZero() {
		a.Status, a.Resolved = Resolved, resolved.UTC()
	}
	a.say()
	for _, s := range w.senders {
		s.take(a)
	}
}
