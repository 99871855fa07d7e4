package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/server"

	"github.com/rogpeppe/go-internal/testscript"
)

// startQueue serves a queue in memory to a script, with one worker: queue. Jobs
// whose name holds "bad" fail for good, those of type "wait" stay in line.
func startQueue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: queue")
	}
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	engine, err := queue.Open(ctx, queue.NewMemory(), queue.Options{Cluster: "script", Log: log})
	ts.Check(err)
	file := filepath.Join(ts.Getenv("WORK"), "tokens")
	ts.Check(access.Create(file))
	entries, err := access.ReadFile(file)
	ts.Check(err)
	keeper, err := access.Open(access.Options{File: file, Cluster: "script", Log: log})
	ts.Check(err)
	keeper.Serve(engine)
	s := server.New(server.Options{Cluster: "script", Keeper: keeper, Log: log})
	s.Lead(engine)
	web := httptest.NewServer(s)
	token := map[api.Role]string{}
	for _, e := range entries {
		token[e.Caller.Role] = e.Plain
	}
	ts.Setenv(client.EnvURL, web.URL)
	ts.Setenv(client.EnvToken, token[api.RoleOperator])
	ended := make(chan error, 1)
	go func() { ended <- workFor(ctx, web.URL, token[api.RoleWorker]) }()
	ts.Defer(func() {
		cancel()
		if err := <-ended; err != nil {
			ts.Fatalf("worker: %v", err)
		}
		web.CloseClientConnections()
		web.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ts.Check(engine.Close(ctx))
		ts.Check(os.Remove(file))
	})
}

// workFor works until ctx ends: a whole worker in forty lines.
func workFor(ctx context.Context, url, token string) error {
	c, err := client.New(client.Options{URL: url, Token: token})
	if err != nil {
		return err
	}
	defer c.Close()
	me, err := c.Register(ctx, api.RegisterRequest{InstanceID: "i-1", InstanceType: "c7i.large", Slots: 8, Cluster: "script", BootID: "b-1"})
	if err != nil {
		return err
	}
	var done []api.DoneJob
	for {
		work, err := c.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: 8, Types: []string{"resize", "rotate"}, WaitMS: 1000, Done: done})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return errors.Join(errors.New("work"), err)
		}
		done = nil
		for _, job := range work.Jobs {
			d := api.DoneJob{Job: job.ID, Token: job.Token, Outcome: api.OutcomeOK, ResultURI: "file:///results", Metrics: &api.Metrics{RunS: 0.25}}
			if strings.Contains(string(job.Args), "bad") {
				d.Outcome, d.Error, d.Final, d.Metrics = api.OutcomeError, "not an image", true, nil
			}
			done = append(done, d)
		}
	}
}
