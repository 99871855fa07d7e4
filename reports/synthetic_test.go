package reports

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// synthetic returns results that look like those of a photo site, without a
// simulation: what a report shows does not depend on where it comes from.
func synthetic(length time.Duration, billing policy.Billing) *sim.Result {
	r := rand.New(rand.NewPCG(1, 2))
	cfg := &sim.Config{
		Name: "photo-week", Start: time.Date(2008, 6, 1, 7, 0, 0, 0, time.UTC), UTCOffset: -7 * time.Hour,
		JudgeFrom: min(2*time.Hour, length/10), Duration: length, Tick: time.Minute, Seed: 1,
		Classes: []policy.Class{
			{Name: "upload", Types: []string{"photo"}, Priority: -1, Target: 30 * time.Second, Attain: 0.99},
			{Name: "rest", Priority: -1, Target: 20 * time.Minute, Attain: 0.95, On: policy.Wait},
		},
		Catalog: policy.EC2in2008(),
	}
	cfg.Catalog.Billing = billing
	res := &sim.Result{Config: cfg}
	cost := policy.MicroUSD(0)
	ready, booting, backlog := 32, 0, 0.0
	var busyDay, readyDay float64
	for at := time.Duration(0); at < length; at += cfg.Tick {
		local := cfg.Start.Add(cfg.UTCOffset + at)
		hour := float64(local.Hour()) + float64(local.Minute())/60
		load := 60 + 45*math.Sin((hour-12)/24*2*math.Pi) + 10*math.Sin(float64(local.Weekday()))
		load *= 1 + 0.3*math.Sin(at.Hours()/24/58)
		load += r.NormFloat64() * 8
		if local.Weekday() == time.Sunday && hour > 18 && hour < 18.7 {
			load *= 1.9
		}
		load = max(load, 0)
		want := int(load*1.33/8+0.999) * 8
		row := sim.TickRow{At: at, Ready: ready, Booting: booting, Slack24h: math.NaN(), Slack: math.NaN()}
		row.ForecastMean, row.ForecastHigh, row.ForecastActual = load*2, load*2+30, load*2+12*math.Cos(float64(at/time.Minute))
		ready, booting = ready+booting, 0
		switch {
		case want > ready+16:
			row.Launches = (want - ready) / 8
			booting = row.Launches * 8
			if row.Launches > 6 {
				row.Clamped = row.Launches - 6
				booting -= row.Clamped * 8
				row.Launches = 6
			}
			cost += policy.MicroUSD(row.Launches) * 800_000
			if r.IntN(40) == 0 {
				row.Refused = 2
			}
		case want < ready-24:
			row.Drains = (ready - want - 16) / 8
			ready -= row.Drains * 8
			for range row.Drains {
				age := time.Duration(r.ExpFloat64() * float64(7*time.Hour)).Round(time.Second)
				left := time.Duration(math.Abs(r.NormFloat64()) * float64(4*time.Minute))
				res.Ended = append(res.Ended, sim.EndedRow{Type: 4, Age: age, Unused: min(left, 59*time.Minute), Interrupted: r.IntN(9) == 0})
			}
		}
		busy := min(load+backlog, float64(row.Ready))
		backlog = max(0, load+backlog-busy)
		row.Busy = int(busy)
		row.Demand = int(load + backlog)
		row.Pending = int64(backlog)
		row.Instances = (row.Ready + row.Booting) / 8
		row.BusySlotS, row.IdleSlotS = busy*60, (float64(row.Ready)-busy)*60
		row.BootSlotS = float64(row.Booting) * 60
		row.GoneSlotS = float64(row.Drains) * 8 * 200
		busyDay = busyDay*0.9993 + row.BusySlotS
		readyDay = readyDay*0.9993 + row.BusySlotS + row.IdleSlotS
		if row.Ready > 0 {
			row.Slack, row.Slack24h = 1-busy/float64(row.Ready), 1-busyDay/readyDay
		}
		cost += policy.MicroUSD(row.Ready/8) * 800_000 / 60
		row.Cost = cost
		res.Ticks = append(res.Ticks, row)
		if row.Launches+row.Drains+row.Clamped > 0 {
			d := policy.Decision{}
			if row.Launches > 0 {
				d.Launches = []policy.Launch{{Type: 4, Count: row.Launches}}
				d.Because = []policy.Reason{shortRule.Because(float64(want), float64(ready))}
			}
			d.Drains = make([]policy.InstanceID, row.Drains)
			res.Decisions = append(res.Decisions, sim.DecisionRow{At: at, Decision: d})
		}
	}
	width := time.Hour
	if length > 62*24*time.Hour {
		width = 24 * time.Hour
	}
	res.LatencyEach = width
	for class := range cfg.Classes {
		scale := []float64{1, 20}[class]
		for at := time.Duration(0); at < length; at += width {
			spread := 1 + math.Abs(r.NormFloat64())
			seconds := func(s float64) time.Duration { return time.Duration(s * scale * float64(time.Second)) }
			res.Latency = append(res.Latency, sim.LatencyRow{
				Hour: at, Class: class, Jobs: 9000, Late: int64(30 * spread), P50: seconds(4), P95: seconds(6 + 3*spread), P99: seconds(9 + 9*spread*spread),
			})
		}
	}
	for class := range cfg.Classes {
		var d sim.CDF
		for i := 1; i <= 3000; i++ {
			q := float64(i) / 3000
			v := math.Exp(1.5*math.Log(q/(1.0003-q))*0.45+1.5) * []float64{1, 12}[class]
			d.Value, d.Share = append(d.Value, time.Duration(v*1e9)), append(d.Share, q)
		}
		res.Sojourn, res.Wait = append(res.Sojourn, d), append(res.Wait, d)
	}
	res.Figures = syntheticFigures(length, cost)
	return res
}

var shortRule = policy.NewRule("test.short", "need %.0f slots, have %.0f", false)

func value(x float64) *float64 { return &x }

// syntheticFigures are those of the example in the documentation.
func syntheticFigures(length time.Duration, cost policy.MicroUSD) sim.Figures {
	return sim.Figures{
		Scenario: "photo-week", Policy: "skynet@3f9a1c", Seed: 1, DurationS: length.Seconds(), Digest: "5f1c9e", CostUSD: cost.Dollars(),
		Slack:     sim.SlackFigures{Mean: value(0.3512), Min24h: value(0.31), Max24h: value(0.39)},
		Instances: sim.InstanceFigures{Launched: 211, Drained: 209, Terminated: 209, Refused: 4, Min: 2, Mean: 5.94, Max: 17},
		Jobs:      sim.JobFigures{Arrived: 3_087_412, Completed: 3_087_412},
		Classes: map[string]*sim.ClassFigures{
			"upload": {
				Jobs: 3_000_000, TargetS: 30, On: "sojourn", Attain: 0.99, Attained: value(0.9924), Late: 22_800,
				Sojourn:   sim.TimeFigures{Mean: value(6), P50: value(5.1), P95: value(18.4), P99: value(29), Max: value(192)},
				WorstHour: value(0.912), WorstHourAt: "Sun 2008-06-01 18:00", WorstDay: value(0.98), WorstDayAt: "Sun 2008-06-01",
			},
			"rest": {
				Jobs: 87_412, TargetS: 1200, On: "wait", Attain: 0.95, Attained: value(0.9996),
				Wait: sim.TimeFigures{Mean: value(3), P50: value(0), P95: value(71.2), P99: value(310), Max: value(2520)},
			},
		},
		Judged:   sim.JudgedFigures{FromS: 7200, CostUSD: cost.Dollars() * 0.98},
		Floor:    sim.FloorFigures{WorkCoreS: 1e7, CostUSD: cost.Dollars() * 0.98 / 1.11, Over: value(1.11)},
		Paid:     sim.PaidFigures{Busy: 0.612, Slack: 0.345, Boot: 0.03, Gone: 0.013},
		Guard:    sim.GuardFigures{Clamped: 4, Launches: 31, FirstAt: "2008-06-02T03:14:00Z"},
		Forecast: &sim.ForecastFigures{P90Coverage: value(0.8996), Ticks: 9957, Skill: value(0.119)},
		WallS:    1.8, JobsPerS: 1.7e6, Ticks: 10080,
	}
}

func syntheticVerdicts() []sim.Verdict {
	return []sim.Verdict{
		{Name: "upload", Class: true, Want: "≥ 99 % within 30 s", Got: "99.24 %", Value: value(0.9924), Kept: true},
		{Name: "rest", Class: true, Want: "≥ 95 % within 20m of wait", Got: "99.96 %", Value: value(0.9996), Kept: true},
		{Name: "cost_usd", Want: "≤ 1450", Got: "312.4", Value: value(312.4), Kept: true},
	}
}
