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
		if num, den := ratio(c.a, c.b); num != c.num || den != c.den {
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
		for _, typ := range m.order {
			n := math.Ceil(need/m.slots[typ] - 1e-9)
			if m.kin(m.order[0], typ) && n*float64(m.prices[typ]) < cost-1 {
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
			p.market.until[typ] = monday.Add(time.Minute)
		}
		best := p.market.order[0]
		p.fleet.alive = c.alive
		if got := p.env.Catalog.Types[p.suits(o, best, c.slots)].Name; got != c.want {
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
		for _, typ := range m.order {
			if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
				m.until[typ] = monday.Add(time.Minute)
			}
		}
		p.fleet.alive = rapid.Float64Range(0, 1000).Draw(t, "alive")
		need := rapid.Float64Range(0.1, 500).Draw(t, "slots")
		bulk, rest := p.cover(o, need)
		if bulk.typ < 0 {
			for _, typ := range m.order {
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
			if l.typ < 0 || l.n == 0 || m.slots[l.typ] <= (p.fleet.alive+need)/grain {
				continue
			}
			for _, typ := range m.order {
				if m.sells(typ, o.Now) && m.dearer(typ, l.typ) == 0 && m.slots[typ] < m.slots[l.typ] {
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
