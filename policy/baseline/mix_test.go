package baseline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// TestBuyMix: whole instances of the cheapest type per unit of work, and the
// cheapest type that holds the rest, though it be the slowest; what EC2 refused
// within 3 minutes is passed over, unless for another reason than capacity.
func TestBuyMix(t *testing.T) {
	now := time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)
	refusal := func(typ int, ago time.Duration, why string) policy.Refusal {
		return policy.Refusal{Type: typ, At: now.Add(-ago), Why: why}
	}
	const small, medium, xlarge = 0, 3, 4
	for _, c := range []struct {
		name     string
		slots    int
		stepMax  int
		refusals []policy.Refusal
		want     []policy.Launch
	}{
		{"whole instances", 16, 100, nil, []policy.Launch{{Type: xlarge, Count: 2}}},
		{"one slot more", 17, 100, nil, []policy.Launch{{Type: xlarge, Count: 2}, {Type: small, Count: 1}}},
		{"two", 2, 100, nil, []policy.Launch{{Type: medium, Count: 1}}},
		{"five: no type but the largest holds them", 21, 100, nil, []policy.Launch{{Type: xlarge, Count: 3}}},
		{"one call's worth", 80, 3, nil, []policy.Launch{{Type: xlarge, Count: 3}}},
		{
			"the largest is refused", 5, 100,
			[]policy.Refusal{refusal(xlarge, time.Minute, "capacity")},
			[]policy.Launch{{Type: medium, Count: 2}, {Type: small, Count: 1}},
		},
		{"it was, 3 minutes ago", 8, 100, []policy.Refusal{refusal(xlarge, 3*time.Minute, "capacity")}, []policy.Launch{{Type: xlarge, Count: 1}}},
		{"the account is full: no type is to blame", 8, 100, []policy.Refusal{refusal(xlarge, 0, "quota")}, []policy.Launch{{Type: xlarge, Count: 1}}},
	} {
		catalog := policy.EC2in2008()
		a := actuator{env: policy.Env{Catalog: catalog}, types: catalog.ByUnitPrice(), stepMax: c.stepMax}
		a.buyMix(&policy.Observation{Now: now, EC2: policy.EC2View{Refusals: c.refusals}}, c.slots)
		if got, want := fmt.Sprint(a.launches), fmt.Sprint(c.want); got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
}

// TestBuyMixOfNothing: when EC2 refuses every type, none is asked for.
func TestBuyMixOfNothing(t *testing.T) {
	catalog := policy.EC2in2008()
	o := policy.Observation{Now: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)}
	for i := range catalog.Types {
		o.EC2.Refusals = append(o.EC2.Refusals, policy.Refusal{Type: i, At: o.Now, Why: "capacity"})
	}
	a := actuator{env: policy.Env{Catalog: catalog}, types: catalog.ByUnitPrice(), stepMax: 9}
	if a.buyMix(&o, 8); len(a.launches) > 0 {
		t.Errorf("launches %+v", a.launches)
	}
}

// TestTypesOfARival: which types it buys, and what a bad list is told.
func TestTypesOfARival(t *testing.T) {
	for _, c := range []struct {
		name   string
		mixes  bool
		values policy.Values
		want   string // types, or what the error says
	}{
		{"the cheapest per unit of work", false, nil, "c1.xlarge"},
		{"the smallest of those that tie", false, policy.Values{"size": "smallest"}, "c1.medium"},
		{"all, the cheapest first", true, nil, "c1.xlarge c1.medium m1.xlarge m1.large m1.small"},
		{"a list, in its order", true, policy.Values{"type": []string{"m1.small", "c1.xlarge"}}, "m1.small c1.xlarge"},
		{"a list without mixing: the rest stand in", false, policy.Values{"type": []string{"m1.small", "c1.xlarge"}}, "m1.small c1.xlarge"},
		{"an unknown type", false, policy.Values{"type": []string{"c1.xlrage"}}, "did you mean c1.xlarge?"},
	} {
		env := policy.Env{Catalog: policy.EC2in2008()}
		types, err := chosenTypes(&build{name: "test", mixes: c.mixes}, &env, c.values)
		names := make([]string, len(types))
		for i, typ := range types {
			names[i] = env.Catalog.Types[typ].Name
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
			var bad interface{ BadInput() bool }
			if !errors.As(err, &bad) || !bad.BadInput() {
				t.Errorf("%s: %v is not the user's", c.name, err)
			}
		}
		if !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if _, err := chosenTypes(&build{name: "test"}, &policy.Env{}, nil); err == nil {
		t.Error("a catalog without types is taken")
	}
}
