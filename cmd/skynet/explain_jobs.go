package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/sim"
)

// wantedJobs is a sink that keeps one job, or what may be the worst of a class
// among those that are judged.
type wantedJobs struct {
	one   bool
	job   int64
	class string
	most  int

	classes []policy.Class
	index   int           // of class
	from    time.Duration // jobs that arrive before are not judged
	kept    []sim.JobRow  // the worst of those whose end is known, the worst first
	open    []sim.JobRow  // the oldest of the others, in trace order
	seen    int64
}

// begin checks what is wanted against the classes there are.
func (w *wantedJobs) begin(classes []policy.Class, judgeFrom time.Duration) error {
	w.classes, w.from = classes, judgeFrom
	if w.one {
		return nil
	}
	var names []string
	for i := range classes {
		names = append(names, classes[i].Name)
		if classes[i].Name == w.class {
			w.index = i
			return nil
		}
	}
	return usageError(fmt.Errorf("--class %s: no class of this run%s; its classes: %s", w.class, spell.DidYouMean(w.class, names), strings.Join(names, ", ")))
}

// took returns what a class's target bounds of a job: its wait or its sojourn, up
// to end where it has not ended; known is false then.
func took(r *sim.JobRow, c *policy.Class, end time.Duration) (t time.Duration, known bool) {
	until := r.Finish
	if c.On == policy.Wait {
		until = r.Start
	}
	if until < 0 {
		return end - r.Arrival, false
	}
	return until - r.Arrival, true
}

// Job takes the next job in trace order.
func (w *wantedJobs) Job(r *sim.JobRow) error {
	w.seen++
	if w.one {
		if r.Job == w.job {
			w.kept = append(w.kept, *r)
		}
		return nil
	}
	if r.Arrival < w.from || policy.ClassOf(w.classes, r.Type, r.Priority) != w.index {
		return nil
	}
	c := &w.classes[w.index]
	bad, known := took(r, c, 0)
	if !known {
		if len(w.open) < w.most {
			w.open = append(w.open, *r)
		}
		return nil
	}
	w.insert(r, bad, c, 0)
	return nil
}

// insert puts a job among the worst, if it is one of them: behind those that are
// as bad.
func (w *wantedJobs) insert(r *sim.JobRow, bad time.Duration, c *policy.Class, end time.Duration) {
	at := len(w.kept)
	for at > 0 {
		if other, _ := took(&w.kept[at-1], c, end); other >= bad {
			break
		}
		at--
	}
	if at == w.most {
		return
	}
	w.kept = slices.Insert(w.kept, at, *r)
	w.kept = w.kept[:min(len(w.kept), w.most)]
}

// settle ranks the jobs that had not ended at end among the others.
func (w *wantedJobs) settle(end time.Duration) {
	for i := range w.open {
		c := &w.classes[w.index]
		bad, _ := took(&w.open[i], c, end)
		w.insert(&w.open[i], bad, c, end)
	}
}

// delays explains the jobs that are wanted.
func (x *explaining) delays(wanted *wantedJobs, simulated bool) error {
	if !simulated {
		if x.header.World != journal.Simulated {
			return inputError(fmt.Errorf("%s: is of production, whose jobs have no file: ask about decisions", x.paths[0]))
		}
		if err := wanted.begin(x.header.Classes, x.header.JudgeFrom); err != nil {
			return err
		}
		if err := readJobs(x.jobs, wanted.Job); err != nil {
			return err
		}
	}
	moments, end, err := x.moments()
	if err != nil {
		return err
	}
	wanted.settle(end.Sub(x.start))
	if len(wanted.kept) == 0 {
		if wanted.one {
			return inputError(fmt.Errorf("--job %d: there is no such job: they are numbered from 0 to %d", x.job, wanted.seen-1))
		}
		return inputError(fmt.Errorf("--class %s: no job of it came", x.class))
	}
	list := make([]reports.Delay, len(wanted.kept))
	for i := range wanted.kept {
		if list[i], err = x.delay(&wanted.kept[i], moments, end); err != nil {
			return err
		}
	}
	return x.show(list, func(w io.Writer, o reports.Options) error { return reports.Delays(w, list, x.header.UTCOffset, o) })
}

// moments returns what every decision of the journal means for waiting jobs, and
// when the last tick ends.
func (x *explaining) moments() (all []explain.Moment, end time.Time, err error) {
	r := journalOf(x.app.ctx, x.paths, x.torn)
	defer r.Close()
	for {
		line, err := r.Next()
		if err == io.EOF {
			return all, end, nil
		}
		if err != nil {
			return nil, end, explainTorn(err)
		}
		if rec, ok := line.(*journal.Record); ok {
			m, err := explain.MomentOf(rec)
			if err != nil {
				return nil, end, inputError(err)
			}
			all = append(all, m)
			end = rec.At.Add(r.Header().Tick)
		}
	}
}

// delay explains one job. What has not ended is taken up to end.
func (x *explaining) delay(r *sim.JobRow, moments []explain.Moment, end time.Time) (reports.Delay, error) {
	at := policy.ClassOf(x.header.Classes, r.Type, r.Priority)
	if at < 0 {
		return reports.Delay{}, inputError(fmt.Errorf("job %d: type %q, priority %d: no class of the journal: are the two of one run?", r.Job, r.Type, r.Priority))
	}
	c := &x.header.Classes[at]
	arrived := x.start.Add(r.Arrival)
	if len(moments) == 0 || arrived.After(end) {
		return reports.Delay{}, inputError(fmt.Errorf("job %d: arrived at %s, after the journal's end: are the two of one run?", r.Job, arrived.Format(time.RFC3339)))
	}
	instant := func(t time.Duration) time.Time {
		if t < 0 {
			return end
		}
		return x.start.Add(t)
	}
	started, done := instant(r.Start), instant(r.Finish)
	if started.After(done) || started.Before(arrived) {
		return reports.Delay{}, inputError(fmt.Errorf("job %d: starts before it arrives, or ends before it starts", r.Job))
	}
	l := explain.LatenessOf(moments, arrived, started, done.Sub(started), c.Target, c.On == policy.Wait)
	return reports.Delay{
		Job: r.Job, Type: r.Type, Priority: r.Priority, Class: c.Name, TargetS: c.Target.Seconds(), On: c.On.String(),
		Arrived: arrived, Attempts: r.Attempts, Started: r.Start >= 0, Done: r.Finish >= 0,
		WaitS: l.Wait.Seconds(), TookS: done.Sub(arrived).Seconds(), LateS: l.Late.Seconds(),
		Wait: reports.NewCauses(&l.Split, 0), Late: reports.NewCauses(&l.Of, l.Service),
	}, nil
}
