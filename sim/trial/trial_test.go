package trial

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// A fleet of two that meets a demand of 1, 2, 4 and 2 cores, by hand.
func TestFollowByHand(t *testing.T) {
	steps := []Step{{Length: time.Minute, Supply: 2}, {Length: time.Minute, Supply: 2}, {Length: time.Minute, Supply: 2}, {Length: time.Minute, Supply: 3}}
	got := Follow(steps, []float64{1, 2, 4, 2})
	want := Elasticity{
		UnderPct:     25 * 2.0 / 4,      // short of 2 of 4 for a quarter of the time
		OverPct:      25*1.0 + 25*1.0/2, // 1 over 1, then 1 over 2
		UnderTimePct: 25, OverTimePct: 50,
		UnstablePct: 100, // the demand rises twice and falls; the supply stays twice and rises
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if Follow(nil, nil) != nil {
		t.Error("no step has an elasticity")
	}
}

func TestElasticityLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "steps")
		steps := make([]Step, n)
		demand := make([]float64, n)
		for i := range steps {
			steps[i] = Step{
				Length: time.Duration(rapid.IntRange(10, 60).Draw(t, "seconds")) * time.Second,
				Supply: float64(rapid.IntRange(1, 9).Draw(t, "supply")),
			}
			demand[i] = float64(rapid.IntRange(1, 9).Draw(t, "demand"))
		}
		e := Follow(steps, demand)

		equal := slices.Clone(steps)
		for i := range equal {
			equal[i].Supply = demand[i]
		}
		if *Follow(equal, demand) != (Elasticity{}) {
			t.Fatal("supply equal to demand does not score 0")
		}
		more := slices.Clone(steps)
		for i := range more {
			more[i].Supply++
		}
		if m := Follow(more, demand); m.UnderPct > e.UnderPct || m.UnderTimePct > e.UnderTimePct || m.OverPct < e.OverPct || m.OverTimePct < e.OverTimePct {
			t.Fatalf("more supply: %+v after %+v", *m, *e)
		}
		if e.UnderTimePct+e.OverTimePct > 100+1e-9 {
			t.Fatalf("%+v is more than all the time", *e)
		}
		var halves []Step
		var halfDemand []float64
		for i, s := range steps {
			s.Length /= 2
			halves, halfDemand = append(halves, s, s), append(halfDemand, demand[i], demand[i])
		}
		h := Follow(halves, halfDemand)
		if !near(h.UnderPct, e.UnderPct) || !near(h.OverPct, e.OverPct) || !near(h.UnderTimePct, e.UnderTimePct) || !near(h.OverTimePct, e.OverTimePct) {
			t.Fatalf("halves: %+v, whole: %+v", *h, *e)
		}
		twice, twiceDemand := slices.Clone(steps), slices.Clone(demand)
		for i := range twice {
			twice[i].Supply *= 2
			twiceDemand[i] *= 2
		}
		if w := Follow(twice, twiceDemand); !near(w.UnderPct, e.UnderPct) || !near(w.OverPct, e.OverPct) || !near(w.UnstablePct, e.UnstablePct) {
			t.Fatal("twice as large: not the same")
		}
		against := slices.Clone(steps)
		moving := slices.Clone(demand)
		for i := range moving {
			moving[i] = float64(100*(i%2) + i)
			against[i].Supply = 1000 - moving[i]
		}
		if n > 1 && !near(Follow(against, moving).UnstablePct, 100) {
			t.Fatal("supply against the demand is not unstable all the time")
		}
	})
}

func TestChurnLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fleet := rapid.SliceOfN(rapid.IntRange(0, 50), 0, 30).Draw(t, "fleet")
		churn := Churn(fleet)
		var up, down int
		for i := 1; i < len(fleet); i++ {
			up += max(0, fleet[i]-fleet[i-1])
			down += max(0, fleet[i-1]-fleet[i])
		}
		if churn < float64(min(up, down))-1e-9 || churn > float64(up+down)+1e-9 {
			t.Fatalf("%v rises %d and falls %d: churn %v", fleet, up, down, churn)
		}
		same := func(what string, of []int, want float64) {
			if got := Churn(of); !near(got, want) {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
		}
		reversed := slices.Clone(fleet)
		slices.Reverse(reversed)
		same("reversed", reversed, churn)
		turned, moved, twice := slices.Clone(fleet), slices.Clone(fleet), slices.Clone(fleet)
		for i, n := range fleet {
			turned[i], moved[i], twice[i] = 50-n, n+7, 2*n
		}
		same("upside down", turned, churn)
		same("moved", moved, churn)
		same("twice", twice, 2*churn)
		slices.Sort(fleet)
		same("a ramp", fleet, 0)
		slices.Reverse(fleet)
		same("a ramp down", fleet, 0)
		n, height := rapid.IntRange(1, 9).Draw(t, "times"), rapid.IntRange(1, 9).Draw(t, "height")
		zigzag := []int{3}
		for range n {
			zigzag = append(zigzag, 3+height, 3)
		}
		same("up and down", zigzag, float64(2*n*height))
	})
}

func TestMissedLaws(t *testing.T) {
	if got := missed(&sim.CDF{N: 4, Value: []time.Duration{time.Second, 3 * time.Second, 10 * time.Second}, Share: []float64{0.25, 0.75, 1}}, 2*time.Second); got != 2*1+8 {
		t.Errorf("two jobs a second late and one of eight: %v, want 10", got)
	}
	cdf := func(values []int) *sim.CDF {
		c := &sim.CDF{N: int64(len(values))}
		slices.Sort(values)
		for i, v := range values {
			c.Value = append(c.Value, time.Duration(v)*time.Second)
			c.Share = append(c.Share, float64(i+1)/float64(len(values)))
		}
		return c
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "a"), rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "b")
		target := time.Duration(rapid.IntRange(0, 20).Draw(t, "target")) * time.Second
		both := missed(cdf(append(slices.Clone(a), b...)), target)
		if !near(missed(cdf(a), target)+missed(cdf(b), target), both) {
			t.Fatal("the parts do not sum to the whole")
		}
		if missed(cdf(a), target+time.Second) > missed(cdf(a), target) || missed(cdf(a), 20*time.Second) != 0 {
			t.Fatal("a looser target misses more")
		}
	})
}

// result is a run of two hours and a half whose first half hour is not judged.
func result() *sim.Result {
	r := &sim.Result{Config: &sim.Config{
		JudgeFrom: 30 * time.Minute, Catalog: policy.EC2in2008(),
		Classes: []policy.Class{{Name: "a", Target: 10 * time.Second}},
	}}
	attained := 0.9
	r.Figures.DurationS = 9000
	r.Figures.WallS = 3
	r.Figures.Floor.CostUSD = 4
	r.Figures.Classes = map[string]*sim.ClassFigures{"a": {Attained: &attained, On: "sojourn"}}
	for at := time.Duration(0); at < 150*time.Minute; at += time.Minute {
		r.Ticks = append(r.Ticks, sim.TickRow{At: at, Instances: 1 + int(at/time.Hour)%2, Launches: 1, Supply: 5, Work: 150, Slack24h: math.NaN()})
	}
	r.Ended = []sim.EndedRow{{At: time.Minute, Unused: time.Hour}, {At: 100 * time.Minute, Unused: 40 * time.Second}}
	r.Sojourn = []sim.CDF{{N: 10, Value: []time.Duration{time.Second, 20 * time.Second}, Share: []float64{0.9, 1}}}
	r.Wait = make([]sim.CDF, 1)
	r.Days = []sim.DayRow{{CostUSD: 1.1, Classes: []sim.DayClass{{Judged: 10, InTime: 9, Times: sim.Times{First: 3, Counts: []uint32{9, 1}}}}}}
	return r
}

// Only the judged time counts, and what is written is read back the same.
func TestTrialOfARun(t *testing.T) {
	got := Of(result(), []sim.Verdict{{Name: "a", Kept: true}, {Name: "b"}}, Bound{LowerUSD: 4, Plan: Supply{{0, 5}}})
	if got.Kept || !slices.Equal(got.Broken, []string{"b"}) {
		t.Errorf("kept %v, broken %v; want b broken", got.Kept, got.Broken)
	}
	if got.Launches != 120 || got.WastedS != 40 || got.Judged != 2*time.Hour || got.Churn != 2 || got.Figures.WallS != 0 {
		t.Errorf("launches %d, wasted %v s, judged %v, churn %v, wall %v; want 120, 40, 2h, 2, 0", got.Launches, got.WastedS, got.Judged, got.Churn, got.Figures.WallS)
	}
	// 150 core-seconds a minute are 2.5 cores, one slot of c1.xlarge
	if *got.Rigid != (Elasticity{OverPct: 100, OverTimePct: 100}) {
		t.Errorf("rigid %+v, want twice the demand at all times", *got.Rigid)
	}
	if *got.Planned != (Elasticity{}) {
		t.Errorf("planned %+v, want the plan itself", *got.Planned)
	}
	if len(got.MissJobS) != 1 || !near(got.MissJobS[0].JobS, 10) {
		t.Errorf("missed %+v, want one job by 10 s", got.MissJobS)
	}
	if got.SlackP5 != nil || got.SlackP95 != nil {
		t.Errorf("slack %v to %v of less than a day, want none", got.SlackP5, got.SlackP95)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var read Trial
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&read, got) {
		t.Errorf("read back as %+v, want %+v", read, *got)
	}
}

func TestDeviationLaws(t *testing.T) {
	if got := new(Elasticity).Deviation(); got != 0 {
		t.Errorf("no deviation is %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		var e Elasticity
		most := 0.0
		for _, x := range e.Figures() {
			*x = rapid.Float64Range(0.01, 300).Draw(t, "figure")
			most = max(most, *x)
		}
		d := e.Deviation()
		if d < most-1e-9*most || d > 1.38*most {
			t.Fatalf("%+v: deviation %v", e, d)
		}
		*e.Figures()[rapid.IntRange(0, 4).Draw(t, "which")] *= 2
		if e.Deviation() < d {
			t.Fatalf("%v after a figure doubled, %v before", e.Deviation(), d)
		}
	})
}

// Steps that end where others begin leave no trace, whatever their order.
func TestSupplyOf(t *testing.T) {
	got := SupplyOf([]Change{{30, -2}, {10, 2}, {20, -3}, {5, 3}, {20, 3}})
	if want := (Supply{{5, 3}, {10, 5}, {20, 5}, {30, 3}}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := planned([]Step{{At: 4 * time.Second}, {At: 5 * time.Second}, {At: 25 * time.Second}, {At: time.Minute}}, got); !slices.Equal(got, []float64{0, 3, 5, 3}) {
		t.Errorf("planned %v, want 0, 3, 5, 3", got)
	}
}

// Only 24-hour means whose hours were all judged count, those without ready
// capacity not at all.
func TestSlackRange(t *testing.T) {
	r := &sim.Result{Config: &sim.Config{JudgeFrom: time.Hour}}
	for i := range 200 {
		slack := 9.0 // not all judged
		if i >= 100 {
			slack = float64(200-i) / 100
		}
		r.Ticks = append(r.Ticks, sim.TickRow{At: 25*time.Hour + time.Duration(i-100)*time.Minute, Slack24h: slack})
	}
	r.Ticks = append(r.Ticks, sim.TickRow{At: 30 * time.Hour, Slack24h: math.NaN()})
	if p5, p95 := slackRange(r); *p5 != 0.05 || *p95 != 0.95 {
		t.Errorf("from %v to %v, want 0.05 to 0.95", *p5, *p95)
	}
}
