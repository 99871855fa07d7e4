package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/results"
)

// A stage is how far a job is.
type stage int

const (
	running   stage = iota // in its handler
	finished               // well; its result is on its way to the store
	delivered              // it has ended, well or not; the queue has to hear of it
)

// A task is a leased job.
type task struct {
	job   api.LeasedJob
	key   results.Key
	stage stage
	stop  context.CancelCauseFunc // of the handler

	entry      results.Entry // of a finished job
	delivering bool
	delayed    bool // the store has refused the result so far
	trouble    backoff

	done api.DoneJob // of a delivered one
	told bool        // an open call carries done
}

// Why a handler is stopped.
var (
	errLost      = errors.New("the lease was lost")
	errCancelled = errors.New("the queue cancelled the job")
	errReleased  = errors.New("the worker ends before the job")
	errDeadline  = errors.New("the job's time is over")
)

// errOwn is in the chain of errors that are this machine's, not the job's.
var errOwn = errors.New("this worker is out of order")

// own reports whether an error is this machine's.
func own(err error) bool { return errors.Is(err, errOwn) || errors.Is(err, syscall.ENOSPC) }

// prepare makes the folders that a job needs.
func (w *Worker) prepare(t *task) (dir, scratch string, err error) {
	scratch = filepath.Join(w.Scratch, t.key.Job+"."+t.key.Token)
	dir, err = w.Outbox.Begin(t.key)
	if err == nil {
		err = os.RemoveAll(scratch)
	}
	if err == nil {
		err = os.MkdirAll(scratch, 0o700)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errOwn, err)
	}
	return dir, scratch, err
}

// keyOf returns the name of a job's result.
func keyOf(job int64, token uint64) results.Key {
	return results.Key{Job: strconv.FormatInt(job, 10), Token: strconv.FormatUint(token, 10)}
}

// begin runs a job in a goroutine of its own.
func (w *Worker) begin(ctx context.Context, job api.LeasedJob) {
	if old, have := w.tasks[job.ID]; have {
		if old.job.Token == job.Token {
			return // a repeated answer
		}
		w.forget(old, errLost) // a newer lease of the same job: the old one is over
	}
	t := &task{job: job, key: keyOf(job.ID, job.Token)}
	w.tasks[job.ID] = t
	runCtx, stop := context.WithCancelCause(ctx)
	t.stop = stop
	cancel := func() {}
	if job.DeadlineMS > 0 {
		runCtx, cancel = context.WithTimeoutCause(runCtx, time.Duration(job.DeadlineMS)*time.Millisecond, errDeadline)
	}
	w.log.Debug("job started", "job", job.ID, "type", job.Type, "attempt", job.Attempt)
	go func() {
		started := time.Now()
		r, err := w.handle(runCtx, t)
		cause := context.Cause(runCtx)
		took := time.Since(started)
		cancel()
		w.do(ctx, func() { w.handled(t, r, err, cause, took) })
	}()
}

// handle does a job, and has its result in the outbox if it ends well.
func (w *Worker) handle(ctx context.Context, t *task) (r handler.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
			w.log.Error("handler panicked", "job", t.job.ID, "type", t.job.Type, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	dir, scratch, err := w.prepare(t)
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(scratch)
	return w.Do(ctx, handler.Job{
		ID: t.job.ID, Token: t.job.Token, Attempt: t.job.Attempt, Type: t.job.Type, Args: t.job.Args,
	}, dir, scratch)
}

// handled takes what a handler came to.
func (w *Worker) handled(t *task, r handler.Result, err, cause error, took time.Duration) {
	if w.tasks[t.job.ID] != t {
		w.drop(t) // lost meanwhile
		return
	}
	metrics := &api.Metrics{
		RunS: took.Seconds(), CPUS: r.CPU.Seconds(), BytesIn: r.BytesIn, BytesOut: r.BytesOut, PeakMemoryBytes: r.MemoryPeak,
	}
	log := w.log.With("job", t.job.ID, "type", t.job.Type, "attempt", t.job.Attempt, "took", took.Round(time.Millisecond))
	switch {
	case errors.Is(cause, errCancelled):
		w.ended(t, api.DoneJob{Outcome: api.OutcomeCancelled, Metrics: metrics})
	case err == nil: // also of a job that was to be given back: it made it
		w.store(t, r, metrics, log)
	case own(err):
		w.outOfOrder(t, err, metrics, log)
	case errors.Is(cause, errReleased):
		w.ended(t, api.DoneJob{Outcome: api.OutcomeReleased, Metrics: metrics})
	default:
		if errors.Is(cause, errDeadline) {
			err = fmt.Errorf("%w: %w", errDeadline, err)
		}
		log.Warn("job failed", "error", err)
		w.ended(t, api.DoneJob{
			Outcome: api.OutcomeError, Error: short(err.Error()), Final: errors.Is(err, handler.ErrFinal), Metrics: metrics,
		})
	}
}

// short cuts a message to what the queue keeps.
func short(message string) string {
	if len(message) > api.ErrorMax {
		message = message[:api.ErrorMax]
	}
	return message
}

// store keeps a result until the store and the queue have it.
func (w *Worker) store(t *task, r handler.Result, metrics *api.Metrics, log *slog.Logger) {
	report, err := json.Marshal(metrics)
	if err == nil {
		t.entry = results.Entry{Key: t.key, Files: r.Files, PutTo: t.job.ResultPut, Report: report, BootID: w.Self.BootID}
		err = w.Outbox.Add(t.entry)
	}
	switch {
	case err == nil:
		w.own = backoff{}
		t.stage, t.done.Metrics = finished, metrics
	case errors.Is(err, results.ErrTooLarge): // given back, it would come here again and again
		log.Warn("job failed", "error", err)
		w.ended(t, api.DoneJob{Outcome: api.OutcomeError, Error: short(err.Error()), Metrics: metrics})
	default:
		w.outOfOrder(t, err, metrics, log)
	}
}

// outOfOrder gives a job back that this machine could not do, and pauses: a
// worker that fails whatever it is given would soon have failed everything.
func (w *Worker) outOfOrder(t *task, err error, metrics *api.Metrics, log *slog.Logger) {
	w.own.again(time.Now(), pauseOwn, 0, w.Chance)
	log.Error("the job goes back: this worker is out of order", "error", err, "pause", time.Until(w.own.until).Round(time.Millisecond))
	w.ended(t, api.DoneJob{Outcome: api.OutcomeReleased, Metrics: metrics})
}

// ended notes how an attempt ended. The queue hears of it with the next call.
func (w *Worker) ended(t *task, done api.DoneJob) {
	done.Job, done.Token = t.job.ID, t.job.Token
	t.stage, t.done = delivered, done
}

// drop removes what is kept of a job.
func (w *Worker) drop(t *task) {
	if err := w.Outbox.Drop(t.key); err != nil {
		w.log.Error("cannot remove a result", "job", t.job.ID, "error", err)
	}
}

// forget ends a job of which nothing is to be reported.
func (w *Worker) forget(t *task, cause error) {
	if w.tasks[t.job.ID] == t {
		delete(w.tasks, t.job.ID)
	}
	if t.stop != nil {
		t.stop(cause)
	}
	if t.stage != running { // of a running one the handler's end drops it
		w.drop(t)
	}
}
