package baseline

import "github.com/skynet-ec2/skynet/policy"

// checked is what a rule remembers that not every JSON of its fields can be:
// check tells what is wrong with what was read.
type checked interface{ check() error }

// research are the policies of the literature.
func research() []*policy.Spec {
	return []*policy.Spec{
		&Adapt,
		&Autopilot,
		&ConPaaS,
		&DelayedOff,
		&Hist24,
		&Hist168,
		&Hybrid,
		&LCP,
		&MPC,
		&Plan,
		&React,
		&Reg,
		&SeasonalNaive,
		&SqrtStaffing,
	}
}

// clairvoyants are yardsticks that are told what will arrive.
func clairvoyants() []*policy.Spec {
	return []*policy.Spec{
		&MPCOracle,
		&StaticMedian,
		&StaticPeak,
	}
}
