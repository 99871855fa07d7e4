package reports

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

// Student's t for 9 degrees of freedom is 2.262157 at 97.5 % (any table).
func TestIntervalOf(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, math.NaN()}
	i := IntervalOf(values)
	deviation := math.Sqrt(82.5 / 9)
	want := 2.262157163 * deviation / math.Sqrt(10)
	if i.N != 10 || i.Mean != 5.5 || math.Abs(i.Half()-want) > 1e-6 || math.Abs((i.Lo+i.Hi)/2-5.5) > 1e-12 {
		t.Errorf("%+v, want 5.5 ± %v", i, want)
	}
	if i := IntervalOf([]float64{3, 3, 3}); i.Lo != 3 || i.Hi != 3 {
		t.Errorf("equal values: %+v", i)
	}
	if i := IntervalOf([]float64{7}); i.N != 1 || i.Mean != 7 || !math.IsNaN(i.Lo) || !math.IsNaN(i.Half()) {
		t.Errorf("one value has no interval: %+v", i)
	}
	if i := IntervalOf(nil); i.N != 0 || !math.IsNaN(i.Mean) {
		t.Errorf("no values: %+v", i)
	}
}

// Of 400 samples of ten, the interval holds the true mean in about 95 %.
func TestIntervalCovers(t *testing.T) {
	r := newNormals(3)
	held := 0
	const samples = 400
	for range samples {
		v := make([]float64, 10)
		for i := range v {
			v[i] = 20 + 3*r()
		}
		if i := IntervalOf(v); i.Lo <= 20 && 20 <= i.Hi {
			held++
		}
	}
	if held < 365 || held > 394 { // 380 ± 3.4 standard deviations
		t.Errorf("%d of %d intervals hold the mean, want about 380", held, samples)
	}
}

func TestSummaryJSON(t *testing.T) {
	a, b := syntheticFigures(time.Hour, 2_000_000), syntheticFigures(time.Hour, 4_000_000)
	a.Seed, b.Seed = 1, 2
	a.Instances.LaunchedByType = map[string]int{"c1.xlarge": 3}
	b.Slack.Mean = nil
	runs, err := Summarize([]*sim.Figures{&a, &b})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(runs)
	if err != nil {
		t.Fatal(err)
	}
	type interval struct {
		Mean, Lo, Hi *float64
		N            int
	}
	var got struct {
		Runs    []sim.Figures
		Summary struct {
			Seed      any
			Cost      interval `json:"cost_usd"`
			Slack     map[string]interval
			Instances struct {
				ByType map[string]interval `json:"launched_by_type"`
			}
			Classes map[string]struct {
				Attained interval
				Sojourn  map[string]interval `json:"sojourn_s"`
			}
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	s := &got.Summary
	if len(got.Runs) != 2 || s.Seed != nil {
		t.Errorf("%d runs, summary of seeds %v", len(got.Runs), s.Seed)
	}
	if c := s.Cost; c.N != 2 || *c.Mean != 3 || !(*c.Lo < 2) || !(*c.Hi > 4) {
		t.Errorf("cost %+v", c)
	}
	if m := s.Slack["mean"]; m.N != 1 || *m.Mean != 0.3512 || m.Lo != nil {
		t.Errorf("slack, which one run lacks: %+v", m)
	}
	if x := s.Instances.ByType["c1.xlarge"]; x.N != 1 || *x.Mean != 3 {
		t.Errorf("a name with a dot: %+v", s.Instances.ByType)
	}
	if x := s.Classes["upload"].Sojourn["p95"]; x.N != 2 || *x.Mean != 18.4 {
		t.Errorf("p95 of upload: %+v", x)
	}
	if i, ok := runs.Summary.Figure("classes", "upload", "attained"); !ok || i.Mean != 0.9924 {
		t.Errorf("attained of upload: %+v, %t", i, ok)
	}
	if _, ok := runs.Summary.Figure("classes", "upload", "attain", "more"); ok {
		t.Error("a figure that is none")
	}
	first := slices.IndexFunc(runs.Summary, func(f SummaryFigure) bool { return f.Path[0] == "duration_s" })
	if first != 0 {
		t.Errorf("duration_s is figure %d: the order is that of the figures", first)
	}
}
