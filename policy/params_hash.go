package policy

import (
	"crypto/sha256"
	"fmt"
)

// Hash returns the SHA-256, in hex, of what s can be set to: its name, and each
// parameter's name, kind, bounds, default and choices. Where the hashes of two
// builds are equal a policy file means the same to both.
func (s *Spec) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", s.Name)
	for i := range s.Params {
		p := &s.Params[i]
		fmt.Fprintf(h, "%q %d %v %v %v %q\n", p.Name, p.Kind, p.Min, p.Max, p.Default, p.Choices)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
