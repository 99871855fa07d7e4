package bound

import (
	"context"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// handmade returns a valuer of a grid of ten-second steps with one class of one
// slot-step jobs, n[t] of them arriving in step t, each due width steps later.
func handmade(n []int64, width int, attain, lag float64, window int) *valuer {
	cfg := (&small{}).cfg
	// a job starts within width−1 steps and takes one
	cfg.Classes = []policy.Class{{Name: "c", Target: time.Duration(width-1) * 10 * time.Second, On: policy.Wait, Attain: attain}}
	w := &world{
		cfg: &cfg, judge: 1, end: never, hourly: window > 0, window: float64(10 * window), price: 1.0 / 10, ordered: true,
		lanes: []lane{{0, 1}}, types: []offer{{slots: 1, perSlot: 1.0 / 10, speed: 1, rate: 1}},
	}
	cfg.Catalog.Billing = policy.PerSecond
	g := &grid{step: 10e9, steps: len(n), sorts: []sort{{class: 0, lo: 0, hi: 10}}, arrived: []int64{0}, budget: []int64{0}}
	for t, k := range n {
		if k > 0 {
			g.cells = append(g.cells, cell{int32(t), 0, k, float64(10 * k)})
			g.arrived[0] += k
		}
	}
	g.budget[0] = budget(g.arrived[0], attain)
	v := newValuer(w, g, lag, 1)
	v.from = 0
	return v
}

// fluid returns the optimum of the fluid problem: slots by step, at 1 a step and
// boot for a rise, or bought for whole windows; work n[t] served within t … t+width,
// but for late of it in all, which is served by until[t].
func fluid(t *rapid.T, n []int64, width int, boot float64, window int, late float64, until []int32) float64 {
	steps := len(n)
	slots, rises := 0, steps // first variables of each sort
	next := 2 * steps
	served := map[[2]int]int{} // by arrival and step
	for a := range steps {
		for s := a; s <= a+width && s < steps; s++ {
			served[[2]int{a, s}] = next
			next++
		}
	}
	tardy := map[[2]int]int{}
	for a := range steps {
		for s := a; s <= int(until[a]) && late > 0; s++ {
			tardy[[2]int{a, s}] = next
			next++
		}
	}
	slack := next
	rows := 3*steps + 1
	a := mat.NewDense(rows, slack+2*steps+1, nil)
	b, c := make([]float64, rows), make([]float64, slack+2*steps+1)
	a.Set(rows-1, slack+2*steps, 1)
	b[rows-1] = late
	for at, i := range tardy {
		a.Set(at[1], i, 1)
		a.Set(2*steps+at[0], i, 1)
		a.Set(rows-1, i, 1)
	}
	for s := range steps {
		c[slots+s], c[rises+s] = 1, boot
		if s == 0 {
			c[rises] = 0 // boots before the beginning are free
		}
		a.Set(s, slots+s, -1) // what is served in a step has slots
		for from := max(0, s-window+1); from < s; from++ {
			a.Set(s, slots+from, -1)
		}
		if window > 0 {
			c[slots+s], c[rises+s] = float64(window), 0
		}
		a.Set(s, slack+s, 1)
		for from := max(0, s-width); from <= s; from++ {
			a.Set(s, served[[2]int{from, s}], 1)
			a.Set(2*steps+from, served[[2]int{from, s}], 1) // all is served
		}
		a.Set(steps+s, slots+s, 1) // a rise in slots is a boot
		if s > 0 {
			a.Set(steps+s, slots+s-1, -1)
		}
		a.Set(steps+s, rises+s, -1)
		a.Set(steps+s, slack+steps+s, 1)
		b[2*steps+s] = float64(n[s])
	}
	best, _, err := lp.Simplex(c, a, b, 1e-9, nil)
	if err != nil {
		t.Fatal(err)
	}
	return best
}

// TestPricesReachTheFluidOptimum: the prices of the market prove nearly what the
// linear program says is the least, and never more, with every job in time and
// with some late.
func TestPricesReachTheFluidOptimum(t *testing.T) {
	worst := 1.0
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		attain := rapid.SampledFrom([]float64{1, 1, 0.95, 0.8}).Draw(t, "attain")
		most := 20
		if attain < 1 {
			most = 12 // the program grows with the square
		}
		n := make([]int64, rapid.IntRange(8, most).Draw(t, "steps"))
		total := int64(0)
		for i := range len(n) - width {
			n[i] = int64(rapid.SampledFrom([]int{0, 0, 1, 2, 7}).Draw(t, "n"))
			total += n[i]
		}
		if total == 0 {
			return
		}
		boot := float64(rapid.IntRange(0, 4).Draw(t, "boot"))
		window := rapid.SampledFrom([]int{0, 0, 3, 6}).Draw(t, "window")
		v := handmade(n, width, attain, 10*boot, window)
		late := float64(v.g.budget[0])
		m := newMarket(v)
		q := newGuess(v, m, -1)
		rounds := 1
		if late > 0 {
			rounds = 40
		}
		mean, got := make([]float64, len(n)), 0.0
		for round := range rounds {
			m.load(q.late, nil)
			_ = m.iterate(context.Background(), 4000/rounds*3/2) // nothing ends it
			m.forget()
			_ = m.iterate(context.Background(), 4000/rounds*3/2) // nothing ends it
			prices := m.prices(1)
			v.feasible(prices)
			p := v.prove(prices)
			got = max(got, p.sum)
			q.learn(p, nil, nil)
			if 2*round >= rounds {
				mix(mean, prices, 1/float64(round-rounds/2+1))
			}
		}
		v.feasible(mean)
		got = max(got, v.prove(mean).sum)
		want := fluid(t, n, width, boot, window, late, v.until[0])
		if got > want+1e-6 {
			t.Fatalf("prices prove %v, the optimum is %v", got, want)
		}
		worst = min(worst, got/want)
		if got < 0.9*want {
			t.Fatalf("prices prove %v, the optimum is %v", got, want)
		}
	})
	t.Logf("worst: %.4f of the optimum", worst)
}
