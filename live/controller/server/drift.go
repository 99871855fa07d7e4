package server

import "time"

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

// Drifted takes down what the comparison of a day came to.
func (s *Server) Drifted(d *Drift) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drift = d
}

// driftNow returns the last comparison; nil: there was none.
func (s *Server) driftNow() *Drift {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drift
}
