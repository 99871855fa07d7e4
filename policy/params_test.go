package policy_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
)

var testSpec = policy.Spec{
	Name: "test",
	Params: []policy.Param{
		{Name: "share", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.25},
		{Name: "count", Kind: policy.Integer, Min: 1, Max: 10, Default: 3},
		{Name: "wait", Kind: policy.Duration, Min: float64(time.Second), Max: float64(time.Hour), Default: float64(time.Minute)},
		{Name: "mode", Kind: policy.Choice, Choices: []string{"slow", "fast"}, Default: 1},
		{Name: "types", Kind: policy.TypeList},
	},
}

// TestCheckTenMistakes: every mistake is reported, each with the key as the file
// spells it, the value, and what is allowed.
func TestCheckTenMistakes(t *testing.T) {
	share, count, wait := "must be a number from 0 to 1", "must be a whole number from 1 to 10", "must be a duration with its unit, 1s to 1h0m0s"
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"share", 1.5, "test.share = 1.5: " + share},
		{"share", "a quarter", "test.share = a quarter: " + share},
		{"count", int64(0), "test.count = 0: " + count},
		{"count", 2.5, "test.count = 2.5: " + count},
		{"wait", int64(60), "test.wait = 60: " + wait},
		{"wait", "2h", "test.wait = 2h: " + wait},
		{"wait", "soon", "test.wait = soon: " + wait},
		{"mode", "Fast", "test.mode = Fast: must be one of slow, fast"},
		{"types", []any{"m1.small", int64(3)}, "test.types = [m1.small 3]: must be a list of instance types"},
		{"shares", 0.5, "test.shares = 0.5: must be one of the parameters share, count, wait, mode, types"},
	} {
		_, problems := testSpec.Check(map[string]any{c.key: c.value})
		if len(problems) != 1 || problems[0].Error() != c.want {
			t.Errorf("%s = %v: got %v, want %s", c.key, c.value, problems, c.want)
		}
		var bad interface{ BadInput() bool }
		if len(problems) == 1 && (!errors.As(problems[0], &bad) || !bad.BadInput()) {
			t.Errorf("%s: not marked as bad input", c.key)
		}
	}

	all := map[string]any{"share": -1.0, "count": "x", "wait": 1.5, "mode": 7, "nonsense": true, "shade": 0}
	_, problems := testSpec.Check(all)
	var keys []string
	for _, p := range problems {
		var pe *policy.ParamError
		if !errors.As(p, &pe) {
			t.Fatalf("%v is no ParamError", p)
		}
		keys = append(keys, pe.Name)
	}
	if got, want := strings.Join(keys, " "), "count mode nonsense shade share wait"; got != want {
		t.Errorf("problems with %s, want %s: all at once, in the order of their names", got, want)
	}
}

// TestCheckGood: values come out as Values holds them; missing ones take their
// default.
func TestCheckGood(t *testing.T) {
	v, problems := testSpec.Check(map[string]any{
		"share": int64(1), "count": 3.0, "wait": "90s", "mode": "slow", "types": []any{"m1.small", "c1.xlarge"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := v.Number(testSpec.Param("share")); got != 1 {
		t.Errorf("share = %v", got)
	}
	if got := v.Duration(testSpec.Param("wait")); got != 90*time.Second {
		t.Errorf("wait = %v", got)
	}
	if got := v.Choice(testSpec.Param("mode")); got != "slow" {
		t.Errorf("mode = %v", got)
	}
	if got := v.Strings(testSpec.Param("types")); !reflect.DeepEqual(got, []string{"m1.small", "c1.xlarge"}) {
		t.Errorf("types = %v", got)
	}
	none := policy.Values{}
	if none.Number(testSpec.Param("share")) != 0.25 || none.Duration(testSpec.Param("wait")) != time.Minute ||
		none.Choice(testSpec.Param("mode")) != "fast" || none.Strings(testSpec.Param("types")) != nil {
		t.Error("a missing value is not its default")
	}
}

// TestSpecsAreSound: every baseline's parameters have a meaning and a default
// within their bounds, and the baseline runs with them.
func TestSpecsAreSound(t *testing.T) {
	env := policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}
	for _, s := range baseline.Specs() {
		if got, ok := baseline.Lookup(s.Name); !ok || got != s {
			t.Errorf("Lookup(%q) = %v, %v", s.Name, got, ok)
		}
		if s.Doc == "" {
			t.Errorf("%s: no doc", s.Name)
		}
		for i := range s.Params {
			p := &s.Params[i]
			if p.Doc == "" {
				t.Errorf("%s.%s: no doc", s.Name, p.Name)
			}
			if p.Kind != policy.TypeList && p.Kind != policy.Choice && !(p.Min <= p.Default && p.Default <= p.Max) {
				t.Errorf("%s.%s: default %v is not within %v to %v", s.Name, p.Name, p.Default, p.Min, p.Max)
			}
		}
		p, err := s.New(env, policy.Values{})
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if d := p.Step(&policy.Observation{}); !d.IsZero() {
			t.Errorf("%s: knows nothing and does %+v", s.Name, d)
		}
	}
	if _, ok := baseline.Lookup("nobody"); ok {
		t.Error("found nobody")
	}
}

// TestBadPolicies: what cannot be made says why, in the file's spelling.
func TestBadPolicies(t *testing.T) {
	env := policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}
	_, static := policy.NewStatic(env, 3, "C1.XLarge")
	_, negative := policy.NewStatic(env, -3, "c1.xlarge")
	_, unknown := policy.NewStatic(env, 3, "t9.enormous")
	_, empty := policy.StaticSpec.New(policy.Env{}, policy.Values{})
	_, two := policy.StaticSpec.New(env, policy.Values{"type": []string{"m1.small", "m1.large"}})
	_, script := policy.NewScripted(env, []policy.Step{
		{At: -time.Second, Launch: 1, Type: "m1.small"},
		{Launch: 0, Type: "m1.small"},
		{Launch: 1, Type: "m1.smal", Keep: -time.Second},
	})
	for _, c := range []struct {
		err  error
		want string
	}{
		{static, "static.type = C1.XLarge: must be a type of catalog ec2-2008: did you mean c1.xlarge?"},
		{negative, "static.instances = -3: must be at least 0"},
		{unknown, "static.type = t9.enormous: must be a type of catalog ec2-2008: m1.small, m1.large, m1.xlarge, c1.medium, c1.xlarge"},
		{empty, "static.type = : must be given: the catalog has no types"},
		{two, "static.type = [m1.small m1.large]: must be one instance type"},
		{script, "policy.step[1].at = -1s: must be at least 0s\n" +
			"policy.step[2].launch = 0: must be at least 1\n" +
			"policy.step[3].type = m1.smal: must be a type of catalog ec2-2008: did you mean m1.small?\n" +
			"policy.step[3].keep = -1s: must be more than 0s, or left out"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
		}
	}
}
