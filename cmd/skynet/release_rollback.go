package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/live/bundle"
)

func newReleaseRollbackCommand(a *app) *cobra.Command {
	var r releaseStore
	var q releaseQueue
	var reason string
	c := &cobra.Command{
		Use:   "rollback",
		Short: "take back the release that is tried, else the last one",
		Long: `Rollback takes the candidate off the channel; where there is none, the stable
release before becomes the stable one again. It is never refused.`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			c, err := r.edit(a.ctx, time.Now())
			if err != nil {
				return err
			}
			old := c.channel
			next, err := old.Rollback(time.Now(), reason)
			if err != nil {
				return inputError(fmt.Errorf("channel %s: %w", r.channel, err))
			}
			if err := bundle.WriteChannel(a.ctx, c.store, next, c.key); err != nil {
				return outsideError(err)
			}
			if m, err := bundle.ReadManifest(a.ctx, c.store, c.keys, next.Stable); err == nil {
				q.tell(a, m.Version, reason)
			}
			taken := old.Candidate
			if taken == 0 {
				taken = old.Stable
			}
			_, err = fmt.Fprintf(a.stdout, "channel %s: release %d is taken back; stable: %s\n", r.channel, taken, stableOf(next))
			return err
		},
	}
	f := c.Flags()
	r.add(f, true, true)
	q.add(f)
	f.StringVar(&reason, "reason", "", "why, for people: a `text`")
	return c
}

func newReleaseRenewCommand(a *app) *cobra.Command {
	var r releaseStore
	c := &cobra.Command{
		Use:   "renew",
		Short: "sign a channel anew: workers believe it for a year",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			c, err := r.edit(a.ctx, time.Time{}) // a channel that is out of date is what this verb is for
			if err != nil {
				return err
			}
			next := c.channel.Renew(time.Now())
			if err := bundle.WriteChannel(a.ctx, c.store, next, c.key); err != nil {
				return outsideError(err)
			}
			_, err = fmt.Fprintf(a.stdout, "channel %s: believed until %s\n", r.channel, next.NotAfter.Format(time.DateOnly))
			return err
		},
	}
	r.add(c.Flags(), true, true)
	return c
}
