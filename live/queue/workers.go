package queue

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// sessionHash is what the queue keeps of a session, which is a secret.
type sessionHash [sha256.Size]byte

func hashSession(s string) sessionHash { return sha256.Sum256([]byte(s)) }

// worker is a process that asks for work.
type worker struct {
	storedWorker
	seen      int64   // when it was last heard of
	busy      int     // leases
	idle      []int64 // since when the slots without one are idle, ascending
	load      float64
	drains    bool          // it takes no more and ends
	ready     int64         // slots that count as ready
	directive api.Directive // it was last told
	seq       int64         // the greatest of its session's calls
	replies   [4]*reply     // to its latest calls that got jobs or acknowledgements, the newest first
	parked    []*parkedCall
}

// storedWorker is what the store keeps of a worker.
type storedWorker struct {
	api.RegisterRequest
	ID           string      `json:"worker_id"`
	SessionHash  sessionHash `json:"session_hash"`
	RegisteredAt time.Time   `json:"registered_at"`
	Completed    int64       `json:"completed"`
	Failed       int64       `json:"failed"`
}

func (e *Engine) noteWorker(w *worker) error {
	text, err := json.Marshal(&w.storedWorker)
	if err != nil {
		return err
	}
	e.noteFact("worker", w.ID, text)
	return nil
}

// Register admits a worker. One that comes again with its boot id keeps its
// name and its leases and gets a new session.
func (e *Engine) Register(ctx context.Context, r api.RegisterRequest) (api.RegisterResponse, error) {
	if r.Cluster != e.opt.Cluster {
		return api.RegisterResponse{}, refuse(api.CodeWrongCluster, "cluster", "cluster %q: this queue is of cluster %q", r.Cluster, e.opt.Cluster)
	}
	problem := cmp.Or(
		checkName("instance_id", r.InstanceID, 1), checkName("instance_type", r.InstanceType, 0), checkName("boot_id", r.BootID, 1),
		checkName("market", r.Market, 0), checkName("zone", r.Zone, 0), checkName("bundle_version", r.BundleVersion, 0),
		checkNumber("slots", r.Slots, 1, 1000), checkNumber("types", len(r.Types), 0, api.BatchMax), checkNumber("roles", len(r.Roles), 0, 100),
	)
	for _, t := range r.Types {
		problem = cmp.Or(problem, checkName("types", t, 1))
	}
	for _, t := range r.Roles {
		problem = cmp.Or(problem, checkName("roles", t, 1))
	}
	if problem != nil {
		return api.RegisterResponse{}, problem
	}
	if err := e.enter(ctx); err != nil {
		return api.RegisterResponse{}, err
	}
	now := e.clock.now()
	w := e.booted(r.InstanceID, r.BootID)
	if w == nil {
		w = newWorker()
		w.ID = "w" + strconv.FormatInt(e.newNumber(), 36)
		w.RegisteredAt = e.at(now)
		e.workers[w.ID] = w
	} else {
		delete(e.sessions, w.SessionHash)
		w.replies = [4]*reply{}
	}
	session := rand.Text()
	claims := r.Running
	r.Running = nil
	w.RegisterRequest, w.SessionHash, w.seen = r, hashSession(session), now
	w.seq = 0
	e.sessions[w.SessionHash] = w
	w.countIdle(now)
	e.recount(w, now)
	err := e.noteWorker(w)
	e.redirectOne(w, now) // its roles may be others: told once they are written
	err = cmp.Or(err, e.q.Renew(w.ID, now))
	e.arrive(now)
	// What is to be cancelled it learns with its next word, which also gives back
	// what it does not name: a registration may have been under way for long.
	lost := []int64{}
	for _, c := range claims {
		if s, _ := e.q.Job(c.Job); s.State != dispatch.Leased || uint64(s.Token) != c.Token || s.Worker != w.ID {
			lost = append(lost, c.Job)
		}
	}
	answer := api.RegisterResponse{
		WorkerID: w.ID, Session: session, HeartbeatEveryMS: e.opt.BeatEvery.Milliseconds(), LeaseTTLMS: e.leaseTTL().Milliseconds(),
		APIVersion: api.Version, ServerTime: e.at(now), Lost: lost,
	}
	b := e.leave()
	if err != nil {
		return api.RegisterResponse{}, err
	}
	return answer, e.settle(ctx, b)
}

// booted returns the worker of a boot; nil if there is none.
func (e *Engine) booted(instance, boot string) *worker {
	for _, w := range e.workers {
		if w.InstanceID == instance && w.BootID == boot {
			return w
		}
	}
	return nil
}

func (e *Engine) leaseTTL() time.Duration { return e.q.Options().LeaseTTL }

// session returns the worker of a session, which is alive now.
func (e *Engine) session(s string, now int64) (*worker, error) {
	w := e.sessions[hashSession(s)]
	if w == nil {
		return nil, refuse(api.CodeUnknownSession, "session", "no worker has this session: register again")
	}
	if w.seen = now; w.ready == 0 { // it may have been silent
		e.count(w, now)
	}
	return w, nil
}

// WorkerOf returns the worker of a session; ok is false if there is none.
func (e *Engine) WorkerOf(session string) (w api.Worker, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.sessions[hashSession(session)]
	if known == nil {
		return api.Worker{}, false
	}
	return e.describe(known, e.clock.now()), true
}

func (e *Engine) describe(w *worker, now int64) api.Worker {
	return api.Worker{
		WorkerID: w.ID, InstanceID: w.InstanceID, InstanceType: w.InstanceType, Market: w.Market, Zone: w.Zone,
		Cluster: w.Cluster, Roles: append([]string{}, w.Roles...), Slots: w.Slots, SlotsBusy: w.busy, Load: w.load,
		BundleVersion: w.BundleVersion, Release: w.Release, BadReleases: append([]int64{}, w.BadReleases...), BootID: w.BootID, Boot: w.Boot, RegisteredAt: w.RegisteredAt,
		SeenS: float64(now-w.seen) / 1e9, Silent: e.silent(w, now), Directive: e.directiveFor(w, now),
		Completed: w.Completed, Failed: w.Failed,
	}
}

func (e *Engine) silent(w *worker, now int64) bool { return now-w.seen > int64(e.leaseTTL()) }

// Worker returns a worker by its id; ok is false if there is none.
func (e *Engine) Worker(id string) (w api.Worker, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.workers[id]
	if known == nil {
		return api.Worker{}, false
	}
	return e.describe(known, e.clock.now()), true
}

// Workers returns the workers, by instance and registration.
func (e *Engine) Workers() api.WorkersResponse {
	e.mu.Lock()
	now := e.clock.now()
	all := make([]api.Worker, 0, len(e.workers))
	for _, w := range e.workers {
		all = append(all, e.describe(w, now))
	}
	e.mu.Unlock()
	slices.SortFunc(all, func(a, b api.Worker) int {
		return cmp.Or(cmp.Compare(a.InstanceID, b.InstanceID), a.RegisteredAt.Compare(b.RegisteredAt), cmp.Compare(a.WorkerID, b.WorkerID))
	})
	return api.WorkersResponse{Workers: all}
}

// Goodbye ends a worker: its leases go back at once, their attempts not spent.
func (e *Engine) Goodbye(ctx context.Context, workerID string, r api.GoodbyeRequest) (api.GoodbyeResponse, error) {
	if err := e.enter(ctx); err != nil {
		return api.GoodbyeResponse{}, err
	}
	now := e.clock.now()
	w, err := e.session(r.Session, now)
	if err == nil && w.ID != workerID {
		err = refuse(api.CodeNotFound, "worker", "the session is not of worker %q", workerID)
	}
	if err != nil {
		e.mu.Unlock()
		return api.GoodbyeResponse{}, err
	}
	e.noticed(w, r.TakenBackAt, now)
	released := []int64{}
	for _, f := range e.q.Goodbye(w.ID, now) {
		released = append(released, f.ID)
		e.effects = append(e.effects, f)
	}
	e.book(now)
	e.log().Info("worker says goodbye", "worker", w.ID, "instance", w.InstanceID, "released", len(released), "reason", clean(r.Reason, api.NameMax))
	e.forgetWorker(w, now)
	return api.GoodbyeResponse{Released: released}, e.settle(ctx, e.leave())
}

// book books what the state machine put into e.effects.
func (e *Engine) book(now int64) {
	e.arrive(now)
	for _, f := range e.effects {
		e.became(f, nil, now)
	}
	clear(e.effects)
	e.effects = e.effects[:0]
}

// forgetWorker drops a worker that has no leases.
func (e *Engine) forgetWorker(w *worker, now int64) {
	for _, c := range slices.Clone(w.parked) {
		c.answerEmpty(e)
	}
	delete(e.workers, w.ID)
	e.ready.change(now, -w.ready)
	w.ready = 0
	delete(e.sessions, w.SessionHash)
	e.noteFact("worker", w.ID, nil)
}

// forgetWorkers drops those that have been silent for long.
func (e *Engine) forgetWorkers(now int64) {
	for _, w := range e.workers {
		if w.busy == 0 && now-w.seen > int64(e.opt.WorkersFor) {
			e.forgetWorker(w, now)
		}
	}
}

// tell wakes a worker's parked calls because there is a job of its to cancel.
func (e *Engine) tell(w *worker, cancel int64) {
	for _, c := range slices.Clone(w.parked) {
		c.response.Cancel = append(c.response.Cancel, cancel)
		c.answer(e)
		return
	}
}

// countIdle makes as many slots idle as have no lease: what is new is idle from now
// on.
func (w *worker) countIdle(now int64) {
	n := max(0, w.Slots-w.busy)
	w.idle = w.idle[:min(n, len(w.idle))]
	for len(w.idle) < n {
		w.idle = append(w.idle, now)
	}
}

// busier books n leases more.
func (w *worker) busier(n int) {
	w.busy += n
	w.idle = slices.Delete(w.idle, 0, min(n, len(w.idle)))
}

// idler books the end of a lease.
func (w *worker) idler(now int64) {
	w.busy--
	w.countIdle(now)
}

// idleSince returns since when that slot is idle that gets the next job.
func (w *worker) idleSince() int64 {
	if len(w.idle) == 0 {
		return math.MaxInt64 // it asks for more than it has
	}
	return w.idle[0]
}

// newWorker returns a worker that was told to work.
func newWorker() *worker { return &worker{directive: api.Directive{Op: api.OpWork}} }
