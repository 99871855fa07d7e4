package baseline

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Staffing by p_wait gives a queue in which about so many wait; a forecast
// that is wrong by cv adds the newsvendor's margin.
func TestStaffing(t *testing.T) {
	for _, p := range []float64{0.01, 0.05, 0.2, 0.5} {
		for _, r := range []float64{50, 200, 1000} {
			c := int(math.Ceil(staffing(r, squareRootBeta(p), 0)))
			if got := erlangC(r, c); got > 1.5*p || got < 0.6*p {
				t.Errorf("p_wait %v at a load of %v: %d slots, of which Erlang says %.4f wait", p, r, c, got)
			}
		}
	}
	near(t, "no spread", staffing(100, 1, 0), 110, 1e-12)
	near(t, "cv 0.2", staffing(100, 1, 0.2), 100+math.Sqrt(100+400), 1e-12)
	near(t, "no load", staffing(0, 3, 0.2), 0, 0)
}

// The load of Mt/M/∞ with a sine of arrivals lags them by the stationary
// excess of a service time. Closed form: Eick, Massey and Whitt, 1993, with 100
// + 60 sin(2πt ÷ 24) arrivals an hour and service of half an hour.
func TestOfferedLoadLags(t *testing.T) {
	rate := func(hour float64) float64 { return 100 + 60*math.Sin(2*math.Pi*hour/24) }
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var q offered
	s := signals{tick: time.Minute, sinceRun: time.Minute, speed: 1}
	for m := 1; m <= 3*24*60; m++ {
		s.now = start.Add(time.Duration(m) * time.Minute)
		perHour := rate((float64(m) - 0.5) / 60)
		q.learn(&s, 0, perHour/60*1800, 1800, 1) // work of a minute, in slot-seconds
	}
	for _, c := range []struct{ hour, want float64 }{
		{0, 46.13916357}, {3, 68.12582056}, {6, 79.49461769}, {9, 73.58586780}, {12, 53.86083643}, {18, 20.50538231},
	} {
		at := start.Add(3*24*time.Hour + time.Duration(c.hour*float64(time.Hour)))
		s.now, q.Level, q.Told = at, level{}, nil
		s.tick = 0
		got := q.forecast(&s, 0, 1800*(1+1)/2, true)
		// a shift for the lag, and cells of ten minutes: within 2 slots of 50
		near(t, at.Format("15:04"), got, c.want, 2)
	}
}

// The learned spread is that of the arrivals beyond Poisson's: nothing for work
// that comes as forecast, and that of a level that jumps by ±30 %.
func TestOfferedSpread(t *testing.T) {
	learn := func(load func(m int) float64) float64 {
		var q offered
		s := signals{now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), tick: time.Minute, sinceRun: time.Minute, speed: 1, bootP50: 2 * time.Minute}
		for m := range 5000 {
			s.now = s.now.Add(time.Minute)
			q.learn(&s, 0, 60*load(m), 5, 0)
			q.forecast(&s, 0, 0, false)
		}
		return q.cv()
	}
	if got := learn(func(int) float64 { return 100 }); got != 0 {
		t.Errorf("a constant: cv %v, want 0", got)
	}
	got := learn(func(m int) float64 { return 100 + 30*float64(m%2*2-1) })
	// what was seen last weighs a little: the forecast swings along
	near(t, "±30 %", got, 0.3, 0.06)
}

// A batch that can wait is served as it comes and does not lift the forecast.
func TestSqrtStaffingLeavesPatientJobsOut(t *testing.T) {
	fleetAfter := func(patient string) (during, after int) {
		b := newBench(t, &SqrtStaffing, map[string]any{"patient": patient})
		for range 60 {
			b.tick(40)
		}
		batch := &b.o.Queue.Kinds[1]
		batch.Pending = policy.Flow{Jobs: 1200, Work: 24_000} // 20 slots for 20 minutes
		batch.LastTick = batch.Pending
		batch.Arrived[3] = batch.Pending
		during = b.tick(40)
		batch.Pending, batch.LastTick = policy.Flow{}, policy.Flow{}
		for range 3 {
			after = b.tick(40)
		}
		return during, after
	}
	during, after := fleetAfter("5m")
	if during != after+5 {
		t.Errorf("%d instances while a batch of five waits, %d after it", during, after)
	}
	forecastDuring, forecastAfter := fleetAfter("24h")
	if forecastDuring < during+10 || forecastAfter < after+10 {
		t.Errorf("forecast like urgent work: %d instances, then %d; want far more than %d and %d", forecastDuring, forecastAfter, during, after)
	}
}
