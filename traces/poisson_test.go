package traces

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

func TestPoissonHasItsRatesAndMoments(t *testing.T) {
	c := Poisson{
		Jobs: 1_000_000, Seed: 3,
		Classes: []PoissonClass{
			{Type: "a", Priority: 0, PerSecond: 1, Service: ServiceTime{Law: Exponential, Mean: time.Second}},
			{Type: "b", Priority: 1, PerSecond: 2, Service: ServiceTime{Law: Deterministic, Mean: 3 * time.Second}},
			{Type: "c", Priority: 2, PerSecond: 1, Service: ServiceTime{Law: LognormalLaw, Mean: 2 * time.Second, SCV: 4}},
		},
	}
	src, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	jobs := jobsOf(t, src)
	if len(jobs) != 1_000_000 {
		t.Fatalf("%d jobs", len(jobs))
	}
	type moments struct{ n, sum, squares float64 }
	per := map[string]*moments{"a": {}, "b": {}, "c": {}}
	gaps := moments{n: float64(len(jobs) - 1)}
	for i, j := range jobs {
		m, s := per[j.Kind.Type], float64(j.Service)/1e9
		m.n++
		m.sum += s
		m.squares += s * s
		if i > 0 {
			gap := float64(j.Arrival-jobs[i-1].Arrival) / 1e9
			gaps.sum += gap
			gaps.squares += gap * gap
		}
	}
	check := func(name string, m *moments, n, mean, scv, tolerance float64) {
		t.Helper()
		gotMean := m.sum / m.n
		gotSCV := m.squares/m.n/(gotMean*gotMean) - 1
		if math.Abs(m.n-n) > 5*math.Sqrt(n) || math.Abs(gotMean-mean) > 0.01*mean || math.Abs(gotSCV-scv) > tolerance {
			t.Errorf("%s: n %v, mean %v, SCV %v; want %v, %v, %v", name, m.n, gotMean, gotSCV, n, mean, scv)
		}
	}
	check("gaps", &gaps, 999_999, 0.25, 1, 0.01)
	check("a", per["a"], 250_000, 1, 1, 0.02)
	check("b", per["b"], 500_000, 3, 0, 1e-9)
	check("c", per["c"], 250_000, 2, 4, 0.5)
}

// Mt/M/infinity with lambda(t) = 100 + 60 sin(2 pi t/24) an hour and mu = 2
// an hour: the number in service is Poisson with a mean in closed form.
func TestSinusoidMeetsTheInfiniteServerQueue(t *testing.T) {
	const (
		lambda, swing, mu = 100.0, 60.0, 2.0
		days              = 3000
	)
	src, err := (&Sinusoid{
		Duration: days * 24 * time.Hour, Seed: 7, Type: "x", PerHour: lambda, Amplitude: swing, Period: 24 * time.Hour,
		Service: ServiceTime{Law: Exponential, Mean: 30 * time.Minute},
	}).Source()
	if err != nil {
		t.Fatal(err)
	}
	hours := []int64{0, 3, 6, 9, 12, 18}
	counts := make([][]float64, len(hours))
	for i := range counts {
		counts[i] = make([]float64, days)
	}
	var b Batch
	for src.Next(&b) != io.EOF {
		for i, at := range b.Arrival {
			done := at + b.Service[i]
			for h, hour := range hours {
				// every day on which the job is in service at this hour
				moment := hour * int64(time.Hour)
				for day := max((at-moment)/int64(24*time.Hour), 0); day < days && day*int64(24*time.Hour)+moment < done; day++ {
					if day*int64(24*time.Hour)+moment >= at {
						counts[h][day]++
					}
				}
			}
		}
	}
	for h, hour := range hours {
		gamma := 2 * math.Pi / 24
		x := gamma * float64(hour)
		want := lambda/mu + swing/(mu*mu+gamma*gamma)*(mu*math.Sin(x)-gamma*math.Cos(x))
		sum, squares := 0.0, 0.0
		days := counts[h][1:] // the first day begins empty
		for _, n := range days {
			sum += n
			squares += n * n
		}
		n := float64(len(days))
		mean := sum / n
		variance := squares/n - mean*mean
		if se := math.Sqrt(want / n); math.Abs(mean-want) > 4*se {
			t.Errorf("hour %d: mean %.3f, want %.3f ± %.3f", hour, mean, want, 4*se)
		}
		if se := want * math.Sqrt(2/n); math.Abs(variance-want) > 4*se {
			t.Errorf("hour %d: variance %.2f, want %.2f ± %.2f", hour, variance, want, 4*se)
		}
	}
}

func TestSinTurn(t *testing.T) {
	for i := range 1000 {
		x := float64(i) / 1000
		if got, want := sinTurn(x), math.Sin(2*math.Pi*x); math.Abs(got-want) > 1e-14 {
			t.Errorf("sinTurn(%v) = %v, want %v", x, got, want)
		}
	}
}

// The tables that service times are drawn from must not change a
// distribution's moments.
func TestQuantileTablesKeepMoments(t *testing.T) {
	for _, sigma := range []float64{0.4, 0.55, 0.7, 1.35} {
		q := newQuantiles(lognormal(1e9, sigma, TimeMax))
		const n = 1 << 20
		table, exact, table2, exact2 := 0.0, 0.0, 0.0, 0.0
		for i := range uint64(n) {
			bits := (2*i + 1) << 43
			a, b := q.at(bits)/1e9, q.exact(draw.Unit(bits))/1e9
			table, exact = table+a, exact+b
			table2, exact2 = table2+a*a, exact2+b*b
		}
		if r := table/exact - 1; math.Abs(r) > 2e-4 {
			t.Errorf("sigma %v: mean off by %v", sigma, r)
		}
		if r := table2/exact2 - 1; math.Abs(r) > 2e-4 {
			t.Errorf("sigma %v: second moment off by %v", sigma, r)
		}
	}
}

func BenchmarkGeneratePoisson(b *testing.B) {
	c := Poisson{Jobs: 1 << 20, Seed: 1, Classes: []PoissonClass{{Type: "x", PerSecond: 100, Service: ServiceTime{Mean: time.Second}}}}
	b.ReportAllocs()
	for b.Loop() {
		src, err := c.Source()
		if err != nil {
			b.Fatal(err)
		}
		var batch Batch
		for src.Next(&batch) != io.EOF {
		}
	}
	b.ReportMetric(float64(c.Jobs)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
}
