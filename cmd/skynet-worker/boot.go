package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/bundle"
	"github.com/skynet-ec2/skynet/live/supervisor"
)

// bootVerb keeps a worker running in the release that its channel says.
type bootVerb struct {
	*cli.App
	instanceFlags

	dir      string
	releases string
	channel  string
	keys     []string
	look     time.Duration
	trialMax time.Duration
	stopMax  time.Duration
}

func newBootCommand(a *cli.App) *cobra.Command {
	b := &bootVerb{App: a}
	c := &cobra.Command{
		Use:   "boot [flags] [-- FLAGS OF RUN]",
		Short: "fetch the release of a channel, run it and keep it up to date",
		Long: `Boot fetches the release that a channel names, makes sure that a trusted key
signed it, unpacks and starts it. It goes on looking: a new release is fetched
while the old one works, and started when the old one has finished its jobs. A
new release is on trial until it has done a job or has been served by the queue
for a minute; one that fails is rolled back, and not tried here again.

What stands behind -- goes to the worker, as flags of run. Boot's own flags about
the instance go there too.`,
		Example: `  skynet-worker boot --ec2
  skynet-worker boot --releases /srv/releases --channel test --release-key RWS… -- --results /srv/results`,
		RunE: func(_ *cobra.Command, args []string) error { return b.run(args) },
	}
	f := c.Flags()
	f.SortFlags = false
	b.instanceFlags.add(f)
	f.StringVar(&b.dir, "dir", "skynet-releases", "keep releases in this `folder`")
	f.StringVar(&b.releases, "releases", "", "release store: a folder, an http(s) `address` or s3://bucket/prefix; default: user-data's")
	f.StringVar(&b.channel, "channel", "", "follow this `channel` of the store; default: user-data's")
	f.StringArrayVar(&b.keys, "release-key", nil, "trust releases signed with this minisign public `key`; may be repeated; default: user-data's")
	f.DurationVar(&b.look, "look", 0, "look for another release every so often, a `time`; default: 5s, 30s in S3")
	f.DurationVar(&b.trialMax, "trial-max", supervisor.TrialMaxDefault, "roll back a release that has not proved itself in this `time`")
	f.DurationVar(&b.stopMax, "stop-max", supervisor.StopMaxDefault, "kill a worker that was told to end soon after this `time`")
	return c
}

func (b *bootVerb) run(args []string) error {
	s, err := b.learn(b.Ctx)
	if err != nil {
		return err
	}
	place, channel := first(b.releases, s.Releases), first(b.channel, s.Channel)
	keys := b.keys
	if len(keys) == 0 {
		keys = s.ReleaseKeys
	}
	if place == "" || channel == "" || len(keys) == 0 {
		return cli.UsageError(errors.New("boot needs --releases, --channel and --release-key, or user-data that says them"))
	}
	if err := bundle.CheckChannelName(channel); err != nil {
		return cli.InputError(err)
	}
	trusted, err := bundle.ParseKeys(keys)
	if err != nil {
		return cli.InputError(err)
	}
	store, look, err := openReleases(b.Ctx, place, s.identity.Region)
	if err != nil {
		return err
	}
	if b.look != 0 {
		look = b.look
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"--look", look}, {"--trial-max", b.trialMax}, {"--stop-max", b.stopMax}} {
		if d.value < 10*time.Millisecond {
			return cli.UsageError(fmt.Errorf("%s %v: must be at least 10ms", d.flag, d.value))
		}
	}
	b.Log.Info("following a channel", "releases", place, "channel", channel, "instance", s.identity.ID, "every", look)
	v := &supervisor.Supervisor{
		Place: bundle.Place{Dir: b.dir, Store: store, Keys: trusted}, Channel: channel, Instance: s.identity.ID,
		Look: look, Log: b.Log, Args: append(b.passOn(), args...), Output: os.Stderr,
		TrialMax: b.trialMax, AwayMax: supervisor.AwayMaxDefault, StopMax: b.stopMax,
		AgainMin: supervisor.AgainMinDefault, AgainMax: supervisor.AgainMaxDefault,
	}
	return v.Run(b.Ctx)
}

// passOn returns the flags about the instance, for the worker.
func (b *bootVerb) passOn() []string {
	var args []string
	for _, f := range []struct{ flag, value string }{
		{"--queue", b.queue}, {"--cluster", b.cluster}, {"--user-data", b.userDataFile}, {"--instance", b.name}, {"--instance-type", b.kind},
	} {
		if f.value != "" {
			args = append(args, f.flag+"="+f.value)
		}
	}
	for _, r := range b.roles {
		args = append(args, "--role="+r)
	}
	if b.slots > 0 {
		args = append(args, fmt.Sprintf("--slots=%d", b.slots))
	}
	if b.ec2 {
		args = append(args, "--ec2")
	}
	return args
}
