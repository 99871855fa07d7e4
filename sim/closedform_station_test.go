package sim

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// seeds is how many independent runs a comparison with theory takes. Their
// spread gives the standard error of their mean.
const seeds = 20

// long reports whether the heavy comparisons run too: loads of 90 % and more
// need tens of times as many jobs for the same precision.
func long() bool { return os.Getenv("SKYNET_LONG") != "" }

// customers are one Poisson stream of a station: how many a second, of which
// mean service, exponential or constant.
type customers struct {
	rate, mean float64
	constant   bool
}

// station is a fleet that never changes, with a stream of customers for each
// priority.
type station struct {
	slots    int
	streams  []customers
	jobs     int // a run's, warm-up included
	warmUp   int // the first of them are not counted
	oneLine  bool
	waits    [][]float64 // by stream: exact quantiles to count beyond, in seconds
	sojourns [][]float64
}

// source yields a station's customers.
type source struct {
	station *station
	r       *rand.Rand
	total   float64
	at      float64 // seconds
	batch   traces.Batch
	next    int64
}

func (s *station) source(seed uint64) *source {
	src := &source{station: s, r: rand.New(rand.NewPCG(seed, uint64(s.slots)<<8|uint64(s.jobs/1000%256)))}
	for i, c := range s.streams {
		src.total += c.rate
		priority := uint8(i)
		if s.oneLine {
			priority = 0
		}
		src.batch.Kinds = append(src.batch.Kinds, traces.Kind{Type: string(rune('a' + i)), Priority: priority})
	}
	return src
}

func (s *source) Next(b *traces.Batch) error {
	left := int64(s.station.jobs) - s.next
	if left == 0 {
		return io.EOF
	}
	out := &s.batch
	out.First = s.next
	out.Arrival, out.Service, out.Kind = out.Arrival[:0], out.Service[:0], out.Kind[:0]
	for range min(left, 4096) {
		s.at += s.r.ExpFloat64() / s.total
		k := 0
		if len(s.station.streams) > 1 {
			u := s.r.Float64() * s.total
			for k < len(s.station.streams)-1 && u >= s.station.streams[k].rate {
				u -= s.station.streams[k].rate
				k++
			}
		}
		c := &s.station.streams[k]
		service := c.mean
		if !c.constant {
			service *= s.r.ExpFloat64()
		}
		out.Arrival = append(out.Arrival, int64(s.at*1e9))
		out.Service = append(out.Service, max(int64(math.Round(service*1e9)), 1))
		out.Kind = append(out.Kind, uint16(k))
	}
	s.next += int64(len(out.Arrival))
	*b = *out
	return nil
}

func (s *source) Meta() traces.Meta { return traces.Meta{Jobs: int64(s.station.jobs)} }
func (s *source) Close() error      { return nil }

// tally counts one run by stream, from its job log alone.
type tally struct {
	warmUp          int64
	n               []float64
	wait, sojourn   []float64 // sums, seconds
	waits, sojourns [][]float64
	waited, took    [][]float64 // jobs beyond each quantile
}

func (t *tally) Job(row *JobRow) error {
	if row.Job < t.warmUp {
		return nil
	}
	k := row.Type[0] - 'a'
	wait, sojourn := (row.Start - row.Arrival).Seconds(), (row.Finish - row.Arrival).Seconds()
	t.n[k]++
	t.wait[k] += wait
	t.sojourn[k] += sojourn
	for i, q := range t.waits[k] {
		if wait > q {
			t.waited[k][i]++
		}
	}
	for i, q := range t.sojourns[k] {
		if sojourn > q {
			t.took[k][i]++
		}
	}
	return nil
}

// sample is one number from each run.
type sample []float64

func (s sample) mean() float64 {
	sum := 0.0
	for _, x := range s {
		sum += x
	}
	return sum / float64(len(s))
}

// se returns the standard error of the mean.
func (s sample) se() float64 {
	m, sum := s.mean(), 0.0
	for _, x := range s {
		sum += (x - m) * (x - m)
	}
	n := float64(len(s))
	return math.Sqrt(sum / (n - 1) / n)
}

// agrees fails unless the mean of the sample is within four standard errors,
// and what theory leaves out, of the exact value, and unless the standard error
// is small enough for that to mean something.
func (s sample) agrees(t *testing.T, what string, exact, leftOut, precision float64) {
	t.Helper()
	m, se := s.mean(), s.se()
	t.Logf("%-16s %.6f ± %.6f, exact %.6f (%+.1f standard errors)", what, m, se, exact, (m-exact)/se)
	if math.IsNaN(m) || math.Abs(m-exact) > 4*se+leftOut {
		t.Errorf("%s: %v ± %v over %d seeds, exact %v", what, m, se, len(s), exact)
	}
	if !(se <= precision*exact) {
		t.Errorf("%s: standard error %v of %v: too coarse to test anything; give the station more jobs", what, se, exact)
	}
}

// measured is what the runs of a station gave, by stream.
type measured struct {
	wait, sojourn sample
	waited, took  []sample // shares beyond each quantile
}

// run simulates the station for every seed. Odd seeds have one instance of all
// slots, even ones an instance a slot: theory knows no difference.
func (s *station) run(t *testing.T) []measured {
	t.Helper()
	n := len(s.streams)
	out := make([]measured, n)
	for len(s.waits) < n {
		s.waits = append(s.waits, nil)
	}
	for len(s.sojourns) < n {
		s.sojourns = append(s.sojourns, nil)
	}
	for k := range out {
		out[k].waited = make([]sample, len(s.waits[k]))
		out[k].took = make([]sample, len(s.sojourns[k]))
	}
	for seed := range uint64(seeds) {
		typ := policy.InstanceType{Name: "x", Cores: s.slots, Slots: s.slots, Speed: 1, PerHour: 1}
		instances := 1
		if seed%2 == 0 {
			typ.Cores, typ.Slots, instances = 1, 1, s.slots
		}
		cfg := &Config{
			Name: "station", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Hour, Seed: seed,
			Catalog: policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{typ}},
			Boot:    map[string]BootModel{"": {Model: "fixed"}}, MaxInstances: instances,
		}
		count := &tally{
			warmUp: int64(s.warmUp), n: make([]float64, n), wait: make([]float64, n), sojourn: make([]float64, n),
			waits: s.waits, sojourns: s.sojourns, waited: make([][]float64, n), took: make([][]float64, n),
		}
		for k := range n {
			count.waited[k], count.took[k] = make([]float64, len(s.waits[k])), make([]float64, len(s.sojourns[k]))
			class := policy.Class{Name: string(rune('a' + k)), Types: []string{string(rune('a' + k))}, Priority: -1, On: policy.Wait}
			if len(s.waits[k]) > 0 {
				class.Target = policy.Seconds(s.waits[k][0])
			}
			cfg.Classes = append(cfg.Classes, class)
		}
		p, err := policy.NewStatic(cfg.Env(), instances, "x")
		if err != nil {
			t.Fatal(err)
		}
		res, err := Run(context.Background(), cfg, p, s.source(seed), Options{Jobs: count})
		if err != nil {
			t.Fatal(err)
		}
		if f := &res.Figures.Jobs; f.Completed != int64(s.jobs) {
			t.Fatalf("seed %d: %d of %d jobs completed", seed, f.Completed, s.jobs)
		}
		for k := range n {
			m := &out[k]
			m.wait = append(m.wait, count.wait[k]/count.n[k])
			m.sojourn = append(m.sojourn, count.sojourn[k]/count.n[k])
			for i := range m.waited {
				m.waited[i] = append(m.waited[i], count.waited[k][i]/count.n[k])
			}
			for i := range m.took {
				m.took[i] = append(m.took[i], count.took[k][i]/count.n[k])
			}
		}
	}
	return out
}

// printed fails unless a formula gives what a table printed to 8 decimals says.
func printed(t *testing.T, what string, formula, table float64) {
	t.Helper()
	if !(math.Abs(formula-table) <= 6e-9*max(1, table)) {
		t.Errorf("%s: the formula gives %.9f, the table says %.8f", what, formula, table)
	}
}
