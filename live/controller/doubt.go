package controller

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// clockApart is how far the queue's clock and this one may be apart, and how old
// an answer of the queue may be.
const clockApart = time.Minute

// doubt returns why an answer of the queue is no reading of it, though it came
// without an error: it is old, or what only grows has shrunk since before. A queue
// whose clock goes on and is far from now leaves that in s.apart: one of the two
// machines has a wrong clock, and no age can be believed.
func (s *sight) doubt(o *api.Observed, now time.Time, before *api.Observed) error {
	last := s.queueSaid
	s.queueSaid = o.At
	if age := now.Sub(o.At); age.Abs() > clockApart {
		if !o.At.After(last) {
			return fmt.Errorf("the answer is of %s, %s ago", o.At.UTC().Format(time.RFC3339), age.Round(time.Second))
		}
		s.apart = fmt.Sprintf("the queue's clock says %s, this one %s", o.At.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		return fmt.Errorf("%s", s.apart)
	}
	if before == nil || before.Epoch != o.Epoch {
		return nil
	}
	if o.BusyS < before.BusyS {
		return fmt.Errorf("leases were held for %.0f s in all, and for %.0f s before", o.BusyS, before.BusyS)
	}
	kinds := make(map[kindKey]*api.ObservedKind, len(o.Kinds))
	for i := range o.Kinds {
		kinds[keyOf(&o.Kinds[i])] = &o.Kinds[i]
	}
	for i := range before.Kinds {
		was := &before.Kinds[i]
		is := kinds[keyOf(was)]
		if is == nil {
			is = &api.ObservedKind{}
		}
		if is.Arrived < was.Arrived || is.Completed < was.Completed {
			return fmt.Errorf("jobs of type %s, priority %d: %d arrived and %d completed, and before %d and %d",
				was.Type, was.Priority, is.Arrived, is.Completed, was.Arrived, was.Completed)
		}
	}
	return nil
}
