package skynet

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

func TestRatioIsExact(t *testing.T) {
	for _, c := range []struct {
		a, b     float64
		num, den int
	}{{8, 2, 4, 1}, {8, 3.2, 5, 2}, {2, 8, 1, 4}, {1, 1, 1, 1}, {0, 1, 1, 1}, {2, 0.4, 5, 1}} {
		if num, den := fraction(c.a, c.b); num != c.num || den != c.den {
			t.Errorf("ratio(%v, %v) = %d/%d, want %d/%d", c.a, c.b, num, den, c.num, c.den)
		}
	}
}

// The set bought covers the need, no type of it could lose an instance, and no
// single type within a twentieth of the cheapest price covers it for less.
func TestCoverIsEnoughAndCheap(t *testing.T) {
	catalogs := []policy.Catalog{policy.EC2in2008(), policy.EC2in2026()}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(catalogs).Draw(t, "catalog")
		p, err := New(policy.Env{Catalog: c, Tick: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := &p.market
		need := rapid.Float64Range(0.1, 500).Draw(t, "slots")
		bulk, rest := p.cover(&policy.Observation{}, need)
		got := float64(bulk.n) * m.slots[bulk.typ]
		cost := float64(bulk.n) * float64(m.prices[bulk.typ])
		if rest.n > 0 {
			got += float64(rest.n) * m.slots[rest.typ]
			cost += float64(rest.n) * float64(m.prices[rest.typ])
			if got-m.slots[rest.typ] >= need {
				t.Fatalf("%v and %v: one fewer of the second would do for %v slots", bulk, rest, need)
			}
		}
		if got < need-1e-9 {
			t.Fatalf("%v and %v are %v slots, need %v", bulk, rest, got, need)
		}
		for _, typ := range m.cheapestFirst {
			n := math.Ceil(need/m.slots[typ] - 1e-9)
			if m.nearlyAsCheap(m.cheapestFirst[0], typ) && n*float64(m.prices[typ]) < cost-1 {
				t.Fatalf("%v×%s cost %v, bought for %v", n, c.Types[typ].Name, n*float64(m.prices[typ]), cost)
			}
		}
	})
}

// The size bought is the largest of at most a twelfth of the fleet there will be,
// of those that cost the same per unit of work; the smallest where none is so
// small. c1.xlarge is 8 unit slots, c1.medium 2.
func TestSizesSuitTheFleet(t *testing.T) {
	for _, c := range []struct {
		alive, slots float64
		refused      string
		want         string
	}{
		{0, 1, "", "c1.medium"},
		{0, 95.9, "", "c1.medium"},
		{0, 96, "", "c1.xlarge"},
		{90, 6, "", "c1.xlarge"},
		{90, 5, "", "c1.medium"},
		{1000, 1, "", "c1.xlarge"},
		{0, 1, "c1.medium", "c1.xlarge"},
	} {
		p, err := New(policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := &policy.Observation{Now: monday}
		if typ := p.env.Catalog.Index(c.refused); typ >= 0 {
			p.market.refusedUntil[typ] = monday.Add(time.Minute)
		}
		best := p.market.cheapestFirst[0]
		p.fleet.alive = c.alive
		if got := p.env.Catalog.Types[p.suitableType(o, best, c.slots)].Name; got != c.want {
			t.Errorf("%v slots and %v more, %q refused: %s, want %s", c.alive, c.slots, c.refused, got, c.want)
		}
	}
}

// Nothing is bought that is larger than a twelfth of the fleet where a smaller
// type on sale costs the same per unit of work, whatever EC2 refuses; and what
// is bought covers the need.
func TestCoverSuitsTheFleet(t *testing.T) {
	catalogs := []policy.Catalog{policy.EC2in2008(), policy.EC2in2026()}
	rapid.Check(t, func(t *rapid.T) {
		p, err := New(policy.Env{Catalog: rapid.SampledFrom(catalogs).Draw(t, "catalog"), Tick: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := &p.market
		o := &policy.Observation{Now: monday}
		for _, typ := range m.cheapestFirst {
			if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
				m.refusedUntil[typ] = monday.Add(time.Minute)
			}
		}
		p.fleet.alive = rapid.Float64Range(0, 1000).Draw(t, "alive")
		need := rapid.Float64Range(0.1, 500).Draw(t, "slots")
		bulk, rest := p.cover(o, need)
		if bulk.typ < 0 {
			for _, typ := range m.cheapestFirst {
				if m.sells(typ, o.Now) {
					t.Fatalf("nothing is bought, and %d is on sale", typ)
				}
			}
			return
		}
		if got := p.slotsIn(bulk) + p.slotsIn(rest); got < need-1e-9 {
			t.Fatalf("%v and %v are %v slots, need %v", bulk, rest, got, need)
		}
		for _, l := range []lot{bulk, rest} {
			if l.typ < 0 || l.n == 0 || m.slots[l.typ] <= (p.fleet.alive+need)/fleetGrain {
				continue
			}
			for _, typ := range m.cheapestFirst {
				if m.sells(typ, o.Now) && m.priceOrder(typ, l.typ) == 0 && m.slots[typ] < m.slots[l.typ] {
					t.Fatalf("%v of %v slots is bought, %v of %v cost the same", l, m.slots[l.typ], typ, m.slots[typ])
				}
			}
		}
	})
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name    string
		catalog policy.Catalog
		v       policy.Values
		want    string
	}{
		{"unknown type", policy.EC2in2008(), policy.Values{"types": []string{"c1.huge"}}, "types = c1.huge: must be a type of catalog ec2-2008"},
		{"no types", policy.Catalog{Billing: policy.Hourly}, nil, "nothing to buy"},
		{"no capacity", policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{{Name: "x"}}}, nil, "nothing to buy"},
		{"out of bounds", policy.EC2in2008(), policy.Values{"gain": 9.0}, "gain = 9: must be from 0 to 4"},
		{"not a number", policy.EC2in2008(), policy.Values{"theta": math.NaN()}, "theta = NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(policy.Env{Catalog: c.catalog}, c.v)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// What a line is short of whose reserve is large is bought up to twice, in whole
// instances; never less than what is short, and nothing more with paid windows,
// where the lines that can wait are short, or where slack is all that is held.
func TestMoreIsBoughtOfBurstsOnly(t *testing.T) {
	catalog := policy.EC2in2008()
	for _, c := range []struct {
		billing   policy.Billing
		reserve   string
		z         float64
		patient   bool
		short     float64
		want      float64
		because   string
		explained bool
	}{
		{policy.PerSecond, reservePromises, 1, false, 20, 20, "a reserve that is no larger than what is learned", false},
		{policy.PerSecond, reservePromises, 2, false, 20, 30, "half as much again", true},
		{policy.PerSecond, reservePromises, 3, false, 20, 40, "as much again", true},
		{policy.PerSecond, reservePromises, 8, false, 20, 40, "never more than twice as much", true},
		{policy.PerSecond, reservePromises, 2, false, 3, 4, "whole instances", true},
		{policy.PerSecond, reservePromises, 2, false, 1.2, 1.2, "a small instance brings more than that anyway", false},
		{policy.PerSecond, reservePromises, 3, true, 20, 20, "who can wait announces what is needed", false},
		{policy.Hourly, reservePromises, 3, false, 20, 20, "an hour of it would be paid", false},
		{policy.PerSecond, reserveBoth, 3, false, 20, 40, "promises count beside the slack", true},
		{policy.PerSecond, reserveSlack, 3, false, 20, 20, "a slack alone has no such reserve", false},
	} {
		catalog.Billing = c.billing
		p, err := New(policy.Env{Catalog: catalog, Tick: time.Minute}, policy.Values{parReserve.Name: c.reserve})
		if err != nil {
			t.Fatal(err)
		}
		p.lines = append(p.lines, line{urgent: true, z: c.z})
		p.plan.passes[0] = pass{lineCount: 1, patient: c.patient}
		if got := p.withBurstMargin(&policy.Observation{}, c.short); got != c.want {
			t.Errorf("z = %v, %v slots short: %v bought, want %v: %s", c.z, c.short, got, c.want, c.because)
		}
		if explained := len(p.reasons) > 0; explained != c.explained {
			t.Errorf("z = %v, %v slots short: reasons %v", c.z, c.short, p.reasons)
		}
	}
}

// Where few slots are expected, the reserve is that of a part of a burst, bounded;
// where many are, that changes little.
func TestAReserveDoesNotVanishWithTheLoad(t *testing.T) {
	for _, form := range []string{formPhi, formQuantile} {
		for _, c := range []struct{ phi, mean, least, most float64 }{
			{8, 0.01, 0.1, 5},   // of a burst of 8 slots, more than a tenth of a slot
			{1e6, 0.01, 0.1, 2}, // of one that is out of reach, in slots of the excess
			{0.5, 2, 0, 3},
		} {
			p, err := New(policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}, policy.Values{parForm.Name: form})
			if err != nil {
				t.Fatal(err)
			}
			p.lines = append(p.lines, line{urgent: true, z: 1})
			p.st.Lines = append(p.st.Lines, level{})
			s := &p.st.Lines[0].Spread
			s.Samples = reserveSamplesLeast
			s.Phi.Value = c.phi
			if form == formPhi && c.phi > 100 {
				continue // its root grows with φ as before
			}
			more := p.reserveOf(0, c.mean).plannedLoad(c.mean) - c.mean
			if more < c.least || more > c.most {
				t.Errorf("%s, φ = %v: %v slots more than %v, want %v to %v", form, c.phi, more, c.mean, c.least, c.most)
			}
		}
	}
}
