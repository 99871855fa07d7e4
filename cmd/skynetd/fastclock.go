package main

import (
	"sync"
	"time"
)

// fastClock is a clock that runs at a multiple of the wall clock's speed, and can
// be moved on.
type fastClock struct {
	mu    sync.Mutex
	mark  time.Time // of the wall clock
	then  time.Time // what this clock showed at mark
	speed float64
}

// newFastClock returns a clock that shows the given time now.
func newFastClock(then time.Time, speed float64) *fastClock {
	// Round strips the monotonic reading, which another process could not compare
	return &fastClock{mark: time.Now(), then: then.UTC().Round(0), speed: speed}
}

// Now implements ec2api.Clock.
func (c *fastClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *fastClock) now() time.Time {
	return c.then.Add(time.Duration(float64(time.Since(c.mark)) * c.speed))
}

// AfterFunc implements ec2api.Clock.
func (c *fastClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// a timer that fires early would find nothing to do: round up
	return time.AfterFunc(time.Duration(float64(d)/c.speed)+1, f).Stop
}

// Advance implements ec2api.Adjustable.
func (c *fastClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.then = c.then.Add(d)
}

// SetSpeed implements ec2api.Adjustable.
func (c *fastClock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.then, c.mark = c.now(), time.Now()
	c.speed = speed
}

// Speed implements ec2api.Adjustable.
func (c *fastClock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}
