package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/reports/github"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/gate"
)

// checking is one invocation of check.
type checking struct {
	app  *app
	args []string

	update, strict   bool
	reason, policy   string
	only, shard      string
	against          string
	runs, parallel   int
	timeout          time.Duration
	offline, comment bool
	format           string
	junit, markdown  string
	json             string

	cases  []*checkCase
	before *earlier // --against; nil: baselines
	github *github.Workflow
}

// checkCase is a scenario on its way through a check.
type checkCase struct {
	scenario *scenarios.Scenario
	seeds    []uint64
	baseline *gate.Baseline // nil: none that can be compared with
	former   *gate.Baseline // whose tolerances a new baseline takes over
	doubt    error          // why the baseline may be another world's
	skipped  string         // why it is not run
	notes    []string
	measured *gate.Measured
	shown    *reports.CheckCase
}

var checkFormats = []string{"text", "github", "markdown", "json"}

// checkRunsDefault is how many seeds a baseline has where nobody says.
const checkRunsDefault = 10

func newCheckCommand(a *app) *cobra.Command {
	c := &checking{app: a}
	cmd := &cobra.Command{
		Use:   "check [DIR | SCENARIO…]",
		Short: "run every scenario against its baseline: promises kept, nothing dearer or slower",
		Long: `Check runs every scenario of a folder (scenarios, unless you name another, or
files) and compares it with its baseline, baselines/NAME.json beside it. It exits
1 when a promise or an expectation is broken, or when the cost, a class's p95 or
what a class attains is worse than the baseline, both beyond its tolerance and
beyond chance over the baseline's seeds. Better than that says "baseline stale".

Promises are judged on the scenario's own seed, figures on all seeds of the
baseline. A baseline changes with --update --reason only, so that the change can
be reviewed. Files and formats are explained in docs/check.md.`,
		Example: `  skynet check
  skynet check --only 'photo-*' --policy tuned.toml
  skynet check --update --reason "the reserve counts booting instances"
  skynet check --against origin/main --format github --comment`,
		RunE: func(_ *cobra.Command, args []string) error {
			c.args = args
			return c.run()
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&c.update, "update", false, "write what the scenarios come to now as their baselines")
	flags.StringVar(&c.reason, "reason", "", "why the baselines change: a `sentence` that is kept in them")
	flags.BoolVar(&c.strict, "strict", false, "fail when a baseline is stale")
	flags.StringVar(&c.policy, "policy", "", "check the policy in this `file`, or of this name, not the scenarios'")
	flags.StringVar(&c.only, "only", "", "check scenarios whose names match this `pattern`, such as 'photo-*'")
	flags.StringVar(&c.shard, "shard", "", "check every n-th scenario from the i-th on: `i/n`, from 0/n to n-1/n")
	flags.IntVar(&c.runs, "runs", 0, fmt.Sprintf("run this `many` seeds, not all of the baseline's (%d in a new one)", checkRunsDefault))
	flags.StringVar(&c.against, "against", "", "compare with this git `commit`, not with baselines")
	flags.IntVar(&c.parallel, "parallel", runtime.GOMAXPROCS(0), "run this `many` at once")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up when one run takes longer than this `duration`")
	flags.BoolVar(&c.offline, "offline", false, "download no recording: what is not in the cache is missing, an error")
	choiceVar(flags, &c.format, "format", "text", "write the result to standard output in this `form`", checkFormats)
	flags.StringVar(&c.junit, "junit", "", "write a JUnit XML `file`: a case for each promise and figure")
	flags.StringVar(&c.markdown, "markdown", "", "write the pull request's comment to this `file`; - for standard output")
	flags.StringVar(&c.json, "json", "", "write everything as JSON to this `file`; - for standard output")
	flags.BoolVar(&c.comment, "comment", false, "comment on the pull request of this GitHub workflow, or replace the comment; without the right to, add to the job's summary")
	return cmd
}

func (c *checking) run() error {
	began := time.Now()
	if err := c.checkFlags(); err != nil {
		return err
	}
	result, err := c.result()
	if err != nil {
		return err
	}
	result.WallS = time.Since(began).Seconds()
	if err := c.tell(result); err != nil {
		return err
	}
	if !result.Good {
		return brokenError(nil)
	}
	return nil
}

// result runs everything, compares it, and writes the baselines that are to be
// written.
func (c *checking) result() (*reports.Check, error) {
	if err := c.load(); err != nil {
		return nil, err
	}
	if err := c.recordings(); err != nil {
		return nil, err
	}
	if c.against != "" {
		var err error
		if c.before, err = c.app.checkOut(c.against, c.scenarios()); err != nil {
			return nil, err
		}
		defer c.before.remove()
	}
	if err := c.prepare(); err != nil {
		return nil, err
	}
	result, err := c.measure()
	if err != nil {
		return nil, err
	}
	if c.update {
		if err := c.write(result); err != nil {
			return nil, err
		}
	}
	result.Conclude()
	return result, nil
}

// checkFlags refuses what makes no sense or cannot be written, before any work
// is done.
func (c *checking) checkFlags() error {
	switch {
	case c.update && strings.TrimSpace(c.reason) == "":
		return usageError(errors.New(`--update: missing --reason "…": why do the baselines change?`))
	case !c.update && c.reason != "":
		return usageError(errors.New("--reason: is of --update"))
	case c.update && (c.policy != "" || c.against != ""):
		return usageError(errors.New("--update: baselines are of the scenarios' own policies, as they are now: leave out --policy and --against"))
	case len(c.reason) > 1000:
		return usageError(fmt.Errorf("--reason: at most 1000 bytes, have %d", len(c.reason)))
	case c.runs < 0 || c.runs > 10_000:
		return usageError(fmt.Errorf("--runs %d: must be from 1 to 10000", c.runs))
	case c.parallel < 1 || c.parallel > 4096:
		return usageError(fmt.Errorf("--parallel %d: must be from 1 to 4096", c.parallel))
	case c.timeout <= 0:
		return usageError(fmt.Errorf("--timeout %v: must be more than 0", c.timeout))
	case c.toStdout() > 1:
		return usageError(errors.New("--format, --json - and --markdown -: standard output is one of them only"))
	}
	if _, err := path.Match(c.only, ""); err != nil {
		return usageError(fmt.Errorf("--only %q: not a pattern: * stands for any letters, ? for one, [a-z] for one of some", c.only))
	}
	if _, _, err := c.part(); err != nil {
		return usageError(err)
	}
	for _, file := range []string{c.junit, c.markdown, c.json} {
		if file == "-" {
			continue
		}
		if err := checkFile(file); err != nil {
			return namedByUser(err)
		}
	}
	var err error
	if c.github, err = github.FromEnvironment(os.Getenv); err != nil && c.comment {
		return inputError(err)
	}
	return nil
}

// toStdout counts what is to be the only thing on standard output.
func (c *checking) toStdout() int {
	n := 0
	for _, is := range []bool{c.format == "markdown" || c.format == "json", c.json == "-", c.markdown == "-"} {
		if is {
			n++
		}
	}
	return n
}

// measure runs everything and compares it.
func (c *checking) measure() (*reports.Check, error) {
	total := 0
	for _, k := range c.cases {
		if k.skipped == "" {
			total += len(k.seeds)
		}
	}
	against := "baseline"
	if c.before != nil {
		against = c.before.String()
		total *= 2
	}
	progress := c.app.newProgress("check (runs)", int64(total))
	defer progress.End()
	m := &gate.Measure{Parallel: c.parallel, Timeout: c.timeout, Done: func() { progress.Add(1) }}
	result := &reports.Check{
		Version: buildVersion().String(), Command: c.reproduce(), Against: against, Own: c.policy == "" && c.before == nil, Strict: c.strict, Reason: c.reason, Scenarios: []*reports.CheckCase{},
	}
	var doubts []error
	for _, k := range c.cases {
		if k.skipped == "" {
			var err error
			if k.measured, err = m.Run(c.app.ctx, k.scenario, k.scenario.Decides(), k.seeds); err != nil {
				return nil, err
			}
			result.Runs += len(k.seeds)
		}
		before, err := c.formerly(k, m)
		if err != nil {
			return nil, err
		}
		k.shown = k.report(before)
		result.Scenarios = append(result.Scenarios, k.shown)
		// Where every run is the same, event by event, so is the world, however its
		// description is hashed now.
		if k.doubt != nil && !k.shown.Identical {
			doubts = append(doubts, k.doubt)
		}
	}
	return result, c.app.listAll(doubts)
}

// formerly returns what a scenario came to before, nil where there is nothing to
// compare with.
func (c *checking) formerly(k *checkCase, m *gate.Measure) (*gate.Baseline, error) {
	if c.before == nil || k.skipped != "" {
		return k.baseline, nil
	}
	b, why, err := c.before.figures(c.app.ctx, k.scenario, k.seeds, m)
	if why != "" {
		k.notes = append(k.notes, why)
	}
	return b, err
}

// report returns the scenario as it is shown.
func (k *checkCase) report(before *gate.Baseline) *reports.CheckCase {
	s := k.scenario
	r := &reports.CheckCase{
		Scenario: s.Name, File: filepath.ToSlash(s.Path), Policy: s.PolicyLabel(), Skipped: k.skipped,
		Seed: s.Seed, Seeds: k.seeds, Promises: []reports.CheckPromise{}, Figures: []*reports.CheckFigure{}, Notes: k.notes,
	}
	m := k.measured
	if m == nil {
		return r
	}
	for i := range m.Verdicts {
		v := &m.Verdicts[i]
		p := reports.CheckPromise{Verdict: *v, Line: v.Line}
		for _, on := range m.Promises {
			if on.Promise == v.Name && on.Want == v.Want {
				p.KeptOn, p.Seeds = len(on.KeptOn), len(m.Seeds)
			}
		}
		r.Promises = append(r.Promises, p)
	}
	if before == nil {
		r.Compare(nil, m.Figures, s.ClassLine)
		return r
	}
	r.Before = before.Policy
	series, digests := before.On(m.Seeds)
	r.Compare(series, m.Figures, s.ClassLine)
	r.Identical = true
	for i, d := range m.Digests {
		r.Identical = r.Identical && d == digests[i]
	}
	return r
}

// write writes the baselines that have changed.
func (c *checking) write(result *reports.Check) error {
	version := buildVersion().short()
	for _, k := range c.cases {
		if k.measured == nil {
			continue
		}
		b, err := k.measured.Baseline(k.former, version, c.reason)
		if err != nil {
			return err
		}
		file := gate.Path(k.scenario.Path)
		if b.Same(k.baseline) {
			k.shown.Notes = append(k.shown.Notes, "its baseline stays as it was")
			continue
		}
		if err := writeFile(file, b.Text()); err != nil {
			return err
		}
		result.Written++
	}
	return nil
}
