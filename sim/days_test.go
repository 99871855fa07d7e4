package sim

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// twoClasses is a world of 2008 with a class that is judged by its sojourn and one
// by its wait.
func twoClasses(name string) *Config {
	return &Config{
		Name: name, Start: time.Date(2008, 6, 2, 5, 0, 0, 0, time.UTC), UTCOffset: -7 * time.Hour,
		Tick: time.Hour, Seed: 3, ReferenceSpeed: 2, MaxInstances: 5,
		Lease: 30 * time.Second, Beat: 10 * time.Second,
		Classes: []policy.Class{
			{Name: "a", Types: []string{"a"}, Priority: -1, Target: 20 * time.Second, Attain: 0.9},
			{Name: "rest", Priority: -1, Target: time.Minute, Attain: 0.9, On: policy.Wait},
		},
		Catalog: policy.EC2in2008(),
		Boot:    map[string]BootModel{"": {Model: "fixed", Value: 90 * time.Second}},
	}
}

// The days of a run sum to its judged figures, whenever judging begins.
func TestDaysSumToTheJudgedFigures(t *testing.T) {
	for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		for _, judge := range []time.Duration{0, 90 * time.Minute, 26*time.Hour + 30*time.Second, 500 * time.Hour} {
			cfg := twoClasses("days")
			cfg.JudgeFrom, cfg.Tick, cfg.MaxInstances = judge, time.Minute, 50
			cfg.Catalog.Billing = billing
			p, err := policy.NewScripted(cfg.Env(), []policy.Step{
				{At: 0, Launch: 2, Type: "c1.xlarge"},
				{At: 5 * time.Hour, Launch: 3, Type: "c1.medium", Keep: 11 * time.Hour},
				{At: 30 * time.Hour, Launch: 1, Type: "m1.small", Keep: 3*time.Hour + 20*time.Second},
			})
			if err != nil {
				t.Fatal(err)
			}
			poisson := traces.Poisson{Seed: 5, Duration: 60 * time.Hour, Classes: []traces.PoissonClass{
				{Type: "a", PerSecond: 0.3, Service: traces.ServiceTime{Mean: 9 * time.Second}},
				{Type: "b", Priority: 1, PerSecond: 0.1, Service: traces.ServiceTime{Mean: 50 * time.Second}},
			}}
			src, err := poisson.Source()
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(context.Background(), cfg, p, src, Options{Timeline: true, Check: true})
			if err != nil {
				t.Fatal(err)
			}
			f := &r.Figures
			var cost, work, ready, busy, length float64
			judged, inTime, times := make([]int64, 2), make([]int64, 2), make([]int64, 2)
			for _, d := range r.Days {
				length += d.LengthS
				cost, work, ready, busy = cost+d.CostUSD, work+d.WorkCoreS, ready+d.Ready, busy+d.Busy
				for k, c := range d.Classes {
					judged[k] += c.Judged
					inTime[k] += c.InTime
					for _, n := range c.Times.Counts {
						times[k] += int64(n)
					}
				}
			}
			near := func(what string, got, want float64) {
				if math.Abs(got-want) > 1e-9*max(1, want) {
					t.Errorf("%s, judged from %v: %s of the days is %v, of the run %v", billing.Name, judge, what, got, want)
				}
			}
			near("length", length, max(0, f.DurationS-judge.Seconds()))
			near("cost", cost, f.Judged.CostUSD)
			near("work", work, f.Floor.WorkCoreS)
			if f.Slack.Mean != nil {
				near("slack", 1-busy/ready, *f.Slack.Mean)
			} else if len(r.Days) > 0 {
				t.Errorf("judged from %v, which is after the run's end: has days %v", judge, r.Days)
			}
			for k, name := range []string{"a", "rest"} {
				c := f.Classes[name]
				if c.Attained != nil {
					near(name+" attained", float64(inTime[k])/float64(judged[k]), *c.Attained)
				}
				// all but those of the hour in which judging begins
				if n := float64(times[k]); n > float64(c.Jobs) || n < 0.94*float64(c.Jobs) {
					t.Errorf("judged from %v: the days time %v of %d jobs of %s", judge, n, c.Jobs, name)
				}
			}
		}
	}
}

// A time falls into the bucket whose edges hold it.
func TestTimesEdges(t *testing.T) {
	for _, d := range []time.Duration{0, 1, time.Millisecond, 1<<20 - 1, 1 << 20, 1<<20 + 1<<16, time.Second, 17 * time.Second, 30 * 24 * time.Hour} {
		b := bucketOf(int64(d))
		if low, high := TimesEdge(b), TimesEdge(b+1); !(low <= d.Seconds() && d.Seconds() < high) {
			t.Errorf("%v falls into bucket %d, from %v s to %v s", d, b, low, high)
		}
	}
}

// Work is of the day that it arrived on, wherever the midnight lies between the
// ticks, and of the step, whatever was booked to days within it. Nothing is checked
// along the way: the checks count arrivals at every instant.
func TestWorkIsOfItsDayAndStep(t *testing.T) {
	cfg := tiny()
	cfg.Start, cfg.Tick, cfg.Duration = time.Date(2008, 6, 1, 21, 0, 0, 0, time.UTC), 7*time.Hour, 36*time.Hour
	cfg.Standing = []Standing{{Count: 2}}
	midnight := 3 * time.Hour
	r, err := Run(context.Background(), cfg, plan{}.policy(cfg), newJobs([]job{
		do(midnight-time.Hour, 50*s), do(midnight, 7*s), do(midnight+time.Hour, 20*s), do(midnight+24*time.Hour-s, 100*s), do(30*time.Hour, 3*s),
	}), Options{Timeline: true})
	if err != nil {
		t.Fatal(err)
	}
	var days, steps []float64
	for _, d := range r.Days {
		days = append(days, math.Round(d.WorkCoreS*1e6)/1e6)
	}
	for _, row := range r.Ticks {
		steps = append(steps, math.Round(row.Work*1e6)/1e6)
	}
	if want := []float64{50, 127, 3}; !slices.Equal(days, want) {
		t.Errorf("work by day is %v, want %v", days, want)
	}
	// at 0, 7, 14, 21, 28 and 35 h
	if want := []float64{0, 77, 0, 0, 100, 3}; !slices.Equal(steps, want) {
		t.Errorf("work by step is %v, want %v", steps, want)
	}
}

// A day's slack is of that day to the instant, wherever its midnights lie between
// the ticks: here at 03:17:03 of the run's clock, with a tick every seven hours.
func TestSlackPerDayIsOfTheDay(t *testing.T) {
	cfg := tiny()
	cfg.Start, cfg.Tick, cfg.Duration = time.Date(2008, 6, 1, 20, 42, 57, 0, time.UTC), 7*time.Hour, 30*time.Hour
	cfg.Standing = []Standing{{Count: 2}}
	midnight := 3*time.Hour + 17*time.Minute + 3*s
	// busy for the last hour before the first midnight, and half an hour after it
	f, _ := follow(t, cfg, nil, job{int64(midnight - time.Hour), int64(90 * time.Minute), "x", 0})
	first := 1 - time.Hour.Seconds()/(2*midnight.Seconds())
	last := 30*time.Hour - midnight - 24*time.Hour
	want := []float64{first, 1 - 0.5/48, 1}
	if last <= 0 || len(f.Slack.PerDay) != len(want) {
		t.Fatalf("%d days, want %d", len(f.Slack.PerDay), len(want))
	}
	for i, w := range want {
		if got := f.Slack.PerDay[i]; got == nil || math.Abs(*got-w) > 1e-12 {
			t.Errorf("day %d: slack %v, want %v", i+1, *got, w)
		}
	}
}
