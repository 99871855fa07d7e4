package policy

import "slices"

// clamping is a decision whose launches are being reduced.
type clamping struct {
	weigher
	d *Decision
}

// copyLaunches replaces the launches, which belong to the policy, by a copy.
func (k *clamping) copyLaunches() { k.d.Launches = slices.Clone(k.d.Launches) }

// asked returns how many instances the launches ask for.
func (k *clamping) asked() float64 {
	n := 0.0
	for i := range k.d.Launches {
		n += float64(max(k.d.Launches[i].Count, 0))
	}
	return n
}

// fits reports whether every launch can be counted and all of them together
// stay within the rooms, whatever EC2 refuses.
func (k *clamping) fits(rooms [quantities]int64) bool {
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count <= 0 || !inCatalog(k.c, l.Type) || k.countableSubstitutes(l) < len(l.Else) || !k.takeWorst(&rooms, l, len(l.Else)) {
			return false
		}
	}
	return true
}

// countableSubstitutes returns how many of a launch's substitutes, from the first, can be
// counted.
func (k *clamping) countableSubstitutes(l *Launch) int {
	for i := range l.Else {
		if !k.countable(&l.Else[i]) {
			return i
		}
	}
	return len(l.Else)
}

// takeWorst subtracts the most that a launch and its first n substitutes may come to, if
// the rooms hold it, and reports whether they do.
func (k *clamping) takeWorst(rooms *[quantities]int64, l *Launch, n int) bool {
	left := *rooms
	for m := range left {
		need := k.worstCase(quantity(m), l, n)
		if left[m] == Unlimited {
			continue
		}
		if need > left[m] {
			return false
		}
		left[m] -= need
	}
	*rooms = left
	return true
}

// dropUnknown empties launches that cannot be counted.
func (k *clamping) dropUnknown() {
	dropped := 0
	for i := range k.d.Launches {
		if l := &k.d.Launches[i]; l.Count <= 0 || !inCatalog(k.c, l.Type) {
			l.Count = 0
			dropped++
		}
	}
	if dropped > 0 {
		k.d.because(ruleGuardUnknown.Because(float64(dropped)))
	}
}

// limitFirstChoices reduces the counts of the launches to what fits into the room that is
// left of a quantity, earlier launches first, and gives the reason if that removed any.
func (k *clamping) limitFirstChoices(m quantity, left int64, why func(asked, allowed float64) Reason) {
	if left == Unlimited {
		return
	}
	asked := k.asked()
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count == 0 {
			continue
		}
		if w := k.weight(m, l.Type, l.Market); w > 0 {
			l.Count = int(min(int64(l.Count), left/w))
			left -= int64(l.Count) * w
		}
	}
	if allowed := k.asked(); allowed < asked {
		k.d.because(why(asked, allowed))
	}
}

// limitSubstitutes keeps of every launch the longest run of substitutes that
// the rooms hold beside all first choices. A later substitute stands in for an
// earlier one, so nothing behind the first that does not fit can stay.
func (k *clamping) limitSubstitutes(rooms [quantities]int64) {
	for i := range k.d.Launches {
		if l := &k.d.Launches[i]; l.Count > 0 {
			k.takeWorst(&rooms, l, 0) // fits: the limits above saw to it
		}
	}
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count == 0 || len(l.Else) == 0 {
			continue
		}
		for m := range rooms { // give back the first choice, take the whole chain
			if rooms[m] != Unlimited {
				rooms[m] += k.worstCase(quantity(m), l, 0)
			}
		}
		n := k.countableSubstitutes(l)
		for !k.takeWorst(&rooms, l, n) {
			n--
		}
		if n < len(l.Else) {
			k.d.because(ruleGuardSubstitute.Named(k.c.Types[l.Type].Name, float64(n), float64(len(l.Else))))
			l.Else = l.Else[:n:n]
		}
		if n == 0 {
			l.Else = nil
		}
	}
}
