package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
)

// worker speaks a worker's part of the protocol, one call after the other, and
// misbehaves.
type worker struct {
	*run
	who         int
	draw        *rand.Rand
	slots       int
	boots       int
	seq         int64  // of the calls that say what runs
	name        string // of this boot
	id, session string
	held        []*held       // jobs that run
	ended       []api.DoneJob // not acknowledged
}

// held is a job that a worker runs.
type held struct {
	attempt *Attempt
	until   time.Duration // when its work is done
}

func newWorker(r *run, who int) *worker {
	w := &worker{run: r, who: who, draw: r.draws(1000 + who)}
	w.slots = 1 + w.draw.IntN(4)
	w.boot()
	return w
}

// boot makes a new process of the worker: it knows nothing of the one before.
func (w *worker) boot() {
	w.boots++
	w.name, w.session, w.held, w.ended = fmt.Sprintf("i-%d.%d", w.who, w.boots), "", nil, nil
}

// deeds are what a worker may do next, of a thousand times.
var deeds = []struct {
	share int
	do    func(*worker, context.Context)
}{
	{8, (*worker).die},
	{6, (*worker).dieAsking},
	{6, (*worker).stall},
	{6, (*worker).leave},
	{8, (*worker).restart},
	{60, (*worker).beat},
	{100, (*worker).complete},
}

// live works until the run is over.
func (w *worker) live(ctx context.Context) {
	for !w.isOver(ctx) {
		if w.session == "" && !w.register(ctx) {
			pause(ctx, 20*time.Millisecond)
			continue
		}
		do := (*worker).work
		if !w.calm() {
			drawn := w.draw.IntN(1000)
			for _, d := range deeds {
				if drawn -= d.share; drawn < 0 {
					do = d.do
					break
				}
			}
		}
		do(w, ctx)
	}
}

func (w *worker) register(ctx context.Context) bool {
	w.call()
	answer, err := w.Worker.Register(ctx, api.RegisterRequest{
		InstanceID: fmt.Sprintf("i-%d", w.who), InstanceType: "c7i.large", Slots: w.slots, Cluster: w.Cluster, BootID: w.name, Running: w.running(),
	})
	if err != nil {
		return false
	}
	w.id, w.session = answer.WorkerID, answer.Session
	return true
}

// die ends the worker without a word.
func (w *worker) die(context.Context) { w.boot() }

// dieAsking ends the worker in the middle of a call for work.
func (w *worker) dieAsking(ctx context.Context) {
	w.call()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(w.draw.Int64N(int64(20*time.Millisecond))))
	defer cancel()
	w.Worker.RetryFor(0).Work(ctx, api.WorkRequest{Session: w.session, Seq: w.next(), ReqID: client.NewKey(), WaitMS: 100, SlotsFree: w.slots, Running: w.running()})
	w.boot()
}

// stall makes the worker silent, mostly for longer than its leases last. It
// wakes up and goes on as if nothing had been.
func (w *worker) stall(ctx context.Context) {
	pause(ctx, w.LeaseTTL/2+time.Duration(w.draw.Int64N(int64(w.LeaseTTL))))
}

// leave says goodbye; what it runs goes back.
func (w *worker) leave(ctx context.Context) {
	w.letGo(w.held, w.call())
	w.Worker.Goodbye(ctx, w.id, api.GoodbyeRequest{Session: w.session, Reason: "torture"})
	w.boot()
}

// restart registers the same boot once more: it keeps its leases.
func (w *worker) restart(context.Context) { w.session = "" }

// beat says what runs, and nothing else.
func (w *worker) beat(ctx context.Context) {
	named, sent := slices.Clone(w.held), w.call()
	answer, err := w.Worker.Heartbeat(ctx, api.HeartbeatRequest{Session: w.session, Seq: w.next(), Running: w.running()})
	if w.failed(ctx, err) {
		return
	}
	w.heard(named, sent, answer.Lost)
}

// complete reports what ended on a call of its own, perhaps a second time.
func (w *worker) complete(ctx context.Context) {
	w.end()
	if len(w.ended) == 0 {
		return
	}
	reported := slices.Clone(w.ended)
	for range 1 + w.draw.IntN(2) {
		sent := w.call()
		answer, err := w.Worker.Complete(ctx, api.CompleteRequest{Session: w.session, Done: reported})
		w.acknowledged(reported, sent, answer.Acks, err)
		if w.failed(ctx, err) {
			return
		}
	}
}

// work is the one call of a worker's life.
func (w *worker) work(ctx context.Context) {
	w.end()
	reported, named := slices.Clone(w.ended), slices.Clone(w.held)
	ask := api.WorkRequest{
		Session: w.session, Seq: w.next(), ReqID: client.NewKey(), SlotsFree: max(0, w.slots-len(w.held)), Running: w.running(), Done: reported,
		WaitMS: 1 + w.draw.Int64N(4*w.Pace.Milliseconds()),
	}
	sent := w.call()
	answer, err := w.Worker.Work(ctx, ask)
	w.acknowledged(reported, sent, answer.Acks, err)
	if w.failed(ctx, err) {
		return
	}
	w.heard(named, sent, answer.Lost)
	now := w.now()
	for _, j := range answer.Jobs {
		a := &Attempt{Job: j.ID, Token: j.Token, Worker: w.name, Sent: sent, Heard: now, LetGo: never}
		w.handed(a)
		w.held = append(w.held, &held{a, now + w.takes()})
	}
}

// takes returns how long a job runs.
func (w *worker) takes() time.Duration {
	if w.draw.IntN(20) == 0 {
		return w.LeaseTTL / 3
	}
	return time.Duration(w.draw.Int64N(int64(2 * w.Pace)))
}

// next numbers the calls that say what runs.
func (w *worker) next() int64 {
	w.seq++
	return w.seq
}

// running names the jobs that run.
func (w *worker) running() []api.RunningJob {
	all := make([]api.RunningJob, len(w.held))
	for i, h := range w.held {
		all[i] = api.RunningJob{Job: h.attempt.Job, Token: h.attempt.Token}
	}
	return all
}

// end ends the jobs whose work is done. Their outcome is to be reported.
func (w *worker) end() {
	now := w.now()
	var over []*held
	for _, h := range w.held {
		if h.until <= now {
			over = append(over, h)
		}
	}
	w.letGo(over, now)
	for _, h := range over {
		a := h.attempt
		done := api.DoneJob{Job: a.Job, Token: a.Token, Outcome: api.OutcomeOK, ResultURI: result(a.Job, a.Token, a.Worker)}
		if drawn := w.draw.IntN(100); !w.calm() && drawn < 5 {
			done.ResultURI = ""
			switch drawn {
			case 0, 1:
				done.Outcome = api.OutcomeReleased
			default:
				done.Outcome, done.Error, done.Final = api.OutcomeError, "torture", drawn == 4
			}
		}
		w.ended = append(w.ended, done)
	}
}

// letGo takes jobs from those that run: the lease may end from then on.
func (w *worker) letGo(these []*held, at time.Duration) {
	for _, h := range these {
		h.attempt.LetGo = min(h.attempt.LetGo, at)
	}
	w.held = slices.DeleteFunc(w.held, func(h *held) bool { return slices.Contains(these, h) })
}

// failed reports whether a call brought no answer. A session that is not known
// any more is given up.
func (w *worker) failed(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	if client.IsCode(err, api.CodeUnknownSession) {
		w.session = ""
	}
	pause(ctx, 10*time.Millisecond)
	return true
}

// heard records the answer to the naming of jobs. Of those it lost, a worker
// stops most; it goes on with some, as one does whose clock or disk hung.
func (w *worker) heard(named []*held, sent time.Duration, lost []int64) {
	var over []*held
	for _, h := range named {
		gone := slices.Contains(lost, h.attempt.Job)
		h.attempt.Named = append(h.attempt.Named, Naming{sent, gone})
		if gone && (w.calm() || w.draw.IntN(3) > 0) {
			over = append(over, h)
		}
	}
	w.letGo(over, w.now())
}

// acknowledged records the words about jobs that ended, and drops those that
// were answered.
func (w *worker) acknowledged(said []api.DoneJob, sent time.Duration, acks []api.Ack, err error) {
	now := w.now()
	for i, d := range said {
		word := Word{Job: d.Job, Token: d.Token, Outcome: d.Outcome, Sent: sent, Heard: now}
		if err == nil && i < len(acks) {
			word.Status = acks[i].Status
			w.ended = slices.DeleteFunc(w.ended, func(e api.DoneJob) bool { return e.Job == d.Job && e.Token == d.Token })
		}
		w.said(word)
	}
}
