package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
)

// gapMax is how far two refusals may lie apart to be one: a policy leaves what was
// refused alone for minutes before it asks again.
const gapMax = 10 * time.Minute

// watch follows what goes wrong from decision to decision.
type watch struct {
	last  time.Time // of the decision before; zero: none
	tick  time.Duration
	spans []*span // by the order in which they began
	open  map[spanKey]*span

	instances map[policy.InstanceID]*watched
	launches  []launched
	throttled int // in the five minutes before the last decision
	notes     []string
}

// spanKey says which spans continue each other.
type spanKey struct {
	kind       sim.FaultKind
	what, zone string
}

// span is a time in which something was wrong.
type span struct {
	spanKey
	from, to time.Time
	hits, of int     // of so many, so many were hit
	factor   float64 // on prices
	latched  bool    // it was wrong at the last decision
}

// watched is an instance that was seen alive.
type watched struct {
	typ      int
	market   policy.Market
	launched time.Time
	worked   bool // a worker of it was heard of
	draining bool // it was taken out of service
	silent   bool
	heard    time.Time // of its worker, before it fell silent
	noticed  bool      // it was to be taken back
	seen     bool      // at this decision
}

// launched is an instance that was launched in the span.
type launched struct {
	at   time.Time
	typ  int
	dead bool
}

func newWatch() *watch {
	return &watch{open: map[spanKey]*span{}, instances: map[policy.InstanceID]*watched{}}
}

// hit notes something that happened at one time: it continues what happened less
// than a gap before. What is learned of later may have begun earlier.
func (w *watch) hit(k spanKey, from, to time.Time, hits, of int) *span {
	s := w.open[k]
	if s == nil || from.Sub(s.to) > gapMax {
		s = &span{spanKey: k, from: from}
		w.open[k] = s
		w.spans = append(w.spans, s)
	}
	if from.Before(s.from) {
		s.from = from
	}
	if to.After(s.to) {
		s.to = to
	}
	s.hits += hits
	s.of += of
	return s
}

// hold notes whether something is wrong at a decision.
func (w *watch) hold(k spanKey, at time.Time, wrong bool) *span {
	s := w.open[k]
	switch {
	case wrong && (s == nil || !s.latched):
		s = &span{spanKey: k, from: at, latched: true}
		w.open[k] = s
		w.spans = append(w.spans, s)
	case !wrong && s != nil && s.latched:
		s.latched = false
	case s == nil || !s.latched:
		return nil
	}
	s.to = at
	return s
}

// see takes in what a decision saw, and what was decided.
func (w *watch) see(r *journal.Record, d *journal.Decision, c *policy.Catalog) {
	o, now := &r.Observation, r.At
	w.tick = o.Tick
	before := w.last
	if before.IsZero() {
		before = now
	}
	w.readings(o)
	for i := range o.Wishes {
		w.sayOnce("an operator asked for a %s: the simulator's fleet is asked for nothing", o.Wishes[i].Kind)
	}
	if !w.last.IsZero() {
		w.refusals(o, c, before)
		w.throttles(o, before)
	}
	w.fleet(o, c, before)
	for _, id := range d.Drains {
		if in := w.instances[id]; in != nil {
			in.draining = true
		}
	}
	w.prices(o, c)
	w.last = now
}

// readings notes sections that could not be read, and old ones that claim to be
// whole.
func (w *watch) readings(o *policy.Observation) {
	now := o.Now
	w.hold(spanKey{kind: sim.APIOutage}, now, !o.EC2.Complete || !o.Fleet.Complete)
	w.hold(spanKey{kind: sim.QueueOutage}, now, !o.Queue.Complete)
	w.hold(spanKey{kind: sim.Blind, what: "money"}, now, !o.Money.Complete)
	for _, x := range []struct {
		name string
		at   policy.Reading
	}{{"queue", o.Queue.Reading}, {"fleet", o.Fleet.Reading}, {"money", o.Money.Reading}, {"history", o.History.Reading}} {
		w.hold(spanKey{kind: sim.Stale, what: x.name}, now, x.at.Complete && !x.at.At.IsZero() && now.Sub(x.at.At) > 2*o.Tick)
	}
}

// refusals notes what EC2 refused since the decision before.
func (w *watch) refusals(o *policy.Observation, c *policy.Catalog, before time.Time) {
	for i := range o.EC2.Refusals {
		f := &o.EC2.Refusals[i]
		if f.At.Before(before) || !f.At.Before(o.Now) || f.Type < 0 || f.Type >= len(c.Types) {
			continue
		}
		name := c.Types[f.Type].Name
		switch f.Why {
		case "capacity":
			w.hit(spanKey{sim.Refuse, name, f.Zone}, before, o.Now, f.Refused, f.Asked)
			if f.Refused < f.Asked {
				w.sayOnce("%s was refused in part (%d of %d instances in one call): the simulator refuses whole calls", name, f.Refused, f.Asked)
			}
			if f.Market == policy.Spot {
				w.sayOnce("%s was refused in the spot market: the simulator then refuses it on demand as well", name)
			}
		case "unavailable":
			w.hit(spanKey{kind: sim.APIOutage}, before, o.Now, 1, 1)
		case "throttled": // the counters of calls tell more
		case "quota":
			w.sayOnce("the account was at its quota: the scenario's max_instances is it")
		}
	}
}

// throttles notes calls that were throttled since the decision before.
func (w *watch) throttles(o *policy.Observation, before time.Time) {
	if n := o.EC2.Throttled - w.throttled; n > 0 && o.EC2.Calls > 0 {
		w.hit(spanKey{kind: sim.Throttle}, before, o.Now, o.EC2.Throttled, o.EC2.Calls)
	}
	w.throttled = o.EC2.Throttled
}

// fleet notes what became of instances. Nothing can be said of a list that is not
// whole.
func (w *watch) fleet(o *policy.Observation, c *policy.Catalog, before time.Time) {
	if !o.Fleet.Complete {
		return
	}
	alive, spot := map[int]int{}, 0
	var back []*watched
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		x := w.instances[in.ID]
		if x == nil {
			x = &watched{typ: in.Type, market: in.Market, launched: in.LaunchedAt}
			w.instances[in.ID] = x
			if !w.last.IsZero() {
				w.launches = append(w.launches, launched{at: in.LaunchedAt, typ: in.Type})
			}
		}
		x.seen = true
		alive[in.Type]++
		if in.Market == policy.Spot {
			spot++
		}
		switch in.Phase {
		case policy.Ready:
			if x.silent {
				back = append(back, x)
			}
			x.worked, x.silent, x.draining = true, false, false
		case policy.Draining:
			x.draining = true
			x.worked = x.worked || !in.LastSeen.IsZero()
		case policy.Lost:
			if !x.silent {
				x.heard = in.LastSeen
			}
			x.worked, x.silent = true, true
		}
		if !in.InterruptAt.IsZero() && !x.noticed {
			x.noticed = true
			w.hit(spanKey{kind: sim.Interrupt}, before, before, 1, 0).of = max(spot, 1)
		}
	}
	for _, x := range back {
		s := w.hit(spanKey{sim.Partition, nameOf(c, x.typ), ""}, x.heard, o.Now, 1, 0)
		s.of = max(s.of, alive[x.typ])
	}
	var gone []policy.InstanceID
	for id, x := range w.instances {
		if !x.seen {
			gone = append(gone, id)
		}
		x.seen = false
	}
	slices.Sort(gone)
	for _, id := range gone {
		x := w.instances[id]
		delete(w.instances, id)
		w.ended(x, o, c, before, alive[x.typ])
	}
}

// ended notes why an instance is gone, if that was not meant.
func (w *watch) ended(x *watched, o *policy.Observation, c *policy.Catalog, before time.Time, left int) {
	switch {
	case !x.worked && o.Now.Sub(x.launched) > o.Fleet.Boot.P99:
		for i := range w.launches {
			if l := &w.launches[i]; l.typ == x.typ && l.at.Equal(x.launched) && !l.dead {
				l.dead = true
				return
			}
		}
	case x.noticed || !x.worked:
	case x.silent: // its worker was gone before the instance, whoever ended that
		w.crashed(x, c, x.heard, left)
	case !x.draining:
		w.crashed(x, c, before, left)
	}
}

// crashed notes that an instance, or its worker, went down at a time; so many of
// its type are left.
func (w *watch) crashed(x *watched, c *policy.Catalog, at time.Time, left int) {
	s := w.hit(spanKey{sim.Crash, nameOf(c, x.typ), ""}, at, at, 1, 0)
	s.of = max(s.of, left+s.hits)
}

// prices notes prices other than the catalog's.
func (w *watch) prices(o *policy.Observation, c *policy.Catalog) {
	if len(o.Money.OnDemand) != len(c.Types) {
		return
	}
	for i, p := range o.Money.OnDemand {
		t := &c.Types[i]
		if s := w.hold(spanKey{kind: sim.PriceChange, what: t.Name}, o.Now, p != t.PerHour); s != nil && s.latched && t.PerHour > 0 {
			s.factor = p.Dollars() / t.PerHour.Dollars()
		}
	}
}

// sayOnce adds a note unless it was made.
func (w *watch) sayOnce(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

func nameOf(c *policy.Catalog, typ int) string {
	if typ < 0 || typ >= len(c.Types) {
		return ""
	}
	return c.Types[typ].Name
}

// faults returns what was wrong as the faults of a scenario that begins with the
// span.
func (w *watch) faults(in Span, h *journal.Header) []Fault {
	w.deadBoots(&h.Catalog)
	for _, s := range w.spans {
		if s.latched {
			s.to = in.To
		}
	}
	slices.SortStableFunc(w.spans, func(a, b *span) int { return a.from.Compare(b.from) })
	var all []Fault
	for _, s := range w.spans {
		f := Fault{Fault: scenarios.Fault{Kind: string(s.kind), From: max(s.from.Sub(in.Start), 0), To: s.to.Sub(in.Start)}}
		if s.what != "" {
			f.Types = []string{s.what}
		}
		if s.zone != "" {
			f.Zones = []string{s.zone}
		}
		share := min(float64(s.hits)/float64(max(s.of, 1)), 1)
		switch s.kind {
		case sim.Refuse:
			f.Why = fmt.Sprintf("EC2 refused %d of %d instances that were asked for", s.hits, s.of)
		case sim.Throttle:
			f.Probability = share
			f.Why = fmt.Sprintf("EC2 throttled about %.0f %% of the calls", 100*share)
		case sim.APIOutage:
			f.Why = "EC2 did not answer, or its lists were not whole"
		case sim.QueueOutage:
			f.Why = "the queue could not be read, and nothing was handed out"
		case sim.Blind, sim.Stale:
			f.Types, f.Signals = nil, []string{s.what}
			f.Why = "the reading of " + s.what + " was old, and called whole"
			if s.kind == sim.Blind {
				f.Why = s.what + " could not be read"
			}
		case sim.DeadBoot:
			f.Probability = share
			f.Why = fmt.Sprintf("%d of %d launches never became workers", s.hits, s.of)
		case sim.Interrupt:
			f.Probability, f.To = share, f.From+time.Second
			f.Why = fmt.Sprintf("%d of %d spot instances were taken back", s.hits, s.of)
		case sim.Crash:
			f.Probability, f.To = share, f.From+time.Second
			f.Why = fmt.Sprintf("%d of %d instances were gone that nobody had ended", s.hits, s.of)
		case sim.Partition:
			f.Probability = share
			f.Why = fmt.Sprintf("%d of %d workers were silent for a while and came back", s.hits, s.of)
		case sim.PriceChange:
			f.Factor = s.factor
			f.Why = "another price than the catalog's"
		}
		if f.To <= f.From {
			f.To = f.From + time.Second
		}
		all = append(all, f)
	}
	return merged(all)
}

// merged makes one fault of those of one kind and time that name other types.
func merged(all []Fault) []Fault {
	var out []Fault
	for _, f := range all {
		i := slices.IndexFunc(out, func(o Fault) bool {
			together := f.Kind == string(sim.Refuse) || f.Kind == string(sim.PriceChange) && o.Factor == f.Factor
			return together && o.Kind == f.Kind && o.From == f.From && o.To == f.To && slices.Equal(o.Zones, f.Zones)
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		out[i].Types = append(out[i].Types, f.Types...)
		if f.Kind == string(sim.Refuse) {
			out[i].Why += "; " + strings.TrimPrefix(f.Why, "EC2 refused ") + " of " + f.Types[0]
		}
	}
	return out
}

// deadBoots notes, by type, the time in which launches never became workers.
func (w *watch) deadBoots(c *policy.Catalog) {
	slices.SortStableFunc(w.launches, func(a, b launched) int { return cmp.Or(cmp.Compare(a.typ, b.typ), a.at.Compare(b.at)) })
	for i := range w.launches {
		if l := &w.launches[i]; l.dead {
			w.hit(spanKey{sim.DeadBoot, nameOf(c, l.typ), ""}, l.at.Add(-time.Second), l.at.Add(time.Second), 1, 0)
		}
	}
	for _, s := range w.spans {
		if s.kind != sim.DeadBoot {
			continue
		}
		for i := range w.launches {
			l := &w.launches[i]
			if nameOf(c, l.typ) == s.what && !l.at.Before(s.from) && !l.at.After(s.to) {
				s.of++
			}
		}
	}
}
