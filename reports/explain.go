package reports

import (
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Explanation is a decision with what explains it, as explain shows it and
// writes it with --json. Times are in seconds, work in core-seconds.
type Explanation struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Policy string    `json:"policy"`
	Epoch  int64     `json:"epoch,omitempty"` // of the leader, in production
	// Action in words: SLEEP, or what is launched, drained and taken back.
	Action string `json:"action"`
	// What was known.
	Waiting  policy.Flow `json:"waiting"`
	OldestS  float64     `json:"oldest_s"`
	Running  int64       `json:"running"`
	Ready    int         `json:"ready_slots"`
	Busy     int         `json:"busy_slots"`
	Booting  int         `json:"booting_slots"`
	Draining int         `json:"draining_slots"`
	// Forecast of the policy, nil where it makes none or could not be asked.
	Forecast *Forecast         `json:"forecast,omitempty"`
	Because  []journal.Reason  `json:"-"` // in Decision
	Removed  journal.Removed   `json:"removed_by_guard"`
	Outcome  *journal.Outcome  `json:"outcome"`
	Decision *journal.Decision `json:"decision"`
	// WhyNot answers by question: launch, terminate.
	WhyNot map[string]Answer `json:"why_not"`
	// Notes on what this explanation lacks.
	Notes []string `json:"notes,omitempty"`

	asked  string        // the question that was asked; "": none
	offset time.Duration // of the users' clock
}

// Forecast is what a policy expects of the load, in reference cores, Ahead
// seconds from the decision.
type Forecast struct {
	Mean  float64 `json:"mean_cores"`
	P90   float64 `json:"p90_cores"`
	Ahead float64 `json:"ahead_s"`
}

// Answer is why something did not happen.
type Answer struct {
	Reasons []string        `json:"reasons"` // the policy's own, as recorded
	Facts   []policy.Reason `json:"facts"`   // from the observation, the guard and the outcome
}

// The questions that Explain answers.
const (
	WhyNotLaunch    = "launch"
	WhyNotTerminate = "terminate"
)

// NewExplanation returns the explanation of a recorded decision. asked is the
// question that it is to answer in full, or "".
func NewExplanation(id int64, s *explain.Subject, asked string) *Explanation {
	o, h := s.Observation, s.Header
	e := &Explanation{
		ID: id, At: o.Now.UTC(), Policy: h.Policy.Label, Epoch: h.Epoch, Action: explain.Action(s.Decision, &h.Catalog),
		Ready: o.Fleet.ReadySlots, Busy: o.Fleet.BusySlots, Booting: o.Fleet.BootingSlots, Draining: o.Fleet.DrainingSlots,
		Because: s.Decision.Because, Removed: s.Removed, Outcome: s.Outcome, Decision: s.Decision, asked: asked, offset: h.UTCOffset,
	}
	if e.Policy == "" {
		e.Policy = h.Policy.Name
	}
	oldest := time.Duration(0)
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		e.Waiting.Jobs += k.Pending.Jobs
		e.Waiting.Work += k.Pending.Work
		e.Running += k.InFlight.Jobs
		oldest = max(oldest, k.OldestWait)
	}
	e.OldestS = oldest.Seconds()
	e.WhyNot = map[string]Answer{
		WhyNotLaunch:    Answer(explain.WhyNotLaunch(s)),
		WhyNotTerminate: Answer(explain.WhyNotTerminate(s)),
	}
	return e
}

// Explain writes an explanation for people.
func Explain(w io.Writer, e *Explanation, o Options) error {
	s := o.sheet()
	head := part{
		{fmt.Sprintf("#%d ", e.ID), bold},
		{instantText(e.At, e.offset, toSecond) + "  ", plain},
		{oneLine(e.Action), bold},
	}
	tail := "policy " + oneLine(e.Policy)
	if e.Epoch > 0 {
		tail = fmt.Sprintf("leader epoch %d  %s", e.Epoch, tail)
	}
	s.line(head, 2, 3, part{{tail, faint}})
	waiting := fmt.Sprintf("  waiting %s jobs", Count(e.Waiting.Jobs))
	if e.Waiting.Jobs > 0 {
		waiting += fmt.Sprintf(" (%s core-seconds, the oldest for %s)", Number(float64(e.Waiting.Work)), Seconds(&e.OldestS))
	}
	parts := []part{
		say(fmt.Sprintf("running %s", Count(e.Running))),
		say(fmt.Sprintf("ready %s slots, %s busy", Count(e.Ready), Count(e.Busy))),
		say(fmt.Sprintf("booting %s", Count(e.Booting))),
		say(fmt.Sprintf("draining %s", Count(e.Draining))),
	}
	if f := e.Forecast; f != nil {
		parts = append(parts, say(fmt.Sprintf("forecast in %s: %s cores, p90 %s", Seconds(&f.Ahead), Number(f.Mean), Number(f.P90))))
	}
	s.line(say(waiting), 2, 3, parts...)
	for i := range e.Because {
		s.line(say("  "+oneLine(e.Because[i].String())), 2, 2)
	}
	if out := e.Outcome; out != nil && (out.Held != "" || e.Action != "SLEEP") {
		s.line(say("  outcome: "+oneLine(explain.Became(out))), 2, 2)
	} else if out == nil {
		s.line(say("  outcome: not recorded"), 2, 2)
	}
	if e.asked == "" {
		question := e.obvious()
		if facts := e.WhyNot[question].Facts; len(facts) > 0 {
			s.line(say(fmt.Sprintf("  why not %s: %s", question, oneLine(facts[0].Text()))), 2, 2)
			for i := range facts[1:] {
				s.line(say("    "+oneLine(facts[i+1].Text())), 4, 2)
			}
		}
	} else {
		a := e.WhyNot[e.asked]
		s.line(part{{"  why not " + e.asked, bold}}, 2, 2)
		for i := range a.Facts {
			s.line(say("    "+oneLine(a.Facts[i].String())), 4, 2)
		}
		for _, r := range a.Reasons {
			s.line(say("    "+oneLine(r)), 4, 2)
		}
	}
	for _, note := range e.Notes {
		s.line(part{{"  note: " + oneLine(note), faint}}, 2, 2)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// obvious returns the question that a reader of the decision asks first.
func (e *Explanation) obvious() string {
	short := e.Waiting.Jobs > 0 && len(e.Decision.Launches) == 0 || e.Removed.Launches > 0
	if short || len(e.Decision.Drains) > 0 {
		return WhyNotLaunch
	}
	return WhyNotTerminate
}

// Delay is why a job was late, as explain writes it with --json.
type Delay struct {
	Job      int64     `json:"job"`
	Type     string    `json:"type"`
	Priority int       `json:"priority"`
	Class    string    `json:"class"`
	TargetS  float64   `json:"target_s"`
	On       string    `json:"on"`
	Arrived  time.Time `json:"arrived"`
	Attempts int       `json:"attempts"`
	// Started and Done: false where the run ended before; then the times are up
	// to that end.
	Started bool    `json:"started"`
	Done    bool    `json:"done"`
	WaitS   float64 `json:"wait_s"`
	TookS   float64 `json:"sojourn_s"`
	LateS   float64 `json:"late_s"`
	// Wait and Late by cause; they sum to wait_s and late_s.
	Wait Causes `json:"wait_by_cause_s"`
	Late Causes `json:"late_by_cause_s"`
}

// Causes is a time in seconds by what it was lost to: see explain.Split.
// Service is the job's own time in a slot beyond its target.
type Causes struct {
	Guard    float64 `json:"guard"`
	Refusal  float64 `json:"refusal"`
	Boot     float64 `json:"boot"`
	Forecast float64 `json:"forecast_miss"`
	Queueing float64 `json:"queueing"`
	Service  float64 `json:"service"`
}

// NewCauses returns a split in seconds.
func NewCauses(s *explain.Split, service time.Duration) Causes {
	return Causes{
		s.Guard.Seconds(), s.Refusal.Seconds(), s.Boot.Seconds(), s.Forecast.Seconds(), s.Queueing.Seconds(), service.Seconds(),
	}
}

// Delays writes why jobs were late, for people: a line a job with the causes of
// its lateness, or of its wait where it was in time. offset is that of the users'
// clock.
func Delays(w io.Writer, list []Delay, offset time.Duration, o Options) error {
	s := o.sheet()
	for i := range list {
		d := &list[i]
		state := ""
		switch {
		case !d.Started:
			state = ", and never started"
		case !d.Done:
			state = ", and is not done"
		}
		verdict, causes := "in time", &d.Wait
		paint := plain
		if d.LateS > 0 {
			verdict, causes, paint = "late by "+Seconds(&d.LateS), &d.Late, red
		}
		target := Target(time.Duration(d.TargetS * 1e9))
		s.line(part{{fmt.Sprintf("job %d ", d.Job), bold}, {oneLine(fmt.Sprintf("%s, priority %d, class %s (%s of %s)", d.Type, d.Priority, d.Class, target, d.On)), plain}}, 2, 3,
			part{{verdict, paint}})
		line := fmt.Sprintf("  arrived %s, waited %s, took %s%s", instantText(d.Arrived, offset, toMilli), Seconds(&d.WaitS), Seconds(&d.TookS), state)
		if d.Attempts > 1 {
			line += fmt.Sprintf(", started %d times", d.Attempts)
		}
		s.line(say(line), 2, 2)
		what := "  its wait:"
		if d.LateS > 0 {
			what = "  lateness:"
		}
		var parts []part
		for _, c := range []struct {
			name  string
			value float64
		}{
			{"boot", causes.Boot},
			{"refusal", causes.Refusal},
			{"guard", causes.Guard},
			{"forecast miss", causes.Forecast},
			{"queueing", causes.Queueing},
			{"service", causes.Service},
		} {
			if c.value > 0 {
				parts = append(parts, say(c.name+" "+Seconds(&c.value)))
			}
		}
		if parts == nil {
			parts = []part{say("none")}
		}
		s.line(say(what), 4, 1, parts...)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
