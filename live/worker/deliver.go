package worker

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/results"
)

// deliver brings a finished result to the store, in a goroutine of its own.
func (w *Worker) deliver(ctx context.Context, t *task, now time.Time) {
	if t.stage != finished || t.delivering || t.trouble.waits(now) {
		return
	}
	t.delivering = true
	store := w.Store
	if t.entry.PutTo != "" {
		store = w.Presigned(t.entry.PutTo)
	}
	go func() {
		uri, err := store.Put(ctx, t.key, w.Outbox.Dir(t.key), t.entry.Files)
		w.do(ctx, func() { w.put(t, uri, err) })
	}()
}

// put takes what the store answered.
func (w *Worker) put(t *task, uri string, err error) {
	t.delivering = false
	if w.tasks[t.job.ID] != t {
		w.drop(t) // lost meanwhile
		return
	}
	done := api.DoneJob{Outcome: api.OutcomeOK, ResultURI: uri, Metrics: t.done.Metrics}
	switch {
	case err == nil:
	case errors.Is(err, results.ErrOther), errors.Is(err, results.ErrRefused):
		w.log.Error("the store will never take this result", "job", t.job.ID, "error", err)
		done = api.DoneJob{Outcome: api.OutcomeError, Error: short(err.Error()), Metrics: t.done.Metrics}
	default:
		t.trouble.again(time.Now(), pauseLast, 0, w.Chance)
		if !t.delayed {
			used, most := w.Outbox.Used()
			w.log.Warn("the store takes no result: it waits here, and no new work is taken", "job", t.job.ID, "error", err, "kept_bytes", used, "kept_max", most)
		}
		t.delayed = true
		return
	}
	if t.delayed {
		w.log.Info("the store has taken a result that waited", "job", t.job.ID)
	}
	t.delayed = false
	w.ended(t, done)
}

// adoptLeft makes tasks of the results that an earlier worker left, so that
// they are announced, delivered and reported like its own. The worker takes the
// earlier one's boot id: to the queue it is the same, and keeps its leases.
func (w *Worker) adoptLeft() {
	for _, e := range w.Left {
		if e.BootID != "" {
			w.Self.BootID = e.BootID
		}
		job, err := strconv.ParseInt(e.Key.Job, 10, 64)
		token, err2 := strconv.ParseUint(e.Key.Token, 10, 64)
		if errors.Join(err, err2) != nil {
			w.drop(&task{key: e.Key}) // not of a worker
			continue
		}
		t := &task{job: api.LeasedJob{ID: job, Token: token, ResultPut: e.PutTo}, key: e.Key, stage: finished, entry: e}
		var metrics api.Metrics
		if json.Unmarshal(e.Report, &metrics) == nil {
			t.done.Metrics = &metrics
		}
		if old, have := w.tasks[job]; have {
			if old.job.Token > token {
				w.drop(t)
				continue
			}
			w.drop(old)
		}
		w.tasks[job] = t
		w.log.Info("a result was left here by an earlier worker", "job", job)
	}
}
