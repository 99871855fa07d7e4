package tune

import (
	"cmp"
	"context"
	"slices"
)

// judgeAll runs the chosen candidates and the defaults on the judging weeks and
// returns the outcome.
func (t *tuning) judgeAll(ctx context.Context, finalists []int, sums []Summary, pick chosen, seen []int, tried int) (*Outcome, error) {
	level := t.level(finalists, sums, seen)
	o := &Outcome{
		Policy: t.space.Spec.Name, Searched: t.space.Names(), Budget: t.cfg.Budget, Tried: tried,
		Points: t.points(finalists, level), Front: len(front(level)), Feasible: slices.ContainsFunc(sums, func(s Summary) bool { return s.Keeps() }),
	}
	for _, x := range []struct {
		candidate int
		name      string
	}{{pick.cheapest, Cheapest}, {pick.recommended, Recommended}, {pick.fastest, Fastest}, {0, Defaults}} {
		at := slices.IndexFunc(o.Rows, func(r Row) bool { return r.candidate == x.candidate })
		if at < 0 {
			at = len(o.Rows)
			o.Rows = append(o.Rows, Row{Params: t.entries[x.candidate].raw, candidate: x.candidate})
		}
		o.Rows[at].Names = append(o.Rows[at].Names, x.name)
	}
	var candidates []int
	for i := range o.Rows {
		candidates = append(candidates, o.Rows[i].candidate)
	}
	// What the search has left over goes to more judging weeks, if there are any.
	weeks := t.judge
	if most := (t.cfg.Budget - t.spent) / (len(candidates) * len(t.weeks[0])); len(weeks) > most {
		weeks = weeks[:max(most, 1)]
	}
	if err := t.evaluate(ctx, grid(candidates, weeks)); err != nil {
		return nil, err
	}
	met := t.metByAll(candidates, seen)
	for i := range o.Rows {
		o.Rows[i].Tuned = t.summarize(o.Rows[i].candidate, met)
		o.Rows[i].Held = t.summarize(o.Rows[i].candidate, weeks)
	}
	o.Runs = t.spent
	o.Telling, o.Worth = t.telling(candidates), t.worth
	o.Rolling = t.roll(candidates, seen, weeks)
	t.advise(o, pick, weeks)
	if t.cfg.Swing {
		var err error
		if o.Swings, err = t.swings(ctx, o.Rows[o.Advice].candidate, seen); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// advise says whether the recommendation is worth leaving the defaults for.
func (t *tuning) advise(o *Outcome, pick chosen, weeks []int) {
	at := func(name string) int { return slices.IndexFunc(o.Rows, func(r Row) bool { return r.Has(name) }) }
	b, d := at(Recommended), at(Defaults)
	saved := t.difference(pick.recommended, 0, weeks, (*Metrics).Ratio)
	cheaper := saved.below()
	tuned, base := &o.Rows[b].Held, &o.Rows[d].Held
	// What saves money by breaking a promise more often is no bargain.
	safe := tuned.Keeps() && (tuned.Kept >= base.Kept || !base.Keeps())
	o.Better = b != d && safe && (cheaper || !base.Keeps())
	o.Advice = b
	switch {
	case o.Better || tuned.Keeps() && !base.Keeps():
	case base.Keeps():
		o.Advice = d
	default: // neither keeps its promises: another row may
		broken := t.difference(pick.recommended, 0, weeks, (*Metrics).Score)
		if o.Feasible && !broken.below() {
			o.Advice = d // B is not shown to break them by less
		}
		for i := range o.Rows {
			if o.Rows[i].Held.Keeps() {
				o.Advice = i
				break
			}
		}
	}
}

// level returns what candidates came to in those of the weeks that all of them have
// met, so that they can be set beside each other; whether they keep their promises
// is said by all that each has met, as sums say.
func (t *tuning) level(candidates []int, sums []Summary, weeks []int) []Summary {
	common := t.metByAll(candidates, weeks)
	if len(common) == 0 {
		return sums
	}
	level := make([]Summary, len(candidates))
	for i, c := range candidates {
		level[i] = t.summarize(c, common)
		level[i].Promises = sums[i].Promises
	}
	return level
}

// points returns the finalists as a plot shows them.
func (t *tuning) points(finalists []int, sums []Summary) []Point {
	on := front(sums)
	var list []Point
	for i, c := range finalists {
		p := Point{Params: t.entries[c].raw, Ratio: sums[i].Ratio.Mean(), Slack: slackOf(&sums[i]), Keeps: sums[i].Keeps(), Front: slices.Contains(on, i)}
		if len(sums[i].P95.Values) > 0 {
			p.P95 = sums[i].P95.Mean()
		}
		list = append(list, p)
	}
	return list
}

// metByAll returns those of the weeks that every candidate has met.
func (a *archive) metByAll(candidates, weeks []int) []int {
	var common []int
	for _, w := range weeks {
		if !slices.ContainsFunc(candidates, func(c int) bool { return a.entries[c].weeks[w] == nil }) {
			common = append(common, w)
		}
	}
	return common
}

// roll chooses before each week from what was known by then (rolling origin),
// and returns what those choices came to against the defaults. Candidates are
// compared on weeks that all of them have met. What is judged by a later part of a
// trace, or by the same in other weather, is not known yet.
func (t *tuning) roll(candidates, seen, weeks []int) Rolling {
	common := t.metByAll(candidates, seen)
	var r Rolling
	for i, w := range weeks {
		before := slices.Clone(common)
		for _, known := range weeks[:i] {
			if t.weeks[w].follows(t.weeks[known]) {
				before = append(before, known)
			}
		}
		if len(before) == 0 {
			continue
		}
		sums := make([]Summary, len(candidates))
		for j, c := range candidates {
			sums[j] = t.summarize(c, before)
		}
		choice := 0 // the defaults, while nothing keeps its promises
		if pick, ok := t.choose(candidates, sums, before); ok {
			choice = pick.recommended
		}
		r.Weeks++
		got, base := t.summarize(choice, []int{w}), t.summarize(0, []int{w})
		if got.Kept == got.N {
			r.Kept++
		}
		for _, x := range got.SavedAgainst(&base).Values {
			r.Saved.add(x, t.weeks[w].arrivals())
		}
	}
	return r
}

// telling returns the searched parameters in which candidates differ, by what
// they are worth and, where nobody knows, by how far they are apart.
func (t *tuning) telling(candidates []int) []string {
	type apart struct {
		name      string
		worth, by float64
	}
	var list []apart
	for j, name := range t.space.Names() {
		lo, hi := 1.0, 0.0
		for _, c := range candidates {
			x := t.entries[c].point[j]
			lo, hi = min(lo, x), max(hi, x)
		}
		if hi > lo {
			list = append(list, apart{name, t.worth[name], hi - lo})
		}
	}
	slices.SortStableFunc(list, func(x, y apart) int {
		return cmp.Or(cmp.Compare(y.worth, x.worth), cmp.Compare(y.by, x.by))
	})
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].name
	}
	return names
}
