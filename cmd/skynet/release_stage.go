package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"aead.dev/minisign"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/bundle"
	"github.com/skynet-ec2/skynet/live/client"
)

// releaseQueue are the flags about the queue, which knows the workers.
type releaseQueue struct{ url string }

func (q *releaseQueue) add(flags *pflag.FlagSet) {
	flags.StringVar(&q.url, "queue", os.Getenv(client.EnvURL), "the queue's `URL`: it tells workers to look at once, and how they fare; default: SKYNET_URL")
}

// open returns a client, or nil where no queue is named.
func (q *releaseQueue) open() (*client.Client, error) {
	if q.url == "" {
		return nil, nil
	}
	secure, err := client.TLSFromEnv()
	if err != nil {
		return nil, inputError(err)
	}
	c, err := client.New(client.Options{URL: q.url, Token: os.Getenv(client.EnvToken), TLS: secure, RetryFor: 5 * time.Second})
	if err != nil {
		return nil, usageError(err)
	}
	return c, nil
}

// toldFor is how long the queue repeats that there is another release: workers
// that wait for work hear it at once, the others look by themselves.
const toldFor = 2 * time.Second

// tell has the queue tell the workers to look. A release does not fail because
// the queue is away: they look by themselves too.
func (q *releaseQueue) tell(a *app, version, reason string) {
	c, err := q.open()
	if err == nil && c == nil {
		return
	}
	if err == nil {
		_, err = c.Direct(a.ctx, api.DirectiveRequest{All: true, Op: api.OpUpdate, Bundle: version, Reason: reason, LastsMS: toldFor.Milliseconds()})
	}
	if err != nil {
		a.log.Warn("the queue does not tell the workers: they find the release by themselves", "error", err)
	}
}

// A tried is how workers fare with a release.
type tried struct {
	Runs       int `json:"runs"`        // workers that run it
	RolledBack int `json:"rolled_back"` // instances on which it failed
}

// fare returns how the workers fare with each release.
func (q *releaseQueue) fare(ctx context.Context) (map[int64]tried, error) {
	c, err := q.open()
	if c == nil || err != nil {
		return nil, err
	}
	workers, err := c.Workers(ctx)
	if err != nil {
		return nil, outsideError(err)
	}
	fare := map[int64]tried{}
	failed := map[string]bool{} // an instance may have had several workers
	for _, w := range workers {
		if !w.Silent {
			f := fare[w.Release]
			f.Runs++
			fare[w.Release] = f
		}
		for _, bad := range w.BadReleases {
			if id := w.InstanceID + " " + strconv.FormatInt(bad, 10); !failed[id] {
				failed[id] = true
				f := fare[bad]
				f.RolledBack++
				fare[bad] = f
			}
		}
	}
	return fare, nil
}

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
	store, key, err := r.both()
	if err != nil {
		return err
	}
	keys := []minisign.PublicKey{bundle.PublicKey(key)}
	m, err := bundle.ReadManifest(a.ctx, store, keys, number)
	if err != nil {
		return inputError(err) // what workers could not run is not promoted
	}
	old, err := bundle.ReadChannel(a.ctx, store, keys, r.channel, time.Now())
	if err != nil {
		return inputError(err)
	}
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
	if err := bundle.WriteChannel(a.ctx, store, next, key); err != nil {
		return outsideError(err)
	}
	q.tell(a, m.Version, reason)
	if next.Stable == number {
		_, err = fmt.Fprintf(a.stdout, "channel %s: release %d (%s) is the stable one; before: %d\n", r.channel, number, m.Version, old.Stable)
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "channel %s: release %d (%s) on %v %% of the instances%s; stable: %d\n",
		r.channel, number, m.Version, next.Percent, andInstances(next.Instances), next.Stable)
	return err
}

func andInstances(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " and on " + strings.Join(ids, ", ")
}

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
			store, key, err := r.both()
			if err != nil {
				return err
			}
			old, err := bundle.ReadChannel(a.ctx, store, []minisign.PublicKey{bundle.PublicKey(key)}, r.channel, time.Now())
			if err != nil {
				return inputError(err)
			}
			next, err := old.Rollback(time.Now(), reason)
			if err != nil {
				return inputError(fmt.Errorf("channel %s: %w", r.channel, err))
			}
			if err := bundle.WriteChannel(a.ctx, store, next, key); err != nil {
				return outsideError(err)
			}
			if m, err := bundle.ReadManifest(a.ctx, store, []minisign.PublicKey{bundle.PublicKey(key)}, next.Stable); err == nil {
				q.tell(a, m.Version, reason)
			}
			taken := old.Candidate
			if taken == 0 {
				taken = old.Stable
			}
			_, err = fmt.Fprintf(a.stdout, "channel %s: release %d is taken back; stable: %d\n", r.channel, taken, next.Stable)
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
			store, key, err := r.both()
			if err != nil {
				return err
			}
			// a channel that is out of date is what this verb is for
			c, err := bundle.ReadChannel(a.ctx, store, []minisign.PublicKey{bundle.PublicKey(key)}, r.channel, time.Time{})
			if err != nil {
				return inputError(err)
			}
			c = c.Renew(time.Now())
			if err := bundle.WriteChannel(a.ctx, store, c, key); err != nil {
				return outsideError(err)
			}
			_, err = fmt.Fprintf(a.stdout, "channel %s: believed until %s\n", r.channel, c.NotAfter.Format(time.DateOnly))
			return err
		},
	}
	r.add(c.Flags(), true, true)
	return c
}

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
