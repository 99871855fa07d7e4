// Package alert tells people and programs outside that something is wrong with a
// fleet: by web hooks, and by a dead man's switch that somebody else watches.
//
// Rules look at every tick of a controller. An alert fires when its rule has held
// for as long as the rule says, is sent once, again after a while if it goes on, and
// once more when it is resolved. Names and meaning are those of the Prometheus rules
// of docs/operate/alerts.yml, for those who run no Prometheus.
//
// Nothing here makes a tick wait: what is to be sent is written down, and goroutines
// of their own send it.
package alert

import (
	"fmt"
	"time"
)

// Severity is how much an alert weighs.
type Severity uint8

const (
	// Warn: somebody should look, in working hours.
	Warn Severity = iota
	// Page: somebody should look now.
	Page
)

var severityWords = [...]string{"warn", "page"}

// String returns the word.
func (s Severity) String() string { return severityWords[s] }

// MarshalText writes the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Alert is what is sent of one.
type Alert struct {
	// Key tells alerts apart: a later one of the same key is about the same thing.
	Key      string    `json:"key"`
	Status   string    `json:"status"` // firing or resolved
	Name     string    `json:"name"`
	Fleet    string    `json:"fleet"`
	Severity Severity  `json:"severity"`
	Summary  string    `json:"summary"`
	Since    time.Time `json:"since"` // when its rule began to hold
	Resolved time.Time `json:"resolved,omitzero"`
	Runbook  string    `json:"runbook"`
	// Text says all of it in a line, for chats.
	Text string `json:"text"`
}

// The words of Alert.Status.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// say fills in the text.
func (a *Alert) say() {
	since := a.Since.UTC().Format("15:04 MST")
	if a.Status == Resolved {
		a.Text = fmt.Sprintf("✓ resolved: %s (%s), since %s, for %s", a.Summary, a.Name, since, a.Resolved.Sub(a.Since).Round(time.Second))
		return
	}
	a.Text = fmt.Sprintf("%s: %s (%s), since %s", a.Severity, a.Summary, a.Name, since)
}
