package worker

import "time"

// The pauses between calls that fail: the longest doubles from the first to the
// last, and each is anything from half of it to all of it, so that a thousand
// workers do not come back at once.
const (
	pauseFirst = 500 * time.Millisecond
	pauseLast  = 15 * time.Second
)

// A backoff says when to try again what failed. The zero backoff has not failed.
type backoff struct {
	tries int
	until time.Time
}

// waits reports whether it is too early to try again.
func (b backoff) waits(now time.Time) bool { return now.Before(b.until) }

// again notes a failure. A pause that the other side asks for is kept, if it is
// the longer one.
func (b *backoff) again(now time.Time, asked time.Duration, chance func() float64) {
	pause := pauseFirst << min(b.tries, 10)
	pause = min(pause, pauseLast)
	pause = pause/2 + time.Duration(float64(pause/2)*chance())
	b.tries++
	b.until = now.Add(max(pause, asked))
}
