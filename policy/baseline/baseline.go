package baseline

import "github.com/skynet-ec2/skynet/policy"

// Specs returns every policy that can be named in a scenario and is not SkyNet
// itself, in the order of their names.
func Specs() []*policy.Spec {
	return []*policy.Spec{
		&Naive2008,
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
