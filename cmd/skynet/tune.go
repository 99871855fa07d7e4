package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// tuner is one invocation of tune.
type tuner struct {
	app   *app
	bench *bench
	began time.Time

	policy           string
	params           []string
	budget, parallel int
	seed             uint64
	out, json        string
	resume           string
	report           reporting
	shard, in        string
	engine           string
	image, store     string
	evenBroken       bool
}

// engines are where runs are done.
var engines = []string{"local", "slurm", "aws-batch", "kubernetes"}

func newTuneCommand(a *app) *cobra.Command {
	t := &tuner{app: a}
	c := &cobra.Command{
		Use:   "tune SCENARIO…",
		Short: "search a policy's parameters for the cheapest that keep their promises",
		Long: `Tune searches the parameters of a policy and writes a policy file. It searches on
some weeks of the scenarios, chooses on others, and judges what it chose on weeks
that neither saw: of a generated trace other seeds are other weeks, of a recorded
one the later part. With several scenarios it also says what tuning on all but
one is worth on that one. It recommends the defaults where nothing tried beats
them. Guards are never tuned.

Where the policy keeps the slack rule of 2008, tune tries slack targets from 10
to 50 % and prints what each costs and attains.

With --resume what is done is kept in a folder, whatever interrupts it: the same
command goes on from there and writes the same bytes. The engines slurm,
aws-batch and kubernetes run shards of a plan elsewhere; docs/tune.md says how.

With --report or --plots each number of the advised policy is also moved down and
up by a fifth, beyond the budget, to show how much hangs on it.`,
		Example: `  skynet tune scenarios/photo-week.toml --budget 500
  skynet tune week.toml --policy policies/react.toml --params gain,window
  skynet tune --shard 3/8 --in plan.json --out shard-3.json`,
		RunE: func(c *cobra.Command, args []string) error {
			given := c.Flags().Changed
			if t.shard != "" || t.in != "" {
				if err := shardFlags(c.Flags()); err != nil {
					return usageError(err)
				}
				return t.runShard(args, given("out"))
			}
			return t.run(args, given("seed"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&t.policy, "policy", "", "tune the policy in this `file`, or of this name, not the scenario's")
	flags.StringSliceVar(&t.params, "params", nil, "search these `parameters` only, parted by commas")
	flags.IntVar(&t.budget, "budget", 500, "spend this `many` runs of a week")
	flags.IntVar(&t.parallel, "parallel", runtime.GOMAXPROCS(0), "run this `many` at once; for other engines, shards")
	flags.Uint64Var(&t.seed, "seed", 0, "draw weeks and search from this `number`, not the first scenario's")
	flags.StringVar(&t.out, "out", "tuned.toml", "write the policy to this `file`; with --shard its results")
	flags.StringVar(&t.json, "json", "", "write the outcome as JSON to this `file`; - for standard output")
	t.report.addTo(flags)
	flags.StringVar(&t.resume, "resume", "", "keep what is done in this `folder`, and go on from there")
	choiceVar(flags, &t.engine, "engine", "local", "run on this `engine`", engines)
	flags.StringVar(&t.shard, "shard", "", "run this part `i/n` of a plan, from 0/n")
	flags.StringVar(&t.in, "in", "", "the plan's `file`, for --shard")
	flags.StringVar(&t.image, "image", "", "container `image` with skynet and the AWS CLI, for aws-batch and kubernetes")
	flags.StringVar(&t.store, "store", "", "`s3://bucket/prefix` that plans and shards pass through, for aws-batch and kubernetes")
	flags.BoolVar(&t.evenBroken, "even-broken", false, "write the least broken point where none keeps the promises")
	return c
}

func (t *tuner) run(paths []string, seeded bool) error {
	if err := t.checkFlags(paths); err != nil {
		return err
	}
	t.began = time.Now()
	if err := t.checkPlaces(); err != nil {
		return err
	}
	if err := t.open(paths); err != nil {
		return err
	}
	if !seeded {
		t.seed = t.bench.scenarios[0].Seed
	}
	space, err := tune.NewSpace(t.bench.policy.Spec, t.bench.policy.Values, t.params)
	if err != nil {
		return err
	}
	cfg := &tune.Config{
		Space: space, Inputs: t.bench.inputs, Budget: t.budget, Seed: t.seed, EvenBroken: t.evenBroken, Swing: t.report.wanted(),
	}
	if cfg.Runner, err = t.newRunner(); err != nil {
		return err
	}
	memory, closeMemory, err := t.openMemory()
	if err != nil {
		return err
	}
	defer closeMemory()
	cfg.Memory = memory
	progress := t.follow(cfg)
	defer progress.End()
	if t.sweeps() {
		return t.runSweep(cfg, progress)
	}
	return t.runSearch(cfg, progress)
}

// checkFlags returns what is wrong with the command line.
func (t *tuner) checkFlags(paths []string) error {
	switch {
	case len(paths) == 0:
		return usageError(errors.New("missing SCENARIO"))
	case t.parallel < 1 || t.parallel > 4096:
		return usageError(fmt.Errorf("--parallel %d: must be from 1 to 4096", t.parallel))
	case t.budget < tune.BudgetMin(len(paths)) || t.budget > 1_000_000:
		return usageError(fmt.Errorf("--budget %d: must be from %d to 1000000 runs for %s", t.budget, tune.BudgetMin(len(paths)), plural(len(paths), "scenario")))
	case t.seed > seedMax-1_000_000:
		return usageError(fmt.Errorf("--seed %d: must be at most %d", t.seed, seedMax-1_000_000))
	}
	return t.checkEngine()
}

// checkPlaces returns an error where a result could not be written, before any
// work is done for it.
func (t *tuner) checkPlaces() error {
	for _, file := range []string{t.out, t.json} {
		if file != "-" {
			if err := checkFile(file); err != nil {
				return namedByUser(err)
			}
		}
	}
	return prepareFolders(t.report.page, t.report.plots)
}

// open loads the scenarios and the policy, and refuses to write over them. A
// policy alone may be tuned in its place.
func (t *tuner) open(paths []string) error {
	var err error
	if t.bench, err = t.app.openBench(paths, t.policy); err != nil {
		return err
	}
	var inputs []string
	for _, s := range t.bench.scenarios {
		inputs = append(inputs, s.Files()...)
	}
	inputs = slices.DeleteFunc(inputs, func(path string) bool { return path == t.bench.policy.Path })
	return spareInputs([]output{{"out", t.out}, {"json", t.json}}, inputs...)
}

// follow makes the tuning tell how far it has come.
func (t *tuner) follow(cfg *tune.Config) *Progress {
	total := t.budget
	if cfg.Swing {
		total += tune.SwingRuns(cfg.Space.Spec, len(t.bench.scenarios))
	}
	progress := t.app.newProgress("tune (runs)", int64(total))
	cfg.Tell = func(s tune.Status) {
		if s.Part != "" {
			progress.Work(fmt.Sprintf("tune: %s, tried %d", s.Part, s.Tried))
			return
		}
		progress.Add(1)
	}
	return progress
}

// plural returns a count with its noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// runSearch tunes, and shows and writes what came of it.
func (t *tuner) runSearch(cfg *tune.Config, progress *Progress) error {
	n := len(t.bench.scenarios)
	main := t.budget
	if n > 1 { // as much for the scenarios left out as for all together
		main = max(t.budget/2, tune.BudgetMin(n))
	}
	var err error
	if cfg.Search, cfg.Select, cfg.Judge, err = t.weeks(tune.SharesOf(main, n)); err != nil {
		return err
	}
	cfg.Budget = main
	outcome, err := tune.Run(t.app.ctx, cfg)
	if err != nil {
		return err
	}
	var left []tune.LeftOut
	if n > 1 {
		if each := (t.budget - main) / n; each >= tune.BudgetMin(n-1) {
			if left, err = tune.LeaveOut(t.app.ctx, cfg, each); err != nil {
				return err
			}
		}
	}
	progress.End()
	return t.conclude(&reports.Tuning{Outcome: outcome, LeftOut: left}, cfg)
}

const (
	sweepFrom, sweepTo, sweepStep = 10, 50, 5 // percent of slack
)

// sweeps reports whether the policy's one question is its slack target.
func (t *tuner) sweeps() bool {
	spec, values := t.bench.policy.Spec, t.bench.policy.Values
	reserve, target := spec.Param("reserve"), spec.Param("slack_target")
	return len(t.params) == 0 && reserve != nil && target != nil && values.Choice(reserve) == "slack"
}

// runSweep tries slack targets.
func (t *tuner) runSweep(cfg *tune.Config, progress *Progress) error {
	const name = "slack_target"
	var values []float64
	for percent := sweepFrom; percent <= sweepTo; percent += sweepStep {
		values = append(values, float64(percent)/100)
	}
	n := len(t.bench.scenarios)
	weeks := tune.SweepWeeks(t.budget, len(values)+1, n)
	if weeks < 2 {
		return usageError(fmt.Errorf("--budget %d: must be at least %d, two weeks of each slack target", t.budget, 2*n*(len(values)+1)))
	}
	var err error
	if cfg.Space, err = tune.NewSpace(t.bench.policy.Spec, t.bench.policy.Values, []string{name}); err != nil {
		return err
	}
	if cfg.Search, _, cfg.Judge, err = t.weeksOf(weeks/2, 0, weeks-weeks/2); err != nil {
		return err
	}
	rows, outcome, err := tune.Sweep(t.app.ctx, cfg, name, values)
	progress.End()
	var infeasible *tune.InfeasibleError
	if errors.As(err, &infeasible) { // the table is worth reading nevertheless
		if e := reports.WriteSweep(t.stdout(), name, rows, t.bench.classes()); e != nil {
			return e
		}
	}
	if err != nil {
		return err
	}
	return t.conclude(&reports.Tuning{Outcome: outcome, Sweep: rows, Swept: name, Classes: t.bench.classes()}, cfg)
}

// conclude writes the files and shows the outcome.
func (t *tuner) conclude(r *reports.Tuning, cfg *tune.Config) error {
	o := r.Outcome
	row := &o.Rows[o.Advice]
	r.Scenario = t.bench.names()
	r.Single = len(t.bench.scenarios) == 1
	if c := t.bench.scenarios[0].Classes; len(c) > 0 {
		r.Class = c[0].Name
	}
	if r.Single {
		r.Seeds = weeksText(cfg.Search, cfg.Select)
	}
	advised, err := t.advised(row, o, cfg)
	if err != nil {
		return err
	}
	if t.json != "" {
		if err := reports.WriteJSON(t.json, t.app.stdout, r); err != nil {
			return namedByUser(err)
		}
	}
	if err := into(t.out, advised.Write); err != nil {
		return err
	}
	r.Wrote = t.out
	r.Next = commandLine([]string{"skynet", "simulate", t.bench.scenarios[0].Path, "--policy", t.out})
	if t.report.wanted() {
		if r.Report, err = t.report.write(reports.TuningReport(r)); err != nil {
			return err
		}
	}
	if err := t.show(r); err != nil {
		return err
	}
	switch p := row.Held.Worst(); {
	case p == nil:
		return nil
	case !o.Feasible: // that has been said
		return brokenError(nil)
	default:
		return brokenError(fmt.Errorf("on the weeks that judge, neither the recommendation nor the defaults keep the promises: %q, promised %s, comes to %s and is kept in %d of %d weeks",
			p.Name, p.Want, p.Got(), p.Kept, row.Held.N))
	}
}

// stdout returns where people read: standard output, unless JSON has it.
func (t *tuner) stdout() io.Writer {
	if t.json == "-" {
		return t.app.stderr
	}
	return t.app.stdout
}

// weeksText says which weeks chose, for people: "seeds 1 to 12".
func weeksText(parts ...[]tune.Week) string {
	var seeds []uint64
	var windows []string
	for _, w := range slices.Concat(parts...) {
		for _, f := range w {
			if !slices.Contains(seeds, f.Seed) {
				seeds = append(seeds, f.Seed)
			}
			if f.Part == nil {
				continue
			}
			if window := windowText(f.Part); !slices.Contains(windows, window) {
				windows = append(windows, window)
			}
		}
	}
	text := "none"
	if len(seeds) > 0 {
		text = fmt.Sprintf("seeds %d to %d", slices.Min(seeds), slices.Max(seeds))
	}
	if len(windows) > 0 {
		text += ", of the trace " + strings.Join(windows, ", ")
	}
	return text
}

// windowText says which part of a trace is judged: "2 h to 4 h".
func windowText(p *tune.Part) string {
	if p.To == 0 {
		return since(p.Judge) + " to its end"
	}
	return fmt.Sprintf("%s to %s", since(p.Judge), since(p.To))
}

func since(ns int64) string { return reports.Duration(time.Duration(ns)) }

// advised returns the policy of a row with its provenance.
func (t *tuner) advised(row *tune.Row, o *tune.Outcome, cfg *tune.Config) (*scenarios.Policy, error) {
	p, err := scenarios.NewPolicy(t.bench.policy.Name, row.Params)
	if err != nil {
		return nil, err
	}
	from := &scenarios.Provenance{
		Version: t.bench.inputs.Version, Policy: p.Label(),
		Budget: t.budget, Runs: o.Runs, Seed: t.seed,
		TunedOn: weeksText(cfg.Search, cfg.Select), JudgedOn: weeksText(cfg.Judge),
		Verdict: reports.TuningVerdict(o),
	}
	for i := range t.bench.scenarios {
		in := &t.bench.inputs.Scenarios[i]
		from.Scenarios = append(from.Scenarios, scenarios.ProvenanceInput{
			Name: t.bench.scenarios[i].Name, SHA256: in.SHA256, TraceSHA256: in.TraceSHA256,
		})
	}
	for _, f := range []struct {
		name   string
		series *tune.Series
	}{
		{"cost_usd", &row.Held.Cost},
		{"cost ÷ floor", &row.Held.Ratio},
		{"p95_s of " + t.bench.scenarios[0].Classes[0].Name, &row.Held.P95},
		{"slack", &row.Held.Slack},
	} {
		i := reports.IntervalOfSeries(f.series)
		if i.N == 0 {
			continue
		}
		figure := scenarios.Figure{Name: f.name, Mean: rounded(i.Mean), Weeks: i.N}
		if !math.IsNaN(i.Lo) {
			lo, hi := rounded(i.Lo), rounded(i.Hi)
			figure.Lo, figure.Hi = &lo, &hi
		}
		from.Figures = append(from.Figures, figure)
	}
	p.Provenance = from
	return p, nil
}

// show prints the outcome, unless it is to be quiet.
func (t *tuner) show(r *reports.Tuning) error {
	if t.app.quiet {
		return nil
	}
	o := reports.Options{Color: !t.app.noColor && t.json != "-"}
	return reports.WriteTuning(t.stdout(), r, time.Since(t.began).Seconds(), o)
}
