package baseline

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// slopesOf returns the slopes of a cost given at 0, 1, 2 … instances.
func slopesOf(cost []float64) []float64 {
	slopes := make([]float64, len(cost)-1)
	for x := range slopes {
		slopes[x] = cost[x+1] - cost[x]
	}
	return slopes
}

// prefixOptima returns, the plain way, the least and the greatest last value
// of the schedules that are optimal for all the costs so far when switching
// on, or off, is charged; and the optimum with switching on charged.
func prefixOptima(costs [][]float64, beta float64) (lower, upper int, optimum float64) {
	size := len(costs[0])
	on, off := make([]float64, size), make([]float64, size)
	for x := range on {
		on[x] = beta * float64(x)
	}
	for _, cost := range costs {
		nextOn, nextOff := make([]float64, size), make([]float64, size)
		for x := range nextOn {
			a, b := math.Inf(1), math.Inf(1)
			for y := range on {
				a = min(a, on[y]+boundedBelow(x-y, beta))
				b = min(b, off[y]+boundedBelow(y-x, beta))
			}
			if len(costs[0]) > 0 && &cost[0] == &costs[0][0] {
				a, b = beta*float64(x), 0 // from nothing at all
			}
			nextOn[x], nextOff[x] = a+cost[x], b+cost[x]
		}
		on, off = nextOn, nextOff
	}
	optimum = math.Inf(1)
	for x := range on {
		optimum = min(optimum, on[x])
	}
	least := math.Inf(1)
	for x := range on {
		if on[x] < least-1e-9 {
			least, lower = on[x], x
		}
	}
	least = math.Inf(1)
	for x := range off {
		least = min(least, off[x])
	}
	for x := range off {
		if off[x] <= least+1e-9 {
			upper = x
		}
	}
	return lower, upper, optimum
}

func boundedBelow(n int, beta float64) float64 { return beta * float64(max(n, 0)) }

// convexCosts draws costs of 0 … size-1 instances: whole slopes, ascending,
// nowhere negative in value, and the price 1 for every instance beyond.
func convexCosts(t *rapid.T, size int) []float64 {
	slope := float64(-rapid.IntRange(0, 12).Draw(t, "first slope"))
	cost := make([]float64, size)
	for x := 1; x < size; x++ {
		cost[x] = cost[x-1] + slope
		slope = min(1, slope+float64(rapid.IntRange(0, 6).Draw(t, "bend")))
	}
	least := cost[0]
	for _, c := range cost {
		least = min(least, c)
	}
	for x := range cost {
		cost[x] -= least
	}
	return cost
}

// Against the dynamic program that the paper defines the bounds by, and
// against the bound the paper proves.
func TestLazyMatchesPrefixOptima(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(2, 7).Draw(t, "size")
		beta := float64(rapid.IntRange(1, 8).Draw(t, "beta"))
		var l lazy
		var costs [][]float64
		paid, before := 0.0, 0
		for range rapid.IntRange(1, 15).Draw(t, "ticks") {
			cost := convexCosts(t, size)
			costs = append(costs, cost)
			lower, upper, optimum := prefixOptima(costs, beta)
			// the plain program knows size-1 instances at most
			got := l.step(slopesOf(cost), beta)
			want := max(min(before, upper), lower)
			if got != want && upper < size-1 {
				t.Fatalf("after %v: keeps %d, want %d (bounds %d and %d)", costs, got, want, lower, upper)
			}
			got = min(got, size-1)
			paid += cost[got] + boundedBelow(got-before, beta)
			if paid > 3*optimum+1e-9 {
				t.Fatalf("after %v: paid %v, optimum %v", costs, paid, optimum)
			}
			before, l.Kept = got, got
		}
	})
}

// With a hard demand, LCP keeps each instance for β ÷ price ticks after it was
// last needed, which is DELAYEDOFF with that as its delay.
func TestLazyWithHardDemandIsDelayedOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wait := rapid.IntRange(0, 6).Draw(t, "wait")
		var l lazy
		var needs []int
		for range rapid.IntRange(1, 60).Draw(t, "ticks") {
			need := rapid.IntRange(0, 9).Draw(t, "need")
			needs = append(needs, need)
			want := 0
			for _, n := range needs[max(0, len(needs)-1-wait):] {
				want = max(want, n)
			}
			if got := l.step(hardSlopes(nil, need), float64(wait)); got != want {
				t.Fatalf("needs %v, wait %d: keeps %d, want %d", needs, wait, got, want)
			}
		}
	})
}

// By hand: at a load of 0.5, M/M/1 has half a job waiting on average, and
// M/M/2, of which 0.1 wait, 0.1 × 0.25 ÷ 0.75 = 1/30. A waiting job that costs
// as much as 30 instances makes the second save 30 × (1/2 - 1/30) - 1 = 13.
func TestSoftSlopes(t *testing.T) {
	slopes := softSlopes(nil, 0.5, 1, 30)
	if slopes[0] > -1000 {
		t.Errorf("from no instance to one: %v, want far below any price", slopes[0])
	}
	near(t, "the second instance", slopes[1], 1-30*(0.5-1.0/30), 1e-9)
	for x := 1; x < len(slopes); x++ {
		if slopes[x] < slopes[x-1] {
			t.Errorf("slope %d is %v, below the one before, %v", x, slopes[x], slopes[x-1])
		}
	}
	if idle := softSlopes(nil, 0, 8, 30); len(idle) > 0 {
		t.Errorf("no load: slopes %v, want none", idle)
	}
	if last := slopes[len(slopes)-1]; last < 0 || last > 1 {
		t.Errorf("last slope %v: want the price less what little waiting is left", last)
	}
}
