// Package dash is what people see in a browser, in two pages that are made on the
// server and renew themselves.
//
// Page is the queue's: what waits, what runs, who works. It changes nothing. Who
// wants to see it logs in with a token; the browser keeps a cookie that names a
// session, never the token. It hands calls for the other page on to the controller.
//
// Fleet is the controller's: what is paid for, what was decided and why, what it
// costs; and the kill switch.
package dash

import (
	"bytes"
	"crypto/rand"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"

	"golang.org/x/time/rate"
)

// Engine is what the page shows.
type Engine interface {
	Stats(tenant string) api.Stats
	Workers() api.WorkersResponse
}

// Options say what a page needs. Keeper and Log are required.
type Options struct {
	Keeper *access.Keeper
	Log    *slog.Logger
	Secure bool          // it is served over TLS: the cookie must be, too
	Every  time.Duration // between two renewals of the page; default 2 s
	Fleet  *url.URL      // of the controller, whose page is shown at /fleet; nil: none
}

// A Page serves itself, at / and below /ui/.
type Page struct {
	opt    Options
	mux    *http.ServeMux
	engine atomic.Pointer[Engine]
	tries  *rate.Limiter // logins with a wrong token
	leave  chan struct{} // closed by Drain

	mu       sync.Mutex
	sessions map[string]session
}

// session is a browser that logged in.
type session struct {
	token access.Hash
	until time.Time
}

// Bounds of sessions and logins.
const (
	sessionFor  = 12 * time.Hour
	sessionsMax = 10_000
	formMax     = 4 << 10
	cookieName  = "skynet_session"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"ago": ago, "count": count, "percent": percent, "work": work, "join": strings.Join, "cores": coreSeconds, "clock": clock, "pc": func(share float64) float64 { return 100 * share },
	"rule": rule, "sentence": sentence, "seconds": time.Duration.Seconds,
}).ParseFS(files, "page/*.html"))

// New returns a page that shows nothing until it is told who leads.
func New(opt Options) *Page {
	if opt.Every == 0 {
		opt.Every = 2 * time.Second
	}
	p := &Page{opt: opt, mux: http.NewServeMux(), tries: rate.NewLimiter(5, 50), leave: make(chan struct{}), sessions: map[string]session{}}
	p.mux.HandleFunc("GET /{$}", p.show)
	p.mux.HandleFunc("GET /ui/stream", p.stream)
	p.mux.HandleFunc("POST /ui/login", p.login)
	p.mux.HandleFunc("POST /ui/logout", p.logout)
	assets(p.mux, "/ui/")
	if opt.Fleet != nil {
		p.mux.Handle("/fleet", p.handOn())
		p.mux.Handle("/fleet/", p.handOn())
	}
	return p
}

// Lead lets the page show an engine; nil takes it away.
func (p *Page) Lead(e Engine) {
	if e == nil {
		p.engine.Store(nil)
		return
	}
	p.engine.Store(&e)
}

// Drain ends the pages that renew themselves. It must be called once.
func (p *Page) Drain() { close(p.leave) }

// contentPolicy lets the browser load what we serve and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP serves the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w)
	p.mux.ServeHTTP(w, r)
}

// protect tells the browser what it may do with an answer.
func protect(w http.ResponseWriter) {
	head := w.Header()
	head.Set("Content-Security-Policy", contentPolicy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cache-Control", "no-store")
}

// caller returns who looks at the page; ok is false if nobody is logged in whose
// token is still good.
func (p *Page) caller(r *http.Request) (c access.Caller, ok bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return access.Caller{}, false
	}
	now := time.Now()
	p.mu.Lock()
	s, there := p.sessions[cookie.Value]
	p.mu.Unlock()
	if !there || now.After(s.until) {
		return access.Caller{}, false
	}
	return p.opt.Keeper.CallerOf(s.token, now)
}

// looks are the roles that may see the page.
var looks = []api.Role{api.RoleReader, api.RoleProducer, api.RoleOperator}

func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formMax)
	token := strings.TrimSpace(r.PostFormValue("token"))
	caller, ok := p.opt.Keeper.Caller(token, time.Now())
	if !ok || !caller.MayCall(looks) {
		if !p.tries.Allow() {
			w.Header().Set("Retry-After", "1")
			render(w, p.opt.Log, http.StatusTooManyRequests, "login.html", p.loginView(r, "Too many wrong tokens. Wait a second."))
			return
		}
		render(w, p.opt.Log, http.StatusForbidden, "login.html", p.loginView(r, "No such token, or one that does not open this page (reader, producer and operator tokens do)."))
		return
	}
	id := rand.Text() + rand.Text()
	p.mu.Lock()
	if len(p.sessions) >= sessionsMax {
		now := time.Now()
		for other, s := range p.sessions {
			if now.After(s.until) {
				delete(p.sessions, other)
			}
		}
		if len(p.sessions) >= sessionsMax {
			clear(p.sessions) // everybody logs in again
		}
	}
	p.sessions[id] = session{access.HashOf(token), time.Now().Add(sessionFor)}
	p.mu.Unlock()
	http.SetCookie(w, p.cookie(id, int(sessionFor.Seconds())))
	http.Redirect(w, r, p.loginView(r, "").To, http.StatusSeeOther)
}

func (p *Page) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.opt.Secure, SameSite: http.SameSiteStrictMode}
}

func (p *Page) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		p.mu.Lock()
		delete(p.sessions, cookie.Value)
		p.mu.Unlock()
	}
	http.SetCookie(w, p.cookie("", -1))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *Page) show(w http.ResponseWriter, r *http.Request) {
	caller, ok := p.caller(r)
	if !ok {
		render(w, p.opt.Log, http.StatusOK, "login.html", p.loginView(r, ""))
		return
	}
	render(w, p.opt.Log, http.StatusOK, "page.html", p.view(caller))
}

// render writes a page whole, or an error.
func render(w http.ResponseWriter, log *slog.Logger, status int, name string, v any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		fail(w, log, name, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// fail answers a call for a page that could not be made.
func fail(w http.ResponseWriter, log *slog.Logger, name string, err error) {
	log.Error("page not made", "page", name, "err", err)
	http.Error(w, "internal error; the log has it", http.StatusInternalServerError)
}

// stream sends what the page shows again and again, until the browser leaves or
// its session ends.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	caller, ok := p.caller(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // not every writer can; those that cannot have no deadline either
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(p.opt.Every)
	defer tick.Stop()
	for {
		var b bytes.Buffer
		if err := pages.ExecuteTemplate(&b, "live", p.view(caller)); err != nil {
			p.opt.Log.Error("page not made", "page", "live", "err", err)
			return
		}
		control.SetWriteDeadline(time.Now().Add(p.opt.Every + 30*time.Second))
		send(w, "live", b.String())
		if control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-p.leave:
			return
		case <-tick.C:
		}
		if caller, ok = p.caller(r); !ok {
			return
		}
	}
}
