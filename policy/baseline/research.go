package baseline

import "github.com/skynet-ec2/skynet/policy"

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
		&Plan,
		&React,
		&Reg,
		&SeasonalNaive,
		&SqrtStaffing,
	}
}
