package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Observer sees the fleet.
type Observer interface {
	// Observe lists the fleet's instances. What could not be read makes the view
	// incomplete, never empty.
	Observe(ctx context.Context) View
}

// Actuator changes the fleet.
type Actuator interface {
	// Spec returns the fingerprint of what instances are launched as besides type,
	// market and zone, for Intent.Spec.
	Spec() string
	// Pieces divides a launch into pieces for one intent each, over the zones that
	// did not refuse the type a moment ago and are not closed; see Split.
	Pieces(typ string, market policy.Market, zone string, count, turn int, closed func(zone string) bool) []Piece
	// Launch asks for instances: one outcome per ask, in order. Every ask's intent
	// must have been written down as sent before. It stops asking when EC2
	// throttles or does not answer; the outcomes of the rest say so.
	Launch(ctx context.Context, asks []Ask) []Outcome
	// Terminate ends instances by EC2's ids: one ending per id, in order.
	// Instances that were never listed or launched as the fleet's own are left
	// alone.
	Terminate(ctx context.Context, ids []string) []Ending
}

// Fleet is both.
type Fleet interface {
	Observer
	Actuator
}

// CountMax is how many instances one intent may ask for: EC2 serves several calls
// of a hundred better than one of five hundred.
const CountMax = 100

// Intent is a launch that was decided and written down before EC2 is asked. It
// never changes, so that asking again is the same request to the letter.
type Intent struct {
	// ID is unique for ever in the cluster: 1 to 64 letters, digits, - and _.
	ID string `json:"id"`
	// Type is the instance type's name, Zone EC2's full name of a zone; empty: EC2
	// chooses.
	Type   string        `json:"type"`
	Market policy.Market `json:"market,omitempty"`
	Zone   string        `json:"zone,omitempty"`
	// Count of instances, 1 to CountMax.
	Count int `json:"count"`
	// First is the number of the first of them; the ledger gives it.
	First policy.InstanceID `json:"first"`
	// Decided is when, Epoch by which leader, under which policy (its hash) and for
	// which release of the worker. They become tags.
	Decided time.Time `json:"decided"`
	Epoch   int64     `json:"epoch"`
	Policy  string    `json:"policy,omitempty"`
	Release string    `json:"release,omitempty"`
	// Spec is the fingerprint of what the instances are launched as besides
	// (image, user data …). An intent is not asked for again under another one.
	Spec string `json:"spec,omitempty"`
}

// Validate returns an error that names the first impossible value.
func (i *Intent) Validate() error {
	switch {
	case i.ID == "" || len(i.ID) > 64 || strings.Trim(i.ID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "":
		return fmt.Errorf("intent %q: id must be 1 to 64 letters, digits, - and _", i.ID)
	case i.Type == "":
		return fmt.Errorf("intent %s: no type", i.ID)
	case i.Count < 1 || i.Count > CountMax:
		return fmt.Errorf("intent %s: count = %d: must be from 1 to %d", i.ID, i.Count, CountMax)
	case i.Decided.IsZero():
		return fmt.Errorf("intent %s: no time of decision", i.ID)
	}
	return nil
}

// Token returns the intent's client token in a cluster: the same for ever, and
// EC2's at most 64 characters.
func (i *Intent) Token(cluster string) string {
	sum := sha256.Sum256([]byte(cluster + "|" + i.ID))
	return base32.StdEncoding.EncodeToString(sum[:])[:40]
}

// Ask is an intent to be asked for now.
type Ask struct {
	Intent
	// Again: it may have been asked for before.
	Again bool
	// DoubtUntil is until when a call for it that has no answer may be carried out
	// yet, by EC2 or by a leader that was stalled; zero: there is none. Until then a
	// refusal of a later call settles nothing.
	DoubtUntil time.Time
}

// InDoubt reports whether an earlier call may be carried out yet.
func (a *Ask) InDoubt(now time.Time) bool { return now.Before(a.DoubtUntil) }

// Settlement is what is certain about an ask.
type Settlement uint8

const (
	// Unknown: it may have launched, may yet launch, or may not. Ask again. Of class
	// ambiguous it is this call that has no answer, of another an earlier one.
	Unknown Settlement = iota
	// Unsent: this ask surely launched nothing; an earlier one may have.
	Unsent
	// Settled: what is in Instances was launched, and nothing else ever will be.
	Settled
)

var settlementWords = [...]string{"unknown", "unsent", "settled"}

// String returns the word.
func (s Settlement) String() string { return settlementWords[s] }

// Launched is an instance that a launch gave.
type Launched struct {
	ID   string    `json:"id"`
	Type string    `json:"type"`
	Zone string    `json:"zone,omitempty"`
	At   time.Time `json:"at"` // when EC2 launched it; zero: unknown
}

// Outcome is what became of an ask. The zero Outcome is unknown.
type Outcome struct {
	Intent     string
	Settlement Settlement
	Instances  []Launched
	// Refused is how many were not launched, if Settled; Class, Code and Message
	// say why.
	Refused int
	Class   Class
	Code    string
	Message string
	// Remembered: EC2 was not asked, because it refused the same a moment ago.
	Remembered bool
}

// Ended is what is certain about a termination.
type Ended uint8

const (
	// Unsure: ask again.
	Unsure Ended = iota
	// NotFound: EC2 does not know the instance, yet or any more.
	NotFound
	// Denied: EC2 will not end it, or it is not the fleet's.
	Denied
	// Accepted: it ends, and is not billed any more.
	Accepted
)

var endedWords = [...]string{"unsure", "not found", "denied", "accepted"}

// String returns the word.
func (e Ended) String() string { return endedWords[e] }

// Ending is what became of a termination. The zero Ending is unsure.
type Ending struct {
	ID      string
	Ended   Ended
	Code    string
	Message string
}

// State is how far an instance is in EC2's own words, of which three are enough.
type State uint8

const (
	// Pending: it is being made.
	Pending State = iota
	// Running: it runs.
	Running
	// Over: it shuts down, has stopped or has ended.
	Over
)

var stateWords = [...]string{"pending", "running", "over"}

// String returns the word.
func (s State) String() string { return stateWords[s] }

// Listed is an instance of the fleet as EC2's list shows it.
type Listed struct {
	ID       string
	Type     string
	Market   policy.Market
	Zone     string
	State    State
	Launched time.Time
	Intent   string // of its tag; empty: none
	Reason   string // why it is over; empty: EC2 does not say
}

// View is what EC2 showed at a time. The zero View knows nothing.
type View struct {
	At time.Time
	// Complete: every page was read. Of an incomplete view what is in it is there;
	// what is not in it is unknown. Even a complete one may be late by minutes.
	Complete  bool
	Instances []Listed
	// EC2 is what it refused lately and how its calls went, as a policy reads it.
	EC2 policy.EC2View
	// Frozen says why nothing is launched until somebody has looked; nil: nothing
	// is frozen.
	Frozen *Freeze
	// Err is why the view is not complete.
	Err error
}

// Freeze is a refusal that asking again will not change.
type Freeze struct {
	Since, Until  time.Time
	Code, Message string
}
