package server_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/queue/server"
)

func TestJobsLife(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	producer, worker := r.client(producerToken), r.client(workerToken)
	group, err := producer.NewGroup(ctx, api.GroupRequest{Name: "gallery", Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	added, err := producer.SubmitAll(ctx, []api.JobSpec{
		{Type: "photo", Priority: 1, Group: group.ID, Args: []byte(`{"input": "file:///a.jpg"}`), EstimateS: 2},
		{Type: "photo", Group: group.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := register(t, worker, "i-1", 4)
	work, err := worker.Work(ctx, api.WorkRequest{Session: w.Session, SlotsFree: 2, WaitMS: 1000})
	if err != nil || len(work.Jobs) != 2 {
		t.Fatalf("%v, %s", err, indented(work))
	}
	if first := work.Jobs[0]; first.ID != added[1].ID || first.Priority != 0 {
		t.Errorf("priority 1 before 0: %s", indented(work))
	}
	if second := work.Jobs[1]; string(second.Args) != `{"input":"file:///a.jpg"}` && string(second.Args) != `{"input": "file:///a.jpg"}` {
		t.Errorf("args %s", second.Args)
	}
	waited := make(chan api.Group, 1)
	go func() {
		g, _ := producer.WaitGroup(ctx, group.ID)
		waited <- g
	}()
	var done []api.DoneJob
	for _, j := range work.Jobs {
		done = append(done, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK, ResultURI: "file:///out", Metrics: &api.Metrics{RunS: 0.5, BytesOut: 10}})
	}
	work, err = worker.Work(ctx, api.WorkRequest{Session: w.Session, Done: done})
	if err != nil || len(work.Acks) != 2 || work.Acks[0].Status != api.AckAccepted {
		t.Fatalf("%v, %s", err, indented(work))
	}
	select {
	case g := <-waited:
		if g.Done != 2 || !g.Ended {
			t.Errorf("the group ended as %s", indented(g))
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told that the group ended")
	}
	job, err := producer.WaitJob(ctx, added[0].ID)
	if err != nil || job.State != api.StateDone || job.ResultURI != "file:///out" || job.Metrics.RunS != 0.5 {
		t.Errorf("%v, %s", err, indented(job))
	}
	again, err := worker.Complete(ctx, api.CompleteRequest{Session: w.Session, Done: done})
	if err != nil || again.Acks[0].Status != api.AckDuplicate {
		t.Errorf("%v, %s", err, indented(again))
	}
}

// Where the queue signs addresses for results, each attempt gets its own; where it
// cannot, nothing is handed out, and what was to be comes with the next call.
func TestSignedResults(t *testing.T) {
	broken := false
	r := newRig(t, func(o *server.Options, _ *access.Options) {
		o.SignResult = func(_ context.Context, job int64, token uint64) (string, error) {
			if broken {
				return "", errors.New("the credentials are over")
			}
			return fmt.Sprintf("https://done.example/%d/%d?signature", job, token), nil
		}
	})
	ctx := t.Context()
	producer, worker := r.client(producerToken), r.client(workerToken)
	if _, err := producer.SubmitAll(ctx, []api.JobSpec{{Type: "photo"}, {Type: "photo"}}); err != nil {
		t.Fatal(err)
	}
	w := register(t, worker, "i-1", 2)
	ask := api.WorkRequest{Session: w.Session, ReqID: "first", SlotsFree: 2, WaitMS: 1000}
	broken = true
	if work, err := worker.Work(ctx, ask); !client.IsCode(err, api.CodeUnavailable) {
		t.Fatalf("without a signature: %v, %s", err, indented(work))
	}
	broken = false
	work, err := worker.Work(ctx, ask)
	if err != nil || len(work.Jobs) != 2 {
		t.Fatalf("%v, %s", err, indented(work))
	}
	for _, j := range work.Jobs {
		if want := fmt.Sprintf("https://done.example/%d/%d?signature", j.ID, j.Token); j.ResultPut != want {
			t.Errorf("job %d is to be put to %q, want %q", j.ID, j.ResultPut, want)
		}
	}
}
