package worker

import (
	"context"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// goodbyeTime bounds the last call.
const goodbyeTime = 3 * time.Second

// order takes an order to end. Of two, the one with less time counts.
func (w *Worker) order(o Order) {
	if !o.TakenBackAt.IsZero() && w.takenBackAt.IsZero() {
		w.takenBackAt, w.nextBeat = o.TakenBackAt, time.Time{} // at once, if there is a job to finish first
	}
	by := time.Time{}
	if o.Within > 0 {
		by = time.Now().Add(o.Within)
	}
	if w.ending == nil || w.endBy.IsZero() && !by.IsZero() || !by.IsZero() && by.Before(w.endBy) {
		w.log.Info("ordered to end: no new work is taken", "reason", o.Reason, "within", o.Within, "jobs", len(w.tasks))
		w.ending, w.endBy = &o, by
	}
}

// hurryUp stops the jobs that a worker in a hurry has no time for. It leaves
// time to tell the queue.
func (w *Worker) hurryUp(now time.Time) {
	if w.endBy.IsZero() || now.Before(w.endBy) {
		return
	}
	for _, t := range w.tasks {
		if t.stage == running {
			t.stop(errReleased)
		}
	}
}

// over reports whether the worker has nothing left to do here.
func (w *Worker) over() bool {
	if w.ending == nil && !w.shutdown {
		return false
	}
	if !w.endBy.IsZero() && time.Since(w.endBy) > patience {
		return true // whatever still runs does not listen
	}
	if len(w.tasks) == 0 {
		return !w.polling || w.ending != nil || w.session == ""
	}
	if w.session == "" && w.ending != nil && !w.endBy.IsZero() && !time.Now().Before(w.endBy) {
		return w.count(running) == 0 // there is no queue to tell
	}
	if w.ending != nil && w.ending.Stay {
		// the successor delivers what the disk keeps
		return w.count(running) == 0 && w.finished(false) == 0
	}
	// past its time a worker waits for no store, and for a queue only a moment
	return !w.endBy.IsZero() && time.Since(w.endBy) > patience/2 && w.count(running) == 0
}

// patience is how long a worker goes on past its time, to stop what runs and to
// tell the queue.
const patience = 4 * time.Second

// count returns how many jobs are at a stage.
func (w *Worker) count(at stage) (n int) {
	for _, t := range w.tasks {
		if t.stage == at {
			n++
		}
	}
	return n
}

// goodbye gives back what is left and takes leave of the queue.
func (w *Worker) goodbye(ctx context.Context) {
	stays := w.ending != nil && w.ending.Stay && len(w.tasks) > 0
	if w.session == "" || w.failure != nil || stays {
		return
	}
	reason := "shutdown"
	if w.ending != nil {
		reason = w.ending.Reason
	}
	bounded, cancel := context.WithTimeout(ctx, goodbyeTime)
	defer cancel()
	answer, err := w.Queue.Goodbye(bounded, w.id, api.GoodbyeRequest{Session: w.session, Reason: reason, TakenBackAt: w.takenBackAt})
	if err != nil {
		w.log.Warn("left without a goodbye: leases end by themselves", "error", err)
		return
	}
	w.log.Info("goodbye", "reason", reason, "released", len(answer.Released))
	for _, t := range w.tasks {
		w.drop(t) // given back
	}
}

// deadMan acts for a worker that nobody has spoken to for long: it may be all
// that an instance does, and the instance costs money. It acts again as long as
// that does not help.
func (w *Worker) deadMan(now time.Time) {
	if w.OrphanAfter <= 0 || now.Before(w.orphanAt()) || w.count(running) > 0 {
		return
	}
	w.orphaned = now
	w.Orphan("no word from the queue for " + now.Sub(w.lastHeard).Round(time.Second).String())
}

// orphanAt returns when the worker is an orphan, or is told so again.
func (w *Worker) orphanAt() time.Time { return later(w.lastHeard, w.orphaned).Add(w.OrphanAfter) }
