package torture

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Instants of the records below.
const (
	s   = time.Second
	ttl = 30 * s
)

// good returns a record without fault: job 7 is handed to a worker that falls
// silent, and then to one that does it.
func good() *Record {
	return &Record{
		Lease:     ttl,
		Submitted: []Submission{{"k", 7}, {"k", 7}},
		Attempts: []*Attempt{
			{Job: 7, Token: 1<<32 | 1, Worker: "a", Sent: 0, Heard: 1 * s, LetGo: never, Named: []Naming{{Sent: 10 * s}}},
			{Job: 7, Token: 1<<32 | 2, Worker: "b", Sent: 40 * s, Heard: 41 * s, LetGo: 42 * s},
		},
		Words: []Word{
			{Job: 7, Token: 1<<32 | 2, Outcome: api.OutcomeOK, Sent: 42 * s, Heard: 43 * s, Status: api.AckAccepted},
			{Job: 7, Token: 1<<32 | 2, Outcome: api.OutcomeOK, Sent: 44 * s, Heard: 45 * s, Status: api.AckDuplicate},
			{Job: 7, Token: 1<<32 | 1, Outcome: api.OutcomeOK, Sent: 50 * s, Heard: 51 * s, Status: api.AckStale},
		},
		History: []api.Finished{{ID: 7, State: api.StateDone, ResultURI: result(7, 1<<32|2, "b")}},
	}
}

// takeOver lets the second attempt be under another leader.
func (r *Record) takeOver() {
	r.Attempts[1].Token, r.Words[0].Token, r.Words[1].Token = 2<<32|1, 2<<32|1, 2<<32|1
	r.History[0].ResultURI = result(7, 2<<32|1, "b")
}

func TestCheck(t *testing.T) {
	if problems := good().Check(); len(problems) > 0 {
		t.Fatalf("a queue without fault: %q", problems)
	}
	for _, c := range []struct {
		name   string
		change func(*Record)
		want   string
	}{
		{"an accepted job vanishes", func(r *Record) { r.Submitted = append(r.Submitted, Submission{"l", 8}) }, "job 8 (key l): was accepted and is not in the history: lost"},
		{"a key makes two jobs", func(r *Record) { r.Submitted[1].ID = 8 }, "key k: is job 7 and job 8"},
		{"two keys make one job", func(r *Record) { r.Submitted[1].Key = "l" }, "job 7: has key k and key l"},
		{"a job out of nowhere", func(r *Record) { r.Submitted = nil }, "nobody submitted it"},
		{"done twice", func(r *Record) { r.History = append(r.History, r.History[0]) }, "ended 2 times"},
		{"not done", func(r *Record) { r.History[0].State = api.StateCancelled }, "is cancelled in the history"},
		{"result of nobody", func(r *Record) { r.History[0].ResultURI = result(7, 1<<32|3, "b") }, "is of no attempt"},
		{"result of another job", func(r *Record) { r.History[0].ResultURI = result(8, 1<<32|2, "b") }, "is of no attempt"},
		{"no result", func(r *Record) { r.History[0].ResultURI = "" }, "is of no attempt"},
		{"result overwritten by a stale one", func(r *Record) { r.History[0].ResultURI = result(7, 1<<32|1, "a") }, `the completion of token 1:2 was answered "accepted", but the history has that of token 1:1`},
		{"two completions accepted", func(r *Record) { r.Words[2].Status = api.AckAccepted }, `the completion of token 1:1 was answered "accepted", but the history has that of token 1:2`},
		{"a stale completion accepted", func(r *Record) { r.Words[2].Status = api.AckAccepted }, `"ok" of token 1:1 was accepted at 50s, after token 1:2 was handed out at 41s`},
		{"the completion that counts is called stale", func(r *Record) { r.Words[1].Status = api.AckStale }, `the completion of token 1:2 was answered "stale" at 45s, and it is the one that counts`},
		{"a stale failure accepted", func(r *Record) { r.Words[2].Status, r.Words[2].Outcome = api.AckAccepted, api.OutcomeError }, `"error" of token 1:1 was accepted`},
		{"accepted twice", func(r *Record) { r.Words[1].Status = api.AckAccepted }, "2 words about token 1:2 were accepted"},
		{"handed out when done", func(r *Record) {
			r.Attempts = append(r.Attempts, &Attempt{Job: 7, Token: 1<<32 | 3, Worker: "c", Sent: 60 * s, Heard: 61 * s, LetGo: never})
		}, `token 1:3 was handed out at 1m1s, after its completion was answered "accepted"`},
		{"one token for two workers", func(r *Record) { r.Attempts[1].Token = r.Attempts[0].Token }, "token 1:1 was handed out twice, to a and to b"},
		{"tokens run backwards", func(r *Record) { r.Attempts[0].Token, r.Attempts[1].Token = r.Attempts[1].Token, r.Attempts[0].Token }, "token 1:1 was handed out after token 1:2"},
		{"handed on while the lease runs", func(r *Record) { r.Attempts[0].Named[0].Sent = 12 * s }, "token 1:2 was handed out at 41s, while the lease of token 1:1 ran"},
		{"handed on by the next leader while the lease runs", func(r *Record) {
			r.Attempts[0].Named[0].Sent, r.Dying = 20*s, true
			r.takeOver()
		}, "token 2:1 was handed out at 41s, while the lease of token 1:1 ran"},
		{"not told that it was handed on", func(r *Record) { r.Attempts[0].Named = append(r.Attempts[0].Named, Naming{Sent: 50 * s}) }, "a was told to go on with token 1:1 at 50s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.change(r)
			if problems := r.Check(); !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, c.want) }) {
				t.Errorf("complaints %q; want one that says %q", problems, c.want)
			}
		})
	}
}

// What looks like the faults above and is none.
func TestCheckAllows(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Record)
	}{
		{"the lease was let go", func(r *Record) { r.Attempts[0].Named[0].Sent, r.Attempts[0].LetGo = 20*s, 30*s }},
		{"a beat that a stalled leader answered", func(r *Record) {
			r.Attempts[0].Named[0].Sent = 20 * s
			r.takeOver()
		}},
		{"told that it was handed on", func(r *Record) {
			r.Attempts[0].Named = append(r.Attempts[0].Named, Naming{Sent: 50 * s, Lost: true})
		}},
		{"the answer was lost", func(r *Record) { r.Words[0].Status = "" }},
		{"an old word and a new attempt cross", func(r *Record) {
			r.Words[2].Status, r.Words[2].Outcome, r.Words[2].Sent = api.AckAccepted, api.OutcomeReleased, 39*s
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.change(r)
			if problems := r.Check(); len(problems) > 0 {
				t.Errorf("complaints %q", problems)
			}
		})
	}
}
