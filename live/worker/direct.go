package worker

import (
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// updateEvery bounds how often the supervisor is asked for another release.
const updateEvery = 5 * time.Second

// direct does what the queue says. Every answer says all of it: what it does not
// repeat is over, and what it repeats is not new.
func (w *Worker) direct(now time.Time, d api.Directive) {
	isNew := d != w.directive
	w.directive = d
	if w.draining != (d.Op == api.OpDrain) {
		w.draining = d.Op == api.OpDrain
		w.log.Info("directive", "op", d.Op, "reason", d.Reason)
	}
	switch d.Op {
	case api.OpNap:
		if isNew {
			w.napUntil = now.Add(time.Duration(d.AfterMS) * time.Millisecond)
		}
	case api.OpShutdown:
		if !w.shutdown {
			w.log.Info("directive: finish the jobs and end", "reason", d.Reason)
		}
		w.shutdown = true
	case api.OpUpdate:
		w.update(now, d)
	case api.OpReload:
		if isNew {
			w.reload(d)
		}
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
	types, err := w.Reload()
	if err != nil {
		w.log.Error("directive: the configuration cannot be read: the old one stays", "error", err, "reason", d.Reason)
		return
	}
	w.types = types
	w.log.Info("directive: configuration read again", "types", types, "reason", d.Reason)
}
