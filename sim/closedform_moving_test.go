package sim

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// dayNight yields Poisson arrivals whose rate moves as 100 + 60 sin(2 pi t/24)
// an hour, with exponential services of half an hour, by thinning.
type dayNight struct {
	r     *rand.Rand
	days  float64
	hours float64
	batch traces.Batch
}

func (s *dayNight) Next(b *traces.Batch) error {
	out := &s.batch
	out.Kinds = []traces.Kind{{Type: "a"}}
	out.First += int64(out.Len())
	out.Arrival, out.Service, out.Kind = out.Arrival[:0], out.Service[:0], out.Kind[:0]
	for len(out.Arrival) < 1024 {
		s.hours += s.r.ExpFloat64() / 160
		if s.hours >= 24*s.days {
			break
		}
		if s.r.Float64()*160 < 100+60*math.Sin(2*math.Pi*s.hours/24) {
			out.Arrival = append(out.Arrival, int64(s.hours*3600e9))
			out.Service = append(out.Service, max(int64(s.r.ExpFloat64()*1800e9), 1))
			out.Kind = append(out.Kind, 0)
		}
	}
	if len(out.Arrival) == 0 {
		return io.EOF
	}
	*b = *out
	return nil
}

func (s *dayNight) Meta() traces.Meta { return traces.Meta{Jobs: -1} }
func (s *dayNight) Close() error      { return nil }

// Mt/M/infinity: in a fleet so large that nobody waits, the number of busy
// slots is Poisson with the mean of Eick, Massey and Whitt (1993), which trails
// the rate. The counts are those of the timeline at its ticks.
func TestMovingLoad(t *testing.T) {
	t.Parallel()
	const (
		lambda, swing, mu = 100.0, 60.0, 2.0
		gamma             = 2 * math.Pi / 24
		days, settled     = 16, 2
	)
	table := []struct{ hour, mean float64 }{
		{0, 46.13916357}, {3, 68.12582056}, {6, 79.49461769}, {9, 73.58586780}, {12, 53.86083643}, {18, 20.50538231},
	}
	cfg := &Config{
		Name: "moving", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Hour, Duration: days * 24 * time.Hour,
		Classes: []policy.Class{{Name: "all", Priority: -1, On: policy.Wait}},
		Catalog: policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{{Name: "x", Cores: 20, Slots: 20, Speed: 1, PerHour: 1}}},
		Boot:    map[string]BootModel{"": {Model: "fixed"}}, MaxInstances: 10,
	}
	means, squares := make([]sample, len(table)), make([]sample, len(table))
	for seed := range uint64(seeds) {
		p, err := policy.NewStatic(cfg.Env(), 10, "x")
		if err != nil {
			t.Fatal(err)
		}
		res, err := Run(context.Background(), cfg, p, &dayNight{r: rand.New(rand.NewPCG(seed, 5)), days: days}, Options{Timeline: true})
		if err != nil {
			t.Fatal(err)
		}
		if f := res.Figures.Classes["all"]; *f.Attained != 1 {
			t.Fatalf("seed %d: somebody waited in a fleet without end", seed)
		}
		for i, x := range table {
			mean, square := 0.0, 0.0
			for day := settled; day < days; day++ {
				row := &res.Ticks[day*24+int(x.hour)]
				if row.At != time.Duration(day*24+int(x.hour))*time.Hour {
					t.Fatalf("tick of hour %v on day %d is at %v", x.hour, day, row.At)
				}
				off := float64(row.Busy) - x.mean
				mean += float64(row.Busy) / (days - settled)
				square += off * off / (days - settled)
			}
			means[i], squares[i] = append(means[i], mean), append(squares[i], square)
		}
	}
	for i, x := range table {
		exact := lambda/mu + swing/(mu*mu+gamma*gamma)*(mu*math.Sin(gamma*x.hour)-gamma*math.Cos(gamma*x.hour))
		printed(t, fmt.Sprintf("mean at %v h", x.hour), exact, x.mean)
		means[i].agrees(t, fmt.Sprintf("mean at %v h", x.hour), exact, 0, 0.03)
		squares[i].agrees(t, fmt.Sprintf("variance at %v h", x.hour), exact, 0, 0.15)
	}
}
