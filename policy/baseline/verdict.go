package baseline

import "github.com/skynet-ec2/skynet/policy"

// A verdict is what a rival's rule wants. The zero verdict holds: what is
// desired stays desired.
type verdict struct {
	kind    verdictKind
	slots   int
	because policy.Reason
}

type verdictKind uint8

const (
	holds verdictKind = iota
	wants             // so many slots
	adds              // to what is desired, or takes from it
)

// hold changes nothing, for a reason.
func hold(because policy.Reason) verdict { return verdict{because: because} }

// to wants n units.
func (s *signals) to(n int, because policy.Reason) verdict {
	return verdict{wants, times(n, s.slots), because}
}

// toSlots wants so many slots: what the rival buys is rounded up to units, except
// where it mixes types, and what it asked for is remembered as it was.
func (s *signals) toSlots(slots int, because policy.Reason) verdict {
	return verdict{wants, slots, because}
}

// by adds n units to what is desired, or takes -n.
func (s *signals) by(n int, because policy.Reason) verdict {
	if n == 0 {
		return hold(because)
	}
	return verdict{adds, times(n, s.slots), because}
}

func times(n, slots int) int { return min(max(n, -beyond), beyond) * slots }
