package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// patience is a policy with one line that can wait, and what is observed of it.
type patience struct {
	p *Policy
	o policy.Observation
}

func newPatience(t *testing.T, b policy.Billing, classes ...policy.Class) *patience {
	t.Helper()
	w := newWorld(b, classes)
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	x := &patience{p: w.policy}
	for i := range classes {
		x.o.Queue.Kinds = append(x.o.Queue.Kinds, policy.KindView{Class: i, Arrived: [4]policy.Flow{3: flow(1, 1)}})
	}
	x.p.lines = []line{{promised: true}}
	return x
}

// starts counts jobs of a class that started within a minute, and the late ones.
func (x *patience) starts(class int, jobs, late int64) {
	for i := range x.o.Queue.Kinds {
		x.o.Queue.Kinds[i].Started, x.o.Queue.Kinds[i].StartedLate = 0, 0
	}
	x.o.Queue.Kinds[class].Started, x.o.Queue.Kinds[class].StartedLate = jobs, late
	x.p.countStarts(&x.o, 60)
}

// share returns the part of what waits, jobs of each class, that may be late.
func (x *patience) share(waiting ...int64) float64 {
	x.p.lines[0].spare, x.p.lines[0].spareSet = 0, false
	for i, n := range waiting {
		x.o.Queue.Kinds[i].Pending.Jobs = n
	}
	x.p.spareLines(&x.o)
	return x.p.lines[0].spare
}

// oneJob of 1000, and what a sum rounds.
const oneJob = 1.001 / 1000

func patientClass(attain float64) policy.Class {
	return policy.Class{Priority: -1, On: policy.Wait, Target: 30 * time.Minute, Attain: attain}
}

// What a class may have late at once is four fifths of its budget's part of what it
// started and of what waits, less what was late, in whole jobs.
func TestSpareIsTheBudgetLessTheLate(t *testing.T) {
	x := newPatience(t, policy.Hourly, patientClass(0.9))
	const aimed = 0.1 * 0.73
	if got, want := x.share(1000), 58.0/1000; math.Abs(got-want) > oneJob {
		t.Errorf("before any job started %v of 1000 may be late, want %v", got, want)
	}
	if got := x.share(10); got != 0 {
		t.Errorf("%v of ten jobs may be late: less than one job is none", got)
	}
	x.starts(0, 10_000, 0)
	want := math.Floor(0.8*(10_000*aimed+1000*aimed)) / 1000
	if got := x.share(1000); math.Abs(got-want) > oneJob {
		t.Errorf("after 10000 starts in time %v of 1000 may be late, want %v", got, want)
	}
	if got := x.share(50); got != 1 {
		t.Errorf("%v of 50 jobs may be late, want all: 584 are to spare", got)
	}
	x.starts(0, 1000, 1000)
	if got := x.share(1000); got != 0 {
		t.Errorf("after 1000 late jobs %v of 1000 may be late, want none", got)
	}
}

// Whatever the plan lets be late, no more than the budget allows, over the whole
// time and half a day more of it, ever is.
func TestSpareNeverOverdrawsThePromise(t *testing.T) {
	x := newPatience(t, policy.Hourly, patientClass(0.95))
	started, late := 0.0, 0.0
	for minute := range 7 * 1440 {
		jobs := int64(100)
		switch {
		case minute%1440 < 600:
			jobs = 3 // a night
		case minute%5000 == 0:
			jobs = 20_000
		}
		spent := int64(math.Floor(float64(x.share(jobs)*float64(jobs)) + 1e-6))
		x.starts(0, jobs, spent)
		started += float64(jobs)
		late += float64(spent)
	}
	perDay := started / 7
	if least, most := 0.5*0.05*0.73*started, 0.05*0.73*(started+0.5*perDay); late < least || late > most {
		t.Errorf("%.0f of %.0f jobs were late, want from %.0f to %.0f", late, started, least, most)
	}
}

// What was left over is forgotten in about half a day.
func TestSpareIsForgotten(t *testing.T) {
	x := newPatience(t, policy.Hourly, patientClass(0.9))
	x.starts(0, 100_000, 0)
	before := x.p.st.Steer.Classes[0].Spare
	for range 720 {
		x.starts(0, 0, 0)
	}
	if got := x.p.st.Steer.Classes[0].Spare / before; math.Abs(got-math.Exp(-1)) > 1e-6 {
		t.Errorf("half a day later %v of what was to spare is left, want 1/e", got)
	}
}

// The class with the least to spare speaks for a line, and one that promises every
// hour something has nothing.
func TestSpareOfTheStrictestClass(t *testing.T) {
	x := newPatience(t, policy.Hourly, patientClass(0.9), patientClass(0.99))
	if got, want := x.share(1000, 1000), 5.0/1000; math.Abs(got-want) > oneJob {
		t.Errorf("%v of the line may be late, want %v", got, want)
	}
	if got, want := x.share(1000, 0), 58.0/1000; math.Abs(got-want) > oneJob {
		t.Errorf("without the strict class %v of the line may be late, want %v", got, want)
	}
	hourly := patientClass(0.9)
	hourly.WorstHour = 0.8
	x = newPatience(t, policy.Hourly, hourly)
	if got := x.share(1000); got != 0 {
		t.Errorf("%v may be late of a class that promises every hour something", got)
	}
	x = newPatience(t, policy.PerSecond, patientClass(0.9))
	if got, want := x.share(1000), 36.0/1000; math.Abs(got-want) > oneJob {
		t.Errorf("per second %v may be late at once, want %v", got, want)
	}
	x.p.set.promises = false
	if got := x.share(1000); got != 0 {
		t.Errorf("%v may be late where slack is all that is held", got)
	}
}

// What was late beyond what was to spare is not forgotten overnight: a day later
// nothing may be late, and a week of being in time makes up for it.
func TestSpareIsOwedForLonger(t *testing.T) {
	x := newPatience(t, policy.Hourly, patientClass(0.9))
	x.starts(0, 10_000, 3000)
	for range 1440 {
		x.starts(0, 1, 0)
	}
	if got := x.share(1000); got != 0 {
		t.Errorf("a day after an outage %v of 1000 jobs may be late, want none", got)
	}
	for range 7 * 1440 {
		x.starts(0, 7, 0)
	}
	if got := x.share(1000); got <= 0 {
		t.Error("a week in which all were in time has not made up for an outage")
	}
}
