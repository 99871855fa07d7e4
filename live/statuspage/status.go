// Package statuspage writes a public page that says how a fleet fares: index.html
// for people, status.json for programs and status.rss for readers of feeds, into a
// folder or a bucket, at every tick.
//
// It is static, so it outlives what it tells of; therefore every file says when it
// was written and when it is out of date, and the page says so by itself once that
// time has come. It names no instance, no person and no reason that somebody gave;
// money only if that is wanted.
package statuspage

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// StaleAfter is how old a page may be and say anything of now.
const StaleAfter = 3 * time.Minute

// State is how the fleet fares, in a word.
type State string

// The states.
const (
	OK      State = "ok"      // every class is within its promise
	Delayed State = "delayed" // the first job of a class has waited longer than promised
	Paused  State = "paused"  // somebody has stopped the controller; jobs go on
	Unknown State = "unknown" // the queue or the fleet cannot be read
)

// says is each state in a sentence.
var says = map[State]string{
	OK:      "All jobs start within their promised time.",
	Delayed: "Some jobs wait longer than promised.",
	Paused:  "The fleet is kept as it is by an operator. Jobs are worked on.",
	Unknown: "The state of the fleet cannot be read at the moment.",
}

// Status is what status.json holds.
type Status struct {
	Title string `json:"title"`
	// At is when it was written; after StaleAt it says nothing of now.
	At      time.Time `json:"at"`
	StaleAt time.Time `json:"stale_at"`
	State   State     `json:"state"`
	Says    string    `json:"says"`
	// Provider is what the provider says of itself; empty: nothing.
	Provider string `json:"provider,omitempty"`
	// Classes and Fleet are absent where they cannot be read.
	Classes []Class `json:"classes,omitempty"`
	Fleet   *Fleet  `json:"fleet,omitempty"`
	Spent   *Spent  `json:"spent_usd,omitempty"`
	// Changes of state, the latest first.
	Changes []Change `json:"changes"`
}

// Class is how those fare who were promised something.
type Class struct {
	Name        string  `json:"name"`
	TargetS     float64 `json:"target_s"`
	Waiting     int64   `json:"waiting"`
	Running     int64   `json:"running"`
	OldestWaitS float64 `json:"oldest_wait_s"`
	Delayed     bool    `json:"delayed"`
}

// Fleet is how large the fleet is, in slots.
type Fleet struct {
	Ready   int `json:"ready_slots"`
	Busy    int `json:"busy_slots"`
	Booting int `json:"booting_slots"`
}

// Spent is what was spent in this clock hour, day and month.
type Spent struct {
	Hour  float64 `json:"hour"`
	Day   float64 `json:"day"`
	Month float64 `json:"month"`
}

// Change is one of the state.
type Change struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	Says  string    `json:"says"`
}

// changesMax is how many changes are kept.
const changesMax = 30

// of returns what a tick is told as.
func (p *Page) of(o *policy.Observation, r *controller.Result) Status {
	s := Status{Title: p.c.Title, At: r.At.UTC(), StaleAt: r.At.UTC().Add(StaleAfter), State: OK, Provider: r.Outcome.Provider}
	if o.Queue.Complete {
		s.Classes = p.classes(o)
	}
	if f := &o.Fleet; f.Complete {
		s.Fleet = &Fleet{Ready: f.ReadySlots, Busy: f.BusySlots, Booting: f.BootingSlots}
	}
	if m := &o.Money; p.c.Money {
		s.Spent = &Spent{m.SpentHour.Dollars(), m.SpentDay.Dollars(), m.SpentMonth.Dollars()}
	}
	for _, c := range s.Classes {
		if c.Delayed {
			s.State = Delayed
		}
	}
	switch {
	case !o.Queue.Complete || !o.Fleet.Complete:
		s.State = Unknown
	case r.Hold == controller.ByStop:
		s.State = Paused
	}
	s.Says = says[s.State]
	return s
}

// classes returns how every class fares.
func (p *Page) classes(o *policy.Observation) []Class {
	all := make([]Class, len(p.c.Classes))
	for i := range all {
		c := &p.c.Classes[i]
		all[i] = Class{Name: c.Name, TargetS: c.Target.Seconds()}
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if k.Class < 0 || k.Class >= len(all) {
			continue
		}
		c := &all[k.Class]
		c.Waiting += k.Pending.Jobs
		c.Running += k.InFlight.Jobs
		c.OldestWaitS = max(c.OldestWaitS, k.OldestWait.Seconds())
		c.Delayed = p.c.Classes[k.Class].Attain > 0 && c.OldestWaitS > c.TargetS
	}
	return all
}

// changed puts the change to a status's state, if it is one, before those there
// were.
func changed(before []Change, s *Status) []Change {
	if len(before) > 0 && before[0].State == s.State {
		return before
	}
	all := append([]Change{{s.At, s.State, s.Says}}, before...)
	return all[:min(len(all), changesMax)]
}

// length says seconds as people do.
func length(s float64) string { return (time.Duration(s) * time.Second).String() }

// dollars says money.
func dollars(x float64) string { return fmt.Sprintf("$ %.2f", x) }
