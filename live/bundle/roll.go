package bundle

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// validFor is how long workers believe a channel, and may install a release,
// that nobody signs anew.
const validFor = 365 * 24 * time.Hour

// NewChannel returns a channel that nothing was released to.
func NewChannel(name string) Channel { return Channel{Kind: channelKind, Name: name} }

// next returns c, changed now.
func (c Channel) next(now time.Time, reason string) Channel {
	c.Before = slices.Clone(c.Before)
	c.Sequence++
	c.Reason, c.ChangedAt, c.NotAfter = reason, now.UTC(), now.UTC().Add(validFor)
	c.Now = false
	return c
}

// A Stage is how far a candidate goes.
type Stage struct {
	Percent   float64  // over 0 to 100; 100 makes it the stable release
	Instances []string // whatever percent says
	Now       bool     // give back jobs that would keep an instance long
}

// Promote returns c with a release on a stage. At 100 percent it is the stable
// one, and the one before is remembered.
func (c Channel) Promote(number int64, s Stage, now time.Time, reason string) (Channel, error) {
	switch {
	case number < 1:
		return c, fmt.Errorf("release %d: must be at least 1", number)
	case !(s.Percent >= 0 && s.Percent <= 100):
		return c, fmt.Errorf("percent %v: must be from 0 to 100", s.Percent)
	case s.Percent == 0 && len(s.Instances) == 0:
		return c, errors.New("a stage without percent and instances reaches nobody")
	case number == c.Stable:
		return c, fmt.Errorf("release %d: everybody runs it already", number)
	case c.Candidate == number && s.Percent < c.Percent:
		return c, fmt.Errorf("percent %v: release %d is at %v: a candidate goes on or is rolled back", s.Percent, number, c.Percent)
	}
	c = c.next(now, reason)
	c.Now = s.Now
	if s.Percent == 100 {
		c.remember()
		c.Stable, c.Candidate, c.Percent, c.Instances = number, 0, 0, nil
		return c, nil
	}
	c.Candidate, c.Percent, c.Instances = number, s.Percent, s.Instances
	return c, nil
}

// Rollback returns c without its candidate or, where it has none, with the
// stable release before.
func (c Channel) Rollback(now time.Time, reason string) (Channel, error) {
	if c.Candidate != 0 {
		c = c.next(now, reason)
		c.Candidate, c.Percent, c.Instances = 0, 0, nil
		return c, nil
	}
	if len(c.Before) == 0 {
		return c, errors.New("there is no release to go back to")
	}
	c = c.next(now, reason)
	c.Stable = c.Before[len(c.Before)-1]
	c.Before = c.Before[:len(c.Before)-1]
	return c, nil
}

func (c *Channel) remember() {
	if c.Stable == 0 {
		return
	}
	c.Before = append(c.Before, c.Stable)
	c.Before = c.Before[max(0, len(c.Before)-beforeMax):]
}

// Renew returns c unchanged, believed for another year.
func (c Channel) Renew(now time.Time) Channel {
	urgent := c.Now
	c = c.next(now, c.Reason)
	c.Now = urgent
	return c
}
