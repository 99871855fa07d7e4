package policy_test

import (
	"slices"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
)

// TestSpecHash: everything that changes what a value means changes the hash,
// and nothing else does.
func TestSpecHash(t *testing.T) {
	changed := func(change func(*policy.Spec)) string {
		s := testSpec
		s.Params = slices.Clone(testSpec.Params)
		change(&s)
		return s.Hash()
	}
	same := testSpec.Hash()
	for name, change := range map[string]func(*policy.Spec){
		"name":    func(s *policy.Spec) { s.Name = "other" },
		"default": func(s *policy.Spec) { s.Params[0].Default = 0.26 },
		"min":     func(s *policy.Spec) { s.Params[1].Min = 2 },
		"max":     func(s *policy.Spec) { s.Params[1].Max = 11 },
		"kind":    func(s *policy.Spec) { s.Params[0].Kind = policy.Integer },
		"choice":  func(s *policy.Spec) { s.Params[3].Choices = []string{"slow", "faster"} },
		"one less": func(s *policy.Spec) {
			s.Params = s.Params[:4]
		},
	} {
		if changed(change) == same {
			t.Errorf("%s: the hash did not change", name)
		}
	}
	if changed(func(s *policy.Spec) { s.Params[0].Doc = "other words" }) != same {
		t.Error("other words changed the hash")
	}
}
