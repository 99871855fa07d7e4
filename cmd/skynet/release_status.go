package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"aead.dev/minisign"
	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/live/bundle"
)

// releaseStatus is what status prints as JSON.
type releaseStatus struct {
	bundle.Channel
	Workers map[int64]tried `json:"workers,omitempty"` // by release; 0: of none
}

func newReleaseStatusCommand(a *app) *cobra.Command {
	var r releaseStore
	var q releaseQueue
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "print what a channel names and how workers fare with it",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			store, err := r.open()
			if err != nil {
				return err
			}
			keys, err := r.publicKeys()
			if err != nil {
				return err
			}
			c, err := bundle.ReadChannel(a.ctx, store, keys, r.channel, time.Now())
			if err != nil {
				return inputError(err)
			}
			fare, err := q.fare(a.ctx)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(a.stdout)
				e.SetIndent("", "  ")
				return e.Encode(releaseStatus{c, fare})
			}
			return printReleaseStatus(a.ctx, a.stdout, store, keys, c, fare)
		},
	}
	f := c.Flags()
	r.add(f, false, true)
	q.add(f)
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printReleaseStatus(ctx context.Context, w io.Writer, store bundle.Store, keys []minisign.PublicKey, c bundle.Channel, fare map[int64]tried) error {
	if c.Sequence == 0 {
		_, err := fmt.Fprintf(w, "channel %s: nothing was released to it\n", c.Name)
		return err
	}
	fmt.Fprintf(w, "channel %s, change %d of %s", c.Name, c.Sequence, c.ChangedAt.Format(time.RFC3339))
	if c.Reason != "" {
		fmt.Fprintf(w, ": %s", c.Reason)
	}
	fmt.Fprint(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RELEASE\tVERSION\tIS\tWORKERS\tROLLED BACK")
	line := func(number int64, is string) {
		version := "?"
		if m, err := bundle.ReadManifest(ctx, store, keys, number); err == nil {
			version = m.Version
		}
		runs, back := "-", "-"
		if fare != nil {
			runs, back = strconv.Itoa(fare[number].Runs), strconv.Itoa(fare[number].RolledBack)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", number, version, is, runs, back)
	}
	if c.Candidate != 0 {
		line(c.Candidate, fmt.Sprintf("tried on %v %%%s", c.Percent, andInstances(c.Instances)))
	}
	if c.Stable != 0 {
		line(c.Stable, "stable")
	}
	for _, n := range slices.Backward(c.Before) {
		line(n, "before")
	}
	return t.Flush()
}
