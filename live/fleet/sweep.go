package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Kind is what a sweep found.
type Kind uint8

const (
	// MassOrphan: so many instances are unknown that our own store must be wrong.
	// Nothing is ended; somebody has to look.
	MassOrphan Kind = iota
	// MassAbsence: so many known instances are missing that the list must be wrong.
	// They count as before, until they have been missing for three times as long.
	MassAbsence
	// MassSilence: many instances never worked, as when a release or an image is
	// bad. They are ended a few at a time; somebody has to look.
	MassSilence
	// Orphan: nobody asked for the instance; it is ended.
	Orphan
	// Surplus: it is of an intent that has all it asked for; it is ended.
	Surplus
	// NeverWorked: its worker was never heard of; it is ended and counts as a boot
	// that failed.
	NeverWorked
	// Undead: it was ended and is listed as alive still; it is ended again.
	Undead
	// Lost: it is gone without our doing.
	Lost
	// Gone: EC2 says that it is over.
	Gone
	// AbandonedIntent: it is not asked for again; what it may have launched never
	// showed.
	AbandonedIntent
	// Adopted: an instance that a launch gave without our hearing of it.
	Adopted
)

var kindWords = [...]string{
	"mass orphan", "mass absence", "mass silence", "orphan", "surplus", "never worked", "undead", "lost", "gone", "abandoned intent", "adopted",
}

// String returns the words.
func (k Kind) String() string { return kindWords[k] }

// Alarms reports whether somebody has to look.
func (k Kind) Alarms() bool { return k <= MassSilence }

// Alarming are the kinds that do.
var Alarming = []Kind{MassOrphan, MassAbsence, MassSilence}

// Finding is one thing that a sweep found.
type Finding struct {
	Kind     Kind
	Instance string // EC2's id; empty: about no single one
	Intent   string
	Text     string
}

// Sweep joins the ledger with a view. It returns what it found, and the ids of
// the instances that are to be ended now: those that are doomed, and those that
// the findings say. queueSince is since when the queue has been readable without
// a break: a worker that nobody could hear is not silent; zero: it is not
// readable now.
func (l *Ledger) Sweep(now time.Time, v View, queueSince time.Time) (found []Finding, end []string) {
	s := sweep{Ledger: l, now: now, view: &v}
	l.forget(now)
	s.takeIn()
	s.orphans()
	s.absent()
	s.silent(queueSince)
	s.abandon()
	for _, in := range l.state.Instances {
		if in.Doomed && !slices.Contains(s.end, in.ID) {
			s.end = append(s.end, in.ID)
		}
	}
	return s.found, s.end
}

// sweep is one sweep under way.
type sweep struct {
	*Ledger
	now     time.Time
	view    *View
	found   []Finding
	end     []string
	unknown []Listed // alive, and of no intent that is known
}

func (s *sweep) report(k Kind, instance, intent, format string, args ...any) {
	s.found = append(s.found, Finding{k, instance, intent, fmt.Sprintf(format, args...)})
}

// mass reports whether n of the fleet at once is more than can be true.
func (s *sweep) mass(n int) bool {
	return n > s.rules.MassMin && float64(n) > float64(s.rules.MassShare*float64(len(s.state.Instances)))
}

// takeIn goes through what is listed: known instances are seen, those of known
// intents adopted, and what is over leaves.
func (s *sweep) takeIn() {
	for _, in := range s.view.Instances {
		known, ended := s.instance(in.ID), s.state.Ended[in.ID]
		switch {
		case known != nil && in.State == Over:
			s.remove(s.now, in.ID)
			s.report(Gone, in.ID, known.Intent, "EC2 says that it is over%s", because(in.Reason))
		case known != nil:
			known.Absent, known.Since = 0, time.Time{}
			if !in.Launched.IsZero() {
				known.Launched = in.Launched // EC2's own time is what it bills by
			}
		case !ended.IsZero() && in.State != Over:
			if s.now.Sub(ended) >= s.rules.Visible {
				s.end = append(s.end, in.ID)
				s.report(Undead, in.ID, in.Intent, "ended %s ago, and listed as %s", s.now.Sub(ended).Round(time.Second), in.State)
			}
		case !ended.IsZero():
		default:
			s.newcomer(in)
		}
	}
}

// newcomer takes in an instance that is listed and not known.
func (s *sweep) newcomer(in Listed) {
	r := s.intent(in.Intent)
	if r == nil {
		if in.State != Over {
			s.unknown = append(s.unknown, in)
		}
		return
	}
	if !s.bind(r, in) {
		if in.State != Over {
			s.end = append(s.end, in.ID)
			s.report(Surplus, in.ID, r.ID, "the intent asked for %d and has them", r.Count)
		}
		return
	}
	if in.State != Over {
		s.report(Adopted, in.ID, r.ID, "listed as the intent's, which is %s", r.Stage)
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// orphans ends instances that nobody asked for, if they are old enough and not
// too many.
func (s *sweep) orphans() {
	old := slices.DeleteFunc(s.unknown, func(in Listed) bool { return s.now.Sub(in.Launched) <= s.rules.Visible })
	if s.mass(len(old)) {
		s.report(MassOrphan, "", "", "%d instances carry the fleet's tags and are not in the ledger, which has %d: nothing is ended", len(old), len(s.state.Instances))
		return
	}
	for _, in := range old[:min(len(old), s.rules.OrphanMax)] {
		s.end = append(s.end, in.ID)
		s.report(Orphan, in.ID, in.Intent, "nobody asked for it")
	}
}

// absent counts in how many complete views an instance was missing. It is lost
// when views, time and its silence agree.
func (s *sweep) absent() {
	if !s.view.Complete {
		return
	}
	listed := map[string]bool{}
	for _, in := range s.view.Instances {
		listed[in.ID] = true
	}
	var missing, lost []*held
	for _, in := range s.state.Instances {
		if listed[in.ID] {
			continue
		}
		if in.Absent == 0 {
			in.Since = s.view.At
		}
		in.Absent++
		if s.now.Sub(in.Launched) < s.rules.Visible {
			continue
		}
		missing = append(missing, in)
		if in.Absent >= s.rules.AbsentSweeps && s.view.At.Sub(in.Since) >= s.rules.Visible && in.Heard.Before(in.Since) {
			lost = append(lost, in)
		}
	}
	if s.mass(len(missing)) {
		s.report(MassAbsence, "", "", "%d of %d instances are missing from EC2's list: they count as before", len(missing), len(s.state.Instances))
		lost = slices.DeleteFunc(lost, func(in *held) bool { return s.view.At.Sub(in.Since) < 3*s.rules.Visible })
	}
	for _, in := range lost {
		s.drop(in.ID)
		s.report(Lost, in.ID, in.Intent, "missing from %d lists over %s, and not heard of", in.Absent, s.view.At.Sub(in.Since).Round(time.Second))
	}
}

// silent ends instances whose workers were never heard of, though the queue could
// have heard them.
func (s *sweep) silent(queueSince time.Time) {
	if queueSince.IsZero() {
		return
	}
	grace := min(s.rules.BootMax, 2*time.Minute) // for workers that come back after an outage
	var never []*held
	for _, in := range s.state.Instances {
		if in.Heard.IsZero() && !in.Doomed && s.now.Sub(in.Launched) > s.rules.BootMax && s.now.Sub(queueSince) > grace {
			never = append(never, in)
		}
	}
	if s.mass(len(never)) {
		s.report(MassSilence, "", "", "%d of %d instances never asked for work: they are ended %d at a time", len(never), len(s.state.Instances), s.rules.OrphanMax)
	}
	for _, in := range never[:min(len(never), s.rules.OrphanMax)] {
		in.Doomed = true
		s.report(NeverWorked, in.ID, in.Intent, "no word of its worker %s after the launch", s.now.Sub(in.Launched).Round(time.Second))
	}
}

// abandon gives up intents that are too old to be asked for again, once a
// complete view is late enough to show what they launched.
func (s *sweep) abandon() {
	for _, r := range s.state.Intents {
		if r.Stage != Sent {
			continue
		}
		if len(r.Bound) == r.Count {
			r.Stage, r.Last = Done, s.now
			continue
		}
		if s.now.Sub(r.Decided) > s.rules.IntentLife && s.view.Complete && s.view.At.Sub(r.Last) >= s.rules.Visible {
			r.Stage, r.Last = Abandoned, s.now
			s.report(AbandonedIntent, "", r.ID, "sent %d times without an answer; EC2 shows %d of %d", r.Tries, len(r.Bound), r.Count)
		}
	}
}

// Strangers returns, of the instances whose workers ask for work, those that are
// not the fleet's and have not been for so long that no list is merely late:
// their workers are to shut down. view is the last complete one.
func (l *Ledger) Strangers(now time.Time, view View, asking []string) []string {
	var all []string
	for _, id := range asking {
		listed := slices.ContainsFunc(view.Instances, func(in Listed) bool { return in.ID == id && in.State != Over })
		if l.instance(id) != nil || listed || !view.Complete {
			delete(l.state.Strangers, id)
			continue
		}
		first, met := l.state.Strangers[id]
		if !met {
			l.state.Strangers[id] = now
			continue
		}
		if now.Sub(first) >= l.rules.Visible {
			all = append(all, id)
		}
	}
	return all
}
