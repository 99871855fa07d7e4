package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Subject is a decision with what explains it.
type Subject struct {
	Header      *journal.Header
	Observation *policy.Observation
	// Decision as it was recorded, after the guard.
	Decision *journal.Decision
	Removed  journal.Removed
	// Outcome is nil where it is not known.
	Outcome *journal.Outcome
	// Lead is how long before the end of its paid window the policy drains an
	// instance (Lead).
	Lead time.Duration
}

// Lead returns how long before the end of its paid window a policy with these
// parameters drains an instance: its drain_lead or release_lead, and at least a
// tick.
func Lead(spec *policy.Spec, v policy.Values, tick time.Duration) time.Duration {
	lead := time.Duration(0)
	if spec != nil {
		for _, name := range []string{"drain_lead", "release_lead"} {
			if p := spec.Param(name); p != nil {
				lead = max(lead, v.Duration(p))
			}
		}
	}
	return max(lead, tick)
}

var (
	whyAsked   = policy.NewRule("why.asked", "the policy asked for %.0f instances: the guard took away %.0f, EC2 refused %.0f, %.0f were launched", false)
	whyNotAsk  = policy.NewRule("why.not_asked", "the policy asked for nothing: %.0f of %.0f ready slots are busy, %.0f boot, %.0f jobs wait", false)
	whyHeld    = policy.NewRule("why.held", "what was decided was not applied: %s", true)
	whyRoom    = policy.NewRule("why.room", "%s: the guard had room for %.0f more instances of it", true)
	whyNoRoom  = policy.NewRule("why.no_room", "the guard had no room: %s", true)
	whyRefused = policy.NewRule("why.refused", "%s: EC2 refused %.0f of %.0f, %.0f s before", true)

	whyDrained = policy.NewRule("why.drained", "%.0f instances were drained by this decision", false)
	whyNoReady = policy.NewRule("why.none_ready", "no instance is ready: %.0f boot, %.0f drain already", false)
	whyBusy    = policy.NewRule("why.busy", "%.0f of %.0f ready instances run jobs", false)
	whyWindow  = policy.NewRule("why.window", "%.0f of %.0f idle instances are within %.0f s of their paid window's end", false)
	whyNext    = policy.NewRule("why.next", "the next of them reaches it in %.0f s", false)
	whyAnytime = policy.NewRule("why.anytime", "%.0f instances are idle, and paid by the second: the rule decides when they leave", false)
	whyGrowing = policy.NewRule("why.growing", "the decision launches %.0f instances and takes %.0f back: the policy releases none beside", false)
	whyNotice  = policy.NewRule("why.notice", "%.0f idle instances are about to be taken back by EC2", false)
)

// Rules of the policies, by what they hold back. A rule that stands in neither
// list concerns both.
var (
	onlyLaunch    = []string{"plan.fits", "plan.short", "plan.more", "plan.spare", "buy.", "undrain", "slack.short", "slack.enough", "off.night", "guard.launch", "guard.in_flight", "guard.fleet", "guard.cores", "guard.money", "guard.substitute", "guard.breaker", "guard.unknown", "steer.", "tick."}
	onlyTerminate = []string{"release.", "plan.keep", "keep.", "undrain.paid", "guard.drain", "common.keep"}
)

func begins(rule string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(rule, p) {
			return true
		}
	}
	return false
}

// reasons returns the sentences of the decision's own reasons that concern a
// launch, or a termination.
func (s *Subject) reasons(own, other []string) []string {
	var all []string
	for i := range s.Decision.Because {
		r := &s.Decision.Because[i]
		if begins(r.Rule, own) || !begins(r.Rule, other) {
			all = append(all, r.String())
		}
	}
	return all
}

// An Answer is why something did not happen: the policy's own reasons, as they
// were recorded, and the facts that they rest on.
type Answer struct {
	Reasons []string
	Facts   []policy.Reason
}

// WhyNotLaunch returns what kept a decision from launching, or from launching
// more.
func WhyNotLaunch(s *Subject) Answer {
	a := Answer{Reasons: s.reasons(onlyLaunch, onlyTerminate)}
	o, d := s.Observation, s.Decision
	asked := s.Removed.Launches
	for i := range d.Launches {
		asked += d.Launches[i].Count
	}
	switch {
	case asked == 0:
		waiting := int64(0)
		for i := range o.Queue.Kinds {
			waiting += o.Queue.Kinds[i].Pending.Jobs
		}
		a.add(whyNotAsk.Because(float64(o.Fleet.BusySlots), float64(o.Fleet.ReadySlots), float64(o.Fleet.BootingSlots), float64(waiting)))
	case s.Outcome != nil:
		a.add(whyAsked.Because(float64(asked), float64(s.Removed.Launches), float64(s.Outcome.Refused), float64(s.Outcome.Launched)))
	}
	s.held(&a)
	s.room(&a)
	for i := range o.EC2.Refusals {
		r := &o.EC2.Refusals[i]
		if last := i+1 == len(o.EC2.Refusals) || o.EC2.Refusals[i+1].Type != r.Type; last {
			name := fmt.Sprintf("%s (%s)", s.typeName(r.Type), r.Why)
			a.add(whyRefused.Named(name, float64(r.Refused), float64(r.Asked), o.Now.Sub(r.At).Seconds()))
		}
	}
	return a
}

// WhyNotTerminate returns what kept a decision from releasing instances, or from
// releasing more.
func WhyNotTerminate(s *Subject) Answer {
	a := Answer{Reasons: s.reasons(onlyTerminate, onlyLaunch)}
	d := s.Decision
	if n := len(d.Drains); n > 0 {
		a.add(whyDrained.Because(float64(n)))
	}
	s.held(&a)
	if launches := len(d.Launches); launches > 0 || len(d.Undrains) > 0 {
		n := 0
		for i := range d.Launches {
			n += d.Launches[i].Count
		}
		a.add(whyGrowing.Because(float64(n), float64(len(d.Undrains))))
	}
	f := s.releasable()
	if f.ready == 0 {
		a.add(whyNoReady.Because(float64(f.booting), float64(f.draining)))
		return a
	}
	a.add(whyBusy.Because(float64(f.busy), float64(f.ready)))
	if f.noticed > 0 {
		a.add(whyNotice.Because(float64(f.noticed)))
	}
	switch {
	case f.idle == 0:
	case !s.Header.Catalog.Billing.Windows():
		a.add(whyAnytime.Because(float64(f.idle)))
	default:
		a.add(whyWindow.Because(float64(f.near), float64(f.idle), s.Lead.Seconds()))
		if f.next >= 0 && f.near == 0 {
			a.add(whyNext.Because(f.next.Seconds()))
		}
	}
	return a
}

// releasable counts the instances of a fleet by what keeps them from being released.
type releasable struct {
	ready, booting, draining int
	busy, noticed, idle      int           // of the ready ones
	near                     int           // of the idle ones: near their paid window's end
	next                     time.Duration // until the next of the others is; negative: there is none
}

func (s *Subject) releasable() releasable {
	f := releasable{next: -1}
	o := s.Observation
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		switch in.Phase {
		case policy.Requested, policy.Booting:
			f.booting++
			continue
		case policy.Draining:
			f.draining++
			continue
		case policy.Lost:
			continue
		}
		f.ready++
		left := in.PaidUntil.Sub(o.Now)
		switch {
		case in.Busy > 0:
			f.busy++
		case !in.InterruptAt.IsZero():
			f.noticed++
		case left <= s.Lead:
			f.idle++
			f.near++
		default:
			f.idle++
			if f.next < 0 || left < f.next {
				f.next = left
			}
		}
	}
	return f
}

func (a *Answer) add(r policy.Reason) { a.Facts = append(a.Facts, r) }

// held tells that the decision was not applied.
func (s *Subject) held(a *Answer) {
	if s.Outcome != nil && s.Outcome.Held != "" {
		a.add(whyHeld.Named(s.Outcome.Held))
	}
}

// room tells how many more instances of the cheapest type the guard would have
// let pass beside the decision's own.
func (s *Subject) room(a *Answer) {
	c := &s.Header.Catalog
	cheapest := c.ByUnitPrice()[0]
	own := 0
	for i := range s.Decision.Launches {
		own += s.Decision.Launches[i].Count
	}
	ask := func(more int) (got int, d policy.Decision) {
		var asked policy.Decision
		for _, l := range s.Decision.Launches {
			l.Else = nil
			asked.Launches = append(asked.Launches, l)
		}
		asked.Launches = append(asked.Launches, policy.Launch{Type: cheapest, Count: more})
		d = s.Header.Guard.Clamp(s.Observation, c, asked)
		return d.Instances() - own, d
	}
	if n, d := ask(1); n < 1 && len(d.Because) > 0 {
		a.add(whyNoRoom.Named(d.Because[0].String()))
		return
	}
	const many = 1 << 20
	n, _ := ask(many)
	a.add(whyRoom.Named(c.Types[cheapest].Name, float64(n)))
}

func (s *Subject) typeName(typ int) string {
	if c := &s.Header.Catalog; typ >= 0 && typ < len(c.Types) {
		return c.Types[typ].Name
	}
	return fmt.Sprintf("type %d", typ)
}
