// Package server tells over HTTP how a controller fares: /metrics for Prometheus,
// /v1/status for people and programs, /healthz and /readyz for whatever starts
// it. It only tells; nothing can be changed through it.
//
// What it tells is what the controller showed it at its last tick (Saw), except
// ages and the stop, which are those of the moment it is asked.
package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
)

// ReadyTicks is how many ticks may pass without a decision until a controller
// that leads is not ready any more.
const ReadyTicks = 3

// Server is an http.Handler. New makes one; its methods may be called at once.
type Server struct {
	c     controller.Config
	begun time.Time
	mux   *http.ServeMux

	mu    sync.Mutex
	seen  *Seen // nil: it has not decided yet
	sums  sums
	drift *controller.Drift // nil: no day was compared yet

	shown *Shown
	day   day
}

// New returns what tells of the controller that c describes. Give c.Seen the
// server's Saw before the controller is opened.
func New(c controller.Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Stop == nil {
		c.Stop = func(time.Time) controller.Stopped { return controller.Stopped{} }
	}
	s := &Server{c: c, begun: c.Now(), mux: http.NewServeMux(), sums: newSums(&c)}
	s.mux.Handle("GET /metrics", s.figures())
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	s.mux.HandleFunc("GET /readyz", s.readyz)
	s.mux.HandleFunc("GET /v1/status", s.status)
	return s
}

// ServeHTTP answers a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Saw takes down what a tick came to.
func (s *Server) Saw(k *controller.Controller, r *controller.Result) {
	now, shown := see(k, r, &s.c), shownOf(k, &s.c)
	s.day.add(liveMoment(s.day.last(), k, r, &s.c))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.shown = now, shown
	s.sums.add(k, r)
}

// last returns what the last tick came to; nil before the first.
func (s *Server) last() *Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// readyz says whether it leads and decides.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	last := s.last()
	switch {
	case last == nil:
		text(w, http.StatusServiceUnavailable, "no decision yet: it waits for the lead, or for its first readings")
		return
	case !last.Leads:
		text(w, http.StatusServiceUnavailable, "another controller has taken over")
		return
	}
	if age := s.c.Now().Sub(last.Last.At); age > ReadyTicks*s.c.Env.Tick {
		text(w, http.StatusServiceUnavailable, fmt.Sprintf("the last decision is %s old", age.Round(time.Second)))
		return
	}
	text(w, http.StatusOK, "ok")
}

// status answers /v1/status.
func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(s.Status(), "", "  ")
	if err != nil { // a NaN would do it
		text(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n'))
}

func text(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, line)
}
