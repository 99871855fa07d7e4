package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
)

// releaseQueue are the flags about the queue, which knows the workers.
type releaseQueue struct{ url string }

func (q *releaseQueue) add(flags *pflag.FlagSet) {
	flags.StringVar(&q.url, "queue", os.Getenv(client.EnvURL), "the queue's `URL`: it tells workers to look at once, and how they fare; default: SKYNET_URL")
}

// open returns a client, or nil where no queue is named.
func (q *releaseQueue) open() (*client.Client, error) {
	if q.url == "" {
		return nil, nil
	}
	secure, err := client.TLSFromEnv()
	if err != nil {
		return nil, inputError(err)
	}
	c, err := client.New(client.Options{URL: q.url, Token: os.Getenv(client.EnvToken), TLS: secure, RetryFor: 5 * time.Second})
	if err != nil {
		return nil, usageError(err)
	}
	return c, nil
}

// toldFor is how long the queue repeats that there is another release: workers
// that wait for work hear it at once, the others look by themselves.
const toldFor = 2 * time.Second

// tell has the queue tell the workers to look. A release does not fail because
// the queue is away: they look by themselves too.
func (q *releaseQueue) tell(a *app, version, reason string) {
	c, err := q.open()
	if err == nil && c == nil {
		return
	}
	if err == nil {
		_, err = c.Direct(a.ctx, api.DirectiveRequest{All: true, Op: api.OpUpdate, Bundle: version, Reason: reason, LastsMS: toldFor.Milliseconds()})
	}
	if err != nil {
		a.log.Warn("the queue does not tell the workers: they find the release by themselves", "error", err)
	}
}

// A tried is how workers fare with a release.
type tried struct {
	Runs       int `json:"runs"`        // workers that run it
	RolledBack int `json:"rolled_back"` // instances on which it failed
}

// fare returns how the workers fare with each release.
func (q *releaseQueue) fare(ctx context.Context) (map[int64]tried, error) {
	c, err := q.open()
	if c == nil || err != nil {
		return nil, err
	}
	workers, err := c.Workers(ctx)
	if err != nil {
		return nil, outsideError(err)
	}
	fare := map[int64]tried{}
	failed := map[string]bool{} // an instance may have had several workers
	for _, w := range workers {
		if !w.Silent {
			f := fare[w.Release]
			f.Runs++
			fare[w.Release] = f
		}
		for _, bad := range w.BadReleases {
			if id := w.InstanceID + " " + strconv.FormatInt(bad, 10); !failed[id] {
				failed[id] = true
				f := fare[bad]
				f.RolledBack++
				fare[bad] = f
			}
		}
	}
	return fare, nil
}
