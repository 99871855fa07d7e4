package controller_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/sim"
)

// outturn is what a day came to.
type outturn struct{ usd, slack, p95 float64 }

// cold is for how many minutes a fleet that begins with nothing is not judged.
const cold = 60

// The circle: what the queue wrote down of a day is a trace, and the simulator,
// given that trace, the same policy and the same boots, says of it what the real
// queue, the real controller and the workers measured. Days are short here, so
// the mean of four is compared: cost and slack within a twentieth, the 95th
// percentile of the time from arrival to done within a tenth.
func TestTheSimulatorPredictsDays(t *testing.T) {
	var measured, predicted outturn
	const days = 4
	for seed := range uint64(days) {
		m, p := day(t, seed+1)
		t.Logf("cost: measured $ %.2f, predicted $ %.2f; slack: %.3f, %.3f; p95: %.2f s, %.2f s", m.usd, p.usd, m.slack, p.slack, m.p95, p.p95)
		for _, x := range []struct{ sum, of *outturn }{{&measured, &m}, {&predicted, &p}} {
			x.sum.usd += x.of.usd / days
			x.sum.slack += x.of.slack / days
			x.sum.p95 += x.of.p95 / days
		}
	}
	for _, x := range []struct {
		what                           string
		measured, predicted, tolerance float64
	}{
		{"cost", measured.usd, predicted.usd, 0.05},
		{"slack", measured.slack, predicted.slack, 0.05},
		{"p95", measured.p95, predicted.p95, 0.10},
	} {
		off := math.Abs(x.predicted-x.measured) / x.measured
		t.Logf("%s: measured %.3f, predicted %.3f: %.1f %% apart", x.what, x.measured, x.predicted, 100*off)
		if !(off <= x.tolerance) {
			t.Errorf("%s must be at most %.0f %% apart", x.what, 100*x.tolerance)
		}
	}
}

// day plays a working day of six hours live, and then again from its history.
func day(t *testing.T, seed uint64) (measured, predicted outturn) {
	var ended []api.Finished
	var began time.Time
	var lasted time.Duration
	var env policy.Env
	var guard policy.Guard
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.vary = true
		w.env.Classes[0].Attain = 0.99
		env, guard = w.env, w.guard
		k := w.open(w.config("a"))
		began = time.Now()
		r := rand.New(rand.NewPCG(seed, 2))
		var ready, busy float64 // before what is judged
		for minute := range 6 * 60 {
			// a slow wave with gusts
			w.minutes(k, 1, 1.5+math.Sin(2*math.Pi*float64(minute)/240)+0.4*r.ExpFloat64())
			if minute == cold {
				h := k.Observation().History
				ready, busy = h.ReadySlotSeconds, h.BusySlotSeconds
			}
		}
		lasted = time.Since(began)
		h := k.Observation().History
		measured.usd = float64(k.Spent().Total) / 1e6
		measured.slack = 1 - (h.BusySlotSeconds-busy)/(h.ReadySlotSeconds-ready)
		w.finished(k, 10)
		err := w.queue.History(t.Context(), began, time.Now().Add(time.Hour), func(f api.Finished) error {
			ended = append(ended, f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(ended) != w.submitted {
			t.Errorf("%d submitted, history has %d", w.submitted, len(ended))
		}
	})
	sorter := history.New(history.Options{Speeds: speedsOf(&env.Catalog)})
	defer sorter.Close()
	var sojourns []float64
	for _, f := range ended {
		if f.ArrivedAt.Sub(began) >= cold*time.Minute {
			sojourns = append(sojourns, f.FinishedAt.Sub(f.ArrivedAt).Seconds())
		}
		if err := sorter.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(sojourns)
	measured.p95 = sojourns[int(0.95*float64(len(sojourns)))]
	src, err := sorter.Trace()
	if err != nil {
		t.Fatal(err)
	}
	cfg := &sim.Config{
		Name: "the day", Start: began, JudgeFrom: cold * time.Minute, Duration: lasted, Tick: env.Tick, Seed: 1,
		Classes: env.Classes, Catalog: env.Catalog, MaxInstances: 40, Guard: &guard,
		ReferenceSpeed: 1, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: 90 * time.Second}},
	}
	p, err := skynet.Spec.New(cfg.Env(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := sim.Run(t.Context(), cfg, p, src, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &res.Figures
	return measured, outturn{f.CostUSD, *f.Slack.Mean, *f.Classes["upload"].Sojourn.P95}
}

func speedsOf(c *policy.Catalog) map[string]float64 {
	speeds := map[string]float64{}
	for i := range c.Types {
		speeds[c.Types[i].Name] = c.Types[i].Speed
	}
	return speeds
}
