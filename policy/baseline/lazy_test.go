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

// bestAt returns, by trying every schedule from no instance on, the least and
// the greatest number at tick `at` among the schedules of all the costs that are
// optimal when switching on, or off, is charged; and the first optimum.
func bestAt(costs [][]float64, at int, beta float64) (lower, upper int, optimum float64) {
	size := len(costs[0])
	schedule := make([]int, len(costs))
	leastOn, leastOff := math.Inf(1), math.Inf(1)
	for {
		on, off, before := 0.0, 0.0, 0
		for i, x := range schedule {
			on += costs[i][x] + boundedBelow(x-before, beta)
			off += costs[i][x] + boundedBelow(before-x, beta)
			before = x
		}
		if x := schedule[at]; on < leastOn || on == leastOn && x < lower {
			leastOn, lower = on, x
		}
		if x := schedule[at]; off < leastOff || off == leastOff && x > upper {
			leastOff, upper = off, x
		}
		i := 0
		for i < len(schedule) && schedule[i] == size-1 {
			schedule[i] = 0
			i++
		}
		if i == len(schedule) {
			return lower, upper, leastOn
		}
		schedule[i]++
	}
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

// Against the definition of the bounds, by trying all schedules of the ticks so
// far and of those foreseen; and against what the paper proves of the cost.
func TestLazyMatchesAllSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(2, 4).Draw(t, "size")
		beta := float64(rapid.IntRange(1, 8).Draw(t, "beta"))
		window := rapid.IntRange(0, 2).Draw(t, "window")
		var costs, slopes [][]float64
		for range rapid.IntRange(1, 5).Draw(t, "ticks") {
			costs = append(costs, convexCosts(t, size))
			slopes = append(slopes, slopesOf(costs[len(costs)-1]))
		}
		var l lazy
		paid := 0.0
		for now := range costs {
			seen := min(now+1+window, len(costs))
			lower, upper, optimum := bestAt(costs[:seen], now, beta)
			before := l.Kept
			got := l.step(slopes[now], slopes[now+1:seen], beta)
			// with size-1 instances, the schedules know no more
			if want := max(min(before, upper), lower); min(got, size-1) != want {
				t.Fatalf("tick %d of %v: keeps %d, want %d (bounds %d and %d)", now, costs, got, want, lower, upper)
			}
			l.Kept = min(got, size-1)
			paid += costs[now][l.Kept] + boundedBelow(l.Kept-before, beta)
			if seen == now+1 && paid > 3*optimum {
				t.Fatalf("tick %d of %v: paid %v, optimum %v", now, costs, paid, optimum)
			}
		}
	})
}

// By hand: an instance costs 1 a tick and 3 to switch on, so a gap of up to
// three ticks is worth keeping it. Not knowing, it is kept for three ticks;
// foreseeing a longer gap, less long, or not at all; foreseeing its end, only if
// the whole gap is worth it.
func TestLazyForesees(t *testing.T) {
	none, one := hardSlopes(nil, 0), hardSlopes(nil, 1)
	for _, c := range []struct {
		gap   int // the tick of the gap it is now
		ahead [][]float64
		want  int
	}{
		{1, nil, 1},
		{3, nil, 1},
		{4, nil, 0},
		{1, [][]float64{none, none}, 1},
		{2, [][]float64{none, none}, 0},
		{1, [][]float64{none, none, none}, 0},
		{2, [][]float64{one}, 1},
		{2, [][]float64{none, one}, 1},
		{3, [][]float64{none, one}, 0},
	} {
		var l lazy
		l.step(one, nil, 3)
		for range c.gap - 1 {
			l.step(none, nil, 3)
		}
		if got := l.step(none, c.ahead, 3); got != c.want {
			t.Errorf("tick %d of a gap, %d foreseen: keeps %d, want %d", c.gap, len(c.ahead), got, c.want)
		}
	}
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
			if got := l.step(hardSlopes(nil, need), nil, float64(wait)); got != want {
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
