//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// stay watches over a worker: its words, its end, its trial's, and the channel.
func (s *Supervisor) stay(ctx context.Context, child *child, number int64, trial bool, log *slog.Logger) (end, error) {
	w := &watch{Supervisor: s, child: child, number: number, trial: trial, log: log, began: time.Now(), works: child.healthy, proof: time.NewTimer(s.TrialMax)}
	defer w.proof.Stop()
	looks := time.NewTicker(s.Look)
	defer looks.Stop()
	done := ctx.Done()
	for {
		select {
		case <-done:
			done, w.stopping = nil, true
			w.hurry()
		case <-w.kill:
			log.Warn("killed: it took too long to end", "after", s.StopMax)
			child.kill()
		case <-w.works:
			w.proved()
		case word := <-child.words:
			w.hear(ctx, word)
		case <-looks.C:
			w.replace(ctx)
		case <-w.proof.C:
			if closed(w.works) || len(child.words) > 0 { // said while a slow store was looked at
				w.proof.Reset(time.Millisecond)
			} else if w.trial && !w.stopping {
				w.fail()
				return replaced, nil
			}
		case err := <-child.ended:
			return w.ended(err), nil
		}
	}
}

// A watch is that of a supervisor over one worker.
type watch struct {
	*Supervisor
	child  *child
	number int64 // of its release
	log    *slog.Logger
	began  time.Time
	works  <-chan struct{}  // closed once it has said that it works, until that is noted
	proof  *time.Timer      // until it must have
	kill   <-chan time.Time // when a worker that was asked to be quick is killed

	trial    bool  // it has not proved itself
	stopping bool  // it is to end, and the supervisor with it
	next     int64 // the release that it is to end for; 0: none
}

// hurry has the worker end soon.
func (w *watch) hurry() {
	w.child.hurry()
	w.kill = time.After(w.StopMax)
}

// proved notes that the worker works.
func (w *watch) proved() {
	w.works = nil
	if w.trial {
		w.trial = false
		w.Supervisor.proved(w.number, w.log)
	}
}

// hear acts on a word of the worker's.
func (w *watch) hear(ctx context.Context, word string) {
	switch {
	case word == wordAway && w.trial && time.Since(w.began) < w.AwayMax:
		w.proof.Reset(w.TrialMax)
	case word == wordLook:
		w.replace(ctx)
	}
}

// replace looks at the channel, and has the worker end if it names another
// release.
func (w *watch) replace(ctx context.Context) {
	if w.next != 0 || w.stopping {
		return
	}
	want := w.look(ctx)
	if want == 0 || want == w.number {
		return
	}
	w.next = want
	if w.seen.Now {
		w.hurry()
	} else {
		w.child.drain()
	}
	w.log.Info("another release: the worker finishes its jobs and ends", "next", want, "now", w.seen.Now)
}

// fail ends the worker, which took too long to prove itself.
func (w *watch) fail() {
	w.log.Warn("killed: the release did not prove itself", "after", w.TrialMax)
	w.child.kill()
	<-w.child.ended
	w.failed(w.number, fmt.Sprintf("it did not prove itself within %v", w.TrialMax), false)
}

// ended says what the worker's end means.
func (w *watch) ended(err error) end {
	w.child.kill() // what it left behind
	if closed(w.works) {
		w.proved()
	}
	switch {
	case w.stopping:
		return told
	case w.next != 0:
		w.log.Info("worker ended", "next", w.next)
		return replaced
	case w.trial:
		why := "it ended"
		if err != nil {
			why = err.Error()
		}
		w.log.Error("the release failed its trial", "error", why)
		w.failed(w.number, why, true)
		return replaced
	case err == nil:
		return told
	}
	w.log.Error("worker ended", "error", err)
	return crashed
}

// closed reports whether c is closed; a nil one is not.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
