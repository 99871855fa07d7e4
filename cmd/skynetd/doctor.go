package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/bundle"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/ec2fleet"
	"github.com/skynet-ec2/skynet/live/instance"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/cobra"
)

// doctorVerb holds the flags of skynetd doctor.
type doctorVerb struct {
	*cli.App
	config string
	asJSON bool

	findings []finding
}

// finding is a line of the doctor's.
type finding struct {
	What string `json:"what"`
	// Is is "ok", "warn" or "fail".
	Is   string `json:"is"`
	Text string `json:"text"`
	// Do says what to do about it; empty: nothing.
	Do string `json:"do,omitempty"`
}

func newDoctorCommand(a *cli.App) *cobra.Command {
	v := &doctorVerb{App: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "say whether a controller would find everything that it needs",
		Long: `Look at everything that a controller of this file needs, from this machine and with
these credentials: files, store, queue and token, journal, clock, and EC2, where every
call is tried by a dry run that changes nothing. It can be run while a controller runs.

It exits 1 if something fails; what it warns of does not keep a controller from working.`,
		Example: "  skynetd doctor --config skynet.toml",
		Args:    cli.ExactArgs(),
		RunE:    func(*cobra.Command, []string) error { return v.run() },
	}
	c.Flags().StringVar(&v.config, "config", "skynet.toml", "look at what this `file` names")
	c.Flags().BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

func (v *doctorVerb) ok(what, format string, args ...any) {
	v.findings = append(v.findings, finding{what, "ok", fmt.Sprintf(format, args...), ""})
}

func (v *doctorVerb) warn(what, do, format string, args ...any) {
	v.findings = append(v.findings, finding{what, "warn", fmt.Sprintf(format, args...), do})
}

func (v *doctorVerb) fail(what, do string, err error) {
	v.findings = append(v.findings, finding{what, "fail", strings.ReplaceAll(err.Error(), "\n", "; "), do})
}

func (v *doctorVerb) run() error {
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		v.fail("configuration", "correct the file; docs/controller.md lists its keys", err)
		return v.tell()
	}
	scenario, active, _ := file.World()
	v.ok("configuration", "fleet %s, scenario %s, policy %s", file.Name, scenario.Name, active.Label())
	v.caps(file)
	v.store(file)
	v.queue(file)
	v.journal(file)
	v.ec2(file)
	v.bundle(file)
	return v.tell()
}

// tell prints what was found.
func (v *doctorVerb) tell() error {
	failed := 0
	for _, f := range v.findings {
		if f.Is == "fail" {
			failed++
		}
	}
	if v.asJSON {
		e := json.NewEncoder(v.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"good": failed == 0, "findings": v.findings}); err != nil {
			return err
		}
	} else {
		for _, f := range v.findings {
			if _, err := fmt.Fprintf(v.Stdout, "%-4s  %-28s %s\n", f.Is, f.What, f.Text); err != nil {
				return err
			}
			if f.Do != "" {
				if _, err := fmt.Fprintf(v.Stdout, "%-4s  %-28s → %s\n", "", "", f.Do); err != nil {
					return err
				}
			}
		}
	}
	if failed > 0 {
		return cli.BrokenError(fmt.Errorf("%d of %d checks fail", failed, len(v.findings)))
	}
	return nil
}

// caps looks at the file of caps.
func (v *doctorVerb) caps(file *scenarios.Fleet) {
	if file.Caps == "" {
		v.warn("caps", `put the limits that nobody may tune into a file, caps = "caps.toml"`, "none: the scenario's [guard] alone limits the fleet")
		return
	}
	g, err := file.Limits()
	if err != nil {
		v.fail("caps", "nothing is launched while it cannot be read", err)
		return
	}
	v.ok("caps", "%s: at most %d instances, $ %.2f an hour", file.Caps, g.FleetMax, g.HourMax.Dollars())
}

// store looks at the controller's store, and at who has stopped it.
func (v *doctorVerb) store(file *scenarios.Fleet) {
	if s := controller.Stops(file.Stop)(time.Now()); s.Is(time.Now()) {
		v.warn("stop", "skynetd resume ends it", "%s", s)
	}
	s, err := sqlstore.Open(v.Ctx, file.Store)
	if err != nil {
		v.fail("store", "start the database, or correct store; the controller makes its tables itself, if it may", err)
		return
	}
	defer s.Close()
	_, errs := s.Load(v.Ctx, file.Name)
	_, erro := s.Orders(v.Ctx, file.Name)
	if err := errors.Join(errs, erro); err != nil {
		v.fail("store", "the tables are another version's: see CHANGELOG.md", err)
		return
	}
	v.ok("store", "%s can be read; its tables are there", shownStore(file.Store))
	stop, err := s.StopRow(v.Ctx, file.Name)
	switch {
	case err != nil:
		v.fail("stop", "a row that cannot be read stops the controller", err)
	case stop.Is(time.Now()):
		v.warn("stop", "skynetd resume, or skynet resume, ends it", "%s", stop)
	}
}

// queue looks at the queue, and at what its token opens.
func (v *doctorVerb) queue(file *scenarios.Fleet) {
	if file.Source != nil {
		v.warn("queue", "skynetd controller --once reads it, and exits 3 if it cannot", "the fleet follows another queue, [source]: not looked at")
		return
	}
	c := &controllerVerb{App: v.App, config: v.config}
	q, err := c.queueOf(file)
	if err != nil {
		v.fail("queue token", "make one with skynetd tokens, of the role operator", err)
		return
	}
	ctx, cancel := context.WithTimeout(v.Ctx, 10*time.Second)
	defer cancel()
	began := time.Now()
	o, err := q.Observe(ctx, api.ObserveRequest{})
	if err != nil {
		v.fail("queue", "start it, or correct queue and its token in the file", fmt.Errorf("%s: %w", file.Queue, err))
		return
	}
	v.ok("queue", "%s answers: %d kinds of jobs, %d workers", file.Queue, len(o.Kinds), len(o.Workers))
	if skew := o.At.Sub(began); skew < -clockApart || skew > clockApart+time.Since(began) {
		v.warn("queue clock", "let both machines follow NTP", "%s apart from this machine's", skew.Round(time.Second))
	}
}

// clockApart is how far two clocks may be apart: EC2 refuses signatures from five
// minutes on, and ages of readings are compared across machines.
const clockApart = 5 * time.Second

// What the journal's disk must have free.
const (
	diskWarn = 2 << 30
	diskFail = 100 << 20
)

// journal looks at the journal's folder.
func (v *doctorVerb) journal(file *scenarios.Fleet) {
	if err := os.MkdirAll(file.Journal, 0o755); err != nil {
		v.fail("journal", "let the controller's user write there", err)
		return
	}
	f, err := os.CreateTemp(file.Journal, ".doctor-")
	if err != nil {
		v.fail("journal", "let the controller's user write there", err)
		return
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	free, known := diskFree(file.Journal)
	switch {
	case err != nil:
		v.fail("journal", "let the controller's user write there", err)
	case known && free < diskFail:
		v.fail("journal", "make room", fmt.Errorf("%s: %d MiB free", file.Journal, free>>20))
	case known && free < diskWarn:
		v.warn("journal", "make room: a day of a large fleet is some hundred MiB", "%s: %d MiB free", file.Journal, free>>20)
	default:
		v.ok("journal", "%s can be written, %d MiB free", file.Journal, free>>20)
	}
}

// ec2 tries every call of EC2.
func (v *doctorVerb) ec2(file *scenarios.Fleet) {
	scenario, active, _ := file.World()
	header := scenario.LiveHeader(active, "")
	account, e, err := ec2Of(v.Ctx, file, &header.Catalog)
	if err != nil {
		v.fail("AWS configuration", "see AWS_REGION, AWS_PROFILE and the files that they name", err)
		return
	}
	ctx, cancel := context.WithTimeout(v.Ctx, 2*time.Minute)
	defer cancel()
	who, err := sts.NewFromConfig(account, func(o *sts.Options) { o.RetryMaxAttempts = 1 }).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		v.fail("credentials", "give the machine its role (policy-controller.json), or AWS_ACCESS_KEY_ID and its secret", err)
		return
	}
	v.ok("credentials", "%s, region %s", deref(who.Arn), account.Region)
	facts, skew, told, err := ec2fleet.Examine(ctx, account, e)
	if err != nil {
		v.fail("ec2", "correct [ec2] in the file", err)
		return
	}
	for _, f := range facts {
		if f.Bad != "" {
			v.fail(f.What, "correct [ec2] or the catalog; policy-doctor.json names the permissions", errors.New(f.Bad))
		} else {
			v.ok(f.What, "%s", f.Text)
		}
	}
	switch {
	case !told:
		v.warn("clock", "compare it with another's", "EC2 did not say what time it is")
	case skew.Abs() > clockApart:
		v.fail("clock", "let the machine follow NTP", fmt.Errorf("%s apart from EC2's", skew.Round(time.Second)))
	default:
		v.ok("clock", "within %s of EC2's", clockApart)
	}
	w, err := ec2fleet.Open(account, e)
	if err != nil {
		v.warn("permissions", "mode observe needs no more; to launch, name an image or a template in [ec2]", "launching cannot be tried: %v", err)
		return
	}
	ended := false
	for _, p := range w.Permissions(ctx, header.Catalog.Types[0].Name) {
		ended = ended || p.Action == "TerminateInstances"
		if !p.Allowed {
			v.fail("may "+p.Action, "see policy-controller.json; mode observe needs DescribeInstances alone", fmt.Errorf("%s: %s", p.Code, p.Message))
			continue
		}
		v.ok("may "+p.Action, "by a dry run")
	}
	if !ended {
		v.warn("may TerminateInstances", "run doctor again when there is an instance", "the fleet has no instance to try it with")
	}
	v.warn("quota", fmt.Sprintf("compare L-1216C47A and L-34B43A08 in the Service Quotas console with the %d cores that the guard allows", header.Guard.CoresMax), "EC2's API does not tell the quota of vCPUs")
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// bundle looks at the releases that instances would fetch.
func (v *doctorVerb) bundle(file *scenarios.Fleet) {
	if file.EC2.UserData == "" {
		v.warn("releases", "where the image or the template says them, look there", "the file names no user_data: what instances fetch is not known here")
		return
	}
	text, err := os.ReadFile(file.EC2.UserData)
	if err != nil {
		v.fail("user data", "correct ec2.user_data", err)
		return
	}
	u, err := instance.ParseUserData(file.EC2.UserData, text)
	switch {
	case err != nil:
		v.fail("user data", "docs/worker.md lists its keys", err)
		return
	case u.Releases == "":
		v.warn("releases", "name releases, channel and release_keys for workers that update themselves", "the user data names no release store")
		return
	case strings.HasPrefix(u.Releases, "s3://"):
		v.warn("releases", "skynet release status looks at it", "%s is the workers' to read, not this machine's: not looked at", u.Releases)
		return
	}
	keys, err := bundle.ParseKeys(u.ReleaseKeys)
	if err != nil {
		v.fail("releases", "correct release_keys", err)
		return
	}
	var store bundle.Store = bundle.Folder(u.Releases)
	if strings.HasPrefix(u.Releases, "http://") || strings.HasPrefix(u.Releases, "https://") {
		store = bundle.NewWeb(u.Releases)
	} else if !filepath.IsAbs(u.Releases) {
		v.warn("releases", "give it whole", "%s: a folder that is not named from the root", u.Releases)
	}
	ctx, cancel := context.WithTimeout(v.Ctx, 20*time.Second)
	defer cancel()
	channel, err := bundle.ReadChannel(ctx, store, keys, u.Channel, time.Now())
	if err != nil {
		v.fail("releases", "skynet release status and promote; the keys of the user data must be those that signed it", err)
		return
	}
	m, err := bundle.ReadManifest(ctx, store, keys, channel.Stable)
	if err != nil {
		v.fail("releases", "skynet release publish", err)
		return
	}
	v.ok("releases", "channel %s of %s: release %d, %s, signed", u.Channel, u.Releases, channel.Stable, m.Version)
}
