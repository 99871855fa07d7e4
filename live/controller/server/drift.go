package server

import "github.com/skynet-ec2/skynet/live/controller"

// Drifted takes down what the comparison of a day came to.
func (s *Server) Drifted(d *controller.Drift) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drift = d
}

// driftNow returns the last comparison; nil: there was none.
func (s *Server) driftNow() *controller.Drift {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drift
}
