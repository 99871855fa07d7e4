package baseline

import "github.com/skynet-ec2/skynet/policy"

// React is the policy "react": keep a few instances more than the load needs.
//
// Source: T. Chieu, A. Mohindra, A. Karve, A. Segal, "Dynamic scaling of web
// applications in a virtualized cloud computing environment", ICEBE 2009, as
// the SPEC research group compares it (A. Ilyushkin et al., ICPE 2017). The
// paper's algorithm is taken from descriptions and from two public
// implementations, which differ; not checked against its text.
//
// Variants:
//
//   - paper: the load plus a buffer, moved to when the fleet is more than the
//     buffer away from it
//   - opendc: the prototype of the comparison. It adds the buffer to the
//     change: up to buffer above the load, and down to buffer below it, which
//     then needs a step up again. That is the pitfall, and paper repairs it
//   - ali-eldin: the other public code. Up by 1.2 times what is missing, rounded
//     down, and down to 1.2 times the load when the fleet exceeds 1.1 times that
//
// What boots counts as capacity in all three: without that they launch again
// every tick of the boot lag.
var React = newSpec(build{
	name:   "react",
	doc:    "keeps the load's instances plus a buffer (Chieu et al. 2009)",
	params: []policy.Param{reactVariant, reactBuffer, parDemand, parWorkoff},
}, newReact)

const (
	reactPaper  = "paper"
	reactOpendc = "opendc"
	reactEldin  = "ali-eldin"
)

var (
	reactVariant = policy.Param{
		Name: "variant", Kind: policy.Choice, Choices: []string{reactPaper, reactOpendc, reactEldin},
		Doc: "Which algorithm: the paper's intent, or one of the two public codes.",
	}
	reactBuffer = policy.Param{
		Name: "buffer", Kind: policy.Integer, Min: 0, Max: 50, Default: 2,
		Doc: "Instances beyond the load, in the variants paper and opendc.",
	}

	ruleReact = policy.NewRule("react.target", "%.1f slots of load need %.0f instances, have %.0f: wants %.0f", false)
)

func newReact(env *policy.Env, v policy.Values) (rule[struct{}], error) {
	d, variant, buffer := newDemand(env, v), v.Choice(&reactVariant), int(v.Number(&reactBuffer))
	return func(s *signals, _ *struct{}) verdict {
		load := d.slots(s)
		need := s.units(load)
		want := reactTarget(variant, need, s.desired, buffer)
		return s.to(want, ruleReact.Because(load, float64(need), float64(s.desired), float64(want)))
	}, nil
}

// reactTarget returns the instances wanted where need are needed and have are
// there.
func reactTarget(variant string, need, have, buffer int) int {
	switch missing := need - have; variant {
	case reactOpendc:
		switch {
		case missing >= 0:
			return need + buffer
		case missing < -buffer:
			return max(0, need-buffer)
		}
	case reactEldin:
		switch {
		case missing > 0:
			return have + floor(float64(1.2*float64(missing)))
		case float64(1.1*float64(need)) < float64(have):
			return min(have, ceil(float64(1.2*float64(need))))
		}
	default:
		if missing > 0 || missing < -2*buffer {
			return need + buffer
		}
	}
	return have
}
