package ec2api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// A region is a function of what was done to it and when: its log is its state.
// One line is written for every change, before the change is answered. What the
// log leaves out is how full request buckets are, and faults of calls.

// Mark says what time it was by both clocks.
type Mark struct {
	At    time.Time `json:"at"`              // the region's
	Wall  time.Time `json:"wall"`            // the clock that signatures are checked by
	Speed float64   `json:"speed,omitempty"` // of the former; 0: unknown
}

// change is a line of the log.
type change struct {
	Mark
	Action string     `json:"action,omitempty"`
	Params url.Values `json:"params,omitempty"`
	Admin  string     `json:"admin,omitempty"` // method and path
	Body   string     `json:"body,omitempty"`
	Exited string     `json:"exited,omitempty"` // the instance whose worker did
	Clean  bool       `json:"clean,omitempty"`
}

// logged does something that changes the region, and writes it down. Nothing else
// changes the region meanwhile. do reports false if there is nothing to write.
func (s *Server) logged(c change, do func() bool) {
	s.logging.Lock()
	defer s.logging.Unlock()
	if !do() || s.opt.Log == nil {
		return
	}
	s.mu.Lock()
	c.At = s.cloud.Now()
	s.mu.Unlock()
	c.Wall = s.opt.SignatureClock()
	if a, ok := s.opt.Clock.(Adjustable); ok {
		c.Speed = a.Speed()
	}
	line, err := json.Marshal(&c)
	if err != nil {
		panic(err) // plain text
	}
	if _, err := s.opt.Log.Write(append(line, '\n')); err != nil && s.opt.LogFailed != nil {
		s.opt.LogFailed(err)
	}
}

// loggedAdmin is logged for a call of the administrator's API.
func (s *Server) loggedAdmin(r *http.Request, do func(*http.Request) (any, error)) (v any, err error) {
	if r.Method == http.MethodGet {
		return do(r)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMax))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := change{Admin: r.Method + " " + r.URL.Path, Body: string(body)}
	s.logged(c, func() bool {
		v, err = do(r)
		return err == nil && !callFault(&c)
	})
	return v, err
}

// callFault reports whether a change concerns a fault of calls, which are not kept.
func callFault(c *change) bool {
	var f faultBody
	return strings.HasPrefix(c.Admin, "DELETE /_sim/faults/call-") ||
		c.Admin == "POST /_sim/faults" && json.Unmarshal([]byte(c.Body), &f) == nil && f.Kind == callKind
}

// Restore brings a fresh cloud to where a log ends. It returns when that was, and
// how many bytes of the log are good: a last line that was cut short is left out.
// The cloud must be made with the same Config as the one that wrote the log.
func Restore(c *cloud.Cloud, log io.Reader) (last Mark, good int64, err error) {
	clock := &replayClock{now: c.Started()}
	s, err := New(c, Options{Clock: clock})
	if err != nil {
		return Mark{}, 0, err
	}
	defer s.Close()
	lines := bufio.NewReader(log)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return last, good, nil
		}
		if err != nil {
			return last, good, err
		}
		var x change
		if err := json.Unmarshal(line, &x); err != nil {
			return last, good, fmt.Errorf("line %d: %w", n, err)
		}
		if x.At.Before(clock.now) {
			return last, good, fmt.Errorf("line %d: at %s, before the line above it", n, x.At)
		}
		clock.now = x.At
		if err := s.again(&x); err != nil {
			return last, good, fmt.Errorf("line %d: %w", n, err)
		}
		last = x.Mark
		good += int64(len(line))
	}
}

// again does what a line of a log says.
func (s *Server) again(x *change) error {
	switch {
	case x.Action != "":
		act, known := actions[x.Action]
		if !known {
			return fmt.Errorf("unknown action %q", x.Action)
		}
		s.With(func(c *cloud.Cloud) { act.do(c, newParams(x.Params)) })
	case x.Exited != "":
		s.Exited(x.Exited, x.Clean)
	case x.Admin == "POST /_sim/clock":
		s.With(func(*cloud.Cloud) {}) // the time of the line is what it did
	case x.Admin != "":
		method, path, _ := strings.Cut(x.Admin, " ")
		r, err := http.NewRequest(method, path, strings.NewReader(x.Body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		reply := &recorder{header: http.Header{}, status: http.StatusOK}
		s.mux.ServeHTTP(reply, r)
		if reply.status != http.StatusOK {
			return fmt.Errorf("%s: %s", x.Admin, strings.TrimSpace(reply.body.String()))
		}
	default:
		return errors.New("it says nothing")
	}
	return nil
}

// replayClock is a clock that stands where a log is. Nothing waits on it.
type replayClock struct{ now time.Time }

func (c *replayClock) Now() time.Time { return c.now }
func (c *replayClock) AfterFunc(time.Duration, func()) (stop func() bool) {
	return func() bool { return true }
}
