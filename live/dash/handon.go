package dash

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"
)

// handOn returns what lets those who may see everything reach the controller's page.
func (p *Page) handOn() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(p.opt.Fleet)
			r.Out.Host = r.In.Host // the controller compares it with where a form came from
			r.Out.Header.Del("Cookie")
			r.Out.Header.Set(queueHeader, "/")
		},
		FlushInterval: -1, // events as they come
		ModifyResponse: func(r *http.Response) error {
			for name := range r.Header { // protect has set them
				if name == "Content-Security-Policy" || name == "X-Content-Type-Options" || name == "Referrer-Policy" || name == "Cache-Control" {
					r.Header.Del(name)
				}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				return
			}
			p.opt.Log.Warn("the controller does not answer", "url", p.opt.Fleet.Redacted(), "err", err)
			render(w, p.opt.Log, http.StatusBadGateway, "gone.html", nav{Here: "fleet", Fleet: "/fleet", Queue: "/", Assets: "/ui/", Login: true})
		},
		ErrorLog: slog.NewLogLogger(p.opt.Log.Handler(), slog.LevelDebug),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, ok := p.caller(r)
		switch {
		case !ok && r.URL.Path == "/fleet":
			render(w, p.opt.Log, http.StatusOK, "login.html", p.loginView(r, ""))
			return
		case !ok:
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		case !seesAll(caller):
			http.Error(w, "this token shows its own jobs alone", http.StatusForbidden)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-p.leave:
				cancel()
			case <-ctx.Done():
			}
		}()
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Time{}) // not every writer can; those that cannot have no deadline either
		proxy.ServeHTTP(patient{w, control}, r.WithContext(ctx))
	})
}

// patient gives every piece of an answer time of its own.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	p.control.SetWriteDeadline(time.Now().Add(30 * time.Second))
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
