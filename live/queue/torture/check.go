package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Check returns everything in the record that no queue may do.
//
//   - A submission's key always names one job, and a job has one key.
//   - Every job that was taken is done, once, in the history, and no other is.
//   - The result in the history is of an attempt that was handed out and reported.
//   - Words about one attempt of a job alone were accepted as its end, and one of
//     them only.
//   - The completion that counts is never answered as one that came too late.
//   - No word is accepted about an attempt that a later one is known to have followed.
//   - Tokens of a job grow, no token is handed out twice, and nothing is handed out
//     once the job is known to be done.
//   - A job is not handed on while its lease runs and its worker has not let it go,
//     and a worker is told once it has been handed on: under one leader, or under
//     all where none of them stalled.
func (r *Record) Check() []string {
	c := checker{attempts: map[int64][]*Attempt{}, words: map[int64][]Word{}, history: map[int64][]api.Finished{}, lease: r.Lease, dying: r.Dying}
	for _, a := range r.Attempts {
		c.attempts[a.Job] = append(c.attempts[a.Job], a)
	}
	for _, w := range r.Words {
		c.words[w.Job] = append(c.words[w.Job], w)
	}
	for _, h := range r.History {
		c.history[h.ID] = append(c.history[h.ID], h)
	}
	c.submissions(r.Submitted)
	for _, id := range c.jobs() {
		attempts := c.attempts[id]
		slices.SortFunc(attempts, func(a, b *Attempt) int { return cmp.Compare(a.Token, b.Token) })
		c.order(attempts)
		c.leases(attempts)
		c.ends(id, attempts)
	}
	return c.problems
}

type checker struct {
	attempts map[int64][]*Attempt
	words    map[int64][]Word
	history  map[int64][]api.Finished
	lease    time.Duration
	dying    bool
	problems []string
}

func (c *checker) complain(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// jobs returns every job that somebody saw at work, by id.
func (c *checker) jobs() []int64 {
	seen := map[int64]bool{}
	for id := range c.attempts {
		seen[id] = true
	}
	for id := range c.words {
		seen[id] = true
	}
	for id := range c.history {
		seen[id] = true
	}
	ids := make([]int64, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (c *checker) submissions(all []Submission) {
	byKey, byID := map[string]int64{}, map[int64]string{}
	for _, s := range all {
		if id, ok := byKey[s.Key]; ok && id != s.ID {
			c.complain("key %s: is job %d and job %d", s.Key, id, s.ID)
		}
		if key, ok := byID[s.ID]; ok && key != s.Key {
			c.complain("job %d: has key %s and key %s", s.ID, key, s.Key)
		}
		if _, ok := byID[s.ID]; !ok && len(c.history[s.ID]) == 0 {
			c.complain("job %d (key %s): was accepted and is not in the history: lost", s.ID, s.Key)
		}
		byKey[s.Key], byID[s.ID] = s.ID, s.Key
	}
	for id, ends := range c.history {
		if _, ok := byID[id]; !ok {
			c.complain("job %d: is in the history and nobody submitted it", id)
		}
		if len(ends) != 1 {
			c.complain("job %d: ended %d times in the history", id, len(ends))
		}
		if ends[0].State != api.StateDone {
			c.complain("job %d: is %s in the history, want done", id, ends[0].State)
		}
	}
}

// order checks the tokens of a job's attempts, which stand in their order.
func (c *checker) order(attempts []*Attempt) {
	for i, a := range attempts {
		for _, b := range attempts[i+1:] {
			switch {
			case a.Token == b.Token:
				c.complain("job %d: token %s was handed out twice, to %s and to %s", a.Job, tokenText(a.Token), a.Worker, b.Worker)
			case b.Heard <= a.Sent:
				c.complain("job %d: token %s was handed out after token %s", a.Job, tokenText(a.Token), tokenText(b.Token))
			}
		}
	}
}

// leases checks that nobody hands on what a worker has.
func (c *checker) leases(attempts []*Attempt) {
	for i, a := range attempts {
		for _, b := range attempts[i+1:] {
			if a.Token>>32 != b.Token>>32 && !c.dying {
				break // a leader that stalled answers beats that the next one has not heard, until it knows that it leads no longer
			}
			kept := a.Sent
			for _, n := range a.Named {
				if n.Sent >= b.Heard && !n.Lost {
					c.complain("job %d: %s was told to go on with token %s at %v, after token %s was handed out at %v", a.Job, a.Worker, tokenText(a.Token), n.Sent, tokenText(b.Token), b.Heard)
				}
				if !n.Lost {
					kept = max(kept, n.Sent)
				}
			}
			if b.Heard < a.LetGo && b.Heard < kept+c.lease {
				c.complain("job %d: token %s was handed out at %v, while the lease of token %s ran: %s was heard of at %v", a.Job, tokenText(b.Token), b.Heard, tokenText(a.Token), a.Worker, kept)
			}
		}
	}
}

// ends checks the words about a job.
func (c *checker) ends(id int64, attempts []*Attempt) {
	var done uint64 // the token that counts
	if ends := c.history[id]; len(ends) > 0 {
		job, token, worker, ok := parseResult(ends[0].ResultURI)
		at := slices.IndexFunc(attempts, func(a *Attempt) bool { return a.Token == token && a.Worker == worker })
		said := slices.ContainsFunc(c.words[id], func(w Word) bool { return w.Token == token && w.Outcome == api.OutcomeOK })
		if !ok || job != id || at < 0 || !said {
			c.complain("job %d: its result %q is of no attempt that was handed out and reported", id, ends[0].ResultURI)
		}
		done = token
	}
	accepted := map[uint64]int{}
	for _, w := range c.words[id] {
		if w.Status == api.AckAccepted {
			accepted[w.Token]++
			for _, a := range attempts {
				if a.Token > w.Token && a.Heard <= w.Sent {
					c.complain("job %d: %q of token %s was accepted at %v, after token %s was handed out at %v", id, w.Outcome, tokenText(w.Token), w.Sent, tokenText(a.Token), a.Heard)
				}
			}
		}
		if w.Outcome == api.OutcomeOK && w.Status == api.AckStale && w.Token == done {
			c.complain("job %d: the completion of token %s was answered %q at %v, and it is the one that counts", id, tokenText(w.Token), w.Status, w.Heard)
		}
		if w.Outcome != api.OutcomeOK || w.Status != api.AckAccepted && w.Status != api.AckDuplicate {
			continue
		}
		if w.Token != done {
			c.complain("job %d: the completion of token %s was answered %q, but the history has that of token %s", id, tokenText(w.Token), w.Status, tokenText(done))
		}
		for _, a := range attempts {
			if a.Sent >= w.Heard {
				c.complain("job %d: token %s was handed out at %v, after its completion was answered %q at %v", id, tokenText(a.Token), a.Heard, w.Status, w.Heard)
			}
		}
	}
	for token, n := range accepted {
		if n > 1 {
			c.complain("job %d: %d words about token %s were accepted", id, n, tokenText(token))
		}
	}
}

// tokenText returns a token as its leader's epoch and number.
func tokenText(t uint64) string { return fmt.Sprintf("%d:%d", t>>32, t&(1<<32-1)) }

const resultScheme = "torture:"

// result returns where the result of an attempt would be: every attempt has a
// place of its own.
func result(job int64, token uint64, worker string) string {
	return fmt.Sprintf("%s%d/%d/%s", resultScheme, job, token, worker)
}

// parseResult takes a result apart.
func parseResult(uri string) (job int64, token uint64, worker string, ok bool) {
	rest, ok := strings.CutPrefix(uri, resultScheme)
	if !ok {
		return 0, 0, "", false
	}
	n, err := fmt.Sscanf(rest, "%d/%d/%s", &job, &token, &worker)
	return job, token, worker, err == nil && n == 3
}
