// Command queue measures the live queue at the level of its library: what a
// job's whole life costs in processor time and in bytes of write-ahead log, how
// many a second the machine at hand gets through, how fast an idle queue hands a
// job over, and how long a standby needs to take over.
//
//	go run ./bench/queue -store sqlite|postgres|memory -jobs 200000
//
// It starts a PostgreSQL of its own and keeps everything in a temporary folder.
// Compare processor time per job: the wall clock is at the mercy of neighbors.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skynet-ec2/skynet/bench/meter"
	"github.com/skynet-ec2/skynet/bench/profile"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
)

type settings struct {
	store     string
	jobs      int
	backlog   int
	batch     int
	producers int
	workers   int
	idle      int
	held      bool
}

func main() {
	var s settings
	flag.StringVar(&s.store, "store", "sqlite", "sqlite, postgres or memory")
	flag.IntVar(&s.jobs, "jobs", 200_000, "jobs that live their whole life while it is measured")
	flag.IntVar(&s.backlog, "backlog", 0, "jobs that wait behind them")
	flag.IntVar(&s.batch, "batch", 16, "jobs in a worker's call")
	flag.IntVar(&s.producers, "producers", 64, "callers that submit")
	flag.IntVar(&s.workers, "workers", 64, "workers that call")
	flag.IntVar(&s.idle, "idle", 200, "jobs handed over by an idle queue")
	flag.BoolVar(&s.held, "held", false, "PostgreSQL: somebody holds a transaction open all the while, so that nothing dead can be cleaned up")
	file := flag.String("profile", "", "write a CPU profile of the run to `file`")
	flag.Parse()
	if err := profile.Write(*file, func() error { return run(context.Background(), s, os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench/queue:", err)
		os.Exit(3)
	}
}

// A place is where a store is.
type place struct {
	open   func() (queue.Store, error)
	server *pgtest.Server // or nil
	free   func() error
}

func newPlace(ctx context.Context, store string) (*place, error) {
	switch store {
	case "memory":
		m := queue.NewMemory()
		return &place{func() (queue.Store, error) { return m, nil }, nil, func() error { return nil }}, nil
	case "sqlite":
		dir, err := os.MkdirTemp("", "skynet-bench-")
		if err != nil {
			return nil, err
		}
		open := func() (queue.Store, error) { return sqlite.Open(ctx, filepath.Join(dir, "queue.db")) }
		return &place{open, nil, func() error { return os.RemoveAll(dir) }}, nil
	case "postgres":
		server, err := meter.Postgres()
		if err != nil {
			return nil, err
		}
		open := func() (queue.Store, error) { return postgres.Open(ctx, server.URL(server.Port, "postgres")) }
		return &place{open, server, server.Stop}, nil
	}
	return nil, fmt.Errorf("-store %q: must be sqlite, postgres or memory", store)
}

func run(ctx context.Context, s settings, out io.Writer) (err error) {
	place, err := newPlace(ctx, s.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.free()) }()
	store, err := place.open()
	if err != nil {
		return err
	}
	counted := &counting{Store: store}
	e, err := queue.Open(ctx, counted, queue.Options{})
	if err != nil {
		return err
	}
	if s.held && place.server != nil {
		letGo, err := hold(ctx, place.server)
		if err != nil {
			return err
		}
		defer letGo()
	}
	m := &meter.Meter{Server: place.server, Out: out}
	if s.backlog > 0 {
		m.Start()
		if err := submit(ctx, e, s.backlog, s.producers, 1000, 200); err != nil {
			return err
		}
		m.Stop("enqueue by 1000", s.backlog)
	}
	if s.jobs > 0 {
		before := counted.commits.Load()
		calls, err := live(ctx, e, m, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(m.Out, "%-28s %.1f jobs\n", "  a commit", float64(s.jobs)/float64(counted.commits.Load()-before))
		m.Quantiles("  a worker's call", calls)
	}
	if s.idle > 0 && s.backlog == 0 {
		waits, err := idle(ctx, e, s.idle)
		if err != nil {
			return err
		}
		m.Quantiles("idle: submit to worker", waits)
	}
	if s.backlog > 0 {
		if err := takeOver(ctx, place, e, m, s.backlog); err != nil {
			return err
		}
	} else if err := e.Close(ctx); err != nil {
		return err
	}
	return errors.Join(m.Err(), store.Close())
}

// counting is a store that counts its commits.
type counting struct {
	queue.Store
	commits atomic.Int64
}

// Commit implements queue.Store.
func (c *counting) Commit(ctx context.Context, b *queue.Batch) error {
	c.commits.Add(1)
	return c.Store.Commit(ctx, b)
}

// hold opens a transaction that sees the database as it is now until it is let
// go.
func hold(ctx context.Context, server *pgtest.Server) (letGo func(), err error) {
	conn, err := pgx.Connect(ctx, server.URL(server.Port, "postgres"))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, "begin isolation level repeatable read; select count(*) from skynet.job", pgx.QueryExecModeSimpleProtocol)
	return func() { conn.Close(ctx) }, err
}

// submit enqueues n jobs at a priority.
func submit(ctx context.Context, e *queue.Engine, n, callers, batch, priority int) error {
	var left atomic.Int64
	left.Store(int64(n))
	return together(callers, func(int) error {
		for {
			k := min(int64(batch), left.Add(-int64(batch))+int64(batch))
			if k <= 0 {
				return nil
			}
			specs := make([]api.JobSpec, k)
			for i := range specs {
				specs[i] = api.JobSpec{Type: "photo", Priority: priority + i%4, Args: meter.Args}
			}
			if _, err := e.Enqueue(ctx, specs, ""); err != nil {
				return err
			}
		}
	})
}

// together runs n callers and joins their errors.
func together(n int, caller func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = caller(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func hire(ctx context.Context, e *queue.Engine, i int) (string, error) {
	r, err := e.Register(ctx, api.RegisterRequest{InstanceID: fmt.Sprint("i-", i), InstanceType: "c1.xlarge", Slots: 8, Cluster: "default", BootID: fmt.Sprint("boot ", i)})
	return r.Session, err
}

// live lets jobs be submitted, leased and completed, each worker's call
// reporting the last one's jobs, and returns how long the calls took.
func live(ctx context.Context, e *queue.Engine, m *meter.Meter, s settings) ([]time.Duration, error) {
	var done atomic.Int64
	var mu sync.Mutex
	var calls []time.Duration
	m.Start()
	defer everyMinute(m, &done)()
	err := errors.Join(together(2, func(part int) error {
		if part == 0 {
			return submit(ctx, e, s.jobs, s.producers, s.batch, 0)
		}
		return together(s.workers, func(i int) error {
			session, err := hire(ctx, e, i)
			var own []time.Duration
			var finished []api.DoneJob
			for call := 0; err == nil && (done.Load() < int64(s.jobs) || len(finished) > 0); call++ {
				want := s.batch
				if done.Load()+int64(len(finished)) >= int64(s.jobs) {
					want = 0
				}
				began := time.Now()
				var a api.WorkResponse
				a, err = e.Work(ctx, api.WorkRequest{Session: session, ReqID: fmt.Sprint(call), WaitMS: 100, SlotsFree: want, Done: finished})
				if len(a.Jobs) > 0 {
					own = append(own, time.Since(began))
				}
				for _, ack := range a.Acks {
					if ack.Status == api.AckAccepted {
						done.Add(1)
					}
				}
				finished = finished[:0]
				for _, j := range a.Jobs {
					finished = append(finished, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK, ResultURI: "s3://results.example/photo.jpg", Metrics: &api.Metrics{RunS: 0.5, CPUS: 0.4}})
				}
			}
			mu.Lock()
			calls = append(calls, own...)
			mu.Unlock()
			return err
		})
	}))
	m.Stop(fmt.Sprintf("whole life, batches of %d", s.batch), int(done.Load()))
	return calls, err
}

// everyMinute prints what the jobs of each minute cost until it is stopped: a
// queue that its history or its dead rows slow down shows here.
func everyMinute(m *meter.Meter, done *atomic.Int64) (stop func()) {
	end := make(chan struct{})
	var printer sync.WaitGroup
	printer.Go(func() {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		laps := meter.Meter{Server: m.Server, Out: m.Out}
		laps.Start()
		for minute, before := 1, int64(0); ; minute++ {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			now := done.Load()
			laps.Stop(fmt.Sprint("  minute ", minute), int(now-before))
			laps.Start()
			before = now
		}
	})
	return func() {
		close(end)
		printer.Wait()
	}
}

// idle measures how long an idle queue takes from a call that submits to the
// worker that waits.
func idle(ctx context.Context, e *queue.Engine, n int) ([]time.Duration, error) {
	session, err := hire(ctx, e, -1)
	if err != nil {
		return nil, err
	}
	var waits []time.Duration
	var finished []api.DoneJob
	for i := range n {
		began := make(chan time.Time, 1)
		failed := make(chan error, 1)
		if len(finished) > 0 {
			if _, err := e.Complete(ctx, api.CompleteRequest{Session: session, Done: finished}); err != nil {
				return nil, err
			}
		}
		go func() {
			time.Sleep(10 * time.Millisecond)
			began <- time.Now()
			_, err := e.Enqueue(ctx, []api.JobSpec{{Type: "photo", Args: meter.Args}}, "")
			failed <- err
		}()
		a, err := e.Work(ctx, api.WorkRequest{Session: session, ReqID: fmt.Sprint("idle ", i), WaitMS: 20_000, SlotsFree: 1})
		waits = append(waits, time.Since(<-began))
		if err = errors.Join(err, <-failed); err != nil {
			return nil, err
		}
		finished = finished[:0]
		for _, j := range a.Jobs {
			finished = append(finished, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK})
		}
	}
	return waits, nil
}

// takeOver kills the leader and measures how long a standby needs until it
// leads with everything that waits.
func takeOver(ctx context.Context, place *place, e *queue.Engine, m *meter.Meter, jobs int) error {
	store, err := place.open()
	if err != nil {
		return err
	}
	m.Start()
	began := time.Now()
	e.Kill()
	next, err := queue.Open(ctx, store, queue.Options{})
	if err != nil {
		return err
	}
	took := time.Since(began)
	m.Stop("take over", jobs)
	waiting := next.Stats("").States[api.StateWaiting]
	fmt.Fprintf(m.Out, "%-28s %v after the leader died, with %d jobs\n", "  a standby leads", took.Round(time.Millisecond), waiting)
	return errors.Join(next.Close(ctx), store.Close())
}
