package policy_test

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// FuzzClamp checks the laws of Guard.Clamp, exactly those of its comment.
func FuzzClamp(f *testing.F) { f.Fuzz(rapid.MakeFuzz(clampLaws)) }

// TestClampLaws checks the same laws on cases of rapid's own making: 3000, as
// the rarest of the mistakes it was tried on takes some hundreds to meet.
func TestClampLaws(t *testing.T) {
	for range 30 {
		rapid.Check(t, clampLaws)
	}
}

func clampLaws(t *rapid.T) {
	g, o, c, d := drawGuard(t), drawObservation(t), drawCatalog(t), drawDecision(t)
	before := clone(d)
	got := g.Clamp(o, c, d)

	if !reflect.DeepEqual(d, before) {
		t.Fatalf("the argument was changed: %+v, was %+v", d, before)
	}
	if again := g.Clamp(o, c, got); !reflect.DeepEqual(again, got) {
		t.Fatalf("clamped again: %+v, was %+v", again, got)
	}
	neverAdds(t, &before, &got)

	now := fleetWorth(o, c)
	worst := now
	for i := range got.Launches {
		for k, x := range worstOf(o, c, &got.Launches[i]) {
			worst[k] += x
		}
	}
	launched := worst[0] - now[0]
	within := func(law string, got, allowed int64) {
		if got > max(allowed, 0) {
			t.Fatalf("%s: %d, allowed %d\nlaunches %+v", law, got, allowed, before.Launches)
		}
	}
	within("launched", launched, int64(g.LaunchMax))
	within("fleet", worst[0], max(int64(g.FleetMax), now[0]))
	within("in flight", inFlight(o)+launched, max(int64(g.InFlightMax), inFlight(o)))
	within("cores", worst[1], max(int64(g.CoresMax), now[1]))
	if launched > 0 {
		within("an hour", worst[2], int64(g.HourMax))
		within("the day", int64(o.Money.SpentDay)+worst[2], int64(g.DayMax))
		within("the month", int64(o.Money.SpentMonth)+worst[2], int64(g.MonthMax))
	}
	within("drains", int64(len(got.Drains)), int64(g.DrainMax))
	known := o.Queue.Fresh(o.Now, g.StaleAfter) && o.Fleet.Fresh(o.Now, g.StaleAfter)
	if !known && g.StaleAfter != policy.Unlimited && len(got.Launches)+len(got.Drains) > 0 {
		t.Fatalf("acted on readings that are not known: %+v", got)
	}
	if removed := !reflect.DeepEqual(got, before); removed == (len(got.Because) == len(before.Because)) {
		t.Fatalf("removed: %v, reasons %v, were %v", removed, got.Because, before.Because)
	}
}

// neverAdds checks that got is a part of d, in d's order.
func neverAdds(t *rapid.T, d, got *policy.Decision) {
	next := 0
	for i := range got.Launches {
		l := &got.Launches[i]
		for ; next < len(d.Launches); next++ {
			if partOf(l, &d.Launches[next]) {
				break
			}
		}
		if next == len(d.Launches) {
			t.Fatalf("launch %+v is not a part of %+v", *l, d.Launches)
		}
		next++
	}
	if n := len(got.Drains); n > len(d.Drains) || !slices.Equal(got.Drains, d.Drains[:n]) {
		t.Fatalf("drains %v of %v", got.Drains, d.Drains)
	}
	if !slices.Equal(got.Undrains, d.Undrains) || got.NextTick != d.NextTick {
		t.Fatalf("undrains %v of %v, next tick %v of %v", got.Undrains, d.Undrains, got.NextTick, d.NextTick)
	}
	if !slices.Equal(got.Because[:len(d.Because)], d.Because) {
		t.Fatalf("reasons %v, were %v", got.Because, d.Because)
	}
}

func partOf(l, whole *policy.Launch) bool {
	return l.Type == whole.Type && l.Market == whole.Market && l.Zone == whole.Zone &&
		0 < l.Count && l.Count <= whole.Count &&
		len(l.Else) <= len(whole.Else) && slices.Equal(l.Else, whole.Else[:len(l.Else)])
}

// worth is a number of instances, their cores, and what they cost per hour.
type worth [3]int64

func worthOf(o *policy.Observation, c *policy.Catalog, typ int, m policy.Market) worth {
	price := c.Types[typ].PerHour
	if m == policy.Spot && o.Money.Spot != nil {
		price = o.Money.Spot[typ]
	} else if o.Money.OnDemand != nil {
		price = o.Money.OnDemand[typ]
	}
	return worth{1, int64(c.Types[typ].Cores), int64(price)}
}

func fleetWorth(o *policy.Observation, c *policy.Catalog) worth {
	var sum worth
	for i := range o.Fleet.Instances {
		for k, x := range worthOf(o, c, o.Fleet.Instances[i].Type, o.Fleet.Instances[i].Market) {
			sum[k] += x
		}
	}
	return sum
}

func inFlight(o *policy.Observation) (n int64) {
	for i := range o.Fleet.Instances {
		if p := o.Fleet.Instances[i].Phase; p == policy.Requested || p == policy.Booting {
			n++
		}
	}
	return n
}

// worstOf tries everything EC2 may refuse of a launch, and of what is asked for
// instead, and returns the most there can be of each measure.
func worstOf(o *policy.Observation, c *policy.Catalog, l *policy.Launch) worth {
	var most func(m, n, link int) int64
	most = func(m, n, link int) int64 {
		one := worthOf(o, c, l.Type, l.Market)[m]
		if link > 0 {
			s := l.Else[link-1]
			one = worthOf(o, c, s.Type, s.Market)[m]
		}
		best := int64(n) * one
		if link == len(l.Else) {
			return best
		}
		for refused := 1; refused <= n; refused++ {
			best = max(best, int64(n-refused)*one+most(m, l.Else[link].Count(refused), link+1))
		}
		return best
	}
	var w worth
	for m := range w {
		w[m] = most(m, l.Count, 0)
	}
	return w
}

// TestClampOfNothingToRemove returns the decision as it is and allocates
// nothing, whatever the fleet's size.
func TestClampOfNothingToRemove(t *testing.T) {
	g, o, c, d := bigFleet(1000)
	if got := g.Clamp(o, c, d); !reflect.DeepEqual(got, d) {
		t.Errorf("got %+v, want %+v", got, d)
	}
	if n := testing.AllocsPerRun(100, func() { g.Clamp(o, c, d) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// TestClampReasonsAllocateNothing: what is allocated when something is removed
// is the copy of the launches and the longer list of reasons, nothing else.
func TestClampReasonsAllocateNothing(t *testing.T) {
	g, o, c, d := bigFleet(1000)
	g.LaunchMax, g.DrainMax = 1, 0
	if n := testing.AllocsPerRun(100, func() { g.Clamp(o, c, d) }); n > 4 {
		t.Errorf("%v allocations, want at most 4: the launches, and the reasons of 3 removals", n)
	}
}

func BenchmarkClamp(b *testing.B) {
	g, o, c, d := bigFleet(10_000)
	b.ReportAllocs()
	for b.Loop() {
		g.Clamp(o, c, d)
	}
}

// bigFleet is n instances under a guard with every limit set and none met.
func bigFleet(n int) (policy.Guard, *policy.Observation, *policy.Catalog, policy.Decision) {
	now := time.Date(2008, 6, 1, 12, 0, 0, 0, time.UTC)
	c := policy.EC2in2008()
	fresh := policy.Reading{At: now, Complete: true}
	o := &policy.Observation{Now: now}
	o.Queue.Reading, o.Fleet.Reading, o.Money.Reading = fresh, fresh, fresh
	o.Queue.Kinds = []policy.KindView{{InFlight: policy.Flow{Jobs: int64(n)}}}
	o.Health.Progress = now
	for i := range n {
		o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{ID: policy.InstanceID(i), Type: 4, Phase: policy.Ready, Slots: 8, Busy: 1})
	}
	g := policy.Bounded(5000)
	g.FleetMax, g.CoresMax, g.HourMax = 20_000, 200_000, 20_000*policy.USD
	d := policy.Decision{
		Launches: []policy.Launch{{Type: 4, Count: 8, Else: []policy.Substitute{{Type: 1, Num: 5, Den: 2}}}, {Type: 3, Count: 1}},
		Drains:   []policy.InstanceID{1, 2, 3},
	}
	return g, o, &c, d
}

// The draws: small worlds in which every limit is met about as often as not.

func drawGuard(t *rapid.T) policy.Guard {
	limit := func(name string, high int) int {
		if rapid.IntRange(0, 3).Draw(t, name+" unlimited") == 0 {
			return policy.Unlimited
		}
		return rapid.IntRange(0, high).Draw(t, name)
	}
	g := policy.Guard{
		LaunchMax: limit("launch_max", 30), InFlightMax: limit("in_flight_max", 30),
		FleetMax: rapid.IntRange(0, 40).Draw(t, "fleet_max"), CoresMax: limit("cores_max", 200),
		HourMax:  policy.MicroUSD(limit("hour_max", 20_000_000)),
		DayMax:   policy.MicroUSD(limit("day_max", 40_000_000)),
		MonthMax: policy.MicroUSD(limit("month_max", 60_000_000)),
		DrainMax: limit("drain_max", 5), StaleAfter: time.Duration(limit("stale_after", int(3*time.Minute))),
		BreakerBoots: limit("breaker_boots", 5), BreakerStall: time.Duration(limit("breaker_stall", int(time.Hour))),
	}
	if rapid.IntRange(0, 2).Draw(t, "calm") > 0 { // else doubt hides the other limits
		g.StaleAfter, g.BreakerBoots, g.BreakerStall = policy.Unlimited, policy.Unlimited, policy.Unlimited
	}
	return g
}

func drawCatalog(*rapid.T) *policy.Catalog {
	c := policy.EC2in2008()
	return &c
}

func drawObservation(t *rapid.T) *policy.Observation {
	now := time.Date(2008, 6, 1, 12, 0, 0, 0, time.UTC)
	ago := func(name string, most time.Duration) time.Time {
		return now.Add(-time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name)))
	}
	reading := func(name string) policy.Reading {
		return policy.Reading{At: ago(name, 4*time.Minute), Complete: rapid.IntRange(0, 9).Draw(t, name+" complete") > 0}
	}
	o := &policy.Observation{Now: now, Tick: time.Minute}
	o.Queue.Reading, o.Fleet.Reading, o.Money.Reading = reading("queue"), reading("fleet"), reading("money")
	o.Queue.Kinds = []policy.KindView{{
		Pending:    policy.Flow{Jobs: rapid.Int64Range(0, 100).Draw(t, "pending")},
		InFlight:   policy.Flow{Jobs: rapid.Int64Range(0, 9).Draw(t, "running")},
		OldestWait: now.Sub(ago("oldest", 2*time.Hour)),
	}}
	o.Health.Progress = ago("progress", 2*time.Hour)
	o.Fleet.Boot.P99 = 5 * time.Minute
	o.Fleet.Boot.Failed = rapid.IntRange(0, 6).Draw(t, "failed")
	o.Money.SpentDay = policy.MicroUSD(rapid.IntRange(0, 40_000_000).Draw(t, "day"))
	o.Money.SpentMonth = policy.MicroUSD(rapid.IntRange(0, 60_000_000).Draw(t, "month"))
	if rapid.Bool().Draw(t, "prices") {
		for range drawCatalog(t).Types {
			o.Money.OnDemand = append(o.Money.OnDemand, policy.MicroUSD(rapid.IntRange(1, 1_000_000).Draw(t, "price")))
			o.Money.Spot = append(o.Money.Spot, policy.MicroUSD(rapid.IntRange(1, 1_000_000).Draw(t, "spot")))
		}
	}
	for id := range rapid.IntRange(0, 20).Draw(t, "fleet") {
		o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{
			ID: policy.InstanceID(id), Type: rapid.IntRange(0, 4).Draw(t, "type"),
			Market:     policy.Market(rapid.IntRange(0, 1).Draw(t, "market")),
			Phase:      policy.Phase(rapid.IntRange(0, 4).Draw(t, "phase")),
			LaunchedAt: ago("launched", time.Hour), Slots: 1, Busy: rapid.IntRange(0, 1).Draw(t, "busy"),
		})
	}
	return o
}

func drawDecision(t *rapid.T) policy.Decision {
	typ := func() int {
		if rapid.IntRange(0, 19).Draw(t, "odd") == 0 {
			return rapid.SampledFrom([]int{-1, 5, math.MaxInt}).Draw(t, "type")
		}
		return rapid.IntRange(0, 4).Draw(t, "type")
	}
	number := func(name string, high int) int {
		if rapid.IntRange(0, 19).Draw(t, "odd") == 0 {
			return rapid.SampledFrom([]int{-1, 0, math.MinInt, math.MaxInt}).Draw(t, name)
		}
		return rapid.IntRange(1, high).Draw(t, name)
	}
	market := func() policy.Market { return policy.Market(rapid.IntRange(0, 1).Draw(t, "market")) }
	var d policy.Decision
	for range rapid.IntRange(0, 4).Draw(t, "launches") {
		l := policy.Launch{Type: typ(), Market: market(), Count: number("count", 12)}
		for range rapid.IntRange(0, 2).Draw(t, "else") {
			l.Else = append(l.Else, policy.Substitute{Type: typ(), Market: market(), Num: number("num", 5), Den: number("den", 3)})
		}
		d.Launches = append(d.Launches, l)
	}
	for range rapid.IntRange(0, 8).Draw(t, "drains") {
		d.Drains = append(d.Drains, policy.InstanceID(rapid.IntRange(0, 20).Draw(t, "drain")))
	}
	for range rapid.IntRange(0, 3).Draw(t, "undrains") {
		d.Undrains = append(d.Undrains, policy.InstanceID(rapid.IntRange(0, 20).Draw(t, "undrain")))
	}
	d.NextTick = time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "next"))
	return d
}
