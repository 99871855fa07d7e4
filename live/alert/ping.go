package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/secret"
	"github.com/skynet-ec2/skynet/policy"
)

// Pinger calls a URL after every tick, and with /fail behind its path after one that
// was held or blind. Whoever is called raises the alarm when nobody calls any more:
// of a machine that is gone nothing else tells.
type Pinger struct {
	good, bad secret.Value
	method    string
	client    *http.Client
	log       *slog.Logger
	next      chan bool // whether the latest tick was good
}

// NewPinger returns a pinger of a URL by a method. Give what it returns the ticks,
// and Run it.
func NewPinger(to secret.Value, method string, log *slog.Logger) (*Pinger, error) {
	bad, err := url.Parse(to.Reveal())
	if err != nil || bad.Host == "" {
		return nil, errors.New("ping: the URL must be http://… or https://…") // it may be a secret
	}
	bad = bad.JoinPath("fail")
	return &Pinger{to, secret.Of(bad.String()), method, &http.Client{Timeout: postTime}, log, make(chan bool, 1)}, nil
}

// Saw looks at a tick. It returns at once: of two ticks that could not be told of,
// only the latter is.
func (p *Pinger) Saw(k *controller.Controller, r *controller.Result) {
	p.look(good(k.Observation(), r))
}

func (p *Pinger) look(good bool) {
	select {
	case <-p.next:
	default:
	}
	p.next <- good // there is room: nobody else puts anything in
}

// good reports whether a tick did what ticks are for.
func good(o *policy.Observation, r *controller.Result) bool {
	return (r.Hold == controller.NotHeld || r.Hold == controller.Observing) && o.Queue.Complete && o.Fleet.Complete
}

// Run calls until ctx ends.
func (p *Pinger) Run(ctx context.Context) {
	for {
		select {
		case good := <-p.next:
			if err := p.call(ctx, good); err != nil && ctx.Err() == nil {
				p.log.Warn("the outside watch cannot be called", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// tries is how often a call is made before the next tick makes another.
const tries = 3

func (p *Pinger) call(ctx context.Context, good bool) error {
	to := p.bad
	if good {
		to = p.good
	}
	var failed error
	for try := range tries {
		if try > 0 {
			time.Sleep(backoffMin)
		}
		req, err := http.NewRequestWithContext(ctx, p.method, to.Reveal(), nil)
		if err != nil {
			return errors.New("the URL cannot be called")
		}
		req.Header.Set("User-Agent", "skynetd")
		status, err := call(p.client, req)
		if err == nil && status/100 == 2 {
			return nil
		}
		if failed = err; err == nil {
			failed = fmt.Errorf("answered with %d", status)
		}
	}
	return failed
}
