package server

import (
	"fmt"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Fits returns the error of a wish of which nothing could come: the drain of an
// instance that the fleet does not have. Of any other it returns what the limits
// leave of it, in a sentence; "": all. Before the first decision, and while another
// process leads, nothing is known, and everything fits.
func (s *Server) Fits(w *controller.Wish) (note string, err error) {
	switch w.Kind {
	case policy.WishDrain:
		return "", s.drains(w.Instance)
	case policy.WishFloor:
		return s.floors(w), nil
	}
	return "", nil
}

// drains returns an error for an instance that the fleet does not have.
func (s *Server) drains(instance string) error {
	if _, leads := s.Serving(); !leads {
		return nil
	}
	shown := s.Shown()
	var names []string
	for _, in := range shown.Instances {
		if in.Name == instance {
			return nil
		}
		if in.Name != "" {
			names = append(names, in.Name)
		}
	}
	return &controller.InvalidError{Reason: fmt.Sprintf("instance = %q: the fleet of the last decision (%s, instances %d) has no such one; its page lists them%s",
		instance, shown.Last.At.UTC().Format("15:04:05Z"), len(names), spell.DidYouMean(instance, names))}
}

// floors says what the guard and the caps make of a floor.
func (s *Server) floors(w *controller.Wish) string {
	g := s.limits()
	if w.Cores > g.CoresMax && g.CoresMax > 0 {
		return fmt.Sprintf("cores_max = %d: more cores than that the guard and the caps do not allow", g.CoresMax)
	}
	least := w.Instances // that come to so many cores
	if w.Cores > 0 {
		most := 0
		for i := range s.c.Env.Catalog.Types {
			if t := &s.c.Env.Catalog.Types[i]; w.Type == "" || w.Type == t.Name {
				most = max(most, t.Cores)
			}
		}
		least = (w.Cores + most - 1) / max(most, 1)
	}
	if least > g.FleetMax && g.FleetMax > 0 {
		return fmt.Sprintf("fleet_max = %d: more instances than that the guard and the caps do not allow", g.FleetMax)
	}
	return ""
}
