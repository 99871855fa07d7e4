package storetest

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

func completed(t *testing.T, open Open) {
	s := open()
	b := &queue.Batch{Epoch: leads(t, s), Number: 1}
	for i := range int64(6) {
		r := record(i+1, day+i*20*hour)
		r.Token = dispatch.Token(1<<32 + 10*r.ID)
		if r.ID == 3 {
			r.State = dispatch.Cancelled
		}
		b.Ended = append(b.Ended, r)
	}
	must(t, s.Commit(t.Context(), b))
	got, err := s.Completed(t.Context(), []int64{6, 1, 3, 4, 99})
	must(t, err)
	same(t, "tokens", got, map[int64]dispatch.Token{1: 1<<32 + 10, 4: 1<<32 + 40, 6: 1<<32 + 60})
	got, err = s.Completed(t.Context(), nil)
	must(t, err)
	same(t, "tokens of no jobs", got, map[int64]dispatch.Token{})
}

// takenOver repeats words about jobs to the leader after the one that took them:
// the completion that counted is a duplicate, whatever call brings it, and other
// words about the job are stale.
func takenOver(t *testing.T, open Open) {
	lead := func() *queue.Engine {
		e, err := queue.Open(t.Context(), open(), queue.Options{LeadFor: time.Minute})
		must(t, err)
		t.Cleanup(func() { e.Kill() })
		return e
	}
	first := lead()
	_, err := first.Enqueue(t.Context(), []api.JobSpec{{Type: "photo"}, {Type: "photo"}, {Type: "photo"}}, "")
	must(t, err)
	me, err := first.Register(t.Context(), api.RegisterRequest{InstanceID: "i-1", Slots: 4, Cluster: "default", BootID: "b"})
	must(t, err)
	handed, err := first.Work(t.Context(), api.WorkRequest{Session: me.Session, ReqID: "1", SlotsFree: 3})
	must(t, err)
	if len(handed.Jobs) != 3 {
		t.Fatalf("%d jobs were handed out, want 3", len(handed.Jobs))
	}
	var said []api.DoneJob
	for i, outcome := range []api.Outcome{api.OutcomeOK, api.OutcomeOK, api.OutcomeError} {
		said = append(said, api.DoneJob{Job: handed.Jobs[i].ID, Token: handed.Jobs[i].Token, Outcome: outcome, Final: true})
	}
	wantAcks := func(when string, got []api.Ack, want ...api.AckStatus) {
		t.Helper()
		for i, a := range got {
			if i >= len(want) || a.Status != want[i] {
				t.Fatalf("%s: answered %+v, want %v", when, got, want)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s: answered %+v, want %v", when, got, want)
		}
	}
	told, err := first.Complete(t.Context(), api.CompleteRequest{Session: me.Session, Done: said})
	must(t, err)
	wantAcks("first", told.Acks, api.AckAccepted, api.AckAccepted, api.AckAccepted)
	must(t, first.Close(t.Context()))

	second := lead()
	told, err = second.Complete(t.Context(), api.CompleteRequest{Session: me.Session, Done: said})
	must(t, err)
	wantAcks("after a take-over", told.Acks, api.AckDuplicate, api.AckDuplicate, api.AckDuplicate)
	other := []api.DoneJob{said[0], said[1], said[0]}
	other[0].Token++
	other[1].Outcome = api.OutcomeError
	answer, err := second.Work(t.Context(), api.WorkRequest{Session: me.Session, ReqID: "2", Done: append(other, said[1])})
	must(t, err)
	wantAcks("other words", answer.Acks, api.AckStale, api.AckStale, api.AckDuplicate, api.AckDuplicate)
	if s := second.Stats("").States; s[api.StateDone] != 0 || s[api.StateDead] != 1 {
		t.Errorf("the repetitions changed something: %v", s)
	}
}
