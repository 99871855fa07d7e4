package policy

import "slices"

// clamping is a decision whose launches are being reduced.
type clamping struct {
	weigher
	d *Decision
}

// own replaces the launches by a copy that may be written to.
func (k *clamping) own() { k.d.Launches = slices.Clone(k.d.Launches) }

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
		if l.Count <= 0 || !inCatalog(k.c, l.Type) || k.countable(l) < len(l.Else) || !k.take(&rooms, l, len(l.Else)) {
			return false
		}
	}
	return true
}

// countable returns how many of a launch's substitutes, from the first, can be
// counted.
func (k *clamping) countable(l *Launch) int {
	for i := range l.Else {
		if !k.sound(&l.Else[i]) {
			return i
		}
	}
	return len(l.Else)
}

// take subtracts the worst a launch and its first n substitutes may come to, if
// the rooms hold it.
func (k *clamping) take(rooms *[quantities]int64, l *Launch, n int) bool {
	left := *rooms
	for m := range left {
		need := k.worst(quantity(m), l, n)
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

// limit reduces first choices to what fits into a room, earlier launches first,
// and gives the reason if that removed any.
func (k *clamping) limit(m quantity, left int64, why func(asked, allowed float64) Reason) {
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
			k.take(&rooms, l, 0) // fits: the limits above saw to it
		}
	}
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count == 0 || len(l.Else) == 0 {
			continue
		}
		for m := range rooms { // give back the first choice, take the whole chain
			if rooms[m] != Unlimited {
				rooms[m] += k.worst(quantity(m), l, 0)
			}
		}
		n := k.countable(l)
		for !k.take(&rooms, l, n) {
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
