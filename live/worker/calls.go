package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// waitMax is how long a call for work stays open.
const waitMax = api.WaitMaxMS * time.Millisecond

// held names every job whose lease is to be kept, in the order of their ids.
func (w *Worker) held() []api.RunningJob {
	var held []api.RunningJob
	for _, t := range w.tasks {
		held = append(held, api.RunningJob{Job: t.job.ID, Token: t.job.Token})
	}
	slices.SortFunc(held, func(a, b api.RunningJob) int { return int(a.Job - b.Job) })
	return held
}

// tell returns the ends of jobs that no open call carries, at most as many as a
// call takes, and notes that one does.
func (w *Worker) tell() (done []api.DoneJob) {
	for _, t := range w.tasks {
		if t.stage == delivered && !t.told && len(done) < api.BatchMax {
			done = append(done, t.done)
			t.told = true
		}
	}
	slices.SortFunc(done, func(a, b api.DoneJob) int { return int(a.Job - b.Job) })
	return done
}

// untell notes that a call with ends of jobs may not have been heard.
func (w *Worker) untell(done []api.DoneJob) {
	for _, d := range done {
		if t := w.tasks[d.Job]; t != nil && t.job.Token == d.Token {
			t.told = false
		}
	}
}

// register introduces the worker to the queue, with a new token if the old one
// is taken no more.
func (w *Worker) register(ctx context.Context) {
	w.registering = true
	r := w.Self
	r.Running, r.APIVersion, r.Types = w.held(), api.Version, w.types
	renew := w.needToken
	if r.Boot != nil && w.session != "" || !w.firstHeard.IsZero() {
		r.Boot = nil // told already
	}
	go func() {
		var answer api.RegisterResponse
		var err error
		if renew {
			err = w.Authenticate(ctx)
		}
		if err == nil {
			answer, err = w.Queue.Register(ctx, r)
		}
		w.do(ctx, func() { w.registered(ctx, answer, err) })
	}()
}

func (w *Worker) registered(ctx context.Context, r api.RegisterResponse, err error) {
	w.registering = false
	if err != nil {
		w.missed(ctx, "register", err)
		return
	}
	now := time.Now()
	w.needToken = false
	w.heard(now)
	w.session, w.id = r.Session, r.WorkerID
	w.poll = nil // it carries the old session
	for _, t := range w.tasks {
		t.told = false
	}
	if r.HeartbeatEveryMS > 0 {
		w.beatEvery = time.Duration(r.HeartbeatEveryMS) * time.Millisecond
	}
	w.nextBeat = now.Add(w.beatEvery)
	w.lose(r.Lost)
	w.log.Info("registered", "worker", r.WorkerID, "slots", w.Self.Slots, "types", w.types, "held", len(w.tasks))
}

// ask makes the call that reports what is done, says what runs, and asks for
// more, if the worker may lease, or for word alone. One that was not answered is
// repeated as it was: the queue knows it by its name and hands out nothing twice.
func (w *Worker) ask(ctx context.Context, leases bool) {
	w.polling = true
	if w.poll == nil {
		free := 0
		if leases {
			free = w.free()
		}
		w.calls++
		w.poll = &api.WorkRequest{
			Session: w.session, ReqID: fmt.Sprintf("%s-%d", w.nonce, w.calls), Seq: w.calls, WaitMS: waitMax.Milliseconds(),
			Types: w.types, SlotsFree: free, BundleVersion: w.Self.BundleVersion, Release: w.Self.Release,
			BadReleases: w.Self.BadReleases, Load: w.load(), TakenBackAt: w.takenBackAt, Running: w.held(), Done: w.tell(),
		}
	}
	w.nextBeat = time.Now().Add(w.beatEvery)
	request := *w.poll
	started := time.Now()
	go func() {
		// the call ends by itself; one that hangs is as good as lost
		bounded, cancel := context.WithTimeout(ctx, waitMax+15*time.Second)
		defer cancel()
		answer, err := w.Queue.Work(bounded, request)
		w.do(ctx, func() { w.asked(ctx, request, answer, err, time.Since(started)) })
	}()
}

func (w *Worker) asked(ctx context.Context, request api.WorkRequest, r api.WorkResponse, err error, took time.Duration) {
	w.polling = false
	if err != nil {
		if request.Session == w.session {
			w.missed(ctx, "work", err)
		}
		return // the request stays, and is repeated
	}
	w.poll = nil
	now := time.Now()
	w.heard(now)
	if w.firstHeard.IsZero() {
		w.firstHeard = now
	}
	w.beatWithin(now, r.NextBeatMS)
	w.acknowledge(request.Done, r.Acks)
	w.lose(r.Lost)
	w.cancel(r.Cancel)
	for _, job := range r.Jobs {
		w.begin(ctx, job)
		if w.ending != nil {
			w.tasks[job.ID].stop(errReleased) // it came while the worker was ordered to end
		}
	}
	w.direct(now, r.Directive)
	if took < hasty && len(r.Jobs)+len(r.Acks)+len(r.Lost)+len(r.Cancel) == 0 {
		w.napUntil = later(w.napUntil, now.Add(hastyPause)) // the next answer would be the same at once
	}
}

// A call for work that is answered within hasty, and with nothing, is followed
// by a pause.
const (
	hasty      = 20 * time.Millisecond
	hastyPause = 500 * time.Millisecond
)

// load returns the load average, or 0 where it is not known.
func (w *Worker) load() float64 {
	if w.Load == nil {
		return 0
	}
	return w.Load()
}

// beat says that the worker lives, and what it runs.
func (w *Worker) beat(ctx context.Context) {
	w.beating = true
	w.nextBeat = time.Now().Add(w.beatEvery)
	w.calls++
	r := api.HeartbeatRequest{
		Session: w.session, Seq: w.calls, SlotsFree: w.free(), BundleVersion: w.Self.BundleVersion, Load: w.load(), TakenBackAt: w.takenBackAt, Running: w.held(),
	}
	go func() {
		bounded, cancel := context.WithTimeout(ctx, w.beatEvery)
		defer cancel()
		answer, err := w.Queue.Heartbeat(bounded, r)
		w.do(ctx, func() {
			w.beating = false
			if err != nil {
				if r.Session == w.session {
					w.missed(ctx, "heartbeat", err)
				}
				return
			}
			now := time.Now()
			w.heard(now)
			w.beatWithin(now, answer.NextBeatMS)
			w.lose(answer.Lost)
			w.cancel(answer.Cancel)
			w.direct(now, answer.Directive)
		})
	}()
}

// report tells of jobs that ended, while the call for work is open or none may
// be made.
func (w *Worker) report(ctx context.Context) {
	w.reporting = true
	r := api.CompleteRequest{Session: w.session, Done: w.tell()}
	go func() {
		bounded, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		answer, err := w.Queue.Complete(bounded, r)
		w.do(ctx, func() {
			w.reporting = false
			var refusal *api.Error
			if errors.As(err, &refusal) && refusal.Code == api.CodeStale {
				w.heard(time.Now())
				w.acknowledge(r.Done, allStale(r.Done))
				return
			}
			if err != nil {
				w.untell(r.Done)
				if r.Session == w.session {
					w.missed(ctx, "complete", err)
				}
				return
			}
			w.heard(time.Now())
			w.acknowledge(r.Done, answer.Acks)
		})
	}()
}

func allStale(done []api.DoneJob) (acks []api.Ack) {
	for _, d := range done {
		acks = append(acks, api.Ack{Job: d.Job, Status: api.AckStale})
	}
	return acks
}

// beatWithin notes when the queue wants to hear of the worker again.
func (w *Worker) beatWithin(now time.Time, ms int64) {
	if ms > 0 {
		w.nextBeat = now.Add(min(w.beatEvery, time.Duration(ms)*time.Millisecond))
	}
}

// acknowledge takes the queue's word about jobs that ended. What it does not
// mention is told again.
func (w *Worker) acknowledge(done []api.DoneJob, acks []api.Ack) {
	w.untell(done)
	for _, d := range done {
		t := w.tasks[d.Job]
		i := slices.IndexFunc(acks, func(a api.Ack) bool { return a.Job == d.Job })
		if t == nil || t.job.Token != d.Token || i < 0 {
			continue
		}
		switch acks[i].Status {
		case api.AckStale:
			w.log.Warn("a job ended here after its lease: another attempt counts", "job", d.Job, "outcome", d.Outcome, "result", d.ResultURI)
		default:
			if d.Outcome == api.OutcomeOK {
				w.doneJobs++
			}
			w.log.Debug("job reported", "job", d.Job, "outcome", d.Outcome)
		}
		w.forget(t, nil)
	}
}

// lose ends jobs whose leases are gone. Nothing of them is reported.
func (w *Worker) lose(jobs []int64) {
	for _, job := range jobs {
		t := w.tasks[job]
		switch {
		case t == nil:
			continue
		case t.stage == delivered:
			// most likely the queue has heard of its end, and its answer was lost
			w.log.Info("the queue has no lease for a job that ended here", "job", job, "outcome", t.done.Outcome, "result", t.done.ResultURI)
		default:
			w.log.Warn("lease lost: another attempt counts", "job", job)
		}
		w.forget(t, errLost)
	}
}

// cancel stops jobs that nobody wants any more.
func (w *Worker) cancel(jobs []int64) {
	for _, job := range jobs {
		t := w.tasks[job]
		switch {
		case t == nil:
		case t.stage == running:
			t.stop(errCancelled)
		case t.stage == finished && !t.delivering:
			w.drop(t)
			w.ended(t, api.DoneJob{Outcome: api.OutcomeCancelled, Metrics: t.done.Metrics})
		}
	}
}
