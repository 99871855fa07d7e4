package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/live/bundle"
)

func newReleasePromoteCommand(a *app) *cobra.Command {
	var r releaseStore
	var q releaseQueue
	var to, reason string
	var stage bundle.Stage
	var badMax float64
	var force bool
	c := &cobra.Command{
		Use:   "promote NUMBER",
		Short: "have workers run a release: some, then all",
		Long: `Promote has workers that follow the channel run a release: first a few (1%, 10%,
which are always the same ones), then all. Idle workers run it within 10 seconds,
busy ones when they have finished their jobs. A worker on which it fails goes back
by itself and tells the queue; promote refuses to go on where too many did.`,
		Example: `  skynet release promote 2026113001 --to 1%
  skynet release promote 2026113001 --to all --reason "faster thumbnails"
  skynet release promote 2026113002 --now --reason "a hole in the JPEG reader"`,
		Args: exactArgs("NUMBER"),
		RunE: func(_ *cobra.Command, args []string) error {
			number, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError(fmt.Errorf("NUMBER %q: must be a release's number", args[0]))
			}
			switch {
			case to == "" && stage.Now:
				to = "all"
			case to == "" && len(stage.Instances) == 0:
				return usageError(errors.New("--to: must be given: 1%, 10% or all"))
			}
			if stage.Percent, err = percentOf(to); err != nil {
				return usageError(err)
			}
			return a.promote(r, q, number, stage, reason, badMax, force)
		},
	}
	f := c.Flags()
	r.add(f, true, true)
	q.add(f)
	f.StringVar(&to, "to", "", "how `many` run it: a percentage such as 1% or 10%, or all")
	f.StringSliceVar(&stage.Instances, "instance", nil, "this `instance` too, whatever --to says; may be repeated")
	f.BoolVar(&stage.Now, "now", false, "all at once unless --to says otherwise, and without waiting for long jobs: they are given back, which spends no attempt")
	f.StringVar(&reason, "reason", "", "why, for people: a `text`")
	f.Float64Var(&badMax, "bad-max", 10, "refuse to go on where it failed on more than so many `percent` of the workers that tried it")
	f.BoolVar(&force, "force", false, "go on anyway")
	return c
}

// percentOf reads a stage.
func percentOf(to string) (float64, error) {
	switch to {
	case "":
		return 0, nil
	case "all":
		return 100, nil
	}
	text, ok := strings.CutSuffix(to, "%")
	percent, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(percent > 0 && percent <= 100) {
		return 0, fmt.Errorf("--to %q: must be a percentage over 0%% to 100%%, or all", to)
	}
	return percent, nil
}

func (a *app) promote(r releaseStore, q releaseQueue, number int64, stage bundle.Stage, reason string, badMax float64, force bool) error {
	c, err := r.edit(a.ctx, time.Now())
	if err != nil {
		return err
	}
	m, err := bundle.ReadManifest(a.ctx, c.store, c.keys, number)
	if errors.Is(err, fs.ErrNotExist) {
		return inputError(fmt.Errorf("there is no release %d in %s: skynet release publish makes one, and says its number", number, r.place))
	}
	if err != nil {
		return inputError(err) // what workers could not run is not promoted
	}
	old := c.channel
	next, err := old.Promote(number, stage, time.Now(), reason)
	if err != nil {
		return inputError(err)
	}
	if !force {
		fare, err := q.fare(a.ctx)
		if err != nil {
			return err
		}
		if f := fare[number]; f.RolledBack > 0 && 100*float64(f.RolledBack) > badMax*float64(f.RolledBack+f.Runs) {
			return brokenError(fmt.Errorf("release %d failed on %d instances and runs on %d: --bad-max is %v %%; roll it back, or --force", number, f.RolledBack, f.Runs, badMax))
		}
	}
	if err := bundle.WriteChannel(a.ctx, c.store, next, c.key); err != nil {
		return outsideError(err)
	}
	q.tell(a, m.Version, reason)
	if next.Stable == number {
		_, err = fmt.Fprintf(a.stdout, "channel %s: release %d (%s) is the stable one; before: %s\n", r.channel, number, m.Version, stableOf(old))
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "channel %s: release %d (%s) on %v %% of the instances%s; stable: %s\n",
		r.channel, number, m.Version, next.Percent, andInstances(next.Instances), stableOf(next))
	return err
}

func andInstances(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " and on " + strings.Join(ids, ", ")
}

// stableOf returns the number of a channel's stable release, or none.
func stableOf(c bundle.Channel) string {
	if c.Stable == 0 {
		return "none"
	}
	return strconv.FormatInt(c.Stable, 10)
}
