package server

import (
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Bounds of a day of moments.
const (
	DayLong  = 24 * time.Hour
	dayMost  = 8640 // decisions: one every 10 s
	textMost = 30   // reasons of a decision
)

// Moment is one decision: what was known, what was said, and what became of it. It
// does not change.
type Moment struct {
	Number int64
	At     time.Time
	Epoch  int64
	Policy string // its label
	// Action in the words of skynet explain, Because its reasons, and Became what
	// became of it; empty: it was never recorded.
	Action  string
	Because []string
	Became  string
	// Question is what a reader asks first, launch or terminate, and WhyNot answers
	// it; empty for moments read from a journal.
	Question string
	WhyNot   []string
	// Sleeps: it changes nothing. Held says why nothing was carried out.
	Sleeps  bool
	Held    string
	Removed journal.Removed
	Outcome journal.Outcome
	Apart   controller.Apart // zero for moments read from a journal
	// Refusals by EC2 since the moment before.
	Refusals []policy.Refusal

	Instances                      int
	Ready, Busy, Booting, Draining int // slots
	Waiting                        int64
	Running                        int64
	OldestWait                     time.Duration
	// Slack is that of this moment, Slack24h the mean of a day, Came the work that
	// came since the moment before, and Mean and High the forecast for Ahead later,
	// in reference cores. NaN where there is none.
	Slack, Slack24h        float64
	Came, Mean, High       float64
	Ahead                  time.Duration
	PerHour                policy.MicroUSD // price of what is alive
	SpentHour, SpentDay    policy.MicroUSD
	SpentMonth             policy.MicroUSD
	QueueWhole, EC2Whole   bool // both could be read
	SilentWorkers, Overdue int
}

// Acts reports whether a reader would want to see the moment: it changes something,
// or something kept it from doing so.
func (m *Moment) Acts() bool {
	return !m.Sleeps || m.Removed != (journal.Removed{}) || m.Outcome.Refused > 0 || len(m.Outcome.Errors) > 0 || m.Apart.Is() ||
		!m.QueueWhole || !m.EC2Whole
}

// momentOf returns a decision as a moment. before is the one before; nil: unknown.
func momentOf(before *Moment, o *policy.Observation, d *journal.Decision, catalog *policy.Catalog) Moment {
	m := Moment{
		At: o.Now.UTC(), Action: explain.Action(d, catalog), Sleeps: len(d.Launches)+len(d.Drains)+len(d.Undrains) == 0,
		Instances: len(o.Fleet.Instances), Ready: o.Fleet.ReadySlots, Busy: o.Fleet.BusySlots,
		Booting: o.Fleet.BootingSlots, Draining: o.Fleet.DrainingSlots,
		Slack: math.NaN(), Slack24h: math.NaN(), Came: math.NaN(), Mean: math.NaN(), High: math.NaN(),
		SpentHour: o.Money.SpentHour, SpentDay: o.Money.SpentDay, SpentMonth: o.Money.SpentMonth,
		QueueWhole: o.Queue.Complete, EC2Whole: o.Fleet.Complete,
		SilentWorkers: o.Health.SilentWorkers, Overdue: o.Fleet.Boot.Overdue,
	}
	for i := range d.Because[:min(len(d.Because), textMost)] {
		m.Because = append(m.Because, d.Because[i].String())
	}
	if m.Ready > 0 {
		m.Slack = 1 - float64(m.Busy)/float64(m.Ready)
	}
	if o.History.ReadySlotSeconds > 0 {
		m.Slack24h = o.History.Slack24h
	}
	came := policy.CoreSeconds(0)
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		m.Waiting += k.Pending.Jobs
		m.Running += k.InFlight.Jobs
		m.OldestWait = max(m.OldestWait, k.OldestWait)
		came += k.LastTick.Work
	}
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Type >= 0 && in.Type < len(catalog.Types) {
			m.PerHour += catalog.Types[in.Type].PerHour
		}
	}
	since := time.Time{}
	if before != nil {
		since = before.At
		if over := m.At.Sub(before.At).Seconds(); over > 0 && over < time.Hour.Seconds() && m.QueueWhole {
			m.Came = float64(came) / over
		}
	}
	for _, r := range o.EC2.Refusals {
		if r.At.After(since) {
			m.Refusals = append(m.Refusals, r)
		}
	}
	return m
}

// became adds what became of a decision.
func (m *Moment) became(removed journal.Removed, out *journal.Outcome) {
	m.Removed = removed
	if out == nil {
		return
	}
	m.Outcome, m.Held, m.Became = *out, out.Held, explain.Became(out)
	m.Outcome.Errors = slices.Clone(out.Errors)
}

// liveMoment returns what a tick came to.
func liveMoment(before *Moment, k *controller.Controller, r *controller.Result, c *controller.Config) Moment {
	o, d := k.Observation(), journal.DecisionOf(&r.Decided)
	m := momentOf(before, o, d, &c.Env.Catalog)
	m.became(r.Removed, &r.Outcome)
	m.Number, m.At, m.Epoch, m.Policy, m.Apart = r.Decision, r.At, k.Epoch(), k.Serving().Label, r.Apart
	if mean, high, ahead, known := k.Forecast(); known {
		m.Mean, m.High, m.Ahead = mean, high, ahead
	}
	s := &explain.Subject{
		Header:      &journal.Header{Catalog: c.Env.Catalog, Guard: c.Guard},
		Observation: o, Decision: d, Removed: r.Removed, Outcome: &m.Outcome, Lead: c.Env.Tick,
	}
	var a explain.Answer
	if m.Waiting > 0 && len(d.Launches) == 0 || r.Removed.Launches > 0 || len(d.Drains) > 0 {
		m.Question, a = "launch", explain.WhyNotLaunch(s)
	} else {
		m.Question, a = "terminate", explain.WhyNotTerminate(s)
	}
	for i := range a.Facts {
		m.WhyNot = append(m.WhyNot, a.Facts[i].Text())
	}
	return m
}

// day holds the moments of the past day, the oldest first.
type day struct {
	mu   sync.Mutex
	list []Moment
}

// last returns a copy of the latest moment; nil: there is none.
func (d *day) last() *Moment {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) == 0 {
		return nil
	}
	m := d.list[len(d.list)-1]
	return &m
}

// add adds a moment that is later than all before.
func (d *day) add(m Moment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, m)
	d.trim(m.At)
}

// trim forgets what is older than a day, or too much.
func (d *day) trim(now time.Time) {
	drop := 0
	for drop < len(d.list) && (now.Sub(d.list[drop].At) > DayLong || len(d.list)-drop > dayMost) {
		drop++
	}
	d.list = slices.Delete(d.list, 0, drop)
}

// fill puts older moments before those that are there.
func (d *day) fill(older []Moment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Moment, 0, len(older)+len(d.list))
	for i := range older {
		if len(d.list) == 0 || older[i].At.Before(d.list[0].At) {
			all = append(all, older[i])
		}
	}
	d.list = append(all, d.list...)
	if n := len(d.list); n > 0 {
		d.trim(d.list[n-1].At)
	}
}

// Day returns the moments of the past day, the oldest first.
func (s *Server) Day() []Moment {
	s.day.mu.Lock()
	defer s.day.mu.Unlock()
	return slices.Clone(s.day.list)
}

// Remember reads the past day from files of journals in the order of time, and puts
// it before what was decided since. What cannot be read is left out: it returns an
// error that says so, with what could be read in its place.
func (s *Server) Remember(files ...journal.Source) error {
	var all []Moment
	var problems []error
	from := s.c.Now().Add(-DayLong)
	for _, f := range files {
		list, err := remembered(f, from, &s.c)
		if err != nil {
			problems = append(problems, err)
		}
		for i := range list {
			if n := len(all); n == 0 || list[i].At.After(all[n-1].At) {
				all = append(all, list[i])
			}
		}
	}
	s.day.fill(all)
	return errors.Join(problems...)
}

// remembered returns what one file tells of the time since from.
func remembered(file journal.Source, from time.Time, c *controller.Config) ([]Moment, error) {
	r := journal.NewReader(file)
	r.Tear = true
	r.Skip = func(_ int64, at time.Time) bool { return at.Before(from) }
	defer r.Close()
	var list []Moment
	for {
		next, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		rec, is := next.(*journal.Record)
		if !is {
			continue
		}
		d, err := rec.Decode()
		if err != nil {
			return list, err
		}
		var before *Moment
		if n := len(list); n > 0 {
			before = &list[n-1]
		}
		h := r.Header()
		m := momentOf(before, &rec.Observation, d, &h.Catalog)
		m.became(rec.Removed, rec.Outcome)
		m.Number, m.At, m.Epoch, m.Policy = rec.ID, rec.At.UTC(), h.Epoch, h.Policy.Label
		list = append(list, m)
		if len(list) > dayMost {
			list = slices.Delete(list, 0, len(list)-dayMost)
		}
	}
}
