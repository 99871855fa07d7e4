package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"

	"golang.org/x/time/rate"
)

// call calls the queue as the settings say and writes what it saw.
func call(ctx context.Context, s settings, out io.Writer) error {
	producer, err := client.New(client.Options{URL: s.URL, Token: s.Producer})
	if err != nil {
		return err
	}
	worker, err := client.New(client.Options{URL: s.URL, Token: s.Worker})
	if err != nil {
		return err
	}
	before := spent(syscall.RUSAGE_SELF)
	var text string
	if s.Idle > 0 {
		text, err = idle(ctx, s, producer, worker)
	} else {
		text, err = busy(ctx, s, producer, worker)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(told{text, spent(syscall.RUSAGE_SELF) - before})
}

var args = []byte(`{"input":"s3://originals/2026/06/01/0123456789abcdef.jpg","name":"0123456789abcdef.jpg","sizes":[{"name":"thumb","width":150}]}`)

func submit(ctx context.Context, c *client.Client, n int) error {
	jobs := make([]api.JobSpec, n)
	for i := range jobs {
		jobs[i] = api.JobSpec{Type: "photo", Priority: i % 4, Args: args}
	}
	_, err := c.SubmitBatch(ctx, jobs, "")
	return err
}

// busy lets producers submit and workers work, at once, until all is done.
func busy(ctx context.Context, s settings, producer, worker *client.Client) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left, completed atomic.Int64
	left.Store(int64(s.Jobs))
	var all sync.WaitGroup
	pace := rate.NewLimiter(rate.Inf, 100)
	if s.Rate > 0 {
		pace.SetLimit(rate.Limit(s.Rate))
	}
	start := time.Now()
	for range s.Producers {
		all.Go(func() {
			for {
				n := min(100, left.Add(-100)+100)
				if n <= 0 {
					return
				}
				err := pace.WaitN(ctx, int(n))
				if err == nil {
					err = submit(ctx, producer, int(n))
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for i := range s.Workers {
		all.Go(func() {
			if err := work(ctx, s, worker, i, &completed); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d jobs, %d workers, %d a call: %.0f jobs/s", s.Jobs, s.Workers, s.Batch, float64(s.Jobs)/took.Seconds()), nil
}

// work is a worker whose jobs take no time.
func work(ctx context.Context, s settings, c *client.Client, i int, completed *atomic.Int64) error {
	me, err := c.Register(ctx, api.RegisterRequest{InstanceID: fmt.Sprintf("i-%d-%d", s.Batch, i), InstanceType: "c7i.large", Slots: s.Batch, Cluster: "bench", BootID: client.NewKey()})
	if err != nil {
		return err
	}
	var done []api.DoneJob
	for completed.Load() < int64(s.Jobs) {
		answer, err := c.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: s.Batch, Max: s.Batch, WaitMS: 200, Done: done})
		if err != nil {
			return err
		}
		for _, a := range answer.Acks {
			if a.Status != api.AckAccepted {
				return fmt.Errorf("job %d: %s", a.Job, a.Status)
			}
		}
		completed.Add(int64(len(answer.Acks)))
		done = done[:0]
		for _, j := range answer.Jobs {
			done = append(done, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK, ResultURI: "s3://results/x", Metrics: &api.Metrics{RunS: 0.5}})
		}
	}
	return nil
}

// idle submits one job at a time to a queue on which a worker waits.
func idle(ctx context.Context, s settings, producer, worker *client.Client) (string, error) {
	me, err := worker.Register(ctx, api.RegisterRequest{InstanceID: "i-idle", InstanceType: "c7i.large", Slots: 1, Cluster: "bench", BootID: client.NewKey()})
	if err != nil {
		return "", err
	}
	handed := make(chan time.Time)
	failed := make(chan error, 1)
	go func() {
		var done []api.DoneJob
		for {
			answer, err := worker.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: 1, WaitMS: 10_000, Done: done})
			at := time.Now()
			if err != nil {
				failed <- err
				return
			}
			done = done[:0]
			for _, j := range answer.Jobs {
				done = append(done, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK})
				handed <- at
			}
		}
	}()
	took := make([]time.Duration, s.Idle)
	for i := range took {
		time.Sleep(5 * time.Millisecond) // let the worker wait again
		start := time.Now()
		if err := submit(ctx, producer, 1); err != nil {
			return "", err
		}
		select {
		case at := <-handed:
			took[i] = at.Sub(start)
		case err := <-failed:
			return "", err
		}
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("submission to worker: p50 %v, p99 %v, max %v", at(.5), at(.99), at(1)), nil
}
