package baseline

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// SeasonalNaive is the policy "seasonal-naive": what ran at this time last week
// will run again.
//
// Source: Grafana Mimir's predictive scaling of queriers (pull request
// grafana/mimir#7775 and its configuration): the highest number of queries in
// flight in a window of 30 minutes that ended 6 days and 23.5 hours ago, one
// trigger beside the reactive one, at a utilisation of 0.75. Its authors report
// 66 to 95 % fewer rejected queries for 20 to 50 % more cost.
//
// shift is how far the window reaches ahead of the same time last week, which
// is the lead that covers the boot lag. Values are kept as the highest of every
// 5 minutes. Before a week has passed, the reactive trigger is alone;
// reactive = "off" shows the forecast alone, which then keeps the fleet as it
// is.
//
// Deviations: Mimir averages the reactive trigger through a Kubernetes HPA with
// its tolerance and windows; here it is the load now.
var SeasonalNaive = newSpec(build{
	name:   "seasonal-naive",
	doc:    "provides the most that ran at this time last week or runs now, at a utilisation (Grafana Mimir)",
	params: []policy.Param{seasonShift, seasonUtilisation, seasonReactive, parDemand, parWorkoff},
}, newSeasonalNaive)

var (
	seasonShift = policy.Param{
		Name: "shift", Kind: policy.Duration, Min: 0, Max: float64(3 * time.Hour), Default: float64(30 * time.Minute),
		Doc: "How far ahead of the same time last week it looks.",
	}
	seasonUtilisation = policy.Param{
		Name: "utilisation", Kind: policy.Number, Unit: "fraction", Min: 0.2, Max: 1, Default: 0.75,
		Doc: "The busy fraction of the capacity it aims at.",
	}
	seasonReactive = switchParam("reactive", "Whether the load now counts beside last week's.")

	ruleSeason = policy.NewRule("seasonal.target", "%.1f slots of load now, %.1f at most this time last week, have %.0f instances: wants %.0f", false)
)

const (
	naiveCell = 5 * time.Minute
	// naiveCells: one more than a week, so that the cell being written is not
	// the one of a week ago.
	naiveCells = int(7*24*time.Hour/naiveCell) + 1
)

// naiveState is the highest load of each 5 minutes of the last week.
type naiveState struct {
	Highest []float64 `json:"highest,omitempty"`
	// First is the cell in which watching began, Cell the one being watched.
	First int64 `json:"first"`
	Cell  int64 `json:"cell"`
}

// learn notes the load in a cell of the time line.
func (n *naiveState) learn(cell int64, load float64) {
	if n.Highest == nil {
		n.Highest = make([]float64, naiveCells)
		n.First, n.Cell = cell, cell-1
	}
	// cells in which nobody looked say nothing
	for n.Cell < cell {
		n.Cell = max(n.Cell+1, cell-int64(naiveCells))
		n.Highest[modulo(n.Cell, naiveCells)] = 0
	}
	at := &n.Highest[modulo(cell, naiveCells)]
	*at = max(*at, load)
}

// lastWeek returns the highest load from a week before the cell to so many
// cells later, and whether watching had begun by then.
func (n *naiveState) lastWeek(cell, ahead int64) (float64, bool) {
	from := cell - int64(naiveCells-1)
	if n.Highest == nil || from < n.First {
		return 0, false
	}
	highest := 0.0
	for c := from; c <= from+ahead; c++ {
		highest = max(highest, n.Highest[modulo(c, naiveCells)])
	}
	return highest, true
}

func newSeasonalNaive(env *policy.Env, v policy.Values) (rule[naiveState], error) {
	d, offset := newDemand(env, v), env.UTCOffset
	shift := int64((v.Duration(&seasonShift) + naiveCell - 1) / naiveCell)
	utilisation, reactive := v.Number(&seasonUtilisation), isOn(v, &seasonReactive)
	return func(s *signals, n *naiveState) verdict {
		load := d.slots(s)
		cell := cellOf(s.now, offset, naiveCell)
		n.learn(cell, load)
		before, known := n.lastWeek(cell, shift)
		highest := before
		if reactive {
			highest = max(highest, load)
		}
		want := s.units(highest / utilisation)
		if !known && !reactive {
			want = s.desired
		}
		return s.to(want, ruleSeason.Because(load, before, float64(s.desired), float64(want)))
	}, nil
}

func (n *naiveState) check() error {
	if n.Highest != nil && len(n.Highest) != naiveCells {
		return fmt.Errorf("week of %d cells: must be %d", len(n.Highest), naiveCells)
	}
	return nil
}
