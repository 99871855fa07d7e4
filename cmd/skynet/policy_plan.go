package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
)

// planning is one invocation of plan, or of deploy.
type planning struct {
	app           *app
	config        string
	check         []string
	only          string
	runs          int
	days          int
	skip          bool
	fleet         *scenarios.Fleet
	header        journal.Header // of the world, under the configuration's policy
	next, current *scenarios.Policy
}

// plan is what a deployment would change, and what speaks against it.
type plan struct {
	Format     int       `json:"format"`
	Fleet      string    `json:"fleet"`
	Controller string    `json:"controller"`
	At         time.Time `json:"at"`
	// Revision of the orders that it was made under.
	Revision int64 `json:"revision"`
	// Policy by its label, and the one that decides now.
	Policy   string `json:"policy"`
	Current  string `json:"current"`
	SHA256   string `json:"sha256"`
	Text     string `json:"text"`
	TunedOn  string `json:"tuned_on,omitempty"`
	JudgedOn string `json:"judged_on,omitempty"`
	// Changed parameters.
	Changed []changed `json:"changed"`
	// Doubts about its provenance, and what the check, the replay and the history
	// came to.
	Doubts  []string `json:"doubts,omitempty"`
	Checked string   `json:"checked"`
	Replay  string   `json:"replay"`
	History string   `json:"history"`
	// Against is what speaks against it; empty: nothing.
	Against []string `json:"against,omitempty"`
}

const planFormat = 1

// changed is a parameter with both its values.
type changed struct {
	Name string `json:"name"`
	Was  any    `json:"was"`
	Is   any    `json:"is"`
}

func hashOf(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

func (p *planning) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.config, "config", "skynet.toml", "the controller's `file`, for the scenario that holds there")
	f.StringSliceVar(&p.check, "check", []string{"scenarios"}, "check it by these scenarios, `files or folders` of them")
	f.StringVar(&p.only, "only", "", "check scenarios whose names match this `pattern`")
	f.IntVar(&p.runs, "runs", 0, "check this `many` seeds of each, not all of the baseline's")
	f.BoolVar(&p.skip, "skip-check", false, "do not check it; only --override deploys it then")
	f.IntVar(&p.days, "days", 7, "decide this `many` last days again, and simulate them")
}

// make makes a plan and prints it.
func (p *planning) make(d *desk.Client, file string) (*plan, error) {
	if p.days < 1 || p.days > 366 {
		return nil, usageError(fmt.Errorf("--days %d: must be from 1 to 366", p.days))
	}
	view, err := d.Orders(p.app.ctx)
	if err != nil {
		return nil, err
	}
	if err := p.load(d, &view, file); err != nil {
		return nil, p.app.listProblems(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	x := &plan{
		Format: planFormat, Fleet: view.Fleet, Controller: d.URL(), At: time.Now().UTC().Truncate(time.Second), Revision: view.Orders.Revision,
		Policy: p.next.Label(), Current: p.current.Label(), SHA256: hashOf(string(text)), Text: string(text), Changed: p.changes(),
	}
	w := p.app.stdout
	fmt.Fprintf(w, "%s: %s (sha256 %.12s) for fleet %s, where %s decides (%s)\n", file, x.Policy, x.SHA256, x.Fleet, x.Current, versionName(view.Orders.Active))
	if x.Policy == x.Current {
		fmt.Fprintln(w, "PARAMETERS  the same")
	} else {
		fmt.Fprintln(w, "PARAMETERS")
	}
	for _, c := range x.Changed {
		fmt.Fprintf(w, "  %-24s %v → %v\n", c.Name, c.Was, c.Is)
	}
	if err := p.provenance(x); err != nil {
		return nil, err
	}
	if err := p.checkIt(x, file); err != nil {
		return nil, err
	}
	p.week(d, x)
	if len(x.Against) == 0 {
		fmt.Fprintln(w, "PLAN        nothing speaks against it")
	}
	for _, why := range x.Against {
		fmt.Fprintf(w, "PLAN        ✗ %s\n", why)
	}
	return x, nil
}

// load reads the fleet's file, the policy, and the one that decides now.
func (p *planning) load(d *desk.Client, view *desk.View, file string) error {
	var err error
	if p.fleet, err = scenarios.LoadFleet(p.config); errors.Is(err, fs.ErrNotExist) {
		return inputError(fmt.Errorf("%w; --config says where the fleet's file is", err))
	} else if err != nil {
		return err
	}
	if p.fleet.Name != view.Fleet {
		return inputError(fmt.Errorf("%s is of fleet %s, and the controller at %s of %s", p.config, p.fleet.Name, d.URL(), view.Fleet))
	}
	scenario, current, _ := p.fleet.World()
	p.header = scenario.LiveHeader(current, "")
	if p.next, err = scenarios.LoadPolicy(file, &p.header.Catalog); err != nil {
		return err
	}
	if p.next.Clairvoyant() {
		return inputError(fmt.Errorf("%s: %s %w", file, p.next.Name, policy.ErrClairvoyant))
	}
	if _, err := p.next.New(p.header.Env()); err != nil {
		return inputError(fmt.Errorf("%s: %w", file, err))
	}
	p.current = current
	if number := view.Orders.Active; number != 0 {
		v, err := d.Version(p.app.ctx, number)
		if err != nil {
			return err
		}
		if p.current, err = scenarios.ParsePolicy(versionName(number), []byte(v.Text), &p.header.Catalog); err != nil {
			return err
		}
	}
	return nil
}

// describe returns a policy with every parameter in effect.
func describe(p *scenarios.Policy) journal.Policy {
	if p.Spec == nil {
		return journal.ScriptOf(p.Steps, p.Label())
	}
	return journal.PolicyOf(p.Spec, p.Values, p.Label())
}

// changes returns the parameters that differ, by name.
func (p *planning) changes() []changed {
	was, is := describe(p.current), describe(p.next)
	all := []changed{}
	if was.Name != is.Name {
		all = append(all, changed{"name", was.Name, is.Name})
	}
	if !reflect.DeepEqual(was.Steps, is.Steps) {
		all = append(all, changed{"step", fmt.Sprint(len(was.Steps), " steps"), fmt.Sprint(len(is.Steps), " steps")})
	}
	var names []string
	for _, params := range []map[string]any{was.Params, is.Params} {
		for name := range params {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	value := func(params map[string]any, name string) any {
		if v, given := params[name]; given {
			return v
		}
		return "-"
	}
	for _, name := range names {
		if a, b := value(was.Params, name), value(is.Params, name); !reflect.DeepEqual(a, b) {
			all = append(all, changed{name, a, b})
		}
	}
	return all
}

// provenance says where the parameters come from.
func (p *planning) provenance(x *plan) error {
	from := p.next.Provenance
	if from == nil {
		fmt.Fprintln(p.app.stdout, "PROVENANCE  none: its file does not say what it was tuned on")
		return nil
	}
	x.TunedOn, x.JudgedOn = from.TunedOn, from.JudgedOn
	fmt.Fprintf(p.app.stdout, "PROVENANCE  tuned on %s; judged on %s: %s\n", from.TunedOn, from.JudgedOn, from.Verdict)
	if from.Policy != x.Policy {
		x.Against = append(x.Against, fmt.Sprintf("its parameters were changed after they were tuned (%s then, %s now)", from.Policy, x.Policy))
	}
	scenario, _, _ := p.fleet.World()
	doubts, err := p.next.Doubts(scenario, buildVersion().short())
	if err != nil {
		doubts = []string{fmt.Sprintf("its provenance cannot be compared with the fleet's scenario: %v", err)}
	}
	x.Doubts = doubts
	for _, doubt := range doubts {
		fmt.Fprintf(p.app.stdout, "  ! %s\n", doubt)
	}
	return nil
}

// checkIt checks the policy as skynet check does.
func (p *planning) checkIt(x *plan, file string) error {
	if p.skip {
		x.Checked = "not checked"
		x.Against = append(x.Against, "it was not checked")
		fmt.Fprintln(p.app.stdout, "CHECK       left out")
		return nil
	}
	c := &checking{app: p.app, args: p.check, policy: file, only: p.only, runs: p.runs, parallel: runtime.GOMAXPROCS(0), timeout: 10 * time.Minute, format: "text"}
	result, err := c.result()
	if err != nil {
		return fmt.Errorf("it cannot be checked: %w (--check names the scenarios to check it on; --skip-check plans without)", err)
	}
	promises := 0
	for _, s := range result.Scenarios {
		promises += len(s.Promises)
	}
	x.Checked = fmt.Sprintf("%d scenarios, %d promises: %d broken, %d figures worse, %d left out", len(result.Scenarios), promises, result.Broken, result.Regressions, result.Skipped)
	mark := "✓"
	if !result.Good {
		mark = "✗"
		x.Against = append(x.Against, "its check fails: "+x.Checked)
	}
	fmt.Fprintf(p.app.stdout, "CHECK       %s %s\n", mark, x.Checked)
	if result.Good {
		return nil
	}
	return reports.CheckText(p.app.stderr, result, reports.Options{Width: p.app.width()})
}
