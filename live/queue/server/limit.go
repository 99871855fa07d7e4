package server

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"golang.org/x/time/rate"
)

// Calls without a good token that one address may make: enough for a worker
// whose token has run out, too few to guess.
const (
	unknownPerS  = 20
	unknownBurst = 200
)

// clients bounds the calls of each client by a token bucket.
type clients struct {
	perS  rate.Limit
	burst int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// clientsMax is how many buckets are kept: beyond, those that are full again are
// forgotten, which changes nothing for their clients.
const clientsMax = 16_384

func newClients(perS float64, burst int) *clients {
	return &clients{perS: rate.Limit(perS), burst: burst, buckets: map[string]*rate.Limiter{}}
}

// allow counts a call of a client, or returns when it may call again.
func (c *clients) allow(client string) error {
	now := time.Now()
	c.mu.Lock()
	b := c.buckets[client]
	if b == nil {
		if len(c.buckets) >= clientsMax {
			c.forget(now)
		}
		b = rate.NewLimiter(c.perS, c.burst)
		c.buckets[client] = b
	}
	c.mu.Unlock()
	if b.AllowN(now, 1) {
		return nil
	}
	return &api.Error{Code: api.CodeTooMany, Message: "too many calls from this client", RetryAfterMS: jitter(time.Second)}
}

// forget drops the clients that were quiet long enough to have a full bucket,
// and all of them if none was.
func (c *clients) forget(now time.Time) {
	for name, b := range c.buckets {
		if b.TokensAt(now) >= float64(c.burst) {
			delete(c.buckets, name)
		}
	}
	if len(c.buckets) >= clientsMax {
		clear(c.buckets)
	}
}

// gate bounds how many calls are inside at once.
type gate struct{ places chan struct{} }

func newGate(n int) gate { return gate{make(chan struct{}, n)} }

func (g *gate) enter() bool {
	select {
	case g.places <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g *gate) leave() { <-g.places }

// inside returns how many calls are inside.
func (g *gate) inside() int { return len(g.places) }

func busyError() error {
	return &api.Error{Code: api.CodeUnavailable, Message: "the queue is busy: too many calls at once", RetryAfterMS: jitter(2 * time.Second)}
}

// jitter returns between once and twice d, in ms: those who were refused
// together shall not come back together.
func jitter(d time.Duration) int64 {
	return (d + rand.N(d)).Milliseconds()
}
