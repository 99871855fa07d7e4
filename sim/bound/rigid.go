package bound

// stretch is a time in which one instance is kept, from a step up to another.
type stretch struct{ from, to int }

// fill returns the stretches that give at least n[t] instances in every step t
// for the least total of steps and boots, where a boot costs as much as pause
// steps.
//
// The fleet falls apart into levels: level j is needed where n[t] >= j, and
// between two needs it is kept if the pause is no longer than a boot is dear.
// It takes time in proportion to the steps and to the rises and falls of n.
func fill(n []int, pause int) []stretch {
	type level struct{ from, to int } // to: needed up to here; from < 0: never yet
	var levels []level
	var out []stretch
	now := 0
	for t := 0; t <= len(n); t++ {
		want := 0
		if t < len(n) {
			want = n[t]
		}
		for ; now > want; now-- {
			levels[now-1].to = t
		}
		for ; now < want; now++ {
			if now == len(levels) {
				levels = append(levels, level{from: t, to: t})
			}
			l := &levels[now]
			if t-l.to > pause {
				out = append(out, stretch{l.from, l.to})
				l.from = t
			}
		}
	}
	for _, l := range levels {
		out = append(out, stretch{l.from, l.to})
	}
	return out
}

// windows returns the stretches of whole windows that give at least n[t]
// instances in every step t for the least number of windows, where boots take no
// time: whenever one is missing, a window begins then and there, and goes on
// from the one that has just ended if there is one.
func windows(n []int, window int) []stretch {
	var out []stretch
	var live []int // stretches, by their end
	first := 0     // of live that has not ended
	for t, want := range n {
		ended := first
		for first < len(live) && out[live[first]].to <= t {
			first++
		}
		for len(live)-first < want {
			for ended < first && out[live[ended]].to < t {
				ended++
			}
			if ended < first { // renewed
				live = append(live, live[ended])
				ended++
				out[live[len(live)-1]].to = t + window
				continue
			}
			live = append(live, len(out))
			out = append(out, stretch{t, t + window})
		}
	}
	return out
}
