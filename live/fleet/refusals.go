package fleet

import (
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// How long refusals are heeded without asking again.
const (
	CapacityHold = 3 * time.Minute // a type in a zone and market; a subnet
	QuotaHold    = 5 * time.Minute // a family of types; doubled each time in a row
	QuotaHoldMax = 15 * time.Minute
	ThrottleHold = 2 * time.Second // every call; doubled each time in a row
	ThrottleMax  = time.Minute
	FreezeHold   = 10 * time.Minute // every launch
)

// Refusals remembers what EC2 refused, so that it is not asked the same every
// minute, and counts calls. Quotas are kept apart from capacity: 8 small
// instances draw on the same vCPUs as the large one that was refused. The zero
// Refusals remembers nothing; it is not safe for concurrent use.
type Refusals struct {
	held     map[hold]until
	throttle until
	frozen   *Freeze
	log      []entry
	calls    []call
}

// hold is what is not asked for: a type in a zone and market, a subnet (zone
// alone), or a family.
type hold struct {
	class  Class
	typ    string
	zone   string
	market policy.Market
	family string
}

type until struct {
	at    time.Time
	hold  time.Duration
	code  string
	class Class
}

// entry is a refusal of the last hour.
type entry struct {
	policy.Refusal
	typ string
}

type call struct {
	at    time.Time
	class Class
}

// family returns the bucket that a type's vCPUs are counted in: EC2 has one for
// its standard families, and one for each of the others.
func family(typ string) string {
	name, _, _ := strings.Cut(typ, ".")
	letters, _, _ := strings.Cut(name, "-")
	if i := strings.IndexAny(letters, "0123456789"); i > 0 {
		letters = letters[:i]
	}
	if len(letters) == 1 && strings.Contains("acdhimrtz", letters) {
		return "standard"
	}
	return letters
}

// Refuse notes that EC2 refused n of asked instances of a type.
func (r *Refusals) Refuse(now time.Time, typ string, market policy.Market, zone string, asked, refused int, class Class, code string) {
	if r.held == nil {
		r.held = map[hold]until{}
	}
	switch class {
	case Capacity:
		r.held[hold{class: Capacity, typ: typ, zone: zone, market: market}] = until{now.Add(CapacityHold), CapacityHold, code, class}
	case Subnet:
		r.held[hold{class: Subnet, zone: zone}] = until{now.Add(CapacityHold), CapacityHold, code, class}
	case Quota:
		key := hold{class: Quota, family: family(typ), market: market}
		if code == "InstanceLimitExceeded" { // of all types together
			key = hold{class: Quota}
		}
		last, d := r.held[key], QuotaHold
		if last.hold > 0 && now.Sub(last.at) < QuotaHoldMax { // the next try failed as well
			d = min(2*last.hold, QuotaHoldMax)
		}
		r.held[key] = until{now.Add(d), d, code, class}
	}
	r.log = append(r.log, entry{policy.Refusal{Market: market, Zone: zone, At: now, Asked: asked, Refused: refused, Why: class.Why()}, typ})
	r.forget(now)
}

// Freeze notes a refusal that asking again will not change.
func (r *Refusals) Freeze(now time.Time, code, message string) {
	since := now
	if r.frozen != nil {
		since = r.frozen.Since
	}
	r.frozen = &Freeze{since, now.Add(FreezeHold), code, message}
}

// Frozen returns why launching is frozen; nil if it is not.
func (r *Refusals) Frozen(now time.Time) *Freeze {
	if r.frozen == nil || !now.Before(r.frozen.Until) {
		return nil
	}
	f := *r.frozen
	return &f
}

// Thaw ends a freeze: a launch went well.
func (r *Refusals) Thaw() { r.frozen = nil }

// Held returns why a launch need not be asked for now: the class and code of the
// refusal that is remembered.
func (r *Refusals) Held(now time.Time, typ string, market policy.Market, zone string) (Class, string, bool) {
	if f := r.Frozen(now); f != nil {
		return Permanent, f.Code, true
	}
	for _, key := range []hold{
		{class: Quota},
		{class: Quota, family: family(typ), market: market},
		{class: Subnet, zone: zone},
		{class: Capacity, typ: typ, zone: zone, market: market},
	} {
		if key.class == Subnet && zone == "" {
			continue
		}
		if u, ok := r.held[key]; ok && now.Before(u.at) {
			return u.class, u.code, true
		}
	}
	return None, "", false
}

// Called notes a call and how it went.
func (r *Refusals) Called(now time.Time, class Class) {
	r.calls = append(r.calls, call{now, class})
	switch class {
	case Throttled:
		d := ThrottleHold
		if r.throttle.hold > 0 {
			d = min(2*r.throttle.hold, ThrottleMax)
		}
		r.throttle = until{at: now.Add(d), hold: d}
	case Ambiguous: // nothing learned about throttling
	default:
		r.throttle = until{}
	}
	r.forget(now)
}

// Throttling reports whether EC2 is to be left alone now.
func (r *Refusals) Throttling(now time.Time) bool { return now.Before(r.throttle.at) }

// forget drops what is too old to be reported.
func (r *Refusals) forget(now time.Time) {
	i := 0
	for i < len(r.log) && now.Sub(r.log[i].At) > time.Hour {
		i++
	}
	r.log = r.log[i:]
	i = 0
	for i < len(r.calls) && now.Sub(r.calls[i].at) > 5*time.Minute {
		i++
	}
	r.calls = r.calls[i:]
	for key, u := range r.held {
		if now.Sub(u.at) > QuotaHoldMax {
			delete(r.held, key)
		}
	}
}

// EC2View returns what a policy may know of it: refusals of the last hour, and
// calls of the last five minutes. Types that are not in the catalog are left out.
func (r *Refusals) EC2View(now time.Time, catalog *policy.Catalog) policy.EC2View {
	r.forget(now)
	v := policy.EC2View{Reading: policy.Reading{At: now, Complete: true}}
	for _, e := range r.log {
		if e.Type = catalog.Index(e.typ); e.Type >= 0 {
			v.Refusals = append(v.Refusals, e.Refusal)
		}
	}
	for _, c := range r.calls {
		v.Calls++
		switch c.class {
		case Throttled:
			v.Throttled++
		case Ambiguous, Permanent:
			v.Errors++
		}
	}
	return v
}
