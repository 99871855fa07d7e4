package baseline

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ClusterAutoscaler is the policy "cluster-autoscaler": the Kubernetes Cluster
// Autoscaler with one node group, a job being a pod of one slot, after its
// source and FAQ.
//
//	up:   pods that fit neither a free slot nor an upcoming node get new nodes,
//	      first-fit-decreasing; which for equal pods is a division
//	down: when nothing was added, nodes without a pod for unneeded_time, not
//	      within delay_after_add, at most 10 in each of its periods
//	halt: more than 3 and more than 45 % of the nodes not ready stop everything
//	back off: a refusal by EC2 stops the type's group for 5 minutes, doubled up
//	      to 30 by each that follows, forgotten after 3 hours without
//
// Upcoming nodes count from the moment they are asked for, so nothing is asked
// for twice. Head room is bought with pause pods, as its users do it
// (buffer). What EC2 refuses is given up; the next types of the list stand in,
// and while one of them is not backed off nothing stops.
//
// Deviations: pods cannot be moved, as those of batch jobs cannot, so a node is
// unneeded when it is empty (victims = "idle"), or when the others have had room
// for its pods (victims = "any"). Expanders other than the order of the list, pods'
// memory and the 2 s for new pods to gather are not modelled.
var ClusterAutoscaler = newSpec(build{
	name:   "cluster-autoscaler",
	doc:    "adds nodes for pods that fit nowhere and removes nodes that were empty for 10 minutes (Kubernetes Cluster Autoscaler)",
	params: []policy.Param{parRoom, caBuffer, caUnneeded, caDelay},
	every:  10 * time.Second,
}, func(_ *policy.Env, v policy.Values) (rule[caMemory], error) {
	buffer, perSlot := v.Number(&caBuffer), v.Number(&parRoom)
	unneeded, delay := v.Duration(&caUnneeded), v.Duration(&caDelay)
	return func(s *signals, m *caMemory) verdict {
		if all := s.ready + s.booting + s.lost; s.lost > 3 && float64(s.lost) > 0.45*float64(all) {
			return hold(ruleCAHalt.Because(float64(s.lost), float64(all)))
		}
		free := s.room(perSlot) + float64(perSlot*float64(s.bootingSlots))
		n := caNodes(s.pending+buffer, free, float64(perSlot*float64(s.slots)))
		reason := ruleCA.Because(s.pending, free, float64(n))
		if left := m.backOff(s); left > 0 && n > 0 {
			return hold(ruleCABackOff.Because(left.Seconds()))
		}
		if n > 0 {
			return s.by(n, reason)
		}
		if s.sinceUp < delay {
			return hold(reason)
		}
		spare := floor((free - s.pending - buffer) / float64(perSlot*float64(s.slots)))
		return s.by(-min(s.idleFor(unneeded), max(spare, 0), s.periods(s.every)*caBulk), reason)
	}, nil
})

// caBulk nodes are deleted in a period (max-empty-bulk-delete).
const caBulk = 10

var (
	caBuffer = policy.Param{
		Name: "buffer", Kind: policy.Integer, Min: 0, Max: 200,
		Doc: "Slots kept free by pause pods.",
	}
	caUnneeded = policy.Param{
		Name: "unneeded_time", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long a node is empty before it is removed (scale-down-unneeded-time).",
	}
	caDelay = policy.Param{
		Name: "delay_after_add", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long after nodes were added none is removed (scale-down-delay-after-add).",
	}

	ruleCA        = policy.NewRule("cluster-autoscaler.plan", "%.0f pods are pending, %.0f slots are free or upcoming: %.0f nodes more", false)
	ruleCAHalt    = policy.NewRule("cluster-autoscaler.halt", "%.0f of %.0f nodes are not ready: it does nothing", false)
	ruleCABackOff = policy.NewRule("cluster-autoscaler.back-off", "EC2 refused: every group is left alone for another %.0f s", false)
)

// caNodes returns how many nodes the pods need that fit no free slot.
func caNodes(pods, free, perNode float64) int {
	return max(0, ceil((pods-free)/perNode))
}

// caMemory is the groups that EC2 refused, one for each type.
type caMemory struct {
	Groups []caGroup `json:"groups,omitempty"`
}

// caGroup is how long a group is left alone.
type caGroup struct {
	Type   int           `json:"type"`
	Until  time.Time     `json:"until"`
	Pause  time.Duration `json:"pause"`
	LastAt time.Time     `json:"last_at"` // the latest refusal seen
}

const (
	caPause    = 5 * time.Minute
	caPauseMax = 30 * time.Minute
	caForget   = 3 * time.Hour
)

// group returns the group of a type.
func (m *caMemory) group(typ int) *caGroup {
	i := slices.IndexFunc(m.Groups, func(g caGroup) bool { return g.Type == typ })
	if i < 0 {
		i = len(m.Groups)
		m.Groups = append(m.Groups, caGroup{Type: typ})
	}
	return &m.Groups[i]
}

// backOff notes refusals and returns for how long no group may grow; 0: one may.
// Refusals while a group is left alone, as of what was asked for before, do not
// double its pause.
func (m *caMemory) backOff(s *signals) time.Duration {
	for i := range s.refusals {
		g, at := m.group(s.refusals[i].Type), s.refusals[i].At
		if !at.After(g.LastAt) {
			continue
		}
		switch {
		case g.Pause == 0 || at.Sub(g.LastAt) > caForget:
			g.Pause = caPause
		case !at.Before(g.Until):
			g.Pause = min(2*g.Pause, caPauseMax)
		}
		g.LastAt, g.Until = at, at.Add(g.Pause)
	}
	least := forever
	for _, typ := range s.types {
		i := slices.IndexFunc(m.Groups, func(g caGroup) bool { return g.Type == typ })
		if i < 0 {
			return 0
		}
		least = min(least, max(0, m.Groups[i].Until.Sub(s.now)))
	}
	return least
}
