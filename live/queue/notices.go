package queue

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// takenBackFor is how long after its time a notice of EC2 is told to controllers:
// by then lists show that the instance is gone.
const takenBackFor = 30 * time.Minute

// noticed takes down that EC2 takes a worker's instance back, which its worker
// says with every call. It is not stored: a worker repeats it, and what one that
// has left said before a fail-over EC2's lists will show.
func (e *Engine) noticed(w *worker, at time.Time, now int64) {
	if at.IsZero() || e.at(now).Sub(at) > takenBackFor {
		return
	}
	if _, known := e.takenBack[w.InstanceID]; !known {
		e.log().Info("EC2 takes an instance back", "instance", w.InstanceID, "at", at)
		e.takenBack[w.InstanceID] = at.UTC()
	}
}

// noticesAt lists the instances that are taken back, and forgets old notices.
func (e *Engine) noticesAt(now int64) (all []api.TakenBack) {
	for id, at := range e.takenBack { // map order: sorted below
		if e.at(now).Sub(at) > takenBackFor {
			delete(e.takenBack, id)
			continue
		}
		all = append(all, api.TakenBack{InstanceID: id, At: at})
	}
	slices.SortFunc(all, func(a, b api.TakenBack) int { return cmp.Compare(a.InstanceID, b.InstanceID) })
	return all
}
