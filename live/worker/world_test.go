package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/results"
	"github.com/skynet-ec2/skynet/live/worker"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// A world is a queue and what lies between it and a worker. Its time is that of
// the synctest bubble it is made in.
type world struct {
	t      *testing.T
	ctx    context.Context
	store  queue.Store
	engine *queue.Engine
	bucket *bucket
	outbox string

	mu      sync.Mutex
	away    bool                   // no call reaches the queue
	refused bool                   // its token is taken no more
	loses   func(call string) bool // the answer to this call is lost
	calls   map[string]int
	runs    map[int64]int // of handlers, by job
	ran     map[int64]int // of handlers that came to their end
}

// inWorld runs a test in a world of its own.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	outbox := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, ctx: t.Context(), store: queue.NewMemory(), outbox: outbox,
			calls: map[string]int{}, runs: map[int64]int{}, ran: map[int64]int{},
			bucket: &bucket{results: map[string]string{}},
		}
		w.open()
		test(t, w)
		w.engine.Close(context.WithoutCancel(w.ctx))
	})
}

// open has a queue lead.
func (w *world) open() {
	w.t.Helper()
	// a job that was on killed workers is not to blame: the test kills them
	e, err := queue.Open(w.ctx, w.store, queue.Options{Cluster: "test", Dispatch: dispatch.Options{LossesMax: 255}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.engine = e
	w.mu.Unlock()
}

// submit adds jobs that take so long, one for each duration.
func (w *world) submit(spec api.JobSpec, take ...time.Duration) []int64 {
	w.t.Helper()
	var specs []api.JobSpec
	for _, d := range take {
		s := spec
		if s.Type == "" {
			s.Type = "nap"
		}
		s.Args = json.RawMessage(fmt.Sprintf(`{"take_ns":%d}`, int64(d)))
		specs = append(specs, s)
	}
	added, err := w.engine.Enqueue(w.ctx, specs, "")
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []int64
	for _, a := range added {
		ids = append(ids, a.ID)
	}
	return ids
}

// job returns what the queue knows of a job.
func (w *world) job(id int64) api.Job {
	w.t.Helper()
	j, err := w.engine.Job(w.ctx, id, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// allDone fails the test unless every job is done, with its result in the
// bucket and under the token that the queue accepted.
func (w *world) allDone(ids []int64) {
	w.t.Helper()
	for _, id := range ids {
		j := w.job(id)
		if j.State != api.StateDone {
			w.t.Errorf("job %d is %s after %d attempts: %s", id, j.State, j.Attempts, j.Error)
			continue
		}
		if !w.bucket.has(j.ResultURI) {
			w.t.Errorf("job %d: nothing lies at its result %q", id, j.ResultURI)
		}
	}
}

// onceEach fails the test unless every job was begun exactly once.
func (w *world) onceEach(ids []int64) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if w.runs[id] != 1 {
			w.t.Errorf("job %d was begun %d times", id, w.runs[id])
		}
	}
}

// start runs a worker, and returns it and a function that waits for its end.
func (w *world) start(ctx context.Context, slots int, change ...func(*worker.Config)) (*worker.Worker, func() error) {
	w.t.Helper()
	outbox, left, err := results.OpenOutbox(w.outbox, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	c := worker.Config{
		Queue: w,
		Self:  api.RegisterRequest{InstanceID: "i-1", Slots: slots, Cluster: "test", BootID: rand36(w)},
		Do:    w.do, Store: w.bucket, Outbox: outbox, Left: left,
		Scratch: w.t.TempDir(), Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
		Chance: func() float64 { return 0.5 },
	}
	for _, f := range change {
		f(&c)
	}
	k := worker.New(c)
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	return k, func() error { return <-ended }
}

// withOutbox gives a worker an outbox of so many bytes.
func withOutbox(t *testing.T, w *world, most int64) func(*worker.Config) {
	t.Helper()
	small, _, err := results.OpenOutbox(w.outbox, most)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *worker.Config) { c.Outbox = small }
}

// rand36 returns another boot id each time.
func rand36(w *world) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls["boot"]++
	return fmt.Sprintf("boot-%d", w.calls["boot"])
}

// do is the handler of jobs that nap.
func (w *world) do(ctx context.Context, job handler.Job, dir, scratch string) (handler.Result, error) {
	w.mu.Lock()
	w.runs[job.ID]++
	w.mu.Unlock()
	var args struct {
		Take time.Duration `json:"take_ns"`
	}
	if err := json.Unmarshal(job.Args, &args); err != nil {
		return handler.Result{}, err
	}
	switch job.Type {
	case "panic":
		panic("as it should")
	case "fail":
		return handler.Result{}, errors.New("as it should")
	case "fail for good":
		return handler.Result{}, fmt.Errorf("%w: as it should", handler.ErrFinal)
	}
	select {
	case <-time.After(args.Take):
	case <-ctx.Done():
		return handler.Result{}, context.Cause(ctx)
	}
	path := filepath.Join(dir, "nap.txt")
	if err := os.WriteFile(path, fmt.Appendf(nil, "job %d, token %d", job.ID, job.Token), 0o600); err != nil {
		return handler.Result{}, err
	}
	f, err := results.Describe(path, "text/plain")
	w.mu.Lock()
	w.ran[job.ID]++
	w.mu.Unlock()
	return handler.Result{Files: []results.File{f}, BytesOut: f.Size}, err
}

// setAway cuts the way to the queue, or mends it.
func (w *world) setAway(away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away = away
}

// refuse has the queue refuse the worker's token, or not.
func (w *world) refuse(refused bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = refused
}

var errNetwork = errors.New("the network is down")

// through makes a call of the worker, if the network lets it.
func through[Q, A any](w *world, call string, ctx context.Context, q Q, f func(context.Context, Q) (A, error)) (A, error) {
	var none A
	w.mu.Lock()
	w.calls[call]++
	away, lost := w.away, w.loses != nil && w.loses(call)
	refused := w.refused
	w.mu.Unlock()
	if refused {
		return none, &api.Error{Code: api.CodeUnauthorized, Status: 401, Message: "no good token"}
	}
	if away {
		time.Sleep(10 * time.Millisecond)
		return none, errNetwork
	}
	a, err := f(ctx, q)
	w.mu.Lock()
	lost = lost || w.away // it went while the call was open
	w.mu.Unlock()
	if lost {
		return none, errNetwork
	}
	return a, err
}

func (w *world) current() *queue.Engine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.engine
}

func (w *world) Register(ctx context.Context, r api.RegisterRequest) (api.RegisterResponse, error) {
	return through(w, "register", ctx, r, w.current().Register)
}

func (w *world) Work(ctx context.Context, r api.WorkRequest) (api.WorkResponse, error) {
	return through(w, "work", ctx, r, w.current().Work)
}

func (w *world) Heartbeat(ctx context.Context, r api.HeartbeatRequest) (api.HeartbeatResponse, error) {
	return through(w, "heartbeat", ctx, r, w.current().Heartbeat)
}

func (w *world) Complete(ctx context.Context, r api.CompleteRequest) (api.CompleteResponse, error) {
	return through(w, "complete", ctx, r, w.current().Complete)
}

func (w *world) Goodbye(ctx context.Context, id string, r api.GoodbyeRequest) (api.GoodbyeResponse, error) {
	return through(w, "goodbye", ctx, r, func(ctx context.Context, r api.GoodbyeRequest) (api.GoodbyeResponse, error) {
		return w.current().Goodbye(ctx, id, r)
	})
}

// A bucket is a store of results.
type bucket struct {
	mu      sync.Mutex
	down    bool
	results map[string]string // content, by address
	puts    int
}

func (b *bucket) Put(_ context.Context, k results.Key, dir string, files []results.File) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.puts++
	if b.down {
		return "", errors.New("the store is down")
	}
	content := ""
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil {
			return "", err
		}
		content += string(text)
	}
	uri := "mem://" + k.Job + "/" + k.Token
	if old, there := b.results[uri]; there && old != content {
		return "", results.ErrOther
	}
	b.results[uri] = content
	return uri, nil
}

func (b *bucket) setDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

func (b *bucket) has(uri string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, there := b.results[uri]
	return there
}

// called returns how often a call was made.
func (w *world) called(call string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[call]
}

// begun returns how many jobs were begun.
func (w *world) begun() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs)
}

// runsOf returns how often a job was begun.
func (w *world) runsOf(id int64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[id]
}

// ranOf returns how often a job came to its end.
func (w *world) ranOf(id int64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ran[id]
}

// outboxEmpty reports whether nothing is kept on the worker's disk.
func (w *world) outboxEmpty() bool {
	w.t.Helper()
	entries, err := os.ReadDir(w.outbox)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(entries) == 0
}

func repeat(d time.Duration, n int) []time.Duration { return slices.Repeat([]time.Duration{d}, n) }
