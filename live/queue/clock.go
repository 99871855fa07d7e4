package queue

import "time"

// clock tells the engine's time: ns since 1970, never backwards. It runs with
// the monotonic clock, so that a wall clock which is set neither ends leases nor
// prolongs them, and is led to the wall clock by a thousandth of a second each
// second.
type clock struct {
	read  func() time.Time
	base  time.Time
	moved time.Duration // by lead, altogether
	lead  time.Time     // when it was last led
}

func newClock(read func() time.Time) clock {
	if read == nil {
		read = time.Now
	}
	now := read()
	return clock{read: read, base: now, lead: now}
}

func (c *clock) now() int64 {
	return c.base.UnixNano() + int64(c.read().Sub(c.base)+c.moved)
}

// towardsWall leads the clock by what it may have gone wrong since it was last
// led, and returns how far it is off still.
func (c *clock) towardsWall() time.Duration {
	read := c.read()
	most := max(0, read.Sub(c.lead)/1000)
	c.lead = read
	off := time.Duration(read.UnixNano() - c.now())
	step := min(max(off, -most), most)
	c.moved += step
	return off - step
}
