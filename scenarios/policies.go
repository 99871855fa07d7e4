package scenarios

import (
	"slices"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// Policies returns every policy that a file can name with parameters: skynet,
// then its rivals in the order of their names. "scripted", which has steps
// instead, is not among them.
func Policies() []*policy.Spec {
	return append([]*policy.Spec{&skynet.Spec}, baseline.Specs()...)
}

func lookup(name string) (*policy.Spec, bool) {
	for _, s := range Policies() {
		if s.Name == name {
			return s, true
		}
	}
	return nil, false
}

func policyNames() []string {
	list := []string{scripted}
	for _, s := range Policies() {
		list = append(list, s.Name)
	}
	slices.Sort(list)
	return list
}
