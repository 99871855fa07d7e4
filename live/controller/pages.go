package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
)

// Pages is a store that keeps journals beside states, by name: that of a fleet, or
// of its shadow.
type Pages interface {
	// JournalLines yields the lines of a journal that were written from one instant
	// to another: whole pages from their header on, each line with its line feed. A
	// line whose end was lost in a crash has one.
	JournalLines(ctx context.Context, name string, from, to time.Time, yield func(line []byte) error) error
}

// turnPages begins journals anew where a day of UTC has ended since the last tick,
// and where one could not be written any more. The old one goes on where none can
// be begun.
func (c *Controller) turnPages(now time.Time) {
	day := now.UTC().Truncate(24 * time.Hour)
	over := !c.page.IsZero() && !c.page.Equal(day)
	c.page = day
	if c.journal != nil && (over || c.journal.Err() != nil) {
		c.note(c.openJournal())
	}
	if s := c.shadow; s != nil && s.journal != nil && c.c.ShadowJournal != nil && (over || s.journal.Err() != nil) {
		c.note(c.turnShadow(s))
	}
}

// turnShadow begins the shadow's journal anew.
func (c *Controller) turnShadow(s *shadowing) error {
	w, err := c.c.ShadowJournal()
	if err != nil {
		return fmt.Errorf("shadow: journal: %w", err)
	}
	h := c.header()
	h.Policy = s.described
	err = errors.Join(s.journal.Close(), s.closer.Close())
	s.closer, s.journal = w, journal.NewWriter(w, h, c.decision)
	return err
}
