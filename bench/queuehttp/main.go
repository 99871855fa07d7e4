// Command queuehttp measures the live queue through HTTP on loopback: jobs a
// second and processor time per job when workers finish and ask for 16 jobs in
// one call and when 200 of them ask for one at a time, and how long an idle queue
// takes from a submission to a worker that waits.
//
//	go run ./bench/queuehttp -store memory|sqlite|postgres -jobs 100000
//	go run ./bench/queuehttp -store sqlite -soak 1h -rate 5000
//
// The second form submits at a steady rate and prints every minute what the
// queue's process holds and spends.
//
// Queue and callers are two processes, so that their processor time is told
// apart. Compare that: the wall clock is at the mercy of neighbors.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/bench/meter"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/server"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
)

type settings struct {
	Store     string
	Jobs      int
	Singles   int
	Batch     int
	Workers   int
	Pollers   int
	Producers int
	Idle      int
	Soak      time.Duration
	Rate      int // jobs a second that are submitted; 0: as fast as they are taken

	URL      string // of the queue, for the process that calls it
	Producer string // tokens
	Worker   string
}

func main() {
	s := settings{}
	flag.StringVar(&s.Store, "store", "memory", "memory, sqlite or postgres")
	flag.IntVar(&s.Jobs, "jobs", 100_000, "jobs that live their whole life in batches")
	flag.IntVar(&s.Singles, "singles", 20_000, "jobs that live their whole life one by one")
	flag.IntVar(&s.Batch, "batch", 16, "jobs in a worker's call")
	flag.IntVar(&s.Workers, "workers", 16, "workers that call for batches")
	flag.IntVar(&s.Pollers, "pollers", 200, "workers that call for one job")
	flag.IntVar(&s.Producers, "producers", 4, "callers that submit, 100 jobs at a time")
	flag.IntVar(&s.Idle, "idle", 500, "jobs handed over by an idle queue")
	flag.DurationVar(&s.Soak, "soak", 0, "submit at a steady rate for so long, and nothing else")
	flag.IntVar(&s.Rate, "rate", 5000, "jobs a second under -soak")
	calls := flag.String("calls", "", "be the process that calls: settings as JSON")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *calls != "" {
		if err = json.Unmarshal([]byte(*calls), &s); err == nil {
			err = call(ctx, s, os.Stdout)
		}
	} else {
		err = run(ctx, s, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/queuehttp:", err)
		os.Exit(3)
	}
}

// run serves a queue, lets another process call it, and prints what both spent.
func run(ctx context.Context, s settings, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "skynet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	store, free, err := open(ctx, s.Store, dir)
	if err != nil {
		return err
	}
	defer free()
	defer store.Close()
	engine, err := queue.Open(ctx, store, queue.Options{Cluster: "bench"})
	if err != nil {
		return err
	}
	defer engine.Close(ctx)
	keeper, err := tokens(dir, &s)
	if err != nil {
		return err
	}
	keeper.Serve(engine)
	q := server.New(server.Options{Cluster: "bench", Keeper: keeper, Log: slog.New(slog.DiscardHandler)})
	q.Lead(engine)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web := &http.Server{Handler: q}
	go web.Serve(listener)
	defer web.Close()
	s.URL = "http://" + listener.Addr().String()

	type part struct {
		name string
		jobs int
		of   settings
	}
	parts := []part{
		{"batched", s.Jobs, settings{Jobs: s.Jobs, Batch: s.Batch, Workers: s.Workers}},
		{"one by one", s.Singles, settings{Jobs: s.Singles, Batch: 1, Workers: s.Pollers}},
		{"idle", s.Idle, settings{Idle: s.Idle}},
	}
	if s.Soak > 0 {
		jobs := s.Rate * int(s.Soak.Seconds())
		parts = []part{{"soak", jobs, settings{Jobs: jobs, Batch: s.Batch, Workers: s.Workers, Rate: s.Rate}}}
		defer watch(engine, max(s.Soak/60, time.Second), out)()
	}
	for _, part := range parts {
		if part.jobs == 0 {
			continue
		}
		part.of.URL, part.of.Producer, part.of.Worker, part.of.Producers = s.URL, s.Producer, s.Worker, s.Producers
		before := spent(syscall.RUSAGE_SELF)
		told, err := inAnother(ctx, part.of)
		if err != nil {
			return err
		}
		queueCPU := (spent(syscall.RUSAGE_SELF) - before) / time.Duration(part.jobs)
		fmt.Fprintf(out, "%-10s  %s; CPU per job: queue %v, callers %v\n", part.name, told.Text, queueCPU.Round(100*time.Nanosecond), (told.CPU / time.Duration(part.jobs)).Round(100*time.Nanosecond))
	}
	return nil
}

// open returns a store, and what frees its place.
func open(ctx context.Context, name, dir string) (store queue.Store, free func() error, err error) {
	free = func() error { return nil }
	switch name {
	case "memory":
		return queue.NewMemory(), free, nil
	case "sqlite":
		store, err = sqlite.Open(ctx, filepath.Join(dir, "queue.db"))
		return store, free, err
	case "postgres":
		at, err := meter.Postgres()
		if err != nil {
			return nil, free, err
		}
		store, err = postgres.Open(ctx, at.URL(at.Port, "postgres"))
		if err != nil {
			return nil, free, errors.Join(err, at.Stop())
		}
		return store, at.Stop, nil
	}
	return nil, free, fmt.Errorf("-store %q: must be memory, sqlite or postgres", name)
}

func tokens(dir string, s *settings) (*access.Keeper, error) {
	file := filepath.Join(dir, "tokens")
	if err := access.Create(file); err != nil {
		return nil, err
	}
	entries, err := access.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch e.Caller.Role {
		case api.RoleProducer:
			s.Producer = e.Plain
		case api.RoleWorker:
			s.Worker = e.Plain
		}
	}
	return access.Open(access.Options{File: file, Cluster: "bench", Log: slog.New(slog.DiscardHandler)})
}

// spent returns the processor time of this process, or of its children.
func spent(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// told is what the process that calls has to say.
type told struct {
	Text string
	CPU  time.Duration
}

// inAnother lets another process call the queue.
func inAnother(ctx context.Context, s settings) (t told, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return t, err
	}
	self, err := os.Executable()
	if err != nil {
		return t, err
	}
	c := exec.CommandContext(ctx, self, "-calls", string(text))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return t, errors.Join(errors.New("the process that calls"), err)
	}
	return t, json.Unmarshal(out, &t)
}
