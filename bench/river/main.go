// Command river measures River, the yardstick of bench/queue, on the same
// PostgreSQL and with the same meter: jobs inserted by COPY, a thousand at a
// time, then worked by handlers that do nothing, with the settings of River's own
// benchmark. It has a module of its own, so that nobody who uses skynet gets
// River.
//
//	cd bench/river && go run . -jobs 100000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/skynet-ec2/skynet/bench/meter"
)

// photo is a job of as many bytes as those of bench/queue.
type photo struct {
	Input string `json:"input"`
}

// Kind names the job type.
func (photo) Kind() string { return "photo" }

// nothing is the handler.
type nothing struct {
	river.WorkerDefaults[photo]
	done atomic.Int64
}

// Work does nothing.
func (n *nothing) Work(context.Context, *river.Job[photo]) error {
	n.done.Add(1)
	return nil
}

func main() {
	jobs := flag.Int("jobs", 100_000, "jobs that are worked while it is measured")
	backlog := flag.Int("backlog", 0, "jobs that wait behind them")
	flag.Parse()
	if err := run(context.Background(), *jobs, *backlog); err != nil {
		fmt.Fprintln(os.Stderr, "bench/river:", err)
		os.Exit(3)
	}
}

func run(ctx context.Context, jobs, backlog int) (err error) {
	server, err := meter.Postgres()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	pool, err := pgxpool.New(ctx, server.URL(server.Port, "postgres"))
	if err != nil {
		return err
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	handler := &nothing{}
	workers := river.NewWorkers()
	river.AddWorker(workers, handler)
	client, err := river.NewClient[pgx.Tx](driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2000}},
		Workers:           workers,
		FetchCooldown:     2 * time.Millisecond,
		FetchPollInterval: 20 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	m := &meter.Meter{Server: server, Out: os.Stdout}
	m.Start()
	if err := insert(ctx, client, jobs+backlog); err != nil {
		return err
	}
	m.Stop("River: insert by COPY", jobs+backlog)
	m.Start()
	if err := client.Start(ctx); err != nil {
		return err
	}
	for handler.done.Load() < int64(jobs) {
		time.Sleep(2 * time.Millisecond)
	}
	if err := client.Stop(ctx); err != nil { // which writes what is done
		return err
	}
	m.Stop("River: work", int(handler.done.Load()))
	return m.Err()
}

func insert(ctx context.Context, client *river.Client[pgx.Tx], n int) error {
	for n > 0 {
		some := make([]river.InsertManyParams, min(n, 1000))
		for i := range some {
			some[i].Args = photo{string(meter.Args[10:110])}
		}
		if _, err := client.InsertManyFast(ctx, some); err != nil {
			return err
		}
		n -= len(some)
	}
	return nil
}
