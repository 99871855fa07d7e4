package baseline

import (
	"cmp"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// Specs returns every policy that can be named in a scenario and is not SkyNet
// itself, in the order of their names.
func Specs() []*policy.Spec {
	all := slices.Concat(rivals(), research(), clairvoyants())
	slices.SortFunc(all, func(a, b *policy.Spec) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// rivals are the autoscalers people run, and the two ends: static and
// naive-2008.
func rivals() []*policy.Spec {
	return []*policy.Spec{
		&ARC,
		&ASGPredictive,
		&ASGSimple,
		&ASGStep,
		&ASGTargetTracking,
		&ASGWarmPool,
		&AzureBatch,
		&Buildkite,
		&CFRule,
		&ClusterAutoscaler,
		&Clusterman,
		&Drone,
		&Escalator,
		&GHAPush,
		&GitLab,
		&HPA,
		&Jitsi,
		&Karpenter,
		&KedaScaledJob,
		&Naive2008,
		&NomadTargetValue,
		&Woodpecker,
		&policy.StaticSpec,
	}
}

// Lookup returns the policy of that name.
func Lookup(name string) (*policy.Spec, bool) {
	for _, s := range Specs() {
		if s.Name == name {
			return s, true
		}
	}
	return nil, false
}
