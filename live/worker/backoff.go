package worker

import "time"

// The pauses between tries that fail: the longest doubles from the first to the
// last, and each is anything from half of it to all of it, so that a thousand
// workers do not come back at once. A worker with leases to lose is more eager.
const (
	pauseFirst = 500 * time.Millisecond
	pauseEager = 4 * time.Second
	pauseLast  = 15 * time.Second
	pauseOwn   = time.Minute // of a machine that is out of order
)

// A backoff says when to try again what failed. The zero backoff has not failed.
type backoff struct {
	tries int
	until time.Time
}

// waits reports whether it is too early to try again.
func (b backoff) waits(now time.Time) bool { return now.Before(b.until) }

// again notes a failure. A pause is at most last, unless the other side asks for
// a longer one.
func (b *backoff) again(now time.Time, last, asked time.Duration, chance func() float64) {
	pause := min(pauseFirst<<min(b.tries, 10), last)
	pause = pause/2 + time.Duration(float64(pause/2)*chance())
	b.tries++
	b.until = now.Add(max(pause, asked))
}
