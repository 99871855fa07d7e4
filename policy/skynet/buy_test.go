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
