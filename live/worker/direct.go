package worker

import (
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// updateEvery bounds how often the supervisor is asked for another release.
const updateEvery = 5 * time.Second

// direct does what the queue says. Every answer says all of it: what it does not
// repeat is over.
func (w *Worker) direct(now time.Time, d api.Directive) {
	after := time.Duration(d.AfterMS) * time.Millisecond
	if w.draining != (d.Op == api.OpDrain) {
		w.draining = d.Op == api.OpDrain
		w.log.Info("directive", "op", d.Op, "reason", d.Reason)
	}
	switch d.Op {
	case api.OpNap:
		w.napUntil = now.Add(after)
	case api.OpShutdown:
		if !w.shutdown {
			w.log.Info("directive: finish the jobs and end", "reason", d.Reason)
		}
		w.shutdown = true
	case api.OpUpdate:
		w.update(now, d)
	case api.OpReload:
		w.reload(d)
	}
}

// update has the supervisor look for the release that the queue names. It is
// the supervisor who ends this worker, once the other one is there.
func (w *Worker) update(now time.Time, d api.Directive) {
	switch {
	case d.Bundle != "" && d.Bundle == w.Self.BundleVersion:
	case w.Update == nil:
		if w.updateAsked.IsZero() {
			w.log.Warn("directive: another release: this worker has no supervisor that could bring it", "release", d.Bundle)
		}
		w.updateAsked = now
	case w.updateAsked.IsZero() || now.Sub(w.updateAsked) >= updateEvery:
		w.updateAsked = now
		w.Update()
	}
}

// reload reads the configuration again.
func (w *Worker) reload(d api.Directive) {
	if w.Reload == nil {
		return
	}
	if err := w.Reload(); err != nil {
		w.log.Error("directive: the configuration cannot be read: the old one stays", "error", err, "reason", d.Reason)
		return
	}
	w.log.Info("directive: configuration read again", "reason", d.Reason)
}
