package cloud

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// Filter keeps what has one of the values, in which * stands for any characters
// and ? for one.
type Filter struct {
	Name   string
	Values []string
}

// Seen is an instance as lists show it, which may be as it was a while ago.
type Seen struct {
	*Instance
	Shown  State
	Reason Reason
}

// List asks for instances: those of the ids, or those that pass every filter.
type List struct {
	IDs     []string
	Filters []Filter
	// After is the number of the launch before the page, -1 for the first page;
	// Most instances are on it, 0: all.
	After int64
	Most  int
}

// DescribeInstances returns a page of what lists show now, in launch order, and
// whether there is more.
func (c *Cloud) DescribeInstances(q List) ([]Seen, bool, *Error) {
	for _, id := range q.IDs {
		if e := c.checkID(id); e != nil {
			return nil, false, e
		}
	}
	for _, f := range q.Filters {
		if _, known := field(f.Name); !known {
			return nil, false, fail("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
		}
	}
	if most := c.cfg.PageMax; most > 0 && (q.Most == 0 || q.Most > most) {
		q.Most = most
	}
	at, zero := c.listTime()
	var page []Seen
	for _, in := range c.instances {
		if in.Number <= q.After || zero {
			continue
		}
		if len(q.IDs) > 0 && !slices.Contains(q.IDs, in.ID) {
			continue
		}
		shown := in.asOf(at)
		if shown == nil {
			continue
		}
		seen := Seen{in, shown.state, shown.reason}
		if !c.passes(&seen, q.Filters) {
			continue
		}
		if q.Most > 0 && len(page) == q.Most {
			return page, true, nil
		}
		page = append(page, seen)
	}
	return page, false, nil
}

// checkID returns the error of an id that lists do not show.
func (c *Cloud) checkID(id string) *Error {
	if !wellFormed(id) {
		return fail("InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
	}
	at, zero := c.listTime()
	if in := c.byID[id]; in == nil || zero || in.asOf(at) == nil {
		return fail("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
	}
	return nil
}

func wellFormed(id string) bool {
	hex, ok := strings.CutPrefix(id, "i-")
	return ok && (len(hex) == 8 || len(hex) == 17) && strings.Trim(hex, "0123456789abcdef") == ""
}

// listTime returns the time that lists show, and whether they show nothing at
// all: faults of the scenario that make the fleet's signal stale or zero.
func (c *Cloud) listTime() (time.Time, bool) {
	f, faulty := c.weather.Signal("fleet")
	switch {
	case faulty && f.Kind == sim.Stale:
		return c.cfg.Start.Add(f.From), false
	case faulty && f.Kind == sim.Zero:
		return c.now, true
	}
	return c.now, false
}

// field returns how the filter of a name reads an instance.
func field(name string) (func(c *Cloud, s *Seen) []string, bool) {
	if key, ok := strings.CutPrefix(name, "tag:"); ok {
		return func(_ *Cloud, s *Seen) []string {
			for _, t := range s.Tags {
				if t.Key == key {
					return []string{t.Value}
				}
			}
			return nil
		}, true
	}
	one := func(read func(c *Cloud, s *Seen) string) (func(c *Cloud, s *Seen) []string, bool) {
		return func(c *Cloud, s *Seen) []string { return []string{read(c, s)} }, true
	}
	switch name {
	case "instance-id":
		return one(func(_ *Cloud, s *Seen) string { return s.ID })
	case "instance-state-name":
		return one(func(_ *Cloud, s *Seen) string { return s.Shown.String() })
	case "instance-state-code":
		return one(func(_ *Cloud, s *Seen) string { return strconv.Itoa(int(s.Shown)) })
	case "client-token":
		return one(func(_ *Cloud, s *Seen) string { return s.Token })
	case "instance-type":
		return one(func(c *Cloud, s *Seen) string { return c.catalog.Types[s.Type].Name })
	case "availability-zone":
		return one(func(c *Cloud, s *Seen) string { return c.zones[s.Zone].Name })
	case "subnet-id":
		return one(func(_ *Cloud, s *Seen) string { return s.Spec.Subnet })
	case "image-id":
		return one(func(_ *Cloud, s *Seen) string { return s.Spec.Image })
	case "reservation-id":
		return one(func(_ *Cloud, s *Seen) string { return s.Reservation })
	case "private-ip-address":
		return one(func(_ *Cloud, s *Seen) string { return s.Address })
	case "instance-lifecycle":
		return one(func(_ *Cloud, s *Seen) string {
			if s.Market == policy.Spot {
				return "spot"
			}
			return ""
		})
	case "tag-key":
		return func(_ *Cloud, s *Seen) []string {
			var keys []string
			for _, t := range s.Tags {
				keys = append(keys, t.Key)
			}
			return keys
		}, true
	}
	return nil, false
}

func (c *Cloud) passes(s *Seen, filters []Filter) bool {
	for _, f := range filters {
		read, _ := field(f.Name)
		if !slices.ContainsFunc(read(c, s), func(have string) bool {
			return slices.ContainsFunc(f.Values, func(want string) bool { return matches(want, have) })
		}) {
			return false
		}
	}
	return true
}

// matches reports whether s is what the pattern says: * stands for any
// characters, ? for one.
func matches(pattern, s string) bool {
	star, again := -1, 0 // the last * in pattern, and where in s it ends so far
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, again = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			again++
			p, i = star+1, again
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// ListFails returns the error of lists while they cannot be read, nil
// otherwise.
func (c *Cloud) ListFails() *Error {
	if f, faulty := c.weather.Signal("fleet"); faulty && f.Kind == sim.Blind {
		return errUnavailable()
	}
	return nil
}

// StateChange is what a call did to an instance.
type StateChange struct {
	Instance *Instance
	Before   State
	Now      State
}

// TerminateInstances ends the instances, or none of them if one of the ids is
// wrong. Repeating it changes nothing.
func (c *Cloud) TerminateInstances(ids []string, dryRun bool) ([]StateChange, *Error) {
	switch {
	case len(ids) == 0:
		return nil, fail("MissingParameter", "The request must contain the parameter InstanceId")
	case len(ids) > pageMax:
		return nil, fail("InvalidParameterValue", "At most %d instances can be terminated at once.", pageMax)
	}
	var wrong []string
	for _, id := range ids {
		if !wellFormed(id) {
			return nil, fail("InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
		}
		if c.find(id) == nil {
			wrong = append(wrong, id)
		}
	}
	switch len(wrong) {
	case 0:
	case 1:
		return nil, fail("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", wrong[0])
	default:
		return nil, fail("InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(wrong, ", "))
	}
	for _, id := range ids {
		if in := c.byID[id]; in.Spec.Protected == "true" && !in.State().over() {
			return nil, fail("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", id)
		}
	}
	if dryRun {
		return nil, errDryRun()
	}
	if e := c.drawResources("TerminateInstances", len(ids)); e != nil {
		return nil, e
	}
	changes := make([]StateChange, 0, len(ids))
	why := Reason{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"}
	for _, id := range ids {
		in := c.byID[id]
		before := in.State()
		c.end(in, ShuttingDown, why)
		if s := in.State(); s == Stopping || s == Stopped { // billed no more already
			c.become(in, ShuttingDown, why)
			c.events.add(event{at: c.now.Add(time.Second), kind: gone, number: in.Number})
		}
		changes = append(changes, StateChange{in, before, in.State()})
	}
	return changes, nil
}

// CreateTags adds or replaces tags of instances.
func (c *Cloud) CreateTags(ids []string, tags []Tag, dryRun bool) *Error {
	if e := c.checkTagged(ids, dryRun); e != nil {
		return e
	}
	if e := checkTags(tags); e != nil {
		return e
	}
	for _, id := range ids {
		for _, t := range tags {
			c.byID[id].setTag(t)
		}
	}
	return nil
}

// DeleteTags removes tags of instances: those of a nil value whatever their
// value is.
func (c *Cloud) DeleteTags(ids []string, keys []string, values []*string, dryRun bool) *Error {
	if e := c.checkTagged(ids, dryRun); e != nil {
		return e
	}
	for _, id := range ids {
		for i, key := range keys {
			c.byID[id].dropTag(key, values[i])
		}
	}
	return nil
}

func (c *Cloud) checkTagged(ids []string, dryRun bool) *Error {
	if len(ids) == 0 {
		return fail("MissingParameter", "The request must contain the parameter resourceIdSet")
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, "i-") {
			return fail("InvalidID", "The ID '%s' is not valid: instances alone are tagged here", id)
		}
		if c.find(id) == nil {
			return fail("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
		}
	}
	if dryRun {
		return errDryRun()
	}
	return nil
}

// SpotPrice returns the price of a type on the spot market now, in dollars per
// hour; it is the same in every zone.
func (c *Cloud) SpotPrice(typ int) string { return decimal(c.weather.Price(typ, policy.Spot)) }

// HasSpot reports whether there is a spot market.
func (c *Cloud) HasSpot() bool { return c.cfg.World.Spot != nil }
