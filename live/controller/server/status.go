package server

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Status is what /v1/status answers. Money is in dollars.
type Status struct {
	Fleet  string `json:"fleet"`
	Holder string `json:"holder"`
	// Mode is observe, shadow or active; Policy and Shadow are labels.
	Mode   string  `json:"mode"`
	Policy string  `json:"policy"`
	Shadow string  `json:"shadow,omitempty"`
	TickS  float64 `json:"tick_s"`
	// Stop tells who has stopped it, and why; absent: nobody has.
	Stop *controller.Stopped `json:"stop,omitempty"`
	// Drift is how far the simulator was from what happened yesterday; absent: no day
	// was compared yet.
	Drift *controller.Drift `json:"drift,omitempty"`
	// AgeS is how old the last decision is. Absent, like all that follows, before
	// the first one.
	AgeS float64 `json:"age_s,omitempty"`
	*Seen
}

// Seen is what was shown at the last tick.
type Seen struct {
	Epoch int64 `json:"epoch"`
	// Leads: it did at its last tick.
	Leads     bool           `json:"leads"`
	Last      Decision       `json:"last"`
	Instances map[string]int `json:"instances"` // by phase
	Slots     Slots          `json:"slots"`
	Boot      Boot           `json:"boot"`
	Speeds    []Speed        `json:"speeds"` // by catalog
	Queue     Reading        `json:"queue_reading"`
	EC2       Reading        `json:"ec2_reading"`
	Spent     Money          `json:"spent_usd"`
	Budget    Money          `json:"budget_usd,omitzero"` // 0: none
	// Serving tells which version of the policy decides, and since when. Wishes are
	// those of operators that stood at the last tick.
	Serving controller.Serving `json:"serving"`
	Wishes  []controller.Wish  `json:"wishes"`
	classes []class
}

// Speed is how fast a slot of an instance type is, in reference cores.
type Speed struct {
	Type string `json:"type"`
	// Speed as completions have taught it; Catalog is what the catalog says.
	Speed   float64 `json:"speed"`
	Catalog float64 `json:"catalog"`
}

// speedsOf lists the speeds of an observation.
func speedsOf(o *policy.Observation, c *policy.Catalog) []Speed {
	all := make([]Speed, len(c.Types))
	for i := range c.Types {
		t := &c.Types[i]
		all[i] = Speed{t.Name, t.Speed, t.Speed}
		if i < len(o.Fleet.Speeds) {
			all[i].Speed = o.Fleet.Speeds[i]
		}
	}
	return all
}

// Decision is the last one and what became of it.
type Decision struct {
	Number     int64               `json:"number"`
	At         time.Time           `json:"at"`
	Launches   []Launch            `json:"launches"`
	Drains     []policy.InstanceID `json:"drains"`
	Undrains   []policy.InstanceID `json:"undrains"`
	Because    []policy.Reason     `json:"because"`
	Removed    journal.Removed     `json:"removed_by_guard"`
	Outcome    journal.Outcome     `json:"outcome"`
	Terminated []string            `json:"terminated"`
	Apart      controller.Apart    `json:"shadow_apart"`
}

// Launch is one that was decided.
type Launch struct {
	Type   string        `json:"type"`
	Market policy.Market `json:"market"`
	Zone   string        `json:"zone,omitempty"`
	Count  int           `json:"count"`
}

// Slots are those of ready instances, and Slack24h the mean part of them that
// was idle over the last 24 hours, Known once there was one.
type Slots struct {
	Ready    int     `json:"ready"`
	Busy     int     `json:"busy"`
	Slack24h float64 `json:"slack_24h"`
	Known    bool    `json:"slack_known"`
}

// Boot is the boot lag that was learned of so many boots.
type Boot struct {
	Samples int     `json:"samples"`
	P50S    float64 `json:"p50_s"`
	P99S    float64 `json:"p99_s"`
	// Overdue instances boot for longer than P99S.
	Overdue int `json:"overdue"`
}

// Reading says when something was last read; zero: never. Complete: at the last
// tick it was.
type Reading struct {
	At       time.Time `json:"at,omitzero"`
	Complete bool      `json:"complete"`
}

// Money is an amount for this clock hour, day and month.
type Money struct {
	Hour  float64 `json:"hour"`
	Day   float64 `json:"day"`
	Month float64 `json:"month"`
}

// class is how a class fares.
type class struct {
	oldest time.Duration
	misses int64 // jobs in line that will miss their target unless started in a minute
}

var phases = []policy.Phase{policy.Requested, policy.Booting, policy.Ready, policy.Draining, policy.Lost}

// see copies what a tick came to.
func see(k *controller.Controller, r *controller.Result, c *controller.Config) *Seen {
	o := k.Observation()
	s := &Seen{
		Epoch: k.Epoch(), Leads: r.Hold != controller.Superseded,
		Last: Decision{
			Number: r.Decision, At: r.At, Launches: []Launch{},
			Drains: append([]policy.InstanceID{}, r.Decided.Drains...), Undrains: append([]policy.InstanceID{}, r.Decided.Undrains...),
			Because: append([]policy.Reason{}, r.Decided.Because...), Removed: r.Removed, Outcome: r.Outcome,
			Terminated: append([]string{}, r.Terminated...), Apart: r.Apart,
		},
		Instances: make(map[string]int, len(phases)),
		Slots:     Slots{Ready: o.Fleet.ReadySlots, Busy: o.Fleet.BusySlots, Slack24h: o.History.Slack24h, Known: o.History.ReadySlotSeconds > 0},
		Boot: Boot{
			Samples: o.Fleet.Boot.Samples, P50S: o.Fleet.Boot.P50.Seconds(), P99S: o.Fleet.Boot.P99.Seconds(), Overdue: o.Fleet.Boot.Overdue,
		},
		Speeds:  speedsOf(o, &c.Env.Catalog),
		Queue:   Reading{o.Queue.At, o.Queue.Complete},
		EC2:     Reading{o.Fleet.At, o.Fleet.Complete},
		Spent:   Money{o.Money.SpentHour.Dollars(), o.Money.SpentDay.Dollars(), o.Money.SpentMonth.Dollars()},
		Budget:  Money{o.Money.BudgetHour.Dollars(), o.Money.BudgetDay.Dollars(), o.Money.BudgetMonth.Dollars()},
		Serving: k.Serving(),
		Wishes:  slices.DeleteFunc(append([]controller.Wish{}, k.Orders().Wishes...), func(w controller.Wish) bool { return !w.Until.After(r.At) }),
		classes: make([]class, len(c.Env.Classes)),
	}
	s.Last.Outcome.Errors = slices.Clone(r.Outcome.Errors)
	for i := range r.Decided.Launches {
		l := &r.Decided.Launches[i]
		s.Last.Launches = append(s.Last.Launches, Launch{c.Env.Catalog.Types[l.Type].Name, l.Market, l.Zone, l.Count})
	}
	for _, p := range phases {
		s.Instances[p.String()] = 0
	}
	for i := range o.Fleet.Instances {
		s.Instances[o.Fleet.Instances[i].Phase.String()]++
	}
	for i := range o.Queue.Kinds {
		kind := &o.Queue.Kinds[i]
		if kind.Class < 0 || kind.Class >= len(s.classes) {
			continue
		}
		of := &s.classes[kind.Class]
		of.oldest = max(of.oldest, kind.OldestWait)
		of.misses += kind.WillMiss[0]
	}
	return s
}

// Status returns what /v1/status answers.
func (s *Server) Status() Status {
	now := s.c.Now()
	all := Status{
		Fleet: s.c.Fleet, Holder: s.c.Holder, Mode: s.c.Mode().String(), Policy: s.c.Described.Label,
		TickS: s.c.Env.Tick.Seconds(), Seen: s.last(), Drift: s.driftNow(),
	}
	if s.c.Shadow != nil {
		all.Mode, all.Shadow = "shadow", s.c.Shadow.Described.Label
	}
	if stop := s.c.Stop(now); stop.Is(now) {
		all.Stop = &stop
	}
	if all.Seen != nil {
		all.Policy = all.Seen.Serving.Label
		if all.Shadow = all.Seen.Serving.Shadow; all.Shadow != "" && s.c.Mode() == controller.Active {
			all.Mode = "shadow"
		}
		all.AgeS = now.Sub(all.Last.At).Seconds()
	}
	return all
}

// Serving returns which version decides; false: this process does not lead.
func (s *Server) Serving() (controller.Serving, bool) {
	last := s.last()
	if last == nil || !last.Leads {
		return controller.Serving{}, false
	}
	return last.Serving, true
}
