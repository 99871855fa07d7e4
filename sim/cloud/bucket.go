package cloud

import "time"

// A rule of throttling: a bucket of so many tokens, refilled at a rate per
// second. A call costs a token.
type rule struct{ capacity, refill float64 }

// The buckets of EC2's documentation. Every client of an account draws on the
// same ones.
var (
	nonMutating = rule{100, 20}
	wholesale   = rule{50, 10} // lists that are neither filtered nor paged
	mutating    = rule{50, 5}
)

// own are the actions with a bucket of their own.
var own = map[string]rule{
	"RunInstances":                {5, 2},
	"TerminateInstances":          {100, 5},
	"CreateTags":                  {100, 10},
	"DeleteTags":                  {100, 10},
	"CreateLaunchTemplateVersion": {100, 5},
}

// resources are the buckets that a call's instances are drawn from.
var resources = map[string]rule{
	"RunInstances":       {1000, 2},
	"TerminateInstances": {1000, 20},
}

// bucket is a bucket as it was at a time.
type bucket struct {
	rule
	tokens float64
	at     time.Time
}

// draw takes n tokens of the named bucket; it reports whether there were so
// many.
func (c *Cloud) draw(name string, r rule, n float64) bool {
	if c.cfg.Unthrottled {
		return true
	}
	b := c.buckets[name]
	if b == nil {
		b = &bucket{rule: r, tokens: r.capacity, at: c.now}
		c.buckets[name] = b
	}
	refilled := float64(c.now.Sub(b.at).Seconds() * b.refill)
	b.tokens, b.at = min(b.tokens+refilled, b.capacity), c.now
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

// Admit lets a call through or throttles it, by the bucket of its action. A list
// that names what it wants, or takes a page at a time, is narrow.
func (c *Cloud) Admit(action string, changes, narrow bool) *Error {
	name, r := "non-mutating", nonMutating
	switch special, ok := own[action]; {
	case ok:
		name, r = action, special
	case changes:
		name, r = "mutating", mutating
	case !narrow:
		name, r = "wholesale", wholesale
	}
	if !c.draw(name, r, 1) {
		return errThrottled()
	}
	return nil
}

// drawResources takes tokens for n instances of a call that was admitted.
func (c *Cloud) drawResources(action string, n int) *Error {
	if !c.draw(action+" instances", resources[action], float64(n)) {
		return errThrottled()
	}
	return nil
}
