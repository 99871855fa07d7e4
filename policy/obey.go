package policy

import (
	"cmp"
	"slices"
)

var (
	ruleWishDrain       = NewRule("operator.drain", "%s: instance %g drains", true)
	ruleWishCordonType  = NewRule("operator.cordon", "%s: %g instances of a cordoned type are not bought, %g of others stand in", true)
	ruleWishCordonZone  = NewRule("operator.cordon_zone", "%s: %g instances in a cordoned zone are not bought", true)
	ruleWishFloor       = NewRule("operator.floor", "%s: at least %g instances, would have %g: %g kept, %g launched", true)
	ruleWishFloorCores  = NewRule("operator.floor_cores", "%s: at least %g cores, would have %g: %g instances kept, %g launched", true)
	ruleWishFloorClosed = NewRule("operator.floor_closed", "%s: %g are missing, and every type that would do is cordoned", true)
)

// Obey returns d changed so that it honours the wishes of operators in o. It
// stands between a policy's Step and the guard, which has the last word: what a
// floor launches passes every limit like any other launch.
//
// Properties:
//   - without a wish in force d is returned as it is, and nothing is allocated
//   - Obey(Obey(d)) == Obey(d), but for the reasons
//   - no launch and no substitute is of a cordoned type, and none names a
//     cordoned zone; where a launch has a substitute that may be bought, that
//     one stands in, as if EC2 had refused
//   - an instance whose drain is wished is drained, and never taken back
//   - with a floor, the instances (or cores) that are neither draining nor
//     drained by the decision, with what it takes back and launches, are at
//     least the floor: drains are left out, then draining instances taken back,
//     then the missing launched, unless every type that would do is cordoned
//
// d itself stays as it was.
func Obey(o *Observation, c *Catalog, d Decision) Decision {
	x := obedience{o: o, c: c, d: &d}
	for i := range o.Wishes {
		if o.Wishes[i].Until.After(o.Now) {
			x.wishes = append(x.wishes, &o.Wishes[i])
		}
	}
	if len(x.wishes) == 0 {
		return d
	}
	d.Launches, d.Drains, d.Undrains = slices.Clone(d.Launches), slices.Clone(d.Drains), slices.Clone(d.Undrains)
	x.obeyCordons()
	x.obeyDrains()
	for _, w := range x.wishes {
		if w.Kind == WishFloor {
			x.obeyFloor(w)
		}
	}
	return d
}

// obedience is a decision that is being changed to honour wishes.
type obedience struct {
	o      *Observation
	c      *Catalog
	d      *Decision
	wishes []*Wish // in force
}

// cordonOf returns the cordon of a type, nil if it may be bought.
func (x *obedience) cordonOf(typ int) *Wish {
	for _, w := range x.wishes {
		if w.Kind == WishCordon && w.Zone == "" && w.Type == typ {
			return w
		}
	}
	return nil
}

// zoneCordonOf returns the cordon of a zone, nil if it is open or empty.
func (x *obedience) zoneCordonOf(zone string) *Wish {
	for _, w := range x.wishes {
		if w.Kind == WishCordon && w.Zone != "" && w.Zone == zone {
			return w
		}
	}
	return nil
}

// obeyCordons leaves out of the launches what must not be bought.
func (x *obedience) obeyCordons() {
	kept := x.d.Launches[:0]
	for _, l := range x.d.Launches {
		if w := x.zoneCordonOf(l.Zone); w != nil {
			x.d.because(ruleWishCordonZone.Named(w.reasonName(), float64(l.Count)))
			continue
		}
		if w := x.cordonOf(l.Type); w != nil {
			asked := l.Count
			l = x.standIn(l)
			x.d.because(ruleWishCordonType.Named(w.reasonName(), float64(asked), float64(l.Count)))
			if l.Count <= 0 {
				continue
			}
		}
		l.Else = x.openSubstitutes(l.Else)
		kept = append(kept, l)
	}
	if x.d.Launches = kept; len(kept) == 0 {
		x.d.Launches = nil
	}
}

// standIn returns the launch that is left of l when EC2 refuses all of it and of
// every cordoned substitute before the first that may be bought. Its Count is 0
// where none may be.
func (x *obedience) standIn(l Launch) Launch {
	for i, s := range l.Else {
		l.Type, l.Market, l.Zone, l.Count = s.Type, s.Market, "", s.Count(l.Count)
		if x.cordonOf(l.Type) == nil {
			l.Else = l.Else[i+1:]
			return l
		}
	}
	l.Count = 0
	return l
}

// openSubstitutes returns the substitutes that are not cordoned, nil if there are none. The
// list it is given belongs to the policy and stays as it was.
func (x *obedience) openSubstitutes(substitutes []Substitute) []Substitute {
	var open []Substitute
	for _, s := range substitutes {
		if x.cordonOf(s.Type) == nil {
			open = append(open, s)
		}
	}
	return open
}

// drainWished reports whether an operator wants an instance drained.
func (x *obedience) drainWished(id InstanceID) bool {
	return slices.ContainsFunc(x.wishes, func(w *Wish) bool { return w.Kind == WishDrain && w.Instance == id })
}

// obeyDrains puts the drains that operators want before those of the policy, because the
// guard keeps the first ones.
func (x *obedience) obeyDrains() {
	x.d.Undrains = slices.DeleteFunc(x.d.Undrains, x.drainWished)
	front := 0
	for _, w := range x.wishes {
		if w.Kind != WishDrain {
			continue
		}
		alive := slices.ContainsFunc(x.o.Fleet.Instances, func(in Instance) bool { return in.ID == w.Instance && in.Phase != Draining })
		if !alive || slices.Contains(x.d.Drains[:front], w.Instance) {
			continue
		}
		if at := slices.Index(x.d.Drains, w.Instance); at >= 0 {
			x.d.Drains = slices.Delete(x.d.Drains, at, at+1)
		}
		x.d.Drains = slices.Insert(x.d.Drains, front, w.Instance)
		front++
		x.d.because(ruleWishDrain.Named(w.reasonName(), float64(w.Instance)))
	}
}

// worthFor returns what an instance of a type, with so many slots, counts towards a floor:
// its cores, or one, or nothing where the floor is of another type.
func (x *obedience) worthFor(w *Wish, typ, slots int) int {
	switch {
	case w.Type != AnyType && w.Type != typ:
		return 0
	case w.Cores > 0:
		return int(coresOf(x.c, typ, slots))
	}
	return 1
}

// obeyFloor makes the fleet as large as a floor wants.
func (x *obedience) obeyFloor(w *Wish) {
	least := max(w.Instances, w.Cores)
	have := 0
	for i := range x.o.Fleet.Instances {
		in := &x.o.Fleet.Instances[i]
		if x.staysAfter(in) {
			have += x.worthFor(w, in.Type, in.Slots)
		}
	}
	for i := range x.d.Launches {
		l := &x.d.Launches[i]
		have += max(l.Count, 0) * x.worthFor(w, l.Type, 1)
	}
	if have >= least {
		return
	}
	spared, missing := x.keepDrained(w, least-have)
	undrained, missing := x.undrainForFloor(w, missing)
	launched := 0
	if missing > 0 {
		if launched = x.launchForFloor(w, missing); launched == 0 {
			x.d.because(ruleWishFloorClosed.Named(w.reasonName(), float64(missing)))
			return
		}
	}
	rule := ruleWishFloor
	if w.Cores > 0 {
		rule = ruleWishFloorCores
	}
	x.d.because(rule.Named(w.reasonName(), float64(least), float64(have), float64(spared+undrained), float64(launched)))
}

// keepDrained leaves out drains of the policy until nothing is missing of a floor,
// beginning with the last, which the policy would miss the least. It returns how many it
// left out, and what is still missing.
func (x *obedience) keepDrained(w *Wish, missing int) (spared, left int) {
	for at := len(x.d.Drains) - 1; at >= 0 && missing > 0; at-- {
		if n := x.worthOf(w, x.d.Drains[at]); n > 0 && !x.drainWished(x.d.Drains[at]) {
			x.d.Drains = slices.Delete(x.d.Drains, at, at+1)
			missing -= n
			spared++
		}
	}
	return spared, missing
}

// undrainForFloor undrains instances until nothing is missing of a floor. It returns how
// many, and what is still missing.
func (x *obedience) undrainForFloor(w *Wish, missing int) (undrained, left int) {
	for i := range x.o.Fleet.Instances {
		in := &x.o.Fleet.Instances[i]
		if missing <= 0 {
			break
		}
		if n := x.worthFor(w, in.Type, in.Slots); n > 0 && in.Phase == Draining && !x.drainWished(in.ID) && !slices.Contains(x.d.Undrains, in.ID) {
			x.d.Undrains = append(x.d.Undrains, in.ID)
			missing -= n
			undrained++
		}
	}
	return undrained, missing
}

// staysAfter reports whether an instance counts after the decision. One that has stopped
// reporting does, because it may still work and is not replaced.
func (x *obedience) staysAfter(in *Instance) bool {
	if in.Phase == Draining {
		return slices.Contains(x.d.Undrains, in.ID)
	}
	return !slices.Contains(x.d.Drains, in.ID)
}

// worthOf is worthFor of the instance with an id, 0 where there is none.
func (x *obedience) worthOf(w *Wish, id InstanceID) int {
	for i := range x.o.Fleet.Instances {
		if in := &x.o.Fleet.Instances[i]; in.ID == id {
			return x.worthFor(w, in.Type, in.Slots)
		}
	}
	return 0
}

// floorSubstitutes is how many types may stand in for the one that a floor launches.
const floorSubstitutes = 2

// launchForFloor adds a launch of what is missing of a floor, and returns of how many
// instances; 0 where every type that would do is cordoned. The type is the floor's; else
// the one that most of the fleet is of, and in an empty fleet the one whose unit of work
// is cheapest. The next two stand in if EC2 refuses.
func (x *obedience) launchForFloor(w *Wish, missing int) int {
	types := x.byPreference(w)
	if len(types) == 0 {
		return 0
	}
	first := types[0]
	size := x.worthFor(w, first, 1)
	l := Launch{Type: first, Count: (missing + size - 1) / size}
	for _, typ := range types[1:min(len(types), 1+floorSubstitutes)] {
		before := first
		if n := len(l.Else); n > 0 {
			before = l.Else[n-1].Type
		}
		l.Else = append(l.Else, Substitute{Type: typ, Num: x.worthFor(w, before, 1), Den: x.worthFor(w, typ, 1)})
	}
	x.d.Launches = append(x.d.Launches, l)
	return l.Count
}

// byPreference returns the types that would do for a floor, the best first.
func (x *obedience) byPreference(w *Wish) []int {
	var types []int
	alive := make([]int, len(x.c.Types))
	for i := range x.o.Fleet.Instances {
		if typ := x.o.Fleet.Instances[i].Type; inCatalog(x.c, typ) {
			alive[typ]++
		}
	}
	for typ := range x.c.Types {
		if x.worthFor(w, typ, 1) > 0 && x.cordonOf(typ) == nil {
			types = append(types, typ)
		}
	}
	perWork := func(typ int) float64 {
		t := &x.c.Types[typ]
		return float64(priceOf(x.o, x.c, typ, OnDemand)) / (float64(t.Cores) * t.Speed)
	}
	slices.SortStableFunc(types, func(a, b int) int { return cmp.Compare(perWork(a), perWork(b)) })
	best := 0
	for i, typ := range types {
		if alive[typ] > alive[types[best]] {
			best = i
		}
	}
	if best > 0 {
		typ := types[best]
		types = slices.Insert(slices.Delete(types, best, best+1), 0, typ)
	}
	return types
}
