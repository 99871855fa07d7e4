package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// AzureBatch is the policy "azure-batch": the formula for a queue's length in the
// documentation of Azure Batch's automatic scaling, evaluated every period.
//
//	tasks  = the last sample of the tasks that wait; where at least coverage of the
//	         samples of window are there, the higher of it and their mean
//	target = tasks, in nodes; where that is none, half of what was the target
//
// What is told apart well is a lack of data: with few samples it trusts the last
// one, and it never takes no sample for no task. Nodes leave when their tasks are
// done (taskcompletion).
//
// From its documentation: the formula, the share of 70 % of the samples, the period
// of 15 minutes (5 at the least), samples every 30 s. The window is 15 minutes in
// the page's example, and users copy it with 5.
//
// Kept: tasks that run do not count, so a pool that keeps up with its queue is
// halved while it works, and grows again when the queue does (count =
// "waiting+running" repairs it); a burst waits for up to a period (period repairs
// it).
//
// Deviations: a sample is taken at each tick, and what was expected of a window is
// what its ticks would give. The example's cap of 20 nodes is a user's choice: max
// is the actuator's.
var AzureBatch = newSpec(build{
	name:   "azure-batch",
	doc:    "a slot for each task that waits now or did in the mean of a quarter of an hour, half the pool when none does (Azure Batch, automatic scaling formula)",
	params: []policy.Param{azureCount, parRoom, azureWindow, azureCoverage, azurePeriod},
}, newAzureBatch)

var (
	azureCount = policy.Param{
		Name: "count", Kind: policy.Choice, Choices: []string{"waiting", "waiting+running"},
		Doc: "Which tasks it counts: those that wait ($ActiveTasks), or those that run too ($PendingTasks).",
	}
	azureWindow = policy.Param{
		Name: "window", Kind: policy.Duration, Min: float64(time.Minute), Max: float64(2 * time.Hour), Default: float64(15 * time.Minute), Log: true,
		Doc: "The time whose samples are averaged.",
	}
	azureCoverage = policy.Param{
		Name: "coverage", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.7,
		Doc: "The share of the window's samples from which their mean counts (GetSamplePercent).",
	}
	azurePeriod = policy.Param{
		Name: "period", Kind: policy.Duration, Min: float64(time.Minute), Max: float64(time.Hour), Default: float64(15 * time.Minute), Log: true,
		Doc: "How often its formula is evaluated (autoscale interval).",
	}

	ruleAzure     = policy.NewRule("azure-batch.plan", "%.0f tasks, %.1f in the mean of %.0f %% of the samples: %.0f nodes, %.0f desired", false)
	ruleAzureWait = policy.NewRule("azure-batch.wait", "%.0f tasks: the formula is evaluated again in %.0f s", false)
)

// azureMemory is the samples of the window, oldest first, and when the formula was
// evaluated last.
type azureMemory struct {
	Samples samples   `json:"samples,omitempty"`
	AtLast  time.Time `json:"at_last"`
}

// azureTasks returns the tasks that the formula counts.
func azureTasks(last, mean, share, coverage float64) float64 {
	if share < coverage {
		return max(0, last)
	}
	return max(last, mean)
}

// azureNodes returns the nodes for so many tasks, of which each holds some.
func azureNodes(tasks, perNode float64, current int) int {
	if tasks > 0 {
		return ceil(tasks / perNode)
	}
	return current / 2
}

// sample notes the tasks and returns the mean of the window and the share of its
// samples that are there.
func (m *azureMemory) sample(s *signals, tasks float64, window time.Duration) (mean, share float64) {
	m.Samples.note(s.now, tasks, window-1) // one that is as old as the window is not in it
	for _, x := range m.Samples {
		mean += x.Value
	}
	n := float64(len(m.Samples))
	return mean / n, min(1, n/math.Ceil(window.Seconds()/max(s.tick, time.Second).Seconds()))
}

func newAzureBatch(_ *policy.Env, v policy.Values) (rule[azureMemory], error) {
	all, perSlot := v.Choice(&azureCount) == "waiting+running", v.Number(&parRoom)
	window, coverage, period := v.Duration(&azureWindow), v.Number(&azureCoverage), v.Duration(&azurePeriod)
	return func(s *signals, m *azureMemory) verdict {
		tasks := s.pending
		if all {
			tasks += s.running
		}
		mean, share := m.sample(s, tasks, window)
		if left := period - s.now.Sub(m.AtLast); !m.AtLast.IsZero() && left > s.tick/2 {
			return hold(ruleAzureWait.Because(tasks, left.Seconds()))
		}
		m.AtLast = s.now
		want := azureNodes(azureTasks(tasks, mean, share, coverage), float64(perSlot*float64(s.slots)), s.desired)
		return s.to(want, ruleAzure.Because(tasks, mean, float64(100*share), float64(want), float64(s.desired)))
	}, nil
}
