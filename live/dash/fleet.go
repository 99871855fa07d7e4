package dash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/reports/chart"

	"golang.org/x/time/rate"
)

// Controller is what the fleet's page shows.
type Controller interface {
	Shown() server.Shown
	Day() []server.Moment
}

// FleetOptions say what the fleet's page needs. Controller and Log are required.
type FleetOptions struct {
	Controller Controller
	// Switch is the kill switch, and Caller tells whose a token is; nil: nobody can
	// stop anything here.
	Switch controller.Switch
	Caller func(token string) (access.Caller, bool)
	// FileStop is the stop beside the controller, which the page cannot take back; nil:
	// there is none.
	FileStop func(now time.Time) controller.Stopped
	// Queue is the address of the queue's page; empty: it is not known.
	Queue string
	// Journals is the folder of the fleet's journals, as skynet explain is given it.
	Journals string
	Log      *slog.Logger
	Every    time.Duration // between two renewals; default 2 s
}

// Fleet is the fleet's page: what is paid for, what was decided and why, what it
// costs. It serves itself at /fleet and below. Anybody who reaches it may look; to
// stop the controller takes an operator's token, given with the very form, so that no
// other page can send it.
type Fleet struct {
	opt   FleetOptions
	mux   *http.ServeMux
	tries *rate.Limiter // stops with a wrong token
	same  *http.CrossOriginProtection
}

// NewFleet returns the page.
func NewFleet(opt FleetOptions) *Fleet {
	if opt.Every == 0 {
		opt.Every = 2 * time.Second
	}
	if opt.FileStop == nil {
		opt.FileStop = func(time.Time) controller.Stopped { return controller.Stopped{} }
	}
	f := &Fleet{opt: opt, mux: http.NewServeMux(), tries: rate.NewLimiter(1, 10), same: http.NewCrossOriginProtection()}
	f.mux.Handle("GET /{$}", http.RedirectHandler("/fleet", http.StatusSeeOther))
	f.mux.HandleFunc("GET /fleet", f.show)
	f.mux.HandleFunc("GET /fleet/stream", f.stream)
	f.mux.HandleFunc("GET /fleet/decisions", f.decisions)
	f.mux.HandleFunc("GET /fleet/chart/{name}", f.drawing)
	f.mux.HandleFunc("GET /fleet/stop", func(w http.ResponseWriter, r *http.Request) { f.form(w, r, http.StatusOK, stopView{}) })
	f.mux.HandleFunc("POST /fleet/stop", f.stop)
	f.mux.HandleFunc("POST /fleet/resume", f.resume)
	assets(f.mux, "/fleet/")
	return f
}

// Routes are the patterns that a Fleet answers.
var Routes = []string{"/{$}", "/fleet", "/fleet/"}

// assets serves what pages load, below a path.
func assets(mux *http.ServeMux, below string) {
	for _, name := range []string{"style.css", "live.js"} {
		mux.HandleFunc("GET "+below+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, files, "page/"+name)
		})
	}
	for name, of := range map[string]struct{ kind, text string }{
		"charts.css": {"text/css; charset=utf-8", chart.Style()},
		"charts.js":  {"text/javascript; charset=utf-8", chart.Script()},
	} {
		mux.HandleFunc("GET "+below+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", of.kind)
			w.Write([]byte(of.text))
		})
	}
}

// ServeHTTP serves the page.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w)
	f.mux.ServeHTTP(w, r)
}

// queueHeader is how the queue's process, which hands calls on, says where its own
// page is.
const queueHeader = "Skynet-Queue"

// nav returns what stands above every page.
func (f *Fleet) nav(r *http.Request) nav {
	n := nav{Here: "fleet", Fleet: "/fleet", Queue: f.opt.Queue, Assets: "/fleet/"}
	if r.Header.Get(queueHeader) == "/" {
		n.Queue, n.Login = "/", true
	}
	return n
}

func (f *Fleet) show(w http.ResponseWriter, r *http.Request) {
	v := f.view()
	v.Nav = f.nav(r)
	for _, c := range v.charts() {
		html, err := c.HTML()
		if err != nil {
			fail(w, f.opt.Log, "fleet.html", err)
			return
		}
		v.Charts = append(v.Charts, html)
	}
	render(w, f.opt.Log, http.StatusOK, "fleet.html", v)
}

// drawing serves a chart to a browser without scripts.
func (f *Fleet) drawing(w http.ResponseWriter, r *http.Request) {
	v := f.view()
	for _, c := range v.charts() {
		if c.ID+".svg" != r.PathValue("name") {
			continue
		}
		var b bytes.Buffer
		if err := c.Figure.SVG(&b); err != nil {
			fail(w, f.opt.Log, c.ID, err)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Write(b.Bytes())
		return
	}
	http.NotFound(w, r)
}

// decisionsShown are those of one page of the list of all.
const decisionsShown = 200

func (f *Fleet) decisions(w http.ResponseWriter, r *http.Request) {
	v := decisionsView{Nav: f.nav(r), Journals: f.opt.Journals, Fleet: f.opt.Controller.Shown().Fleet}
	list := f.opt.Controller.Day()
	before, err := strconv.ParseInt(r.FormValue("before"), 10, 64)
	for i := len(list) - 1; i >= 0; i-- {
		if err == nil && list[i].Number >= before {
			continue
		}
		if len(v.List) == decisionsShown {
			v.Older = v.List[len(v.List)-1].Number
			break
		}
		v.List = append(v.List, f.decision(&list[i]))
	}
	render(w, f.opt.Log, http.StatusOK, "decisions.html", v)
}

// stream sends the parts of the page that have changed, and its charts after every
// decision, until the browser leaves.
func (f *Fleet) stream(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // not every writer can; those that cannot have no deadline either
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(f.opt.Every)
	defer tick.Stop()
	sent := map[string]string{}
	drawn := time.Time{}
	for first := true; ; first = false {
		v := f.view()
		control.SetWriteDeadline(time.Now().Add(f.opt.Every + 30*time.Second))
		for _, part := range fleetParts {
			var b bytes.Buffer
			if err := pages.ExecuteTemplate(&b, part, v); err != nil {
				f.opt.Log.Error("page not made", "page", part, "err", err)
				return
			}
			if text := b.String(); sent[part] != text {
				sent[part] = text
				send(w, part, text)
			}
		}
		if !first && v.Last != nil && !v.Last.At.Equal(drawn) {
			for _, c := range v.charts() {
				data, err := c.Data()
				if err != nil {
					f.opt.Log.Error("chart not made", "chart", c.ID, "err", err)
					return
				}
				send(w, "chart", string(data))
			}
		}
		if v.Last != nil {
			drawn = v.Last.At
		}
		send(w, "now", v.Now.Format(clockFormat))
		if control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// send writes one event.
func send(w http.ResponseWriter, name, text string) {
	fmt.Fprintf(w, "event: %s\n", name)
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "data: %s\n", strings.TrimRight(line, "\r\n"))
	}
	fmt.Fprint(w, "\n")
}

// form shows what stops and resumes.
func (f *Fleet) form(w http.ResponseWriter, r *http.Request, status int, v stopView) {
	now := time.Now()
	v.Nav, v.Shown = f.nav(r), f.opt.Controller.Shown()
	v.Can = f.opt.Switch != nil && f.opt.Caller != nil
	v.Lasts = stopTimes
	if s := f.opt.FileStop(now); s.Is(now) {
		v.File = &s
	}
	if v.Can {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		switch s, err := f.opt.Switch.StopRow(ctx, v.Shown.Fleet); {
		case err != nil:
			v.Unread = err.Error()
		case s.Is(now):
			v.Row = &s
		}
	}
	render(w, f.opt.Log, status, "stop.html", v)
}

// stopTimes are how long a stop may be asked to last.
var stopTimes = []lastsView{{"", "until it is taken back"}, {"30m", "30 minutes"}, {"2h", "2 hours"}, {"12h", "12 hours"}}

func (f *Fleet) stop(w http.ResponseWriter, r *http.Request) {
	f.order(w, r, func(ctx context.Context, who, why string) error {
		s := controller.Stopped{Reason: why, By: who, Since: time.Now().UTC().Truncate(time.Second)}
		if text := r.PostFormValue("for"); text != "" {
			lasts, err := time.ParseDuration(text)
			if err != nil || lasts <= 0 {
				return &controller.InvalidError{Reason: fmt.Sprintf("for = %q: must be a time above 0, such as 30m", text)}
			}
			s.Until = s.Since.Add(lasts)
		}
		return f.opt.Switch.Stop(ctx, f.opt.Controller.Shown().Fleet, s)
	})
}

func (f *Fleet) resume(w http.ResponseWriter, r *http.Request) {
	f.order(w, r, func(ctx context.Context, who, why string) error {
		_, err := f.opt.Switch.Resume(ctx, f.opt.Controller.Shown().Fleet, controller.Act{
			At: time.Now().UTC().Truncate(time.Second), By: who, What: "resume", Why: why,
		})
		return err
	})
}

// order does what a form asks, for an operator who gives a reason.
func (f *Fleet) order(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, who, why string) error) {
	r.Body = http.MaxBytesReader(w, r.Body, formMax)
	v := stopView{Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	deny := func(status int, message string) {
		v.Message = message
		f.form(w, r, status, v)
	}
	if f.opt.Switch == nil || f.opt.Caller == nil {
		deny(http.StatusForbidden, "This controller has no switch to throw here.")
		return
	}
	if err := f.same.Check(r); err != nil {
		deny(http.StatusForbidden, "The form came from another site.")
		return
	}
	caller, known := f.opt.Caller(strings.TrimSpace(r.PostFormValue("token")))
	if !known || !caller.MayCall([]api.Role{api.RoleOperator}) {
		f.opt.Log.Warn("an order was refused", "path", r.URL.Path, "from", r.RemoteAddr, "role", caller.Role)
		if !f.tries.Allow() {
			w.Header().Set("Retry-After", "1")
			deny(http.StatusTooManyRequests, "Too many wrong tokens. Wait a second.")
			return
		}
		deny(http.StatusForbidden, "This takes an operator's token, and that is none. Nothing has changed.")
		return
	}
	if v.Reason == "" {
		deny(http.StatusUnprocessableEntity, "Say why: whoever looks has to know. Nothing has changed.")
		return
	}
	who := caller.Name
	if who == "" {
		who = strings.TrimSpace("operator " + caller.ID)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	if err := do(ctx, who, v.Reason); err != nil {
		status := http.StatusBadGateway
		var bad *controller.InvalidError
		if errors.As(err, &bad) {
			status = http.StatusUnprocessableEntity
		}
		f.opt.Log.Error("an order failed", "path", r.URL.Path, "by", who, "err", err)
		deny(status, "It failed: "+err.Error())
		return
	}
	f.opt.Log.Warn("an operator's order", "path", r.URL.Path, "by", who, "reason", v.Reason)
	http.Redirect(w, r, "/fleet", http.StatusSeeOther)
}

// explainCommand returns what says more about a decision.
func explainCommand(journals string, number int64) string {
	if journals == "" {
		return ""
	}
	return fmt.Sprintf("skynet explain --torn %s/*.jsonl.zst %d", strings.TrimSuffix(journals, "/"), number)
}
