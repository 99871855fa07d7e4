package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Options say what a server needs and bounds. Cluster, Keeper and Log are
// required; a zero bound means its default.
type Options struct {
	Cluster   string
	Keeper    *access.Keeper
	Log       *slog.Logger
	Page      http.Handler     // what people see at /; nil: nothing
	RatePerS  float64          // calls a second of one client on average; default 10 000
	Burst     int              // calls of one client at once after a quiet time; default 20 000
	ParkedMax int              // calls that may wait for something to happen; default 50 000
	BusyMax   int              // other calls at once; default 1024
	Now       func() time.Time // default time.Now
	// SignResult returns the address that a worker puts an attempt's result to; nil:
	// workers have a place of their own.
	SignResult func(ctx context.Context, job int64, token uint64) (string, error)
}

// A Server answers the calls of package api. It serves while it has no engine,
// as a standby does: calls that need one get 503 and the code not_leader.
type Server struct {
	opt     Options
	mux     *http.ServeMux
	engine  atomic.Pointer[Engine]
	clients *clients // calls that were let in
	unknown *clients // calls without a good token, by address
	parked  gate
	busy    gate
	figures *figures
	started time.Time
	leaving chan struct{} // closed by Drain
}

// New returns a server of all calls.
func New(opt Options) *Server {
	setDefault(&opt.RatePerS, 10_000)
	setDefault(&opt.Burst, 20_000)
	setDefault(&opt.ParkedMax, 50_000)
	setDefault(&opt.BusyMax, 1024)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{
		opt:     opt,
		mux:     http.NewServeMux(),
		clients: newClients(opt.RatePerS, opt.Burst),
		unknown: newClients(unknownPerS, unknownBurst),
		parked:  newGate(opt.ParkedMax),
		busy:    newGate(opt.BusyMax),
		started: opt.Now(),
		leaving: make(chan struct{}),
	}
	s.figures = newFigures(s)
	paths := map[string]methods{}
	for _, c := range api.Calls {
		if paths[c.Path] == nil {
			paths[c.Path] = methods{}
		}
		paths[c.Path][c.Method] = s.handle(c, handlers[c.Name])
	}
	for path, byMethod := range paths {
		byMethod[""] = s.refuseMethod(slices.Sorted(maps.Keys(byMethod)))
		s.mux.Handle(path, byMethod)
	}
	s.mux.Handle("/", s.refusePath())
	if opt.Page != nil {
		s.mux.Handle("/{$}", opt.Page)
		s.mux.Handle("/ui/", opt.Page)
		s.mux.Handle("/fleet", opt.Page)
		s.mux.Handle("/fleet/", opt.Page)
	}
	return s
}

// methods are the handlers of one path by method; "" is for any other. (Patterns
// with methods would not do: GET /v1/jobs/{job} and any method of /v1/jobs/batch
// contradict each other.)
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	serve, ok := m[method]
	if !ok {
		serve = m[""]
	}
	serve.ServeHTTP(w, r)
}

func setDefault[T int | float64](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Lead lets the server answer from an engine; nil takes it away.
func (s *Server) Lead(e Engine) {
	if e == nil {
		s.engine.Store(nil)
		return
	}
	s.engine.Store(&e)
}

// Drain ends what would go on for ever, such as event streams, and lets long
// polls end at their next answer: the first step of a clean end. It must be
// called once.
func (s *Server) Drain() { close(s.leaving) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// A call is one request being answered.
type call struct {
	*Server
	api.Call
	w      http.ResponseWriter
	r      *http.Request
	caller access.Caller
	engine Engine // nil only in calls that need none
	query  query
}

// ctx ends when the caller leaves.
func (c *call) ctx() context.Context { return c.r.Context() }

// A handler answers a call, or returns what is wrong: an *api.Error, an error of
// the context, or a fault.
type handler func(*call) error

// engineless are the calls that a standby answers.
var engineless = []string{"healthz", "readyz", "openapi", "metrics"}

// handle returns the way from a request to a handler and back.
func (s *Server) handle(c api.Call, serve handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		out := &counted{ResponseWriter: w}
		head := out.Header()
		head.Set(api.VersionHeader, api.Version)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Cache-Control", "no-store")
		k := &call{Server: s, Call: c, w: out, r: r}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.opt.Log.Error("internal error", "call", c.Name, "panic", p, "stack", string(debug.Stack()))
				k.fail(&api.Error{Code: api.CodeInternal, Message: "internal error; the queue's log has it"})
			}
			s.figures.observe(c.Name, out.status, time.Since(began))
		}()
		if err := k.admit(); err != nil {
			k.fail(err)
			return
		}
		door := k.door()
		if !door.enter() {
			k.fail(busyError())
			return
		}
		defer door.leave()
		if err := serve(k); err != nil {
			k.fail(err)
		}
	})
}

// admit lets a call in, or returns why not: no good token, the wrong role, too
// many calls, no engine, a wrong query.
func (c *call) admit() error {
	if c.Method == "" {
		return nil // it will be refused in any case
	}
	if len(c.Roles) > 0 {
		address := addressOf(c.r)
		caller, ok := c.opt.Keeper.Caller(access.Bearer(c.r.Header.Get("Authorization")), c.opt.Now())
		if !ok {
			if err := c.unknown.allow(address); err != nil {
				return err
			}
			c.w.Header().Set("WWW-Authenticate", "Bearer")
			return &api.Error{Code: api.CodeUnauthorized, Field: "Authorization", Message: "no bearer token, or none that is good"}
		}
		c.caller = caller
		if !caller.MayCall(c.Roles) {
			var roles []string
			for _, r := range c.Roles {
				roles = append(roles, string(r))
			}
			return &api.Error{Code: api.CodeForbidden, Field: "Authorization", Allowed: roles, Message: fmt.Sprintf("a token of role %s does not open this call: %s does", caller.Role, strings.Join(roles, " or "))}
		}
		if err := c.clients.allow(caller.ID + " " + address); err != nil {
			return err
		}
	} else if c.Name == "bootstrap" {
		if err := c.unknown.allow(addressOf(c.r)); err != nil {
			return err
		}
	}
	if e := c.Server.engine.Load(); e != nil {
		c.engine = *e
	} else if !slices.Contains(engineless, c.Name) {
		return &api.Error{Code: api.CodeNotLeader, Message: "this queue is a standby, or is starting", RetryAfterMS: jitter(time.Second)}
	}
	var err error
	c.query, err = parseQuery(c.r.URL.RawQuery, c.Query)
	return err
}

// door returns the gate that bounds calls like this one.
func (c *call) door() *gate {
	switch c.Name {
	case "work", "job", "group", "statsStream":
		return &c.parked
	}
	return &c.busy
}

// addressOf returns where a request comes from.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// counted remembers the status of an answer.
type counted struct {
	http.ResponseWriter
	status int
}

func (w *counted) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *counted) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *counted) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fail answers with an error.
func (c *call) fail(err error) {
	if out := c.w.(*counted); out.status != 0 {
		// the answer has begun: all that is left is to break it off, so that
		// nobody takes it for complete
		c.opt.Log.Warn("answer broken off", "call", c.Name, "err", err)
		panic(http.ErrAbortHandler)
	}
	e := c.refusal(err)
	status, ok := statusOf[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	if e.Code == api.CodeTooMany || status == http.StatusServiceUnavailable {
		if e.RetryAfterMS == 0 {
			e.RetryAfterMS = jitter(time.Second)
		}
		seconds := (e.RetryAfterMS + 999) / 1000
		c.w.Header().Set("Retry-After", fmt.Sprint(seconds))
		if c.caller.Role == api.RoleWorker {
			e.Directive = &api.Directive{Op: api.OpNap, AfterMS: e.RetryAfterMS, Reason: e.Message}
		}
	}
	c.figures.refused(e.Code)
	c.write(status, api.ErrorResponse{Error: *e})
}

// refusal returns err as callers see it. What is no fault of theirs is logged
// and told without its details.
func (c *call) refusal(err error) *api.Error {
	var known *api.Error
	switch {
	case errors.As(err, &known):
		e := *known
		return &e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &api.Error{Code: api.CodeUnavailable, Message: "the call took too long, or the queue is stopping"}
	}
	c.opt.Log.Error("call failed", "call", c.Name, "err", err)
	return &api.Error{Code: api.CodeInternal, Message: "internal error; the queue's log has it"}
}

// answer writes v with the call's status of success.
func (c *call) answer(v any) error {
	c.write(c.Status, v)
	return nil
}

// none answers that it is done, with nothing to say.
func (c *call) none() error {
	c.w.WriteHeader(c.Status)
	return nil
}

func (c *call) write(status int, v any) {
	body, err := api.Marshal(v)
	if err != nil { // a fault of ours: no answer holds what JSON cannot
		c.opt.Log.Error("answer not written", "call", c.Name, "err", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"internal error; the queue's log has it"}}`)
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
	c.w.WriteHeader(status)
	c.w.Write(append(body, '\n'))
}

// refuseMethod answers a path that exists, called with another method.
func (s *Server) refuseMethod(allowed []string) http.Handler {
	return s.handle(api.Call{Name: "no such method"}, func(c *call) error {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &api.Error{Code: api.CodeNoMethod, Field: "method", Allowed: allowed, Message: fmt.Sprintf("%s does not take %s", cut(c.r.URL.Path, 200), cut(c.r.Method, 40))}
	})
}

// refusePath answers a path that does not exist.
func (s *Server) refusePath() http.Handler {
	var known []string
	for _, c := range api.Calls {
		known = append(known, c.Path)
	}
	return s.handle(api.Call{Name: "no such path"}, func(c *call) error {
		return &api.Error{Code: api.CodeNotFound, Field: "path", DidYouMean: spell.Nearest(c.r.URL.Path, known), Message: fmt.Sprintf("there is no %s", cut(c.r.URL.Path, 200))}
	})
}

// stillGood reports whether the caller's token is still good and the engine
// still the one that leads.
func (c *call) stillGood() bool {
	now, ok := c.opt.Keeper.Caller(access.Bearer(c.r.Header.Get("Authorization")), c.opt.Now())
	e := c.Server.engine.Load()
	return ok && now == c.caller && e != nil && *e == c.engine
}
