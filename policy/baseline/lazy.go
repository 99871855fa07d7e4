package baseline

import "fmt"

// lazy is the state of Lazy Capacity Provisioning over whole instances: the
// number kept, and the two optima of the past between which it need not move.
//
// Both optima are argmins of a convex cost of having x instances now,
//
//	C(x) = f(x) + min over y of (C before)(y) + β × (instances switched on, or off),
//
// and a convex function of whole numbers is its slopes, C(x+1) - C(x). The
// minimum over y clips them to [0, β] when switching on is charged, which gives
// the lower optimum, and to [-β, 0] when switching off is, which gives the
// upper. One step is thus a pass over the levels; a level never reached before
// has slope β in the first and 0 in the second.
type lazy struct {
	Kept int `json:"kept"`
	// Lower and Upper are the clipped slopes in ticks of an instance's price.
	Lower []float64 `json:"lower,omitempty"`
	Upper []float64 `json:"upper,omitempty"`

	ahead []foreseen // scratch
}

// step returns how many instances to keep in a tick in which one more than x
// costs slopes[x] more than x; slopes ascend, and beyond their end one more
// instance costs its price, more than 0. The ticks ahead, if any are foreseen,
// cost likewise. Switching costs beta. This is LCP(w), w = len(ahead).
//
// Properties, where the ticks ahead come as foreseen:
//   - the result is the number kept before wherever that lies between the
//     lower and the upper optimum, and otherwise the nearer of them
//   - the cost of a run, on-switches included, is at most 3 times the optimum
func (l *lazy) step(slopes []float64, ahead [][]float64, beta float64) int {
	n := len(slopes)
	for _, s := range ahead {
		n = max(n, len(s))
	}
	for len(l.Lower) < n {
		l.Lower, l.Upper = append(l.Lower, beta), append(l.Upper, 0)
	}
	l.foresee(ahead, beta)
	lower, upper := 0, 0
	for x := range l.Lower {
		slope := slopeAt(slopes, x)
		down, up := l.Lower[x]+slope, l.Upper[x]+slope
		if down+l.ahead[x].down < 0 {
			lower = x + 1
		}
		if up+l.ahead[x].up <= 0 {
			upper = x + 1
		}
		l.Lower[x], l.Upper[x] = min(max(down, 0), beta), min(max(up, -beta), 0)
	}
	// levels as good as never reached are forgotten
	n = len(l.Lower)
	for n > 0 && l.Lower[n-1] == beta && l.Upper[n-1] == 0 {
		n--
	}
	l.Lower, l.Upper = l.Lower[:n], l.Upper[:n]
	l.Kept = max(min(l.Kept, upper), lower)
	return l.Kept
}

// foresee fills l.ahead with the slopes of what the ticks ahead will cost at
// least, by the number of instances now: from the last tick back, the cost of a
// tick and of those after it, clipped by what switching there would cost.
func (l *lazy) foresee(ahead [][]float64, beta float64) {
	l.ahead = l.ahead[:0]
	for x := range l.Lower {
		down, up := 0.0, 0.0
		for i := len(ahead) - 1; i >= 0; i-- {
			slope := slopeAt(ahead[i], x)
			down = min(max(down+slope, -beta), 0)
			up = min(max(up+slope, 0), beta)
		}
		l.ahead = append(l.ahead, foreseen{down, up})
	}
}

// foreseen is the slope of the cost of the ticks ahead when switching on is
// charged (down: for the lower optimum), and when switching off is.
type foreseen struct{ down, up float64 }

func slopeAt(slopes []float64, x int) float64 {
	if x < len(slopes) {
		return slopes[x]
	}
	return 1
}

// short is the slope of an instance that demand cannot do without, in its
// price for one tick: more than any delay it could spare is worth.
const short = -1e6

// hardSlopes returns the slopes of a demand for need instances, neither more
// nor less, in the space of into.
func hardSlopes(into []float64, need int) []float64 {
	into = into[:0]
	for range need {
		into = append(into, short)
	}
	return into
}

// softSlopes returns the slopes of x instances of the given slots, whose price
// is 1, and the mean number of jobs waiting in M/M/(slots × x) at the offered
// load, each of which costs delay. Erlang's mean queue is convex in the number
// of servers (Dyer and Proll, Management Science 23(8), 1977). It ends where
// one more instance spares next to nothing.
func softSlopes(into []float64, load float64, slots int, delay float64) []float64 {
	into = into[:0]
	blocked, servers := 1.0, 0
	waiting := -1.0 // of x instances; negative: without end
	if load <= 0 {
		waiting = 0
	}
	for len(into) < instancesMax {
		for range slots {
			servers++
			blocked = nextErlangB(load, blocked, servers)
		}
		next := -1.0
		if float64(servers) > load {
			next = waitingJobs(load, blocked, servers)
		}
		if waiting < 0 {
			into = append(into, short)
		} else {
			spared := float64(delay * (waiting - next))
			if spared < 1e-9 {
				break
			}
			into = append(into, max(1-spared, short))
		}
		waiting = next
	}
	return into
}

// instancesMax bounds the fleet that is thought about.
const instancesMax = 10_000

func (l *lazy) check() error {
	if len(l.Lower) != len(l.Upper) {
		return fmt.Errorf("%d lower and %d upper slopes: must be as many", len(l.Lower), len(l.Upper))
	}
	return nil
}
