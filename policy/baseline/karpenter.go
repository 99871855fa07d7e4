package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Karpenter is the policy "karpenter", a job being a pod of one slot, after its
// core at 2266468 and the AWS provider at 1d92708.
//
//	provision: pods that fit neither a node nor one in flight are packed on new
//	           nodes, each of the cheapest type that holds its pods; a type that
//	           EC2 refused is left alone for 3 minutes
//	disrupt:   nodes empty for consolidate_after go; with consolidate =
//	           "underutilized", so do nodes whose pods have fitted on the others
//	           for so long; at most budget of the nodes at once, rounded up
//
// It buys any type of its list (all of the catalog when none is given), the
// whole nodes of the type whose slot-second is cheapest at its speed, the last
// one as small as its pods allow. Pods ask for slots, not for speed: a last pod
// may land on the slowest core of the catalog. Head room is bought with
// pause pods (buffer). max is the NodePool's limit, its only defence
// against running away.
//
// Deviations: pods of batch jobs cannot be moved, so a node that is consolidated
// takes no new pods and goes when its last is done, and a dearer node is not
// replaced by a cheaper one. The batch window of 1 to 10 s is shorter than a
// tick. Spot is not bought.
var Karpenter = newSpec(build{
	name:   "karpenter",
	doc:    "packs pods that fit nowhere on new nodes of the cheapest types and consolidates (Karpenter)",
	params: []policy.Param{parRoom, karpenterBuffer, karpenterConsolidate, karpenterAfter, karpenterBudget},
	every:  10 * time.Second,
	mixes:  true,
}, func(_ *policy.Env, v policy.Values) (rule[trailing], error) {
	buffer, budget, perSlot := v.Number(&karpenterBuffer), v.Number(&karpenterBudget), v.Number(&parRoom)
	after, empty := v.Duration(&karpenterAfter), v.Choice(&karpenterConsolidate) == "empty"
	return func(s *signals, shorts *trailing) verdict {
		free := s.room(perSlot) + float64(perSlot*float64(s.bootingSlots))
		short := ceil((s.pending + buffer - free) / perSlot)
		lately := shorts.highest(s.now, after, short)
		reason := ruleKarpenter.Because(s.pending, free, float64(short))
		if short > 0 {
			return s.toSlots(s.desiredSlots+short, reason)
		}
		mean := s.meanNode()
		gone, room := ceil(budget*float64(s.readySlots)/mean), -lately
		if empty {
			gone, room = min(gone, s.idleFor(after)), -short
		}
		return s.toSlots(s.desiredSlots-max(0, min(room, floor(float64(gone)*mean))), reason)
	}, nil
})

var (
	karpenterBuffer = policy.Param{
		Name: "buffer", Kind: policy.Integer, Min: 0, Max: 200,
		Doc: "Slots kept free by pause pods.",
	}
	karpenterConsolidate = policy.Param{
		Name: "consolidate", Kind: policy.Choice, Choices: []string{"underutilized", "empty"},
		Doc: "Whether nodes go when others have room for their pods, or only when they are empty (consolidationPolicy).",
	}
	karpenterAfter = policy.Param{
		Name: "consolidate_after", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour),
		Doc: "How long a node is empty, or the others have room for its pods, before it goes (consolidateAfter).",
	}
	karpenterBudget = policy.Param{
		Name: "budget", Kind: policy.Number, Unit: "fraction", Min: 0.01, Max: 1, Default: 0.1,
		Doc: "The share of the nodes disrupted at once.",
	}

	ruleKarpenter = policy.NewRule("karpenter.plan", "%.0f pods are pending, %.0f slots are free or in flight: %+.0f slots", false)
)
