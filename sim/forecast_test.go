package sim

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/skynet-ec2/skynet/policy"
)

// oracle forecasts what it is told, by tick.
type oracle struct {
	acts
	start time.Time
	highs map[time.Duration]float64
	ahead time.Duration
	now   time.Duration
}

func (p *oracle) Step(o *policy.Observation) policy.Decision {
	p.now = o.Now.Sub(p.start)
	return p.acts(o)
}

func (p *oracle) Forecast() (mean, high float64, ahead time.Duration) {
	high, ok := p.highs[p.now]
	if !ok {
		return math.NaN(), math.NaN(), p.ahead
	}
	return high / 2, high, p.ahead
}

func newOracle(cfg *Config, ahead time.Duration, highs map[time.Duration]float64) *oracle {
	quiet := func(*policy.Observation) policy.Decision { return policy.Decision{} }
	return &oracle{acts: quiet, start: cfg.Start, highs: highs, ahead: ahead}
}

// minuteJobs returns so many jobs in each minute, of 6 s each once one is known:
// loads of a tenth of a core apiece.
func minuteJobs(counts ...int) (list []job) {
	for minute, n := range counts {
		for i := range n {
			at := time.Duration(minute)*time.Minute + time.Duration(i+1)*s
			list = append(list, do(at, 6*s))
		}
	}
	return list
}

// Loads by tick are estimated from the mean of what completed: one instance has
// done a job of 6 s before the first tick that counts.
func TestForecastFigures(t *testing.T) {
	cfg := tiny()
	cfg.Duration, cfg.JudgeFrom = 8*time.Minute, 2*time.Minute
	p := newOracle(cfg, 90*s, map[time.Duration]float64{ // two ticks ahead
		1 * time.Minute: 9,   // before judging begins
		2 * time.Minute: 0.4, // 4 jobs come in the minute that ends at 4: within
		3 * time.Minute: 0.3, // 5 jobs come: short by 0.2
		5 * time.Minute: 0.5, // 2 jobs come: too high by 0.3
		6 * time.Minute: 9,   // its tick is the run's end, where no tick is
		7 * time.Minute: 9,
	})
	p.acts = func(o *policy.Observation) policy.Decision {
		if o.Now.Equal(cfg.Start) {
			return launch(1)
		}
		return policy.Decision{}
	}
	res, err := Run(context.Background(), cfg, p, newJobs(minuteJobs(1, 1, 3, 4, 5, 0, 2)), Options{Timeline: true, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	var loads, actual []float64
	for _, row := range res.Ticks {
		loads = append(loads, math.Round(row.Offered*1e6)/1e6)
		actual = append(actual, math.Round(row.ForecastActual*1e6)/1e6)
	}
	if diff := cmp.Diff([]float64{0, 0.1, 0.1, 0.3, 0.4, 0.5, 0, 0.2}, loads); diff != "" {
		t.Fatalf("loads (-want +got)\n%s", diff)
	}
	f := res.Figures.Forecast
	if f == nil || f.P90Coverage == nil || f.Skill == nil {
		t.Fatalf("forecast %+v", f)
	}
	// the simplest: 0.1 for 0.4, 0.3 for 0.5, 0.5 for 0.2
	simple := 0.9*(0.3+0.2) + 0.1*0.3
	skill := 1 - (0.9*0.2+0.1*0.3)/simple
	if f.Ticks != 3 || math.Abs(*f.P90Coverage-2.0/3) > 1e-9 || math.Abs(*f.Skill-skill) > 1e-9 {
		t.Errorf("%d ticks, coverage %v, skill %v, want 3, 2/3, %v", f.Ticks, *f.P90Coverage, *f.Skill, skill)
	}
	want := []float64{nan, 0.3, 0.4, 0.5, nan, 0.2, nan, nan}
	if diff := cmp.Diff(want, actual, equalNaN); diff != "" {
		t.Errorf("actual by the tick of the forecast (-want +got)\n%s", diff)
	}
}

var equalNaN = cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })

func TestForecastFiguresAreNull(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 5 * time.Minute
	f, _ := play(t, cfg, launchFirst(cfg), minuteJobs(1, 1, 1)...)
	if f.Forecast != nil {
		t.Errorf("a policy that does not forecast has %+v", f.Forecast)
	}
	f, _ = play(t, cfg, newOracle(cfg, time.Minute, nil), minuteJobs(1, 1, 1)...)
	if f.Forecast == nil || f.Forecast.Ticks != 0 || f.Forecast.P90Coverage != nil || f.Forecast.Skill != nil {
		t.Errorf("a policy that never knew has %+v, want 0 ticks and nulls", f.Forecast)
	}
}

func launchFirst(cfg *Config) policy.Policy { return plan{0: launch(1)}.policy(cfg) }

// With ticks every 20 s between the minutes' the load forecast is still that of
// a whole tick.
func TestForecastOfFastTicks(t *testing.T) {
	cfg := tiny()
	cfg.Duration, cfg.FastTicks = 4*time.Minute, true
	p := newOracle(cfg, time.Minute, map[time.Duration]float64{time.Minute: 1, 80 * s: 1})
	p.acts = func(o *policy.Observation) policy.Decision {
		d := policy.Decision{NextTick: 20 * s}
		if o.Now.Equal(cfg.Start) {
			d.Launches = launch(1).Launches
		}
		return d
	}
	list := append(minuteJobs(1, 3, 0), do(130*s, 6*s))
	res, err := Run(context.Background(), cfg, p, newJobs(list), Options{Timeline: true, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[time.Duration]float64{}
	for _, row := range res.Ticks {
		if !math.IsNaN(row.ForecastActual) {
			got[row.At] = math.Round(row.ForecastActual*1e6) / 1e6
		}
	}
	// three jobs from 60 to 120 s; one from 80 to 140 s
	if diff := cmp.Diff(map[time.Duration]float64{time.Minute: 0.3, 80 * s: 0.1}, got); diff != "" {
		t.Errorf("actual (-want +got)\n%s", diff)
	}
}

func TestHourLoadIsTheNearestRank(t *testing.T) {
	var h hourLoad
	for i := range 100 {
		h.add(float64(i * 37 % 100))
		if n := h.n; n <= 60 && len(h.sorted) != int(n) || n > 60 && len(h.sorted) != 60 {
			t.Fatalf("after %d loads %d are kept", n, len(h.sorted))
		}
	}
	var last []float64
	for i := 40; i < 100; i++ {
		last = append(last, float64(i*37%100))
	}
	got, within := h.quantile(), 0
	for _, x := range last {
		if x <= got {
			within++
		}
	}
	if within != 54 { // nine in ten of 60
		t.Errorf("%d of the last 60 loads are within %v, want 54", within, got)
	}
}
