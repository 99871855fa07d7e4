package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/grid"
)

// comparing is one invocation of compare.
type comparing struct {
	app  *app
	args []string
	grid grid.Grid

	files    []string // scenarios and policies that are files
	entrants []entrant

	trace          string
	sweeps         []string
	world, params  []sweep // what --sweep varies in scenarios and in policies
	bases          map[string]base
	seed           uint64
	runs, parallel int
	json, markdown string
	title          string
	report         reporting
	resume         string
	bound          string
	tune           int
}

// entrant is a policy that takes part: of a file or, without a path, of a name.
type entrant struct{ name, path string }

func newCompareCommand(a *app) *cobra.Command {
	c := &comparing{app: a}
	cmd := &cobra.Command{
		Use:   "compare SCENARIO… [POLICY…]",
		Short: "judge policies on the same weather: cost, promises, and how sure that is",
		Long: `Compare runs every scenario under every policy, with the same seeds, and says
what each costs, which promises it keeps, and by how much it differs from the
first policy, with 95 % intervals.

A scenario is a file, or a folder of them. A policy is a file, or a name, which
stands for its defaults; all stands for every policy that a fleet could have.
Without any policy each scenario's own decides.

Two policies in one scenario stand side by side; ~ says that a difference may be
chance. More policies make a table, and from three scenarios on their ranks are
tested too.

With --tune N every policy but the first is tuned for each scenario before it is
judged there: it tries its own parameters and N − 1 other sets on the time before
judge_from, and the cheapest that keep every promise there decide. Where that is
less than a day it tries them on the judged time itself: hindsight, in its favour.
The first policy keeps its parameters.

Compare reports and does not judge: it exits 0 whether promises were kept or
broken, and says so in the table. Intervals and ranks are explained in
docs/compare.md.`,
		Example: `  skynet compare scenarios/photo-week.toml skynet static --runs 5
  skynet compare scenarios/*.toml skynet scenarios/policies/skynet-slack25.toml --resume out/cells
  skynet compare scenarios/recorded all --tune 16 --resume out/cells --markdown results.md`,
		Args: atLeastOne("SCENARIO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.args = args
			if cmd.Flags().Changed("seed") {
				c.grid.Seed = &c.seed
			}
			return c.run(cmd.Flags().Changed("tune"))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.trace, "trace", "", "replay this trace `file` to its end, not the scenarios'")
	flags.StringArrayVar(&c.sweeps, "sweep", nil, "try each of several values: `KEY=V1,V2,...`; KEY is one of a scenario's, such as cloud.boot.median, or policy.PARAMETER; twice makes a heat map in the report")
	flags.Uint64Var(&c.seed, "seed", 0, "draw the weather from this `number` on, not from the scenarios'")
	flags.IntVar(&c.runs, "runs", 5, "run this `many` seeds, one after the other from the first")
	flags.IntVar(&c.parallel, "parallel", runtime.GOMAXPROCS(0), "run this `many` at once")
	flags.IntVar(&c.tune, "tune", 0, "let every policy but the first try this `many` sets of its parameters before it is judged")
	choiceVar(flags, &c.bound, "bound", boundNames[0], "compare costs with this `bound`", boundNames)
	flags.StringVar(&c.json, "json", "", "write all figures as JSON to this `file`; - for standard output")
	flags.StringVar(&c.markdown, "markdown", "", "write the tables as Markdown to this `file`; - for standard output")
	flags.StringVar(&c.title, "title", "Policies compared", "begin the Markdown and the report with this `heading`")
	c.report.addTo(flags)
	flags.StringVar(&c.resume, "resume", "", "keep finished runs in this `folder`, and do not repeat those it has")
	return cmd
}

func (c *comparing) run(tunes bool) error {
	if err := c.check(tunes); err != nil {
		return err
	}
	var err error
	if c.world, c.params, err = readSweeps(c.sweeps); err != nil {
		return usageError(err)
	}
	if err := c.load(); err != nil {
		return err
	}
	if c.resume != "" {
		if err := c.openStore(); err != nil {
			return err
		}
	}
	result, err := c.compare()
	if err != nil {
		return err
	}
	return c.tell(result)
}

// check refuses what cannot be run or written, before any work is done.
func (c *comparing) check(tunes bool) error {
	if err := checkRuns(c.runs, c.parallel, c.seed); err != nil {
		return usageError(err)
	}
	if tunes && (c.tune < tuneMin || c.tune > tuneMax) {
		return usageError(fmt.Errorf("--tune %d: must be from %d to %d sets of parameters", c.tune, tuneMin, tuneMax))
	}
	if c.json == "-" && c.markdown == "-" {
		return usageError(errors.New("--json - and --markdown -: standard output is one of them only"))
	}
	for _, path := range []string{c.json, c.markdown} {
		if path == "-" {
			continue
		}
		if err := checkFile(path); err != nil {
			return namedByUser(err)
		}
	}
	return prepareFolders(c.report.page, c.report.plots, c.resume)
}

// tuneMin and tuneMax bound --tune: one set is a policy's own, and is no tuning.
const (
	tuneMin = 2
	tuneMax = 10_000
)

// everyPolicy is the word for all policies that can be named and decide by what a
// controller knows.
const everyPolicy = "all"

// load sorts the arguments into scenarios and policies, and checks all of them.
func (c *comparing) load() error {
	c.grid.Runs, c.grid.Parallel, c.grid.Tune = c.runs, c.parallel, c.tune
	var all []error
	for _, arg := range c.args {
		if err := c.add(arg); err != nil {
			all = append(all, err)
		}
	}
	if len(all) > 0 {
		return c.app.listAll(all)
	}
	c.enter()
	if len(c.grid.Scenarios) == 0 {
		return usageError(errors.New("missing SCENARIO: there are policies only"))
	}
	if len(c.params) > 0 && len(c.grid.Policies) == 0 {
		return usageError(errors.New("--sweep policy.…: which policy? Name at least one POLICY"))
	}
	var inputs []string
	for _, s := range c.grid.Scenarios {
		inputs = append(inputs, s.Files()...)
	}
	for _, p := range c.grid.Policies {
		inputs = append(inputs, p.Path)
	}
	if err := spareInputs([]output{{"json", c.json}, {"markdown", c.markdown}}, inputs...); err != nil {
		return err
	}
	if c.tune > 0 && len(c.grid.Policies) < 2 {
		return usageError(errors.New("--tune: which policy? Name at least two: the first is what the others are compared with, and keeps its parameters"))
	}
	return c.app.listAll(c.grid.Check())
}

// add takes in an argument: a scenario, a folder of them, or a policy.
func (c *comparing) add(arg string) error {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return c.addFolder(arg)
	}
	if arg == everyPolicy {
		for _, spec := range scenarios.Policies() {
			if !spec.Clairvoyant && !c.named(spec.Name) { // nobody could run a clairvoyant one
				c.entrants = append(c.entrants, entrant{spec.Name, ""})
			}
		}
		return nil
	}
	kind, err := c.kindOf(arg)
	switch {
	case err != nil:
		return err
	case kind != 0 && sameFileTwice(append(slices.Clone(c.files), arg)) != "":
		return inputError(fmt.Errorf("%s: is given twice", arg))
	}
	if kind != 0 {
		c.files = append(c.files, arg)
	}
	switch {
	case kind == scenarios.ScenarioFile:
		return c.addScenario(arg)
	case kind == scenarios.PolicyFile:
		c.entrants = append(c.entrants, entrant{stemOf(arg), arg})
	case c.named(arg):
		return inputError(fmt.Errorf("policy %s: is given twice", arg))
	default:
		c.entrants = append(c.entrants, entrant{arg, ""})
	}
	return nil
}

// named reports whether the policy of this name, by its defaults, takes part.
func (c *comparing) named(name string) bool {
	return slices.Contains(c.entrants, entrant{name, ""})
}

// addFolder takes in every TOML file of a folder, in the order of their names.
func (c *comparing) addFolder(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return inputError(fmt.Errorf("folder %s: holds no TOML file", dir))
	}
	var all []error
	for _, file := range files {
		if err := c.add(file); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// kindOf returns what an argument is; 0: the name of a policy.
func (c *comparing) kindOf(arg string) (scenarios.FileKind, error) {
	if !scenarios.IsPolicyName(arg) {
		return scenarios.KindOf(c.app.ctx, arg)
	}
	_, err := scenarios.NamedPolicy(arg)
	return 0, err
}

func stemOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// decidesRuns and decidesBounds identify the source code that decides what runs
// of every policy but skynet come to, and bounds. make results sets them when it
// links (scripts/decides); empty: unknown.
var decidesRuns, decidesBounds string

// openStore makes the grid keep its cells in the folder of --resume. Another
// build of skynet may decide differently, so cells are those of this very
// program. Where the build says from which source code it is, those of policies
// other than skynet, and bounds, are of every program built from the same.
func (c *comparing) openStore() error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	program := fmt.Sprintf("%x", h.Sum(nil))
	c.grid.Version = func(policy string) string {
		source := decidesRuns
		switch policy {
		case skynet.Spec.Name:
			return program
		case "":
			source = decidesBounds
		}
		if source == "" {
			return program
		}
		return source + " " + runtime.Version()
	}
	c.grid.Store = &grid.Store{Dir: c.resume, Warn: func(file, why string) {
		c.app.log.Warn("a finished run cannot be used and is repeated", "file", file, "why", why)
	}}
	return nil
}

// compare runs the grid.
func (c *comparing) compare() (*reports.Comparison, error) {
	total := c.grid.Cells()
	if c.bound != "floor" {
		total += len(c.grid.Scenarios) * c.runs // a bound for each seed
	}
	progress := c.app.newProgress("compare (runs and bounds)", int64(total))
	c.grid.Yardstick = yardstick(c.bound, c.app, progress)
	defer progress.End()
	var found atomic.Int64
	c.grid.Done = func(kept bool) {
		if kept {
			found.Add(1)
		}
		progress.Add(1)
	}
	result := &reports.Comparison{Version: buildVersion().String(), Command: c.reproduce(), Inputs: c.grid.Digest()}
	err := c.grid.Run(c.app.ctx, func(s *scenarios.Scenario, rows []grid.Row) error {
		contest := reports.Contest{Scenario: s.Name, Trace: c.grid.TraceOf(s), Base: c.bases[s.Name].name, Settings: c.bases[s.Name].set, Seeds: c.grid.Seeds(s)}
		for i := range s.Classes {
			contest.Classes = append(contest.Classes, s.Classes[i].Name)
		}
		for _, r := range rows {
			contest.Entries = append(contest.Entries, reports.Entry{
				Name: r.Name, Base: c.bases[r.Name].name, Settings: c.bases[r.Name].set, Label: r.Policy.Label(), File: r.Policy.Path, Trials: r.Trials,
				Clairvoyant: r.Policy.Clairvoyant(), Tuning: r.Tuning, Own: r.Own,
			})
		}
		result.Add(contest)
		c.warnUnjudged(s, rows)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := found.Load(); n > 0 {
		c.app.log.Info("compare: finished runs were not repeated", "runs", n, "of", c.grid.Cells())
	}
	return result, nil
}

// warnUnjudged tells that no job of any run of a scenario arrived once judging had
// begun: promises that are kept there were kept by nobody.
func (c *comparing) warnUnjudged(s *scenarios.Scenario, rows []grid.Row) {
	for i := range rows {
		for _, t := range rows[i].Trials {
			for _, class := range t.Figures.Classes { // map order: any will do
				if class.Jobs > 0 {
					return
				}
			}
		}
	}
	c.app.log.Warn("no job is judged: none arrived after judge_from", "scenario", s.Name, "judge_from", reports.Duration(s.JudgeFrom))
}

// tell writes what the comparison came to, where the flags say.
func (c *comparing) tell(result *reports.Comparison) error {
	show := reports.Options{Reproduce: result.Command, Color: !c.app.noColor && c.json != "-" && c.markdown != "-", Width: c.app.width()}
	if c.report.wanted() {
		var err error
		if show.Report, err = c.report.write(reports.CompareReport(result, c.title)); err != nil {
			return err
		}
	}
	markdown := func(w io.Writer) error { return reports.CompareMarkdown(w, result, c.title) }
	var err error
	switch c.markdown {
	case "":
	case "-":
		err = markdown(c.app.stdout)
	default:
		err = into(c.markdown, markdown)
	}
	if err != nil {
		return err
	}
	if err := c.app.intoJSON(c.json, func() (any, error) { return result, nil }); err != nil {
		return err
	}
	w := c.app.stdout
	if c.json == "-" || c.markdown == "-" {
		w = c.app.stderr // standard output is that and nothing else
	}
	if c.app.quiet && (c.json != "" || c.markdown != "") {
		return nil
	}
	return reports.Compare(w, result, show)
}

// reproduce returns the command that gives the same results again.
func (c *comparing) reproduce() string {
	words := append([]string{"skynet", "compare"}, c.args...)
	words = append(words, "--runs", fmt.Sprint(c.runs))
	if c.grid.Seed != nil {
		words = append(words, "--seed", fmt.Sprint(c.seed))
	}
	if c.trace != "" {
		words = append(words, "--trace", c.trace)
	}
	for _, text := range c.sweeps {
		words = append(words, "--sweep", text)
	}
	if c.tune > 0 {
		words = append(words, "--tune", fmt.Sprint(c.tune))
	}
	if c.bound != boundNames[0] {
		words = append(words, "--bound", c.bound)
	}
	return commandLine(words)
}
