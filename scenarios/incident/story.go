package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
)

// Span is the time of a story: it is judged from From on, and begins at Start
// before that, so that what a controller learns within minutes is learned.
type Span struct{ Start, From, To time.Time }

// Story is what a journal tells of a span.
type Story struct {
	Span
	// Header that held at the start; its catalog with the speeds that had been
	// measured by then.
	Header journal.Header
	// State of the policy before its first decision at Start or later.
	State []byte
	// Standing is the fleet then.
	Standing []Standing
	// Faults that were journaled, in the order in which they began.
	Faults []Fault
	// Stops of an operator.
	Stops []Stop
	// Notes are sentences on what of the span a simulation does not show.
	Notes []string
	// Measured is what the journal says of the judged time.
	Measured Measured
	// Boot is what was known of boot lags at the end.
	Boot policy.BootView
	// Quota is the most instances the account could run; 0: unknown.
	Quota int
	// Budgets that the policy was shown; 0: none.
	BudgetHour, BudgetDay, BudgetMonth policy.MicroUSD
	// Spot says that instances of the spot market are in it.
	Spot bool
	// LastAt is the time of the last decision in the span.
	LastAt time.Time
}

// Standing are instances of one type, bought in one market at one time.
type Standing struct {
	Type    string
	Market  policy.Market
	Count   int
	Age     time.Duration // before Start
	ReadyIn time.Duration // after Start; 0: they were ready
}

// Stop is a time in which nothing was carried out.
type Stop struct {
	From, To time.Time
	Why      string
}

// Measured is what happened to the fleet in the judged time.
type Measured struct {
	// Decisions, and the instances they launched and EC2 refused.
	Decisions int64 `json:"decisions"`
	Launched  int   `json:"launched"`
	Refused   int   `json:"refused"`
	// CostUSD of the windows, or seconds, that began.
	CostUSD float64 `json:"cost_usd"`
	// Slack is the idle fraction of ready capacity.
	Slack float64 `json:"slack"`
	// Pending and running jobs at the end.
	Pending int64 `json:"pending"`
	Running int64 `json:"running"`
}

// Read reads the journal r, which it closes, up to the end of the span.
func Read(r *journal.Reader, specs []*policy.Spec, span Span) (*Story, error) {
	before, err := journal.StateBefore(r.Again(), func(_ int64, at time.Time) bool { return !at.Before(span.Start) })
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.Skip = func(_ int64, at time.Time) bool { return at.Before(before) }
	s := &Story{Span: span}
	x := reading{Story: s, watch: newWatch(), player: journal.Player{New: func(h *journal.Header) (policy.Policy, error) { return h.New(specs) }}}
	for {
		line, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		done, err := x.take(line, before)
		if err != nil {
			file, number := r.Position()
			return nil, &journal.Error{File: file, Line: number, Err: err}
		}
		if done {
			break
		}
	}
	if x.decisions == 0 {
		file, _ := r.Position()
		return nil, &journal.Error{File: file, Err: fmt.Errorf("there is no decision from %s to %s", span.Start.Format(time.RFC3339), span.To.Format(time.RFC3339))}
	}
	x.finish()
	return s, nil
}

// reading is a Story in the making.
type reading struct {
	*Story
	*watch
	player    journal.Player
	header    *journal.Header
	decisions int64
	spent     policy.MicroUSD // this month, at the last decision
	looked    slots           // that were seen at the decisions of the judged time
	before    slots           // slot-seconds of the day before it
	last      slots           // slot-seconds of the day before the last decision
	over      time.Duration   // how long that day was
	stop      *Stop
}

// slots are ready and busy slots, or slot-seconds.
type slots struct{ ready, busy float64 }

// slack returns the idle fraction; 0 where nothing was ready.
func (s slots) slack() float64 {
	if s.ready <= 0 {
		return 0
	}
	return 1 - s.busy/s.ready
}

// take takes in a line; done says that the span is over.
func (x *reading) take(line any, before time.Time) (done bool, err error) {
	switch line := line.(type) {
	case *journal.Header:
		if x.decisions > 0 {
			x.another(line)
		}
		x.header = line
		if err := x.player.Header(line); err != nil {
			return false, fmt.Errorf("header: %w", err)
		}
	case *journal.State:
		if line.At.Before(before) {
			return false, nil
		}
		if _, _, err := x.player.State(line); err != nil {
			return false, fmt.Errorf("state: %w", err)
		}
	case *journal.Record:
		if !line.At.Before(x.To) {
			return true, nil
		}
		if line.At.Before(x.Start) {
			_, _, err := x.player.Step(line)
			return false, err
		}
		return false, x.record(line)
	}
	return false, nil
}

// another notes a header in the midst of the span.
func (x *reading) another(h *journal.Header) {
	at := x.LastAt.UTC().Format(time.RFC3339)
	switch was := x.header; {
	case was.Policy.Label != h.Policy.Label:
		x.note("after %s policy %s decided, not %s: the scenario keeps the first", at, h.Policy.Label, was.Policy.Label)
	case was.Guard != h.Guard:
		x.note("the guard's limits changed after %s: the scenario keeps the first", at)
	case was.Epoch != h.Epoch:
		x.note("another controller took over after %s (epoch %d, then %d): the simulator has one", at, was.Epoch, h.Epoch)
	}
}

func (x *reading) note(format string, args ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, args...))
}

// record takes in a decision of the span.
func (x *reading) record(r *journal.Record) error {
	o := &r.Observation
	if x.decisions == 0 {
		if err := x.begin(r); err != nil {
			return err
		}
	} else if !r.At.Before(x.From) {
		// what was spent counts from the last decision before the judged time on
		if d := o.Money.SpentMonth - x.spent; d >= 0 {
			x.Measured.CostUSD += d.Dollars()
		} else { // another month
			x.Measured.CostUSD += o.Money.SpentMonth.Dollars()
		}
	}
	x.spent = o.Money.SpentMonth
	x.last, x.over = slots{o.History.ReadySlotSeconds, o.History.BusySlotSeconds}, o.History.SlackOver
	if x.decisions == 0 || r.At.Before(x.From) {
		x.before = x.last
	}
	x.decisions++
	d, err := decisionOf(r)
	if err != nil {
		return err
	}
	x.see(r, d, &x.Header.Catalog)
	if !r.At.Before(x.From) {
		x.measure(r)
	}
	x.stopped(r)
	x.LastAt, x.Boot = r.At, o.Fleet.Boot
	if q := o.EC2.Quota; q > 0 {
		x.Quota = q
	}
	return nil
}

// decisionOf returns the decision of a record as far as it names instances.
func decisionOf(r *journal.Record) (*journal.Decision, error) {
	var d struct {
		Drains []policy.InstanceID `json:"drains"`
	}
	if err := json.Unmarshal([]byte(r.Decision), &d); err != nil {
		return nil, err
	}
	return &journal.Decision{Drains: d.Drains}, nil
}

// begin takes down how things stood at the first decision.
func (x *reading) begin(r *journal.Record) error {
	o := &r.Observation
	if late := r.At.Sub(x.Start); late > 2*x.header.Tick {
		x.note("the journal begins %s after the span does", late.Round(time.Second))
	}
	p := x.player.Policy()
	if p == nil {
		return errors.New("no header stands before it")
	}
	state, err := p.MarshalJSON()
	if err != nil {
		return err
	}
	x.State = state
	x.Header = *x.header
	x.Header.Catalog.Types = append([]policy.InstanceType(nil), x.header.Catalog.Types...)
	for i, speed := range o.Fleet.Speeds {
		if i < len(x.Header.Catalog.Types) && speed > 0 {
			x.Header.Catalog.Types[i].Speed = speed
		}
	}
	x.Start = r.At
	if x.From.Before(x.Start) {
		x.From = x.Start
	}
	x.BudgetHour, x.BudgetDay, x.BudgetMonth = o.Money.BudgetHour, o.Money.BudgetDay, o.Money.BudgetMonth
	x.stand(o)
	return nil
}

// stand takes down the fleet. Instances that are alike in type, market, launch
// and phase are one entry.
func (x *reading) stand(o *policy.Observation) {
	left := 0
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		x.Spot = x.Spot || in.Market == policy.Spot
		if in.Type < 0 || in.Type >= len(x.Header.Catalog.Types) {
			continue
		}
		s := Standing{Type: x.Header.Catalog.Types[in.Type].Name, Market: in.Market, Count: 1, Age: max(x.Start.Sub(in.LaunchedAt), 0)}
		switch in.Phase {
		case policy.Draining, policy.Lost:
			left++
			continue
		case policy.Requested, policy.Booting:
			s.ReadyIn = max(o.Fleet.Boot.P50-s.Age, time.Second)
		}
		if n := len(x.Standing); n > 0 {
			last := x.Standing[n-1]
			if last.Count = 1; last == s {
				x.Standing[n-1].Count++
				continue
			}
		}
		x.Standing = append(x.Standing, s)
	}
	if left > 0 {
		x.note("%d instances that were draining or silent at the start are left out of the fleet", left)
	}
}

// measure adds what a decision of the judged time saw.
func (x *reading) measure(r *journal.Record) {
	o, m := &r.Observation, &x.Measured
	m.Decisions++
	if r.Outcome != nil {
		m.Launched += r.Outcome.Launched
		m.Refused += r.Outcome.Refused
	}
	for i := range o.Fleet.Instances {
		switch in := &o.Fleet.Instances[i]; in.Phase {
		case policy.Ready:
			x.looked.ready += float64(in.Slots)
			x.looked.busy += float64(in.Busy)
		case policy.Draining:
			x.looked.ready += float64(in.Busy)
			x.looked.busy += float64(in.Busy)
		}
	}
	m.Pending, m.Running = 0, 0
	for i := range o.Queue.Kinds {
		m.Pending += o.Queue.Kinds[i].Pending.Jobs
		m.Running += o.Queue.Kinds[i].InFlight.Jobs
	}
}

// stopped follows the times in which nothing was carried out.
func (x *reading) stopped(r *journal.Record) {
	held := ""
	if r.Outcome != nil {
		held = r.Outcome.Held
	}
	if x.stop != nil && (held == "" || held != x.stop.Why) {
		x.stop.To = r.At
		x.stop = nil
	}
	if held != "" && x.stop == nil {
		x.Stops = append(x.Stops, Stop{From: r.At, Why: held})
		x.stop = &x.Stops[len(x.Stops)-1]
	}
}

// slack returns the slack of the judged time: what was counted, where the decisions
// say it of that time, as they do of their first day and of a whole one. Else what
// they saw has to do.
func (x *reading) slack() float64 {
	const day = 24 * time.Hour
	since := slots{x.last.ready - x.before.ready, x.last.busy - x.before.busy}
	switch judged := x.To.Sub(x.From); {
	case x.over < day && since.ready > 0 && since.busy >= 0:
		return since.slack()
	case x.over >= day && (judged-day).Abs() <= x.Header.Tick && x.To.Sub(x.LastAt) <= 2*x.Header.Tick:
		return x.last.slack()
	}
	return x.looked.slack()
}

// finish closes what is open.
func (x *reading) finish() {
	if x.stop != nil {
		x.stop.To = x.To
	}
	x.Measured.Slack = x.slack()
	x.Faults = x.faults(x.Span, x.header)
	if missing := x.To.Sub(x.LastAt); missing > 3*x.Header.Tick {
		x.note("the journal ends %s before the span does", missing.Round(time.Second))
	}
	for _, s := range x.Stops {
		x.note("nothing was carried out from %s to %s (%s): the simulator's policy always acts", s.From.UTC().Format(time.RFC3339), s.To.UTC().Format(time.RFC3339), s.Why)
	}
	if x.Spot {
		x.note("instances of the spot market: the scenario's [cloud.spot] draws prices, it does not have those of that time")
	}
	x.Notes = append(x.Notes, x.watch.notes...)
}

// Fault is one that was journaled.
type Fault struct {
	scenarios.Fault
	// Why it is believed to have been, in a sentence.
	Why string
}
