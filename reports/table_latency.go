package reports

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/skynet-ec2/skynet/sim"
)

// latencyTable has the periods that were worst for their class.
func latencyTable(res *sim.Result, period string) table {
	const rows = 60
	t := table{columns: []string{"from", "class", "jobs", "late", "p50", "p95", "p99", "target"}}
	worst := slices.Clone(res.Latency)
	lateShare := func(r *sim.LatencyRow) float64 { return float64(r.Late) / float64(max(r.Jobs, 1)) }
	slices.SortStableFunc(worst, func(a, b sim.LatencyRow) int {
		return cmp.Or(cmp.Compare(lateShare(&b), lateShare(&a)), cmp.Compare(b.Late, a.Late), cmp.Compare(b.P99, a.P99))
	})
	if len(worst) > rows {
		t.note = fmt.Sprintf("The %d worst of %s rows, one for each class and %s.", rows, Count(len(worst)), period)
		worst = worst[:rows]
	} else {
		t.note = fmt.Sprintf("One row for each class and %s, the worst first.", period)
	}
	for _, r := range worst {
		if r.Class < 0 || r.Class >= len(res.Config.Classes) {
			continue
		}
		class := &res.Config.Classes[r.Class]
		t.rows = append(t.rows, []string{
			moment(res, r.Hour), class.Name, Count(r.Jobs), Count(r.Late),
			Duration(r.P50), Duration(r.P95), Duration(r.P99), Target(class.Target),
		})
	}
	return t
}
