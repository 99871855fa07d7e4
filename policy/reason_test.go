package policy_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	ruleTestPlain = policy.NewRule("test.plain", "asked for %g, 100 %% of %.1f", false)
	ruleTestNamed = policy.NewRule("test.named", "%s: %.0f of %g", true)
	ruleTestBare  = policy.NewRule("test.bare", "nothing to compare", false)
)

// TestReasonText: a reason prints as its rule's name and sentence.
func TestReasonText(t *testing.T) {
	for _, c := range []struct {
		reason policy.Reason
		want   string
	}{
		{ruleTestPlain.Because(280, 20.25), "test.plain: asked for 280, 100 % of 20.2"},
		{ruleTestNamed.Named("c1.xlarge", 3, 0.5), "test.named: c1.xlarge: 3 of 0.5"},
		{ruleTestBare.Because(), "test.bare: nothing to compare"},
		{policy.Reason{}, ": "},
	} {
		if got := c.reason.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestReasonJSON: what is written is read back the same, and the sentence is
// there for those who only read.
func TestReasonJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		figure := rapid.Float64Range(-1e18, 1e18)
		want := rapid.SampledFrom([]policy.Reason{
			ruleTestPlain.Because(figure.Draw(t, "a"), figure.Draw(t, "b")),
			ruleTestNamed.Named(rapid.String().Draw(t, "name"), figure.Draw(t, "c"), figure.Draw(t, "d")),
			ruleTestBare.Because(),
		}).Draw(t, "reason")
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got policy.Reason
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%s: read %+v, want %+v", data, got, want)
		}
		var shown struct{ Text string }
		if err := json.Unmarshal(data, &shown); err != nil || shown.Text != want.Text() {
			t.Fatalf("%s: text %q, want %q", data, shown.Text, want.Text())
		}
	})
}

// TestReasonJSONRefuses what no rule of this build wrote.
func TestReasonJSONRefuses(t *testing.T) {
	for data, want := range map[string]string{
		`{"rule":"test.unheard","text":""}`:                            `unknown rule "test.unheard"`,
		`{"rule":"test.plain","figures":[1,2,3,4,5,6],"text":"words"}`: "6 figures: must be at most 5",
		`{"rule":3}`: "cannot unmarshal",
	} {
		var r policy.Reason
		if err := json.Unmarshal([]byte(data), &r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", data, err, want)
		}
	}
}

// TestReasonAllocatesNothing: reasons are made on every tick.
func TestReasonAllocatesNothing(t *testing.T) {
	var r policy.Reason
	x := 1.0
	if n := testing.AllocsPerRun(100, func() {
		x++
		r = ruleTestPlain.Because(x, 2)
		r = ruleTestNamed.Named("m1.small", x, 2)
	}); n != 0 {
		t.Errorf("%v allocations, want none (%v)", n, r.Name)
	}
}

// TestNewRuleTwice: two rules of one name are a mistake in the program.
func TestNewRuleTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a name was registered twice")
		}
	}()
	policy.NewRule("test.plain", "again", false)
}

// TestReasonWithoutAFigure: a figure that is not finite cannot be written; the
// reason can, and its sentence still tells.
func TestReasonWithoutAFigure(t *testing.T) {
	data, err := json.Marshal(ruleTestPlain.Because(math.Inf(1), math.NaN()))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"rule":"test.plain","figures":[null,null],"text":"asked for +Inf, 100 % of NaN"}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	var back policy.Reason
	if err := json.Unmarshal(data, &back); err != nil || back.Rule.Name() != "test.plain" {
		t.Errorf("read back as %v, %v", back, err)
	}
}
