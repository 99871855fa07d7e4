package sim

import (
	"fmt"
	"math"
	"testing"
)

// The simulator against exact results of queueing theory. Quantiles are tested
// by the share of jobs beyond the exact one, which is unbiased; sample
// quantiles are not. Warm-ups are left out and every figure is the mean over
// independent seeds, held to four of its own standard errors.

// M/M/c, mean service 1: columns as in the table that the formulas must give.
func TestMMc(t *testing.T) {
	for _, row := range []struct {
		c                              int
		rho                            float64
		wait, mean                     float64 // P(W>0), mean wait
		p95, p99                       float64 // of the wait
		sojourn, half, most, nearlyAll float64 // mean, p50, p95, p99 of the sojourn
		jobs                           int     // thousands a seed
	}{
		{1, 0.5, 0.50000000, 1.00000000, 4.60517019, 7.82404601, 2.00000000, 1.38629436, 5.99146455, 9.21034037, 25},
		{1, 0.8, 0.80000000, 4.00000000, 13.86294361, 21.91013317, 5.00000000, 3.46573590, 14.97866137, 23.02585093, 100},
		{1, 0.9, 0.90000000, 9.00000000, 28.90371758, 44.99809670, 10.00000000, 6.93147181, 29.95732274, 46.05170186, 2000},
		{2, 0.8, 0.71111111, 1.77777778, 6.63701422, 10.66060900, 2.77777778, 2.04003145, 7.91068425, 11.93737024, 60},
		{4, 0.7, 0.42865432, 0.35721193, 1.79052317, 3.13172143, 1.35721193, 1.02854691, 3.75249584, 5.49255750, 50},
		{4, 0.9, 0.78775326, 1.96938316, 6.89290480, 10.91649958, 2.96938316, 2.25450369, 8.16552482, 12.19316744, 2000},
		{8, 0.8, 0.45764493, 0.28602808, 1.38379413, 2.38969282, 1.28602808, 0.98633437, 3.50844265, 5.15218156, 80},
		{8, 0.95, 0.84416863, 2.11042158, 7.06582317, 11.08941795, 3.11042158, 2.41005394, 8.33802396, 12.36604857, 4000},
		{16, 0.75, 0.20457386, 0.05114346, 0.35222652, 0.75458600, 1.05114346, 0.75241162, 3.06169256, 4.67113696, 100},
		{16, 0.9, 0.59134339, 0.36958962, 1.54398368, 2.54988237, 1.36958962, 1.07800977, 3.62354348, 5.26983460, 2000},
		{50, 0.8, 0.08695255, 0.00869525, 0.05533396, 0.21627775, 1.00869525, 0.70274506, 3.00534730, 4.61478521, 120},
		{50, 0.95, 0.62909473, 0.25163789, 1.01290354, 1.65667870, 1.25163789, 0.97216132, 3.34400284, 4.95522717, 4000},
		{100, 0.9, 0.21694048, 0.02169405, 0.14676000, 0.30770379, 1.02169405, 0.71692864, 3.01955084, 4.62898876, 2000},
		{200, 0.95, 0.36526386, 0.03652639, 0.19885970, 0.35980349, 1.03652639, 0.73287684, 3.03551521, 4.64495312, 4000},
	} {
		t.Run(fmt.Sprintf("c=%d rho=%v", row.c, row.rho), func(t *testing.T) {
			lambda := row.rho * float64(row.c)
			printed(t, "P(W>0)", erlangC(row.c, lambda, 1), row.wait)
			printed(t, "mean wait", mmcWait(row.c, lambda, 1), row.mean)
			printed(t, "p95 of the wait", mmcWaitQuantile(row.c, lambda, 1, 0.95), row.p95)
			printed(t, "p99 of the wait", mmcWaitQuantile(row.c, lambda, 1, 0.99), row.p99)
			printed(t, "mean sojourn", 1+mmcWait(row.c, lambda, 1), row.sojourn)
			for _, q := range []struct{ t, p float64 }{{row.half, 0.5}, {row.most, 0.95}, {row.nearlyAll, 0.99}} {
				printed(t, fmt.Sprintf("P(T>%v)", q.t), mmcSojournTail(row.c, lambda, 1, q.t), 1-q.p)
			}
			if row.rho > 0.8 && !long() {
				t.Skip("heavy load: set SKYNET_LONG=1")
			}
			t.Parallel()
			s := &station{
				slots: row.c, streams: []customers{{rate: lambda, mean: 1}},
				jobs: row.jobs * 1000, warmUp: row.jobs * 50,
				waits: [][]float64{{row.p95, row.p99, 0}}, sojourns: [][]float64{{row.half, row.most, row.nearlyAll}},
			}
			m := s.run(t)[0]
			m.wait.agrees(t, "mean wait", row.mean, 0, 0.04)
			m.waited[0].agrees(t, "P(W>p95)", 0.05, 0, 0.06)
			m.waited[1].agrees(t, "P(W>p99)", 0.01, 0, 0.10)
			m.waited[2].agrees(t, "P(W>0)", row.wait, 0, 0.04)
			m.sojourn.agrees(t, "mean sojourn", row.sojourn, 0, 0.04)
			m.took[0].agrees(t, "P(T>p50)", 0.50, 0, 0.04)
			m.took[1].agrees(t, "P(T>p95)", 0.05, 0, 0.06)
			m.took[2].agrees(t, "P(T>p99)", 0.01, 0, 0.10)
		})
	}
}

// M/D/c, every service 1.
func TestMDc(t *testing.T) {
	for _, row := range []struct {
		c                    int
		rho                  float64
		wait, mean, p95, p99 float64
		jobs                 int // thousands a seed
	}{
		{1, 0.5, 0.50000000, 0.50000000, 2.05063841, 3.33625596, 25},
		{1, 0.8, 0.80000000, 2.00000000, 6.62032500, 10.35588679, 80},
		{1, 0.9, 0.90000000, 4.50000000, 14.12867383, 21.89823735, 2000},
		{2, 0.8, 0.70189832, 0.90328388, 3.20175706, 5.06955119, 80},
		{4, 0.9, 0.77543659, 0.99996589, 3.39698631, 5.33937721, 2000},
		{8, 0.8, 0.43379512, 0.15195380, 0.70132152, 1.16959546, 80},
		{8, 0.95, 0.83206093, 1.06792857, 3.51314457, 5.49083972, 4000},
		{16, 0.9, 0.56534059, 0.19246703, 0.77832511, 1.26386892, 2000},
		{50, 0.95, 0.60123339, 0.13040999, 0.51327652, 0.82970048, 4000},
	} {
		t.Run(fmt.Sprintf("c=%d rho=%v", row.c, row.rho), func(t *testing.T) {
			exact := newMDC(row.c, row.rho*float64(row.c))
			printed(t, "P(W>0)", exact.waitTail(0), row.wait)
			printed(t, "mean wait", exact.wait(), row.mean)
			printed(t, "P(W>p95)", exact.waitTail(row.p95), 0.05)
			printed(t, "P(W>p99)", exact.waitTail(row.p99), 0.01)
			if row.rho > 0.8 && !long() {
				t.Skip("heavy load: set SKYNET_LONG=1")
			}
			t.Parallel()
			s := &station{
				slots: row.c, streams: []customers{{rate: exact.lambda, mean: 1, constant: true}},
				jobs: row.jobs * 1000, warmUp: row.jobs * 50, waits: [][]float64{{row.p95, row.p99, 0}},
			}
			m := s.run(t)[0]
			m.wait.agrees(t, "mean wait", row.mean, 0, 0.04)
			m.waited[0].agrees(t, "P(W>p95)", 0.05, 0, 0.06)
			m.waited[1].agrees(t, "P(W>p99)", 0.01, 0, 0.10)
			m.waited[2].agrees(t, "P(W>0)", row.wait, 0, 0.04)
		})
	}
}

// Priorities without preemption in M/M/c: most urgent first, one mean service
// for all.
func TestPriorities(t *testing.T) {
	type printedRow struct{ mean, p95, p99 float64 }
	for _, x := range []struct {
		c      int
		mu     float64
		lambda []float64
		rows   []printedRow
		jobs   int // thousands a seed
	}{
		{1, 1, []float64{0.3, 0.5}, []printedRow{
			{1.14285714, 3.960841, 6.260038}, {5.71428571, 20.908842, 33.762214},
		}, 80},
		{4, 1, []float64{1, 1.2, 1}, []printedRow{
			{0.19881082, 0.826314, 1.362794}, {0.44180183, 1.959004, 3.460986}, {1.65675687, 7.686042, 13.776514},
		}, 100},
		{8, 1, []float64{2, 3, 2.2}, []printedRow{
			{0.11692217, 0.440207, 0.708447}, {0.31179244, 1.254731, 2.119377}, {2.33844330, 9.667020, 16.214384},
		}, 4000},
		{8, 0.5, []float64{1, 1, 1.6}, []printedRow{
			{0.23384433, 0.880415, 1.416894}, {0.46768866, 1.903655, 3.303434}, {3.50766495, 14.021997, 23.069761},
		}, 4000},
		{16, 1, []float64{4, 5, 6}, []printedRow{
			{0.06083966, 0.223427, 0.357547}, {0.13906209, 0.550481, 0.935946}, {1.66874505, 6.439659, 10.463020},
		}, 4000},
	} {
		t.Run(fmt.Sprintf("c=%d lambda=%v", x.c, x.lambda), func(t *testing.T) {
			s := &station{slots: x.c, jobs: x.jobs * 1000, warmUp: x.jobs * 50}
			load := 0.0
			for k, mean := range cobham(x.c, x.mu, x.lambda) {
				row := x.rows[k]
				printed(t, fmt.Sprintf("mean wait of priority %d", k), mean, row.mean)
				for _, q := range []struct{ t, beyond float64 }{{row.p95, 0.05}, {row.p99, 0.01}} {
					// the table has 6 decimals of the quantile
					if tail := priorityWaitTail(x.c, x.mu, x.lambda, k, q.t); math.Abs(tail-q.beyond) > 1e-6*q.beyond+1e-7 {
						t.Errorf("priority %d: P(W>%v) = %.9f by the formula, the table says %v", k, q.t, tail, q.beyond)
					}
				}
				s.streams = append(s.streams, customers{rate: x.lambda[k], mean: 1 / x.mu})
				s.waits = append(s.waits, []float64{row.p95, row.p99})
				load += x.lambda[k] / x.mu / float64(x.c)
			}
			if load > 0.81 && !long() {
				t.Skip("heavy load: set SKYNET_LONG=1")
			}
			t.Parallel()
			for k, m := range s.run(t) {
				name := func(what string) string { return fmt.Sprintf("%d: %s", k, what) }
				m.wait.agrees(t, name("mean wait"), x.rows[k].mean, 0, 0.04)
				m.waited[0].agrees(t, name("P(W>p95)"), 0.05, 0, 0.06)
				m.waited[1].agrees(t, name("P(W>p99)"), 0.01, 0, 0.10)
			}
		})
	}
}

// M/G/1 without preemption: each priority with a service time of its own, and
// the same customers in one line (Cobham; Pollaczek and Khinchine).
func TestMG1(t *testing.T) {
	for _, x := range []struct {
		name    string
		streams []customers
		wait    []float64
		oneLine float64
		jobs    int // thousands a seed
	}{
		{"constant, equal", []customers{{0.3, 1, true}, {0.5, 1, true}}, []float64{0.57142857, 2.85714286}, 2, 40},
		{"exponential, equal", []customers{{0.3, 1, false}, {0.5, 1, false}}, []float64{1.14285714, 5.71428571}, 4, 60},
		{
			"exponential, short first",
			[]customers{{0.2, 0.5, false}, {0.1, 2, false}, {0.05, 6, false}},
			[]float64{2.50000000, 3.57142857, 8.03571429},
			5.625, 60,
		},
		{
			"constant, short first",
			[]customers{{0.2, 0.5, true}, {0.1, 2, true}, {0.05, 6, true}},
			[]float64{1.25000000, 1.78571429, 4.01785714},
			2.8125, 30,
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			residual, load := 0.0, 0.0
			for _, c := range x.streams {
				square := 2 * c.mean * c.mean
				if c.constant {
					square = c.mean * c.mean
				}
				residual += c.rate * square / 2
				load += c.rate * c.mean
			}
			below := 0.0
			for k, c := range x.streams {
				sigma := below + c.rate*c.mean
				printed(t, fmt.Sprintf("mean wait of priority %d", k), residual/((1-below)*(1-sigma)), x.wait[k])
				below = sigma
			}
			printed(t, "mean wait in one line", residual/(1-load), x.oneLine)

			t.Parallel()
			s := &station{slots: 1, streams: x.streams, jobs: x.jobs * 1000, warmUp: x.jobs * 50}
			for k, m := range s.run(t) {
				m.wait.agrees(t, fmt.Sprintf("%d: mean wait", k), x.wait[k], 0, 0.04)
			}
			s.oneLine = true
			for k, m := range s.run(t) { // who waits in one line waits alike
				m.wait.agrees(t, fmt.Sprintf("%d: in one line", k), x.oneLine, 0, 0.04)
			}
		})
	}
}
