package fleet

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Rules are the times and numbers by which a ledger believes lists and cleans
// up. DefaultRules gives values for EC2 as it is.
type Rules struct {
	// Visible is how long EC2's lists may take to show what happened. What is
	// younger is not judged by them.
	Visible time.Duration
	// AbsentSweeps is how many complete views, over at least Visible, must lack an
	// instance until it is lost.
	AbsentSweeps int
	// IntentLife is how long an intent is asked for again.
	IntentLife time.Duration
	// Doubt is how long after it was found to have no answer a call may be carried
	// out yet: by EC2, or by a leader that was stalled. Keep it above the lease of a
	// leader.
	Doubt time.Duration
	// BootMax is how long an instance may take until its worker asks for work.
	BootMax time.Duration
	// OrphanMax is how many instances that nobody asked for are ended per sweep.
	OrphanMax int
	// MassShare of the fleet, and MassMin instances: more of it missing, unknown or
	// not working at once means that something else is wrong, and nothing is done.
	MassShare float64
	MassMin   int
}

// DefaultRules returns the rules for a learned boot lag's p99.9 (0: unknown).
func DefaultRules(bootP999 time.Duration) Rules {
	return Rules{
		Visible: 5 * time.Minute, AbsentSweeps: 3, IntentLife: 10 * time.Minute, Doubt: 2 * time.Minute,
		BootMax: max(bootP999+3*time.Minute, 5*time.Minute), OrphanMax: 5, MassShare: 0.2, MassMin: 3,
	}
}

// memory is how long ended instances and done intents are remembered, longer than
// EC2 lists what has ended.
const memory = 2 * time.Hour

// Stage is where an intent is.
type Stage uint8

const (
	// Sent: EC2 may have been asked; the outcome is not known.
	Sent Stage = iota
	// Planned: written down, not sent.
	Planned
	// Abandoned: never known, and too old to be asked for again. What appears of it
	// all the same is adopted.
	Abandoned
	// Done: known.
	Done
)

var stageWords = [...]string{"sent", "planned", "abandoned", "done"}

// String returns the word.
func (s Stage) String() string { return stageWords[s] }

// record is an intent with what is known of it.
type record struct {
	Intent
	Stage Stage     `json:"stage"`
	Tries int       `json:"tries,omitempty"`
	Last  time.Time `json:"last,omitzero"` // when it was last sent, or became done
	// Answered: the last call's answer is known. Doubt is when it was last found that
	// a call has none.
	Answered bool      `json:"answered,omitempty"`
	Doubt    time.Time `json:"doubt,omitzero"`
	// Bound are the instances known to be of the intent, alive or not.
	Bound []string `json:"bound,omitempty"`
}

// open reports whether more of it may appear than is bound.
func (r *record) open() bool { return r.Stage == Sent || r.Stage == Planned }

// held is an instance of the fleet.
type held struct {
	Number   policy.InstanceID `json:"number"`
	ID       string            `json:"id"`
	Type     string            `json:"type"`
	Market   policy.Market     `json:"market,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Intent   string            `json:"intent"`
	Launched time.Time         `json:"launched"`
	// Heard is when its worker was last heard of; zero: never.
	Heard time.Time `json:"heard,omitzero"`
	// Absent counts the complete views in a row that lack it, Since the first.
	Absent int       `json:"absent,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Doomed: it is to be ended.
	Doomed bool `json:"doomed,omitempty"`
	// Interrupt is when EC2 takes it back; zero: no notice.
	Interrupt time.Time `json:"interrupt,omitzero"`
}

// state is a ledger as it is saved.
type state struct {
	Next      policy.InstanceID    `json:"next"`
	Intents   []*record            `json:"intents,omitempty"`
	Instances []*held              `json:"instances,omitempty"` // alive, by number
	Ended     map[string]time.Time `json:"ended,omitempty"`
	Strangers map[string]time.Time `json:"strangers,omitempty"`
}

// Ledger is what the controller knows of its fleet: what it asked for, what EC2
// gave, and what the lists say. It is pure: times are handed in, and its JSON is
// all there is of it. It is not safe for concurrent use.
//
// Properties:
//   - an intent has at most Count instances bound
//   - an instance that EC2 gave counts until EC2 says that it ended, or until
//     views, workers and time agree that it is gone
//   - every number is given to one instance only
type Ledger struct {
	rules Rules
	state state
}

// NewLedger returns an empty ledger.
func NewLedger(rules Rules) *Ledger {
	return &Ledger{rules: rules, state: state{Ended: map[string]time.Time{}, Strangers: map[string]time.Time{}}}
}

// SetRules replaces the rules, when the boot lag has been learned anew.
func (l *Ledger) SetRules(r Rules) { l.rules = r }

// Intend writes down an intent, planned, and numbers its instances. It fails on
// an intent that is not valid, or whose id was used before.
func (l *Ledger) Intend(i Intent) (Intent, error) {
	if err := i.Validate(); err != nil {
		return i, err
	}
	if l.intent(i.ID) != nil {
		return i, fmt.Errorf("intent %s: the id was used before", i.ID)
	}
	i.First = l.state.Next
	l.state.Next += policy.InstanceID(i.Count)
	l.state.Intents = append(l.state.Intents, &record{Intent: i, Stage: Planned})
	return i, nil
}

func (l *Ledger) intent(id string) *record {
	for _, r := range l.state.Intents {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (l *Ledger) instance(id string) *held {
	for _, in := range l.state.Instances {
		if in.ID == id {
			return in
		}
	}
	return nil
}

// Recover is for a leader that takes over: what was planned and surely not sent
// is cancelled. It returns those intents.
func (l *Ledger) Recover(now time.Time) []Intent {
	var cancelled []Intent
	for _, r := range l.state.Intents {
		if r.Stage == Planned {
			r.Stage, r.Last = Done, now
			cancelled = append(cancelled, r.Intent)
		}
	}
	return cancelled
}

// Due marks as sent, and returns, what is to be asked for now: what was planned,
// and again what was sent without a known outcome and is not too old. Save the
// ledger before asking.
func (l *Ledger) Due(now time.Time) []Ask {
	var asks []Ask
	for _, r := range l.state.Intents {
		switch {
		case r.Stage == Planned:
		case r.Stage == Sent && now.Sub(r.Decided) <= l.rules.IntentLife:
		default:
			continue
		}
		if r.Tries > 0 && !r.Answered { // a crash before the answer was written down
			r.Doubt = now
		}
		r.Stage, r.Answered = Sent, false
		r.Tries++
		r.Last = now
		ask := Ask{Intent: r.Intent, Again: r.Tries > 1}
		if !r.Doubt.IsZero() {
			ask.DoubtUntil = r.Doubt.Add(l.rules.Doubt)
		}
		asks = append(asks, ask)
	}
	return asks
}

// Settle takes in what became of asks.
func (l *Ledger) Settle(now time.Time, outcomes []Outcome) {
	for i := range outcomes {
		o := &outcomes[i]
		r := l.intent(o.Intent)
		if r == nil {
			continue
		}
		for _, in := range o.Instances {
			at := in.At
			if at.IsZero() {
				at = now
			}
			l.bind(r, Listed{ID: in.ID, Type: in.Type, Market: r.Market, Zone: in.Zone, Launched: at})
		}
		if r.Answered = true; o.Settlement == Unknown && o.Class == Ambiguous {
			r.Doubt = now
		}
		if r.Stage == Sent && (o.Settlement == Settled || o.Settlement == Unsent && r.Tries == 1) {
			r.Stage, r.Last = Done, now
		}
	}
}

// bind makes an instance one of an intent's, and alive unless it has ended. It
// reports false if the intent has as many as it asked for.
func (l *Ledger) bind(r *record, in Listed) bool {
	place := slices.Index(r.Bound, in.ID)
	if place < 0 {
		if len(r.Bound) >= r.Count {
			return false
		}
		place = len(r.Bound)
		r.Bound = append(r.Bound, in.ID)
	}
	if _, over := l.state.Ended[in.ID]; over || in.State == Over || l.instance(in.ID) != nil {
		return true
	}
	number := r.First + policy.InstanceID(place)
	h := &held{Number: number, ID: in.ID, Type: in.Type, Market: in.Market, Zone: in.Zone, Intent: r.ID, Launched: in.Launched}
	at, _ := slices.BinarySearchFunc(l.state.Instances, number, func(h *held, n policy.InstanceID) int { return int(h.Number - n) })
	l.state.Instances = slices.Insert(l.state.Instances, at, h)
	return true
}

// Heard notes that the worker of an instance was heard of.
func (l *Ledger) Heard(id string, at time.Time) {
	if in := l.instance(id); in != nil && at.After(in.Heard) {
		in.Heard = at
	}
}

// Noticed notes that EC2 will take an instance back. It reports whether that is
// new.
func (l *Ledger) Noticed(id string, at time.Time) bool {
	in := l.instance(id)
	if in == nil || !in.Interrupt.IsZero() {
		return false
	}
	in.Interrupt = at
	return true
}

// Doom writes down that instances are to be ended. Every sweep asks for it until
// EC2 has accepted.
func (l *Ledger) Doom(numbers ...policy.InstanceID) {
	for _, in := range l.state.Instances {
		if slices.Contains(numbers, in.Number) {
			in.Doomed = true
		}
	}
}

// Ended takes in what became of terminations. An instance that EC2 does not know
// is gone only if it is old enough to be known.
func (l *Ledger) Ended(now time.Time, endings []Ending) {
	for _, e := range endings {
		in := l.instance(e.ID)
		switch {
		case e.Ended == Accepted:
			l.remove(now, e.ID)
		case e.Ended == NotFound && in != nil && now.Sub(in.Launched) >= l.rules.Visible && in.Absent > 0:
			l.remove(now, e.ID)
		}
	}
}

// remove takes an instance out of the fleet and remembers that it ended.
func (l *Ledger) remove(now time.Time, id string) {
	l.drop(id)
	l.state.Ended[id] = now
}

// drop takes an instance out of the fleet; should it show up again it comes back.
func (l *Ledger) drop(id string) {
	l.state.Instances = slices.DeleteFunc(l.state.Instances, func(in *held) bool { return in.ID == id })
}

// Instances returns the fleet as a policy sees it, in order of number: what is
// known, and for every open intent what of it is not known yet, as requested.
// Types that are not in the catalog are left out, and named by Foreign. Phases
// are requested, booting (its worker was never heard of) and ready; what drains
// and what is busy the queue knows.
func (l *Ledger) Instances(now time.Time, catalog *policy.Catalog) []policy.Instance {
	var all []policy.Instance
	add := func(number policy.InstanceID, typ string, market policy.Market, zone string, at time.Time, phase policy.Phase) *policy.Instance {
		t := catalog.Index(typ)
		if t < 0 {
			return nil
		}
		all = append(all, policy.Instance{
			ID: number, Type: t, Market: market, Zone: zone, Phase: phase, LaunchedAt: at,
			PaidUntil: catalog.Billing.PaidUntil(at, now), Slots: catalog.Types[t].Slots,
		})
		return &all[len(all)-1]
	}
	for _, h := range l.state.Instances {
		phase := policy.Booting
		if !h.Heard.IsZero() {
			phase = policy.Ready
		}
		if in := add(h.Number, h.Type, h.Market, h.Zone, h.Launched, phase); in != nil {
			in.LastSeen, in.InterruptAt = h.Heard, h.Interrupt
		}
	}
	for _, r := range l.state.Intents {
		if !r.open() {
			continue
		}
		for i := len(r.Bound); i < r.Count; i++ {
			add(r.First+policy.InstanceID(i), r.Type, r.Market, r.Zone, r.Decided, policy.Requested)
		}
	}
	slices.SortFunc(all, func(a, b policy.Instance) int { return int(a.ID - b.ID) })
	return all
}

// Foreign returns the names of types in the fleet that a catalog lacks: their
// instances count for nothing in Instances, and are paid all the same.
func (l *Ledger) Foreign(catalog *policy.Catalog) []string {
	var names []string
	for _, h := range l.state.Instances {
		if catalog.Index(h.Type) < 0 && !slices.Contains(names, h.Type) {
			names = append(names, h.Type)
		}
	}
	return names
}

// Size returns how many instances there are or may be: those known, and what
// open intents may yet give.
func (l *Ledger) Size() int {
	n := len(l.state.Instances)
	for _, r := range l.state.Intents {
		if r.open() {
			n += r.Count - len(r.Bound)
		}
	}
	return n
}

// EC2ID returns EC2's id of a numbered instance; false if it has none (yet), or
// is gone.
func (l *Ledger) EC2ID(number policy.InstanceID) (string, bool) {
	for _, in := range l.state.Instances {
		if in.Number == number {
			return in.ID, true
		}
	}
	return "", false
}

// Number returns the number of the instance with EC2's id, while it is alive.
func (l *Ledger) Number(id string) (policy.InstanceID, bool) {
	if in := l.instance(id); in != nil {
		return in.Number, true
	}
	return 0, false
}

// forget drops what is remembered for long enough.
func (l *Ledger) forget(now time.Time) {
	old := func(_ string, at time.Time) bool { return now.Sub(at) > memory }
	maps.DeleteFunc(l.state.Ended, old)
	maps.DeleteFunc(l.state.Strangers, old)
	l.state.Intents = slices.DeleteFunc(l.state.Intents, func(r *record) bool {
		return !r.open() && now.Sub(r.Last) > memory && !slices.ContainsFunc(r.Bound, func(id string) bool {
			_, ended := l.state.Ended[id]
			return ended || l.instance(id) != nil
		})
	})
}
