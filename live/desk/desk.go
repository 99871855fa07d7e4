// Package desk is where operators order what they want of a controller, over HTTP:
// which policy decides and which one beside it, wishes for a time, the kill switch,
// and who did what. Handler serves it beside what a controller tells of itself;
// Client calls it and links no store.
//
// Reading needs a token of the role reader or operator, ordering one of an operator,
// whose name stands with what was ordered. Bodies are JSON; errors are those of the
// queue's API.
package desk

import (
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// View is what GET /v1/orders answers.
type View struct {
	Fleet  string            `json:"fleet"`
	Orders controller.Orders `json:"orders"` // without the policies' texts
	// Stop is the row; absent: it does not stop. FileStop is that of the controller's
	// machine that answers.
	Stop     *controller.Stopped `json:"stop,omitempty"`
	FileStop *controller.Stopped `json:"file_stop,omitempty"`
	// Serving is what decides at the process that answers; absent while it stands by.
	Serving *controller.Serving `json:"serving,omitempty"`
}

// Deployment is the body of POST /v1/policies.
type Deployment struct {
	// Revision of the orders that were looked at; they must be the same still.
	Revision int64 `json:"revision"`
	// As is "active" or "shadow".
	As   string `json:"as"`
	Text string `json:"text"`
	Why  string `json:"reason"`
	// Checked and Passed are what its check came to; Override why it is deployed all
	// the same.
	Checked  string `json:"checked"`
	Passed   bool   `json:"passed"`
	Override string `json:"override,omitempty"`
	TunedOn  string `json:"tuned_on,omitempty"`
	JudgedOn string `json:"judged_on,omitempty"`
}

// Rollback is the body of POST /v1/policies/rollback.
type Rollback struct {
	// As is "active", or "shadow", which ends the shadow.
	As  string `json:"as"`
	Why string `json:"reason"`
}

// RolledBack is what it answers: the version that decides now, or beside; 0: the
// configuration's.
type RolledBack struct {
	Version int `json:"version"`
	Was     int `json:"was"`
}

// WishRequest is the body of POST /v1/wishes.
type WishRequest struct {
	Kind      policy.WishKind `json:"kind"`
	Instance  string          `json:"instance,omitempty"`
	Type      string          `json:"type,omitempty"`
	Zone      string          `json:"zone,omitempty"`
	Instances int             `json:"instances,omitempty"`
	Cores     int             `json:"cores,omitempty"`
	ForS      float64         `json:"for_s"`
	Why       string          `json:"reason"`
}

// Wished is what it answers: the wish with its number, and what the fleet's limits
// leave of it, in a sentence; "": all.
type Wished struct {
	controller.Wish
	Note string `json:"note,omitempty"`
}

// EndRequest is the body of POST /v1/wishes/end: which wishes end before their
// time. Number names one; without it Type or Zone name the cordons of them.
type EndRequest struct {
	Number int    `json:"number,omitempty"`
	Type   string `json:"type,omitempty"`
	Zone   string `json:"zone,omitempty"`
	Why    string `json:"reason"`
}

// Wishes is a list of them.
type Wishes struct {
	Wishes []controller.Wish `json:"wishes"`
}

// StopRequest is the body of POST /v1/stop and, with no ForS, of /v1/resume.
type StopRequest struct {
	Why  string  `json:"reason"`
	ForS float64 `json:"for_s,omitempty"` // 0: until it is taken back
}

// Acts is what GET /v1/acts answers, the latest first.
type Acts struct {
	Acts []controller.Act `json:"acts"`
}

// JournalFile is a file of the journal on the machine that answers.
type JournalFile struct {
	Name     string    `json:"name"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// Journals is what GET /v1/journals answers, the oldest first.
type Journals struct {
	Files []JournalFile `json:"files"`
}
