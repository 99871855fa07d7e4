// Package past reads what production recorded of a stretch of time: the
// controller's journal and the queue's history, wherever they are kept. Verbs of
// skynet and of skynetd make incidents of it, and compare it with what the
// simulator says.
package past

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/incident"
)

// Sources say where the past is kept.
type Sources struct {
	// Journal returns the files, or their likes, that hold the decisions of a
	// time, in its order.
	Journal func(from, to time.Time) ([]journal.Source, error)
	// History yields the jobs that ended at from or later.
	History func(from time.Time, yield func(api.Finished) error) error
	// Queues returns how job types are held back; nil: nobody can tell.
	Queues func() ([]api.Queue, error)
}

// Past is a stretch of time that was.
type Past struct {
	Story *incident.Story
	Jobs  incident.Jobs
	// Sojourns are the times from arrival to done, in seconds and ascending, of
	// the jobs that arrived and were done in the judged time, by job type.
	Sojourns map[string][]float64

	sorter *history.Sorter
}

// Read reads a span. Close what it returns.
func Read(ctx context.Context, from Sources, span incident.Span) (*Past, error) {
	files, err := from.Journal(span.Start, span.To)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &NoJournalError{span.Start, span.To}
	}
	r := journal.NewReader(files...)
	r.Tear = true
	story, err := incident.Read(r, scenarios.Policies(), span)
	if err != nil {
		return nil, err
	}
	p := &Past{Story: story, Sojourns: map[string][]float64{}}
	if err := p.jobs(ctx, from); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// NoJournalError says that nothing was recorded of a time: no controller decided
// then, or what it recorded is gone.
type NoJournalError struct{ From, To time.Time }

func (e *NoJournalError) Error() string {
	return fmt.Sprintf("no journal holds a decision from %s to %s", e.From.UTC().Format(time.RFC3339), e.To.UTC().Format(time.RFC3339))
}

// BadInput marks the error as the user's.
func (*NoJournalError) BadInput() bool { return true }

// Close removes what waits on disk.
func (p *Past) Close() error {
	if p.sorter == nil {
		return nil
	}
	return p.sorter.Close()
}

// badInput is an error that is the user's.
type badInput struct{ error }

// BadInput marks it.
func (badInput) BadInput() bool { return true }

func (e badInput) Unwrap() error { return e.error }

// jobs makes a trace of the history.
func (p *Past) jobs(ctx context.Context, from Sources) error {
	s := p.Story
	speeds := map[string]float64{}
	for i := range s.Header.Catalog.Types {
		t := &s.Header.Catalog.Types[i]
		speeds[t.Name] = t.Speed
	}
	p.sorter = history.New(history.Options{From: s.Start, To: s.To, Speeds: speeds})
	var used uses
	var done []int64 // when jobs were done, Unix ns
	err := from.History(s.Start, func(f api.Finished) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !f.FinishedAt.After(s.Start) || !f.ArrivedAt.Before(s.To) {
			return nil
		}
		used.see(&f)
		if f.State == api.StateDone {
			done = append(done, f.FinishedAt.UnixNano())
			if !f.ArrivedAt.Before(s.From) && !f.FinishedAt.After(s.To) { // as long as a simulation of it lasts
				p.Sojourns[f.Type] = append(p.Sojourns[f.Type], f.FinishedAt.Sub(f.ArrivedAt).Seconds())
			}
			p.Jobs.Attempts += int64(f.Attempts)
			p.Jobs.Retried += int64(max(f.Attempts-1, 0))
		}
		p.carry(&f)
		return p.sorter.Add(f)
	})
	if err != nil {
		return fmt.Errorf("history of the queue: %w", err)
	}
	if p.sorter.Jobs() == 0 {
		return badInput{fmt.Errorf("no job from %s to %s is done (%d ended otherwise)", s.Start.Format(time.RFC3339), s.To.Format(time.RFC3339), p.sorter.Skipped.NotDone)}
	}
	for _, list := range p.Sojourns {
		slices.Sort(list)
	}
	slices.Sort(done)
	p.Jobs.NotDone = p.sorter.Skipped.NotDone
	p.Jobs.Done = func(from, to time.Time) int64 {
		before := func(t time.Time) int {
			return sort.Search(len(done), func(i int) bool { return done[i] >= t.UnixNano() })
		}
		return int64(before(to) - before(from))
	}
	p.Jobs.Used = used.notes(from.Queues)
	p.Jobs.Source, err = p.sorter.Trace()
	return err
}

// carry moves a job that had arrived before the start to it, with what was left
// of its work.
func (p *Past) carry(f *api.Finished) {
	start := p.Story.Start
	if !f.ArrivedAt.Before(start) || f.State != api.StateDone {
		return
	}
	f.ArrivedAt = start
	if f.StartedAt.IsZero() || !f.StartedAt.Before(start) {
		p.Jobs.Pending++
		return
	}
	p.Jobs.Running++
	left := f.FinishedAt.Sub(start).Seconds()
	if f.RunS > 0 {
		left = min(left, f.RunS)
	}
	f.RunS, f.StartedAt = max(left, 1e-9), start
}

// uses counts features of the live queue that the simulator does not model.
type uses struct {
	tenants                     map[string]bool
	due, groups, delayed, retry int64
}

func (u *uses) see(f *api.Finished) {
	if f.Tenant != "" {
		if u.tenants == nil {
			u.tenants = map[string]bool{}
		}
		u.tenants[f.Tenant] = true
	}
	if f.DueMS > 0 {
		u.due++
	}
	if f.Group != "" {
		u.groups++
	}
	if f.ArrivedAt.Sub(f.SubmittedAt) > time.Second && f.Attempts <= 1 {
		u.delayed++
	}
	if f.Attempts > 1 {
		u.retry++
	}
}

// notes says what was used, each in a sentence.
func (u *uses) notes(queues func() ([]api.Queue, error)) []string {
	var notes []string
	say := func(n int64, format string) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, n))
		}
	}
	say(int64(len(u.tenants)), "tenants: the jobs were of %d, and shared the queue fairly; the simulator treats all jobs of a priority alike")
	say(u.due, "deadlines: %d jobs had one of their own; the simulator judges them by their class's target")
	say(u.groups, "groups: %d jobs belonged to one; the simulator does not know them")
	say(u.delayed, "delays: %d jobs were submitted for later; the simulator has them arrive when they could run")
	say(u.retry, "retries: %d jobs took more than one attempt; the simulator has the last one run, at their arrival")
	if queues == nil {
		return append(notes, "limits: whether rates, concurrency or a pause held jobs back is not known here; the simulator has none")
	}
	list, err := queues()
	if err != nil {
		return append(notes, fmt.Sprintf("limits: whether any held jobs back could not be read (%v); the simulator has none", err))
	}
	for _, q := range list {
		switch {
		case q.Limit.RatePerS > 0:
			notes = append(notes, fmt.Sprintf("rate limits: %s may start %g a second; the simulator has no rates", q.Type, q.Limit.RatePerS))
		case q.Limit.RunningMax > 0:
			notes = append(notes, fmt.Sprintf("limits on concurrency: %s may run %d at once; the simulator has none", q.Type, q.Limit.RunningMax))
		}
		if q.Paused {
			notes = append(notes, fmt.Sprintf("pauses: %s is paused now; the simulator does not pause", q.Type))
		}
	}
	return notes
}
