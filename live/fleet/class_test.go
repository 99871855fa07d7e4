package fleet

import (
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		code   string
		status int
		want   Class
	}{
		{"InsufficientInstanceCapacity", 500, Capacity},
		{"UnfulfillableCapacity", 400, Capacity},
		{"VcpuLimitExceeded", 400, Quota},
		{"MaxSpotInstanceCountExceeded", 400, Quota},
		{"InsufficientFreeAddressesInSubnet", 500, Subnet},
		{"RequestLimitExceeded", 503, Throttled},
		{"Unavailable", 503, Ambiguous},
		{"InternalError", 500, Ambiguous},
		{"SomethingNew", 500, Ambiguous},
		{"SomethingNew", 400, Permanent},
		{"UnauthorizedOperation", 403, Permanent},
		{"", 0, Ambiguous},
	} {
		if got := ClassOf(c.code, c.status); got != c.want {
			t.Errorf("%q %d: %s, want %s", c.code, c.status, got, c.want)
		}
	}
	if Class(0) != Ambiguous || Settlement(0) != Unknown || Ended(0) != Unsure {
		t.Error("the zero value is not the one that assumes least")
	}
}

func TestFamily(t *testing.T) {
	for typ, want := range map[string]string{
		"c1.xlarge": "standard", "m7i.2xlarge": "standard", "t3.micro": "standard", "c8g.large": "standard",
		"g5.xlarge": "g", "p4d.24xlarge": "p", "inf2.xlarge": "inf", "u-6tb1.metal": "u", "hpc7a.12xlarge": "hpc",
	} {
		if got := family(typ); got != want {
			t.Errorf("%s: %q, want %q", typ, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var r Refusals
	held := func(typ string, market policy.Market, zone string) string {
		class, _, held := r.Held(now, typ, market, zone)
		if !held {
			return ""
		}
		return class.String()
	}
	r.Refuse(now, "c8g.large", policy.Spot, "a", 5, 2, Capacity, "InsufficientInstanceCapacity")
	r.Refuse(now, "g5.xlarge", policy.OnDemand, "a", 1, 1, Quota, "VcpuLimitExceeded")
	r.Refuse(now, "c8g.large", policy.OnDemand, "b", 1, 1, Subnet, "InsufficientFreeAddressesInSubnet")
	for _, c := range []struct {
		typ    string
		market policy.Market
		zone   string
		want   string
	}{
		{"c8g.large", policy.Spot, "a", "capacity"},
		{"c8g.large", policy.OnDemand, "a", ""},
		{"c8g.large", policy.Spot, "", ""},
		{"c8g.xlarge", policy.Spot, "a", ""},
		{"g4dn.xlarge", policy.OnDemand, "c", "quota"},
		{"g4dn.xlarge", policy.Spot, "c", ""},
		{"m7i.large", policy.OnDemand, "b", "subnet"},
	} {
		if got := held(c.typ, c.market, c.zone); got != c.want {
			t.Errorf("%s %s %q: %q, want %q", c.typ, c.market, c.zone, got, c.want)
		}
	}
	r.Refuse(now, "m7i.large", policy.OnDemand, "", 1, 1, Quota, "InstanceLimitExceeded")
	if got := held("p4d.24xlarge", policy.Spot, ""); got != "quota" {
		t.Errorf("the account is full: %q", got)
	}
	catalog := policy.EC2in2026()
	v := r.EC2View(now, &catalog)
	var why []string
	for _, x := range v.Refusals {
		why = append(why, catalog.Types[x.Type].Name+" "+x.Why)
	}
	if want := []string{"c8g.large capacity", "c8g.large capacity", "m7i.large quota"}; !slices.Equal(why, want) {
		t.Errorf("%q, want %q", why, want)
	}
	now = now.Add(61 * time.Minute)
	if v := r.EC2View(now, &catalog); len(v.Refusals) != 0 {
		t.Errorf("after an hour: %+v", v.Refusals)
	}

	// each time in a row throttling is waited out for longer
	for _, wait := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
		r.Called(now, Throttled)
		if !r.Throttling(now.Add(wait*time.Second-1)) || r.Throttling(now.Add(wait*time.Second)) {
			t.Errorf("not %d s", wait)
		}
	}
	r.Called(now, None)
	if r.Throttling(now) {
		t.Error("a call went well")
	}
}

func TestSplit(t *testing.T) {
	zones := []string{"a", "b", "c"}
	for count := range 700 {
		for turn := range 4 {
			sum, by := 0, map[string]int{}
			for _, p := range Split(policy.OnDemand, "", count, zones, nil, func(z string) bool { return z == "b" }, turn) {
				if p.Count < 1 || p.Count > CountMax {
					t.Fatalf("a piece of %d", p.Count)
				}
				sum += p.Count
				by[p.Zone] += p.Count
			}
			if sum != count || by["b"] != 0 || by["a"]-by["c"] > 1 || by["c"]-by["a"] > 1 {
				t.Fatalf("%d: %v", count, by)
			}
		}
	}
	b := func(zone string) bool { return zone == "b" }
	all := func(string) bool { return true }
	for _, c := range []struct {
		name string
		got  []Piece
		want []Piece
	}{
		{"every zone avoided", Split(policy.OnDemand, "", 4, zones, nil, all, 1), []Piece{{"b", 2}, {"c", 1}, {"a", 1}}},
		{"its own zone", Split(policy.OnDemand, "b", 101, zones, nil, all, 0), []Piece{{"b", 100}, {"b", 1}}},
		{"spot", Split(policy.Spot, "", 5, zones, nil, nil, 0), []Piece{{"", 5}}},
		{"no zones", Split(policy.OnDemand, "", 5, nil, nil, nil, 3), []Piece{{"", 5}}},
		{"a zone is closed", Split(policy.OnDemand, "", 4, zones, b, nil, 1), []Piece{{"c", 2}, {"a", 2}}},
		{"a zone is closed, the others avoided", Split(policy.OnDemand, "", 2, zones, b, all, 0), []Piece{{"a", 1}, {"c", 1}}},
		{"its own zone is closed", Split(policy.OnDemand, "b", 3, zones, b, nil, 0), nil},
		{"every zone is closed", Split(policy.OnDemand, "", 3, zones, all, nil, 0), nil},
		{"spot where a zone is closed", Split(policy.Spot, "", 3, zones, b, nil, 0), []Piece{{"a", 2}, {"c", 1}}},
		{"EC2 would choose", Split(policy.OnDemand, "", 3, nil, b, nil, 0), nil},
		{"nothing", Split(policy.OnDemand, "", 0, zones, nil, nil, 0), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}
