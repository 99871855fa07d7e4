package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Drift is how far what the simulator says of a day was from what happened, as
// fractions of what happened.
type Drift struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	At   time.Time `json:"at"` // when it was compared
	// Kept: everything was within bounds; Beyond says what was not.
	Kept   bool     `json:"kept"`
	Beyond []string `json:"beyond,omitempty"`
	// Problem says why the day could not be compared; "": it was.
	Problem string  `json:"problem,omitempty"`
	Cost    float64 `json:"cost"`
	Slack   float64 `json:"slack"`
	// Latency is of the 95th percentile, by job type.
	Latency     map[string]float64 `json:"latency,omitempty"`
	NotModelled []string           `json:"not_modelled,omitempty"`
}

// Off is how far one figure was: By, as a fraction of what happened.
type Off struct {
	Of string // cost, slack, or "p95 of" a job type
	By float64
}

// Offs returns the figures, cost and slack first; none of a day that could not be
// compared.
func (d *Drift) Offs() []Off {
	if d.Problem != "" {
		return nil
	}
	all := []Off{{"cost", d.Cost}, {"slack", d.Slack}}
	for _, name := range slices.Sorted(maps.Keys(d.Latency)) {
		all = append(all, Off{"p95 of " + name, d.Latency[name]})
	}
	return all
}

// String says it in a line.
func (d *Drift) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s: ", d.From.UTC().Format("2006-01-02 15:04"), d.To.UTC().Format("2006-01-02 15:04"))
	if d.Problem != "" {
		return b.String() + "not compared: " + d.Problem
	}
	for _, off := range d.Offs() {
		fmt.Fprintf(&b, "%s %+.1f %%, ", off.Of, 100*off.By)
	}
	if d.Kept {
		return b.String() + "within bounds"
	}
	return b.String() + "BEYOND BOUNDS: " + strings.Join(d.Beyond, "; ")
}
