package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// statsNow returns what the caller may see of the queue.
func (c *call) statsNow() api.Stats {
	s := c.engine.Stats(c.caller.Tenant)
	if c.caller.Tenant == "" {
		s.Errors = c.figures.errors()
	} else {
		s.Workers, s.Totals, s.Services, s.Speeds, s.Errors = api.WorkerCounts{}, api.Totals{}, nil, nil, nil
	}
	return s
}

func (c *call) stats() error { return c.answer(c.statsNow()) }

// observe tells a controller what it decides by.
func (c *call) observe() error {
	if err := c.wholeQueue(); err != nil {
		return err
	}
	r, err := take(c, bodyBytesMax, checkObserve)
	if err != nil {
		return err
	}
	o, err := c.engine.Observe(r)
	if err != nil {
		return err
	}
	return c.answer(o)
}

// Bounds of the time between two events of a stream.
const (
	everyMin     = 200 * time.Millisecond
	everyDefault = time.Second
)

// statsStream sends an event now and then until the caller leaves, its token is
// no longer good, or the queue does not lead any more.
func (c *call) statsStream() error {
	every := time.Duration(c.query.numbers["every_ms"]) * time.Millisecond
	if every == 0 {
		every = everyDefault
	}
	every = max(every, everyMin)
	control := http.NewResponseController(c.w)
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		body, err := api.Marshal(c.statsNow())
		if err != nil {
			return err
		}
		control.SetWriteDeadline(time.Now().Add(every + writeSlack)) // not every writer can
		if _, err := fmt.Fprintf(c.w, "event: stats\ndata: %s\n\n", body); err != nil {
			return nil // the caller left
		}
		if err := control.Flush(); err != nil {
			return nil
		}
		select {
		case <-c.ctx().Done():
			return nil
		case <-c.leaving:
			return nil
		case <-tick.C:
		}
		if !c.stillGood() {
			return nil
		}
	}
}
