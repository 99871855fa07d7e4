package bound

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
)

// A search of a long trace is split: in most sweeps one hand changes what lies
// before a cut, another what lies after it, each with its own random numbers.
// Rents across the cut stay as they are, and so does a change whose consequences
// reach over it; the cut is drawn anew for every sweep, and every fourth sweep
// has none. Which goroutine plays a hand makes no difference to what it does.

// handsMin is the shortest time searched that is worth a cut.
const handsMin = 2 * 24 * 3600.0 // seconds

// wholeEvery is how often a sweep has no cut.
const wholeEvery = 4

// divided reports whether a sweep has a cut.
func (s *searcher) divided(sweep int) bool {
	return s.parts == 2 && sweep%wholeEvery != wholeEvery-1
}

// divide makes one sweep with a cut: both hands play half of the steps.
func (s *searcher) divide(ctx context.Context, heat float64, steps int64) {
	cut := int(float64(s.m.steps) * (0.35 + float64(0.3*s.rng.Float64())))
	hands := [2]*searcher{s.hand(0, cut), s.hand(cut, s.m.steps)}
	var still []rent
	for _, r := range s.rents {
		from, to := s.ready(r)
		switch {
		case to < float64(cut-1):
			hands[0].rents = append(hands[0].rents, r)
		case from > float64(cut+1):
			hands[1].rents = append(hands[1].rents, r)
		default:
			still = append(still, r)
		}
	}
	play := func(h *searcher) { h.sweep(ctx, heat, steps/2) }
	if s.parallel {
		var wait sync.WaitGroup
		wait.Go(func() { play(hands[0]) })
		play(hands[1])
		wait.Wait()
	} else {
		play(hands[0])
		play(hands[1])
	}
	s.rents = still
	late, cost := append([]float64(nil), s.m.late...), s.cost
	for _, h := range hands {
		s.rents = append(s.rents, h.rents...)
		s.cost += h.cost - cost
		for k := range late {
			s.m.late[k] += h.m.late[k] - late[k]
		}
	}
}

// hand returns a searcher of the steps from … to−1, without rents.
func (s *searcher) hand(from, to int) *searcher {
	h := *s
	h.rng = rand.New(rand.NewPCG(s.rng.Uint64(), s.rng.Uint64()))
	h.m = s.m.part(from, to)
	h.rents, h.spans, h.hot = nil, nil, nil
	tickOf := func(step int) int32 {
		return int32(math.Floor((float64(float64(step)*s.m.h) + s.grid) / s.tick))
	}
	h.from, h.to = max(s.from, tickOf(from)), min(s.to, tickOf(to))
	for _, t := range s.hot {
		if t >= h.from && t < h.to {
			h.hot = append(h.hot, t)
		}
	}
	return &h
}
