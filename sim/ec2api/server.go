package ec2api

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/sim/cloud"
)

// Clock is the time that the simulated region lives in.
type Clock interface {
	// Now returns the time.
	Now() time.Time
	// AfterFunc calls f, in a goroutine of its own, once d has passed on this clock.
	// The function it returns stops that, and reports whether it did.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Launcher runs what instances run. Its methods are called one at a time, in the
// order of events; they must not wait for the worker.
type Launcher interface {
	// Start begins the worker of an instance that has booted.
	Start(Machine)
	// Stop asks the worker to end: its instance shuts down.
	Stop(id string)
	// Kill ends the worker at once: it has crashed, or its instance is gone.
	Kill(id string)
}

// Machine is an instance as its worker finds it.
type Machine struct {
	ID, Type, Zone, Market string
	Cores, Slots           int
	Speed                  float64
	UserData               []byte
	Tags                   map[string]string
	// Metadata is the instance's own metadata service, as it answers at
	// 169.254.169.254 on a real instance.
	Metadata http.Handler
}

// Options are the parts of a server. Clock is required.
type Options struct {
	Clock Clock
	// SignatureClock is the clock that clients sign by, where that is not Clock: the
	// wall clock beside an accelerated one. Signatures more than 15 minutes off are
	// refused.
	SignatureClock func() time.Time
	// Keys are the secret keys by access key; empty: TestAccessKey with
	// TestSecretKey.
	Keys map[string]string
	// Launcher runs the workers; nil: instances run nothing.
	Launcher Launcher
	// Identity signs the identity documents of instances; nil: they have no
	// signature.
	Identity *Identity
	// Issuer is the URL under which web identity tokens of STS are issued, without a
	// slash at its end: where this server is reached, for it publishes their keys
	// there. Empty, or without Identity: there are none, as in an account that has not
	// enabled outbound identity federation.
	Issuer string
	// Log, if not nil, is given a line for every change, by which Restore brings a
	// fresh cloud to where this one is. LogFailed is told when that cannot be written.
	Log       io.Writer
	LogFailed func(error)
	// Observe, if not nil, is told of every call once it is answered: its action,
	// and the code of its error or "".
	Observe func(action, code string)
}

// The credentials that a server knows unless it is told others.
const (
	TestAccessKey = "AKIASKYNETEC2SIMTEST"
	TestSecretKey = "skynet-ec2sim-secret"
)

// Server is one simulated region. Make one with New; it is safe for concurrent
// use.
type Server struct {
	opt    Options
	secret secret // of metadata tokens
	mux    *http.ServeMux

	mu       sync.Mutex
	cloud    *cloud.Cloud
	stop     func() bool // of the timer
	wake     time.Time   // when the timer fires; zero: there is none
	closed   bool
	requests int64
	calls    map[string]*callCount
	pending  []cloud.Effect // not yet carried out, in order

	carrying sync.Mutex // held while effects are carried out
	logging  sync.Mutex // held while something is changed and written down
}

// callCount counts the calls of an action.
type callCount struct {
	Calls  int64            `json:"calls"`
	Errors map[string]int64 `json:"errors,omitempty"`
}

// New returns a server around c, which it owns from now on.
func New(c *cloud.Cloud, opt Options) (*Server, error) {
	if c == nil || opt.Clock == nil {
		return nil, errors.New("ec2api: a cloud and a clock are required")
	}
	if len(opt.Keys) == 0 {
		opt.Keys = map[string]string{TestAccessKey: TestSecretKey}
	}
	if opt.SignatureClock == nil {
		opt.SignatureClock = opt.Clock.Now
	}
	s := &Server{opt: opt, cloud: c, secret: newSecret(c), calls: map[string]*callCount{}}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("/{$}", s.query)
	s.mux.HandleFunc("/_imds/{id}/", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		http.StripPrefix("/_imds/"+id, s.Metadata(id)).ServeHTTP(w, r)
	})
	s.issuerRoutes()
	s.adminRoutes()
	for _, in := range c.Instances() {
		if in.Works() { // it was restored, and its worker is no more
			s.pending = append(s.pending, cloud.Effect{Kind: cloud.StartWorker, Instance: in})
		}
	}
	s.With(func(*cloud.Cloud) {})
	return s, nil
}

// ServeHTTP answers a client of EC2 or STS, of the administrator's API, or of an
// instance's metadata under /_imds/INSTANCE/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close stops the server's timer. Workers are left alone.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.stop != nil {
		s.stop()
	}
}

// With calls f with the cloud as it is now, while nothing else does, and then
// carries out what follows from it. f must not keep the cloud, nor call the
// server.
func (s *Server) With(f func(*cloud.Cloud)) {
	s.mu.Lock()
	s.pending = append(s.pending, s.cloud.Advance(s.opt.Clock.Now())...)
	f(s.cloud)
	s.pending = append(s.pending, s.cloud.Advance(s.opt.Clock.Now())...)
	s.setTimer()
	s.mu.Unlock()
	s.carryOut()
}

// setTimer wakes the server when something happens by itself.
func (s *Server) setTimer() {
	at, some := s.cloud.Next()
	if !some || s.closed || at.Equal(s.wake) {
		return
	}
	if s.stop != nil {
		s.stop()
	}
	s.wake = at
	s.stop = s.opt.Clock.AfterFunc(max(at.Sub(s.opt.Clock.Now()), 0), func() {
		s.With(func(*cloud.Cloud) {})
	})
}

// Retime is to be called when the clock was set or its speed changed: timers
// are set anew.
func (s *Server) Retime() {
	s.mu.Lock()
	s.wake = time.Time{}
	s.mu.Unlock()
	s.With(func(*cloud.Cloud) {})
}

// carryOut tells the launcher what happened, in order.
func (s *Server) carryOut() {
	s.carrying.Lock()
	defer s.carrying.Unlock()
	for {
		s.mu.Lock()
		if len(s.pending) == 0 {
			s.mu.Unlock()
			return
		}
		e := s.pending[0]
		s.pending = s.pending[1:]
		var m Machine
		if e.Kind == cloud.StartWorker {
			m = s.machine(e.Instance)
		}
		id, l := e.Instance.ID, s.opt.Launcher
		s.mu.Unlock()
		switch {
		case l == nil:
		case e.Kind == cloud.StartWorker:
			l.Start(m)
		case e.Kind == cloud.StopWorker:
			l.Stop(id)
		default:
			l.Kill(id)
		}
	}
}

// Exited is for the launcher to say that the worker of an instance has ended by
// itself: cleanly, which powers the instance off, or not, and then the instance
// runs on without one.
func (s *Server) Exited(id string, clean bool) {
	s.logged(change{Exited: id, Clean: clean}, func() (did bool) {
		s.With(func(c *cloud.Cloud) {
			if in := c.Instance(id); in == nil || !in.Works() {
				return
			}
			did = true
			if clean {
				c.ShutDown(id)
			} else {
				c.WorkerExited(id)
			}
		})
		return did
	})
}
