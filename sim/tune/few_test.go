package tune

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// valley is a policy of many parameters, of which each costs when it is off its
// best value: what few sets can search only by moving some at a time.
func valley() *policy.Spec {
	s := &policy.Spec{Name: "valley", Params: []policy.Param{
		{Name: "kept", Kind: policy.Integer, Min: 0, Max: 50},
		{Name: "delay", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute)},
		{Name: "mode", Kind: policy.Choice, Choices: []string{"a", "b", "c"}},
		{Name: "limit", Kind: policy.Integer, Min: 1, Max: 100, Default: 50, Fixed: true},
	}}
	for i := range 5 {
		s.Params = append(s.Params, policy.Param{Name: fmt.Sprint("x", i), Kind: policy.Number, Min: 0, Max: 1, Default: 0.5})
	}
	return s
}

// depth is what values of the valley cost: 0 at the best.
func depth(s *policy.Spec, v policy.Values) float64 {
	cost := math.Abs(v.Number(s.Param("kept")) - 1)
	cost += math.Abs(v.Duration(s.Param("delay")).Minutes()-4) / 10
	if v.Choice(s.Param("mode")) != "b" {
		cost++
	}
	for i := range 5 {
		cost += math.Abs(v.Number(s.Param(fmt.Sprint("x", i))) - 0.8)
	}
	return cost
}

// descend searches the valley and returns every set that was tried, and the
// least cost.
func descend(t *testing.T, base policy.Values, n int, seed uint64) (tried []string, best float64) {
	t.Helper()
	space, err := NewSpace(valley(), base, nil)
	if err != nil {
		t.Fatal(err)
	}
	best = math.Inf(1)
	err = space.TryFew(n, seed, func(v policy.Values) (Tried, error) {
		tried = append(tried, space.RawOf(v).Key())
		if cost := depth(space.Spec, v); cost < best {
			best = cost
			return Better, nil
		}
		return Worse, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tried, best
}

// TryFew:
//   - tries the base first, n sets in all, and none twice
//   - is the same for the same seed, and another for another
//   - never moves what is fixed
//   - finds far better than the base among few sets of many parameters
func TestTryFew(t *testing.T) {
	own := depth(valley(), nil)
	sum := 0.0
	for seed := range uint64(20) {
		tried, best := descend(t, nil, 24, seed)
		again, _ := descend(t, nil, 24, seed)
		if len(tried) != 24 || fmt.Sprint(tried) != fmt.Sprint(again) {
			t.Fatalf("seed %d: %d sets, then %d; want the same 24", seed, len(tried), len(again))
		}
		seen := map[string]bool{}
		for _, set := range tried {
			if seen[set] {
				t.Fatalf("seed %d tries %s twice", seed, set)
			}
			seen[set] = true
		}
		sum += best / own
	}
	if mean := sum / 20; mean > 0.6 {
		t.Errorf("24 sets leave %.2f of what the base costs in the mean, want at most 0.6", mean)
	}
	space, err := NewSpace(valley(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := descend(t, nil, 8, 1)
	if want := space.RawOf(nil).Key(); a[0] != want {
		t.Errorf("begins with %s, want the base %s", a[0], want)
	}
	if b, _ := descend(t, nil, 8, 2); a[0] != b[0] || fmt.Sprint(a) == fmt.Sprint(b) {
		t.Error("two seeds must begin alike and go on differently")
	}
	base := policy.Values{"limit": 7.0, "kept": 1.0}
	tried, best := descend(t, base, 12, 3)
	if got := depth(valley(), base); best > got {
		t.Errorf("the best of the sets costs %v, the base %v", best, got)
	}
	for _, set := range tried {
		if !strings.Contains(set, `"limit":7`) {
			t.Errorf("moves what is fixed: %s", set)
		}
	}
}

// Sets that make no sense cost nothing and are replaced, and a space with fewer
// sets than may be tried ends.
func TestTryFewOfNotMany(t *testing.T) {
	spec := &policy.Spec{Name: "three", Params: []policy.Param{{Name: "c", Kind: policy.Choice, Choices: []string{"a", "b", "c"}}}}
	space, err := NewSpace(spec, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		bars string
		want int
	}{{"", 3}, {"b", 2}} {
		made := 0
		err := space.TryFew(10, 1, func(v policy.Values) (Tried, error) {
			if v.Choice(spec.Param("c")) == c.bars {
				return Senseless, nil
			}
			made++
			return Worse, nil
		})
		if err != nil || made != c.want {
			t.Errorf("without %q: %d sets and %v, want %d", c.bars, made, err, c.want)
		}
	}
	sentinel := errors.New("stopped")
	calls := 0
	err = space.TryFew(10, 1, func(policy.Values) (Tried, error) { calls++; return Worse, sentinel })
	if !errors.Is(err, sentinel) || calls != 1 {
		t.Errorf("an error of try: %d calls and %v", calls, err)
	}
	err = space.TryFew(1, 1, func(v policy.Values) (Tried, error) {
		if len(v) > 0 {
			t.Errorf("the only set is %v, want the base", v)
		}
		return Worse, nil
	})
	if err != nil {
		t.Error(err)
	}
}
