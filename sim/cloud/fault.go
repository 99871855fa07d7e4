package cloud

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

// ActionFault makes calls of an action go wrong, beyond what the faults of
// scenarios do. The zero ActionFault does nothing to every call.
type ActionFault struct {
	ID int64
	// Action it concerns; empty: every one.
	Action string
	// Delay before the call is looked at.
	Delay time.Duration
	// Code is the error given in place of the answer; empty: none. Status is its
	// HTTP status; 0: what EC2 gives with the code.
	Code   string
	Status int
	// After: the call is carried out before the error is given, or the reply lost.
	After bool
	// Lost: the connection is cut without a reply.
	Lost bool
	// Probability that it hits a call; 0: always.
	Probability float64
	// Count of calls that it may still hit; 0: any number.
	Count int
	// From and To, times of the cloud's clock, bound when it hits; zero: no bound.
	From, To time.Time

	met int64 // calls it has considered
}

// AddFault puts a fault in force and returns its id.
func (c *Cloud) AddFault(f ActionFault) int64 {
	c.faulted++
	f.ID = c.faulted
	c.faults = append(c.faults, &f)
	return f.ID
}

// RemoveFault takes a fault back; it reports whether there was one.
func (c *Cloud) RemoveFault(id int64) bool {
	n := len(c.faults)
	c.faults = slices.DeleteFunc(c.faults, func(f *ActionFault) bool { return f.ID == id })
	return len(c.faults) < n
}

// Faults returns the faults of actions in force.
func (c *Cloud) Faults() []ActionFault {
	var all []ActionFault
	for _, f := range c.faults {
		all = append(all, *f)
	}
	return all
}

// Fault returns the fault that hits a call of the action now; nil if none does.
// It counts as having hit.
func (c *Cloud) Fault(action string) *ActionFault {
	for i, f := range c.faults {
		if f.Action != "" && f.Action != action || !f.From.IsZero() && c.now.Before(f.From) || !f.To.IsZero() && !c.now.Before(f.To) {
			continue
		}
		f.met++
		if f.Probability > 0 && c.streams.fault.Of(f.ID).UnitAt(f.met) >= f.Probability {
			continue
		}
		if f.Count == 1 {
			c.faults = slices.Delete(c.faults, i, i+1)
		} else if f.Count > 1 {
			f.Count--
		}
		return f
	}
	return nil
}

// Err returns the error that the fault gives in place of an answer; nil if none.
func (f *ActionFault) Err() *Error {
	if f.Code == "" {
		return nil
	}
	status := f.Status
	if status == 0 {
		switch f.Code {
		case "RequestLimitExceeded", "Unavailable", "ServiceUnavailable":
			status = 503
		case "InternalError", "InternalFailure", "InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientFreeAddressesInSubnet":
			status = 500
		case "UnauthorizedOperation":
			status = 403
		case "AuthFailure":
			status = 401
		default:
			status = 400
		}
	}
	return &Error{f.Code, "A fault was injected.", status}
}

// ScenarioFails returns what the faults of the scenario do to a call of the
// action: an outage of the API, throttled launches, lists that cannot be read.
func (c *Cloud) ScenarioFails(action string) *Error {
	launches := action == "RunInstances" || action == "CreateFleet"
	if launches {
		c.calls++
	}
	switch {
	case c.weather.Active(sim.APIOutage):
		return errUnavailable()
	case launches && c.weather.Throttled(c.calls):
		return errThrottled()
	case action == "DescribeInstances" || action == "DescribeInstanceStatus":
		return c.ListFails()
	}
	return nil
}

// AddScenarioFault puts a fault of the scenarios' kinds in force, its times
// counted from now. It returns its number.
func (c *Cloud) AddScenarioFault(f sim.Fault) (int, error) {
	if !slices.Contains(Played(), f.Kind) {
		return 0, fmt.Errorf("kind %q: must be one of %s", f.Kind, strings.Join(words(Played()), ", "))
	}
	for _, name := range f.Types {
		if c.catalog.Index(name) < 0 {
			return 0, fmt.Errorf("type %q: must be one of %s", name, strings.Join(c.catalog.Names(), ", "))
		}
	}
	for i, name := range f.Zones {
		z, ok := c.zoneNamed(name)
		if !ok {
			return 0, fmt.Errorf("zone %q: there is none of that name", name)
		}
		f.Zones[i] = c.zones[z].scenario
	}
	now := c.since(c.now)
	f.From += now
	if f.To > 0 {
		f.To += now
	}
	i := c.weather.Add(f)
	c.played(c.weather.To(now))
	c.reprice()
	return i, nil
}

// EndScenarioFault ends a fault of the scenarios' kinds; it reports whether there
// is one of that number.
func (c *Cloud) EndScenarioFault(i int) bool {
	if i < 0 || i >= c.weather.Faults() {
		return false
	}
	c.weather.End(i)
	c.reprice()
	return true
}

// ScenarioFault is a fault of the scenarios' kinds with its number.
type ScenarioFault struct {
	Number int
	sim.Fault
	Active bool
}

// ScenarioFaults returns the faults of the scenarios' kinds, past and to come.
func (c *Cloud) ScenarioFaults() []ScenarioFault {
	var all []ScenarioFault
	for i := range c.weather.Faults() {
		f, active := c.weather.Fault(i)
		all = append(all, ScenarioFault{i, f, active})
	}
	return all
}

// Played returns the kinds of faults that EC2's API can show. The others are the
// queue's and the workers'.
func Played() []sim.FaultKind {
	return []sim.FaultKind{
		sim.Refuse, sim.Throttle, sim.APIOutage, sim.LostReply, sim.Stale, sim.Zero, sim.Blind,
		sim.SlowBoot, sim.DeadBoot, sim.Crash, sim.Interrupt, sim.PriceChange,
	}
}

// Unplayed returns, of the world's faults, those that are not played here, or
// only in part: queue and workers are not EC2.
func (c *Cloud) Unplayed() []sim.Fault {
	var left []sim.Fault
	for i := range c.weather.Faults() {
		f, _ := c.weather.Fault(i)
		switch {
		case !slices.Contains(Played(), f.Kind):
			left = append(left, f)
		case (f.Kind == sim.Stale || f.Kind == sim.Zero || f.Kind == sim.Blind) && !slices.Equal(f.Signals, []string{"fleet"}):
			left = append(left, f)
		}
	}
	return left
}

func words(kinds []sim.FaultKind) []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = string(k)
	}
	return all
}
