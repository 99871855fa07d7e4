package server

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// Shown is what a page shows beside the past day.
type Shown struct {
	Status
	Now time.Time
	// Decided: there was a decision; what follows is of the latest.
	Decided   bool
	Instances []Instance
	Classes   []Class
	Caps      policy.Guard
	// Cores alive, by the catalog.
	Cores int
	// PaidHours are instance-hours that are paid and not over yet, AheadHours what of
	// them lies ahead.
	PaidHours, AheadHours float64
	Types                 []string // the catalog's, by index
	SlackTarget           float64  // of the policy; 0: it has none
}

// Instance is one of the fleet.
type Instance struct {
	policy.Instance
	Name string // EC2's; empty: it has none yet
	Kind string // the type's name
	// Drain since when, and when its worker was told; zero: it does not, or was not.
	Since, Told time.Time
}

// Class is how a class fares.
type Class struct {
	policy.Class
	Pending, InFlight policy.Flow
	OldestWait        time.Duration
	WillMiss          [3]int64 // unless started within 1, 5 and 15 minutes
	Arrived5, Done5   int64    // jobs in 5 minutes
	Failed, Expired   int64    // in 5 minutes
}

// shownOf copies what a page shows of a tick.
func shownOf(k *controller.Controller, c *controller.Config) *Shown {
	o := k.Observation()
	s := &Shown{Decided: true, Instances: make([]Instance, 0, len(o.Fleet.Instances)), Classes: make([]Class, len(c.Env.Classes))}
	for i := range o.Fleet.Instances {
		in := Instance{Instance: o.Fleet.Instances[i]}
		in.Name, _ = k.EC2ID(in.ID)
		t := &c.Env.Catalog.Types[in.Type]
		in.Kind = t.Name
		s.Cores += t.Cores
		if d, draining := k.Draining(in.ID); draining {
			in.Since, in.Told = d.Since, d.Told
		}
		s.PaidHours += max(0, in.PaidUntil.Sub(in.LaunchedAt)).Hours()
		s.AheadHours += max(0, in.PaidUntil.Sub(o.Now)).Hours()
		s.Instances = append(s.Instances, in)
	}
	for i := range c.Env.Classes {
		s.Classes[i].Class = c.Env.Classes[i]
	}
	for i := range o.Queue.Kinds {
		kind := &o.Queue.Kinds[i]
		if kind.Class < 0 || kind.Class >= len(s.Classes) {
			continue
		}
		of := &s.Classes[kind.Class]
		of.Pending.Jobs += kind.Pending.Jobs
		of.Pending.Work += kind.Pending.Work
		of.InFlight.Jobs += kind.InFlight.Jobs
		of.InFlight.Work += kind.InFlight.Work
		of.OldestWait = max(of.OldestWait, kind.OldestWait)
		for w := range of.WillMiss {
			of.WillMiss[w] += kind.WillMiss[w]
		}
		of.Arrived5 += kind.Arrived[1].Jobs
		of.Done5 += kind.Completed[1]
		of.Failed += kind.Failed
		of.Expired += kind.Expired
	}
	return s
}

// Shown returns what a page shows now. What it returns may be kept.
func (s *Server) Shown() Shown {
	s.mu.Lock()
	last := s.shown
	s.mu.Unlock()
	all := Shown{}
	if last != nil {
		all = *last
		all.Instances, all.Classes = slices.Clone(all.Instances), slices.Clone(all.Classes)
	}
	all.Status, all.Now, all.Caps = s.Status(), s.c.Now().UTC(), s.limits()
	for i := range s.c.Env.Catalog.Types {
		all.Types = append(all.Types, s.c.Env.Catalog.Types[i].Name)
	}
	if p := s.c.Described.Params; p["reserve"] == "slack" {
		if target, is := p["slack_target"].(float64); is {
			all.SlackTarget = target
		}
	}
	return all
}

// limits returns what the guard and the file of caps allow together.
func (s *Server) limits() policy.Guard {
	g := s.caps()
	if s.c.Caps == nil {
		return g
	}
	if other, err := s.c.Caps(); err == nil {
		g.FleetMax, g.CoresMax = min(g.FleetMax, other.FleetMax), min(g.CoresMax, other.CoresMax)
		g.LaunchMax, g.DrainMax = min(g.LaunchMax, other.LaunchMax), min(g.DrainMax, other.DrainMax)
	}
	return g
}
