package sim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
)

// Jobs are judged by their arrival.
func TestJudgedJobs(t *testing.T) {
	cfg := tiny()
	cfg.JudgeFrom = 10 * s
	f, _ := follow(t, cfg, plan{0: launch(3)}, do(10*s-1, 100*s), do(10*s, 20*s), do(11*s, 70*s))
	c := f.Classes["all"]
	if c.Jobs != 2 || *c.Sojourn.Max != 70 || *c.Sojourn.Mean != 45 || f.Jobs.Completed != 3 {
		t.Errorf("%d jobs judged, sojourn mean %v and max %v; want 2, 45 and 70", c.Jobs, *c.Sojourn.Mean, *c.Sojourn.Max)
	}
	wantFigure(t, "attained", c.Attained, 0.5)
}

// Percentiles are nearest rank, within 0.1 %: of n values the ceil(p*n)-th.
func TestPercentiles(t *testing.T) {
	for _, x := range []struct {
		n             int
		p50, p95, p99 float64
	}{{1, 1, 1, 1}, {2, 1, 2, 2}, {10, 5, 10, 10}, {20, 10, 19, 20}, {100, 50, 95, 99}, {101, 51, 96, 100}, {200, 100, 190, 198}} {
		var list []job
		for i := range x.n {
			list = append(list, do(0, time.Duration(x.n-i)*s))
		}
		cfg := tiny()
		cfg.MaxInstances = x.n
		f, _ := follow(t, cfg, plan{0: launch(x.n)}, list...)
		got := f.Classes["all"].Sojourn
		for _, y := range []struct {
			what      string
			got, want float64
		}{{"p50", *got.P50, x.p50}, {"p95", *got.P95, x.p95}, {"p99", *got.P99, x.p99}, {"max", *got.Max, float64(x.n)}} {
			if y.got < y.want*0.999 || y.got > y.want*1.001 {
				t.Errorf("%s of 1 to %d s is %v", y.what, x.n, y.got)
			}
		}
		wantFigure(t, "mean", got.Mean, float64(x.n+1)/2)
	}
	f, _ := follow(t, tiny(), plan{})
	if got := f.Classes["all"]; got.Sojourn != (TimeFigures{}) || got.Attained != nil || got.WorstHour != nil || got.WorstDay != nil {
		t.Errorf("no jobs: %+v, want nulls", got)
	}
}

// The worst hour is the clock hour of arrival with the lowest attainment,
// hours under 100 jobs left out; the worst day has no such limit. Clock hours
// are the users'.
func TestWorstHour(t *testing.T) {
	const on, late = 1 * s, 61 * s // service; the target is 60 s
	batch := func(at time.Duration, n, slow int) (list []job) {
		for i := range n {
			if i < slow {
				list = append(list, do(at, late))
			} else {
				list = append(list, do(at, on))
			}
		}
		return list
	}
	var list []job
	list = append(list, batch(10*time.Minute, 99, 99)...)  // all late, but 99
	list = append(list, batch(70*time.Minute, 100, 4)...)  // 0.96
	list = append(list, batch(110*time.Minute, 100, 8)...) // 0.92; with the former 0.94
	list = append(list, batch(25*time.Hour, 10, 0)...)
	for _, x := range []struct {
		offset        time.Duration
		hour, day     float64
		hourAt, dayAt string
	}{
		{0, 0.94, 1 - 111.0/299, "Sun 2008-06-01 01:00", "Sun 2008-06-01"},
		{30 * time.Minute, 0.92, 1 - 111.0/299, "Sun 2008-06-01 02:00", "Sun 2008-06-01"},
		{-60 * time.Minute, 0.94, 0, "Sun 2008-06-01 00:00", "Sat 2008-05-31"},
	} {
		cfg := tiny()
		cfg.UTCOffset = x.offset
		f, _ := follow(t, cfg, plan{0: launch(100)}, list...)
		c := f.Classes["all"]
		wantFigure(t, "worst hour", c.WorstHour, x.hour)
		wantFigure(t, "worst day", c.WorstDay, x.day)
		if c.WorstHourAt != x.hourAt || c.WorstDayAt != x.dayAt {
			t.Errorf("clock %v: worst hour at %s, day at %s; want %s, %s", x.offset, c.WorstHourAt, c.WorstDayAt, x.hourAt, x.dayAt)
		}
	}
}

// Attained is in time over (done + already late at the end); within the target
// means at most the target.
func TestLateAtEnd(t *testing.T) {
	for _, x := range []struct {
		on   policy.Measure
		want float64
		late int64
	}{
		// done in 60 s; running for 100 s: late; waiting for 61 s: late; waiting
		// for 60 s: open
		{policy.Sojourn, 1.0 / 3, 2},
		// done after no wait; running after no wait: open; waiting as above
		{policy.Wait, 0.5, 1},
	} {
		cfg := tiny()
		cfg.Classes[0].On = x.on
		cfg.Duration = 200 * s
		f, _ := follow(t, cfg, plan{0: launch(1)}, do(40*s, 60*s), do(100*s, 150*s), do(139*s, 1*s), do(140*s, 1*s))
		c := f.Classes["all"]
		wantFigure(t, "attained on "+x.on.String(), c.Attained, x.want)
		if c.Late != x.late || c.Jobs != 4 {
			t.Errorf("on %v: %d of %d late, want %d of 4", x.on, c.Late, c.Jobs, x.late)
		}
	}
}

// Slack is 1 - busy/ready in slot-seconds, unweighted by speed; a booting
// instance is not ready, a draining one counts its busy slots alone, a crashed
// one none.
func TestSlack(t *testing.T) {
	for _, x := range []struct {
		name        string
		p           plan
		jobs        []job
		faults      []Fault
		ready, busy float64
	}{
		{"idle", plan{0: launch(1)}, nil, nil, 480, 0},
		{"half busy", plan{0: launch(1)}, []job{do(0, 240*s)}, nil, 480, 240},
		{"booting", plan{0: launch(0, 1)}, []job{do(0, 60*s)}, nil, 2 * 90, 60},
		{"draining", plan{0: launch(1), 60 * s: drain(0)}, []job{do(0, 180*s)}, nil, 2*60 + 120, 180},
		{"undrained", plan{0: launch(1), 60 * s: drain(0), 120 * s: undrain(0)}, []job{do(0, 180*s)}, nil, 2*60 + 60 + 2*120, 180},
		{"drained while idle", plan{0: launch(1), 60 * s: drain(0)}, nil, nil, 120, 0},
		{"crashed", plan{0: launch(1)}, []job{do(0, 180*s)}, []Fault{{Kind: Crash, From: 100 * s}}, 200, 100},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := tiny()
			for i := range cfg.Catalog.Types {
				cfg.Catalog.Types[i].Slots, cfg.Catalog.Types[i].Cores = 2, 2
			}
			cfg.Catalog.Types[1].Speed = 1.0
			cfg.Boot["b"] = BootModel{Model: "fixed", Value: 150 * s}
			cfg.Duration, cfg.Faults = 240*s, x.faults
			f, _ := follow(t, cfg, x.p, x.jobs...)
			if !same(f.ReadyCoreS, x.ready) || !same(f.BusyCoreS, x.busy) {
				t.Errorf("%v slot-seconds ready, %v busy; want %v, %v", f.ReadyCoreS, f.BusyCoreS, x.ready, x.busy)
			}
			wantFigure(t, "slack", f.Slack.Mean, 1-x.busy/x.ready)
		})
	}
	f, _ := follow(t, tiny(), plan{}, do(0, 1*s))
	if f.Slack.Mean != nil {
		t.Errorf("slack of no capacity is %v, want null", *f.Slack.Mean)
	}
}

// The rolling 24-hour slack is taken at ticks, and null in a run of less.
func TestSlack24h(t *testing.T) {
	const day = 24 * time.Hour
	for _, x := range []struct {
		name     string
		duration time.Duration
		low, top *float64
	}{
		{"no tick at 24 h", day, nil, nil},
		{"one", day + 1, number(1), number(1)},
		{"then half", day + 12*time.Hour + 1, number(0.5), number(1)},
		{"then none", 2*day + 1, number(0), number(1)},
		{"and idle again", 2*day + 6*time.Hour + 1, number(0), number(1)},
	} {
		cfg := tiny()
		cfg.Tick, cfg.Duration = 10*time.Minute, x.duration
		f, _ := follow(t, cfg, plan{0: launch(1)}, do(day, day))
		if d := cmp.Diff([]*float64{x.low, x.top}, []*float64{f.Slack.Min24h, f.Slack.Max24h}); d != "" {
			t.Errorf("%s: lowest and highest (-want +got):\n%s", x.name, d)
		}
	}
}

// Slack by clock day, on the users' clock; a day without capacity has none.
func TestSlackPerDay(t *testing.T) {
	cfg := tiny()
	cfg.Tick, cfg.Duration, cfg.UTCOffset = 10*time.Minute, 40*time.Hour, 6*time.Hour
	// clock days: 18 h, 22 h until the end
	f, _ := follow(t, cfg, plan{18 * time.Hour: launch(1)}, do(18*time.Hour, 11*time.Hour))
	want := []*float64{nil, number(0.5)}
	if d := cmp.Diff(want, f.Slack.PerDay); d != "" {
		t.Errorf("slack per day (-want +got):\n%s", d)
	}
}
