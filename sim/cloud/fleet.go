package cloud

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// FleetRequest asks for an instant fleet: so many instances at once, from any of
// several pools.
type FleetRequest struct {
	Token, Params string
	Total         int // in weights
	Market        policy.Market
	Strategy      string // of the market; empty: lowest-price
	Overrides     []Override
	Tags          []Tag // of the instances
	FleetTags     []Tag
	DryRun        bool
}

// Override is one pool of a fleet: what differs from the launch template.
type Override struct {
	Template Spec // Template and TemplateVersion only
	Spec     Spec // Type, Subnet, Zone, MaxPrice
	Weight   int
	Priority float64
}

// Fleet is what an instant fleet became.
type Fleet struct {
	ID        string
	Request   FleetRequest
	Created   time.Time
	Fulfilled int // in weights
	Got       []FleetLaunch
	Errors    []FleetError
	ReplyLost bool // of the first reply
}

// FleetLaunch are instances from one pool.
type FleetLaunch struct {
	Override  Override
	Instances []*Instance
}

// FleetError is why a pool gave less than was asked of it.
type FleetError struct {
	Override Override
	Err      *Error
}

// strategies are the allocation strategies by market. Those that weigh capacity
// against price come down to the price here, and to what each pool has left.
var strategies = [2][]string{
	policy.OnDemand: {"", "lowest-price", "prioritized"},
	policy.Spot:     {"", "lowest-price", "diversified", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized"},
}

// CreateFleet launches an instant fleet, or repeats what an earlier request of
// the same client token got. Pools that give nothing are errors of the fleet, not
// of the call.
func (c *Cloud) CreateFleet(q FleetRequest) (*Fleet, *Error) {
	switch {
	case len(q.Overrides) == 0:
		return nil, fail("MissingParameter", "The request must contain the parameter LaunchTemplateConfigs")
	case q.Total < 1 || q.Total > 10000:
		return nil, fail("InvalidParameterValue", "TotalTargetCapacity must be from 1 to 10000.")
	case !slices.Contains(strategies[q.Market], q.Strategy):
		return nil, fail("InvalidParameterValue", "Value (%s) for parameter AllocationStrategy is invalid.", q.Strategy)
	}
	if e := checkToken(q.Token); e != nil {
		return nil, e
	}
	pools, e := c.pools(q)
	if e != nil {
		return nil, e
	}
	if q.DryRun {
		return nil, errDryRun()
	}
	for _, f := range c.fleets {
		if q.Token == "" || f.Request.Token != q.Token {
			continue
		}
		if f.Request.Params != q.Params {
			return nil, errMismatch()
		}
		again := *f
		again.ReplyLost = false
		return &again, nil
	}
	f := &Fleet{ID: c.newID("fleet", int64(len(c.fleets))), Request: q, Created: c.now}
	c.fleets = append(c.fleets, f)
	c.fill(f, pools)
	return f, nil
}

// fleetPool is an override that was checked.
type fleetPool struct {
	override Override
	resolved resolved
}

// pools checks the overrides, and puts them in the order in which they are tried.
func (c *Cloud) pools(q FleetRequest) ([]fleetPool, *Error) {
	var pools []fleetPool
	for _, o := range q.Overrides {
		if o.Template.Template == "" {
			return nil, fail("MissingParameter", "The request must contain the parameter LaunchTemplateSpecification")
		}
		spec := o.Spec
		spec.Template, spec.TemplateVersion = o.Template.Template, o.Template.TemplateVersion
		spec, e := c.fromTemplate(spec)
		if e != nil {
			return nil, e
		}
		spec.Market = ""
		if q.Market == policy.Spot {
			spec.Market = "spot"
		}
		spec.Tags = Spec{Tags: q.Tags}.over(Spec{Tags: spec.Tags}).Tags
		r, e := c.check(spec)
		if e != nil {
			return nil, e
		}
		o.Spec.Type = spec.Type
		o.Weight = max(o.Weight, 1)
		pools = append(pools, fleetPool{override: o, resolved: r})
	}
	slices.SortStableFunc(pools, func(a, b fleetPool) int {
		if q.Strategy == "prioritized" || q.Strategy == "capacity-optimized-prioritized" {
			return cmp.Compare(a.override.Priority, b.override.Priority)
		}
		// per unit of weight, without division
		x := int64(c.weather.Price(a.resolved.typ, q.Market)) * int64(b.override.Weight)
		y := int64(c.weather.Price(b.resolved.typ, q.Market)) * int64(a.override.Weight)
		return cmp.Compare(x, y)
	})
	return pools, nil
}

// fill launches what the fleet asks for, from its pools in order.
func (c *Cloud) fill(f *Fleet, pools []fleetPool) {
	q := &f.Request
	for i := range pools {
		p := &pools[i]
		left := q.Total - f.Fulfilled
		if left <= 0 {
			return
		}
		n := (left + p.override.Weight - 1) / p.override.Weight
		if q.Strategy == "diversified" {
			n = max(n/(len(pools)-i), 1)
		}
		got, e := c.grant(&p.resolved, 1, n)
		if e == nil {
			launched := c.launch(p.resolved, got, "", f.ID)
			p.override.Spec.Subnet, p.override.Spec.Zone = launched.Instances[0].Spec.Subnet, launched.Instances[0].Spec.Zone
			f.Got = append(f.Got, FleetLaunch{p.override, launched.Instances})
			f.ReplyLost = f.ReplyLost || launched.ReplyLost
			f.Fulfilled += got * p.override.Weight
			if got < n && q.Strategy != "diversified" {
				_, e = c.grant(&p.resolved, 1, n-got)
			}
		}
		if e != nil {
			f.Errors = append(f.Errors, FleetError{p.override, e})
		}
	}
}

// Fleets returns the fleets of the ids. Without ids there are none: instant
// fleets are described by id.
func (c *Cloud) Fleets(ids []string) ([]*Fleet, *Error) {
	var found []*Fleet
	for _, id := range ids {
		i := slices.IndexFunc(c.fleets, func(f *Fleet) bool { return f.ID == id })
		if i < 0 {
			return nil, fail("InvalidFleetId.NotFound", "The fleet ID '%s' does not exist", id)
		}
		found = append(found, c.fleets[i])
	}
	return found, nil
}
