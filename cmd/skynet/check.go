package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/policy/spell"
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
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up when one run takes `longer`")
	flags.BoolVar(&c.offline, "offline", false, "download no recording: what is not in the cache is missing, an error")
	choiceVar(flags, &c.format, "format", "text", "write the result to standard output as `word`", checkFormats)
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
	if err := c.load(); err != nil {
		return err
	}
	if err := c.recordings(); err != nil {
		return err
	}
	if c.against != "" {
		var err error
		if c.before, err = c.app.checkOut(c.against, c.scenarios()); err != nil {
			return err
		}
		defer c.before.remove()
	}
	if err := c.prepare(); err != nil {
		return err
	}
	result, err := c.measure()
	if err != nil {
		return err
	}
	if c.update {
		if err := c.write(result); err != nil {
			return err
		}
	}
	result.Conclude()
	result.WallS = time.Since(began).Seconds()
	if err := c.tell(result); err != nil {
		return err
	}
	if !result.Good {
		return brokenError(nil)
	}
	return nil
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

// part returns which part of the scenarios is to be checked: every n-th from
// the i-th on.
func (c *checking) part() (i, n int, err error) {
	if c.shard == "" {
		return 0, 1, nil
	}
	a, b, _ := strings.Cut(c.shard, "/")
	i, errI := strconv.Atoi(a)
	n, errN := strconv.Atoi(b)
	if errI != nil || errN != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("--shard %q: must be i/n, from 0/n to n-1/n, such as 0/4", c.shard)
	}
	return i, n, nil
}

// load reads the scenarios that are to be checked. Everything wrong with any of
// them is said at once.
func (c *checking) load() error {
	files, err := c.files()
	if err != nil {
		return err
	}
	var names []string
	var chosen []string
	for _, file := range files {
		names = append(names, stemOf(file))
		if c.only == "" {
			chosen = append(chosen, file)
		} else if ok, _ := path.Match(c.only, stemOf(file)); ok {
			chosen = append(chosen, file)
		}
	}
	if len(chosen) == 0 {
		return inputError(fmt.Errorf("--only %s: matches none of %s%s", c.only, strings.Join(names, ", "), spell.DidYouMean(c.only, names)))
	}
	var all []error
	i, n, _ := c.part()
	for k, file := range chosen {
		if k%n != i {
			continue
		}
		s, err := scenarios.LoadWith(file, scenarios.Replace{Policy: c.policy})
		if err != nil {
			all = append(all, err)
			continue
		}
		c.cases = append(c.cases, &checkCase{scenario: s})
	}
	return c.app.listAll(all)
}

// files returns the scenario files that the arguments name: of a folder every
// TOML file but policies.
func (c *checking) files() ([]string, error) {
	args := c.args
	if len(args) == 0 {
		args = []string{"scenarios"}
	}
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, arg)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(arg, "*.toml"))
		if err != nil {
			return nil, err
		}
		found := false
		for _, file := range inside {
			kind, err := scenarios.KindOf(file)
			if err == nil && kind == scenarios.PolicyFile {
				continue
			}
			found = true
			files = append(files, file) // what is wrong with it is said when it is loaded
		}
		if !found {
			return nil, inputError(fmt.Errorf("folder %s: holds no scenario", arg))
		}
	}
	return files, nil
}

func (c *checking) scenarios() []*scenarios.Scenario {
	var list []*scenarios.Scenario
	for _, k := range c.cases {
		list = append(list, k.scenario)
	}
	return list
}

// prepare settles which seeds each scenario runs and what it is compared with.
// Everything that is wrong is said at once, before anything runs.
func (c *checking) prepare() error {
	var all []error
	for _, k := range c.cases {
		if k.skipped != "" {
			continue
		}
		if _, err := k.scenario.Lint(c.app.ctx); err != nil {
			all = append(all, err)
			continue
		}
		if err := c.choose(k); err != nil {
			all = append(all, err)
		}
	}
	if err := c.app.listAll(all); err != nil || !c.update {
		return err
	}
	for _, k := range c.cases {
		if err := reports.PrepareFolder(filepath.Dir(gate.Path(k.scenario.Path))); err != nil {
			return namedByUser(err)
		}
	}
	return nil
}

// choose settles the seeds of one scenario.
func (c *checking) choose(k *checkCase) error {
	n := c.runs
	if n == 0 {
		n = checkRunsDefault
	}
	k.seeds = gate.Seeds(k.scenario, n)
	if c.against != "" {
		return nil
	}
	b, err := gate.Load(k.scenario)
	if err == nil {
		var why string
		if why, err = b.Stale(k.scenario); err == nil && why != "" {
			err = &gate.FileError{Path: gate.Path(k.scenario.Path), Reason: why}
		}
	}
	var missing *gate.MissingError
	var unfit *gate.FileError
	switch {
	case err != nil && c.update && errors.As(err, &missing):
		return nil
	case err != nil && c.update && errors.As(err, &unfit):
		c.app.log.Warn("a baseline cannot be compared with, and is written anew", "file", unfit.Path, "why", unfit.Reason)
		k.notes = append(k.notes, "its former baseline could not be compared with")
		return nil
	case err != nil:
		return err
	}
	k.baseline = b
	switch {
	case c.runs == 0:
		k.seeds = b.Seeds
	case c.update:
	case c.runs > len(b.Seeds):
		return inputError(fmt.Errorf("--runs %d: %s has %d seeds: run fewer, or --update it with more", c.runs, gate.Path(k.scenario.Path), len(b.Seeds)))
	default:
		k.seeds = b.Seeds[:c.runs]
	}
	return nil
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
	}
	return result, nil
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
		b, err := k.measured.Baseline(k.baseline, version, c.reason)
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

// tell writes the result, where the flags say.
func (c *checking) tell(result *reports.Check) error {
	marker := reports.CheckMarker(c.about())
	markdown := func(w io.Writer) error { return reports.CheckMarkdown(w, result, marker) }
	for _, x := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{c.junit, func(w io.Writer) error { return reports.CheckJUnit(w, result) }},
		{c.markdown, markdown},
	} {
		if x.path == "" || x.path == "-" {
			continue
		}
		if err := into(x.path, x.write); err != nil {
			return err
		}
	}
	if err := c.app.intoJSON(c.json, func() (any, error) { return result, nil }); err != nil {
		return err
	}
	if err := c.show(result, markdown); err != nil {
		return err
	}
	if !c.comment {
		return nil
	}
	var text strings.Builder
	if err := markdown(&text); err != nil {
		return err
	}
	err := c.app.tellGitHub(c.github, marker, text.String())
	if err != nil && !result.Good {
		c.app.log.Error("the comment could not be written", "why", err)
		return nil // the verdict matters more
	}
	return err
}

// show writes the result to standard output, or to standard error where that is
// for something else.
func (c *checking) show(result *reports.Check, markdown func(io.Writer) error) error {
	w, only := c.app.stdout, c.toStdout() > 0
	switch {
	case c.format == "markdown" || c.markdown == "-":
		if err := markdown(w); err != nil {
			return err
		}
	case c.format == "json":
		return c.app.intoJSON("-", func() (any, error) { return result, nil })
	}
	if c.app.quiet && result.Good || c.format == "markdown" {
		return nil
	}
	if only {
		w = c.app.stderr
	}
	err := reports.CheckText(w, result, reports.Options{Reproduce: result.Command, Color: !c.app.noColor && !only, Width: c.app.width()})
	if err == nil && c.format == "github" {
		err = reports.CheckAnnotations(w, result, c.github.Place)
	}
	return err
}

// about tells this check from others of the same repository.
func (c *checking) about() string {
	words := append([]string{}, c.args...)
	if len(words) == 0 {
		words = append(words, "scenarios")
	}
	for _, x := range []struct{ flag, value string }{{"--only", c.only}, {"--shard", c.shard}, {"--policy", c.policy}} {
		if x.value != "" {
			words = append(words, x.flag, x.value)
		}
	}
	return strings.Join(words, " ")
}

// reproduce returns the command that gives the same results again.
func (c *checking) reproduce() string {
	words := append([]string{"skynet", "check"}, c.args...)
	for _, x := range []struct{ flag, value string }{
		{"--only", c.only}, {"--shard", c.shard}, {"--policy", c.policy}, {"--against", c.against},
	} {
		if x.value != "" {
			words = append(words, x.flag, x.value)
		}
	}
	if c.runs > 0 {
		words = append(words, "--runs", fmt.Sprint(c.runs))
	}
	if c.strict {
		words = append(words, "--strict")
	}
	return commandLine(words)
}
