package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/traces"
)

// bounding is one invocation of bound.
type bounding struct {
	app      *app
	scenario *scenarios.Scenario
	world    *scenarios.World

	with     scenarios.Replace
	set      []string // what --set says
	seed     uint64
	lower    bool
	effort   int
	parallel int
	json     string
}

func newBoundCommand(a *app) *cobra.Command {
	b := &bounding{app: a}
	c := &cobra.Command{
		Use:   "bound SCENARIO",
		Short: "bound a scenario's cost from below, and plan it knowing the future",
		Long: `Bound prints the least that any policy could pay and keep the promises of the
scenario's classes, even one that knew the future, and the best plan found that
keeps them when it is replayed in the simulator. A policy's cost over the bound
is what it could at most be improved by. The scenario's policy, its guard and
[[promise]] tables play no part; the bound knows no worst_hour, the plan keeps it.`,
		Args: exactArgs("SCENARIO"),
		RunE: func(c *cobra.Command, args []string) error {
			if b.lower && c.Flags().Changed("effort") {
				return usageError(errors.New("--effort is the plan's, which --lower-only leaves out: leave out one of them"))
			}
			return b.run(args[0], c.Flags().Changed("seed"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&b.with.Trace, "trace", "", "bound this trace `file` to its end, not the scenario's")
	flags.StringArrayVar(&b.set, "set", nil, setUsage+", class[1].target or cloud.boot.median; any number of times")
	flags.Uint64Var(&b.seed, "seed", 0, "draw the weather from this `number`, not the scenario's")
	flags.BoolVar(&b.lower, "lower-only", false, "leave out the plan, which takes most of the time")
	flags.IntVar(&b.effort, "effort", 1, "try this `many` times as many changes of the plan, which takes as many times as long")
	flags.IntVar(&b.parallel, "parallel", runtime.GOMAXPROCS(0), "work on this `many` things at once")
	flags.StringVar(&b.json, "json", "", "write the figures and the plan as JSON to this `file`; - for standard output")
	return c
}

func (b *bounding) run(path string, seeded bool) error {
	switch {
	case b.parallel < 1 || b.parallel > 4096:
		return usageError(fmt.Errorf("--parallel %d: must be from 1 to 4096", b.parallel))
	case b.seed > seedMax:
		return usageError(fmt.Errorf("--seed %d: must be at most %d", b.seed, uint64(seedMax)))
	case b.effort < 1 || b.effort > bound.EffortMax:
		return usageError(fmt.Errorf("--effort %d: must be from 1 to %d", b.effort, bound.EffortMax))
	}
	var err error
	if b.with.Set, err = readSettings(b.set); err != nil {
		return usageError(err)
	}
	if b.scenario, err = scenarios.LoadWith(b.app.ctx, path, b.with); err != nil {
		return b.app.listProblems(err)
	}
	if err := spareInputs([]output{{"json", b.json}}, b.scenario.Files()...); err != nil {
		return err
	}
	b.noteUnheeded()
	if err := b.app.fetch(b.scenario); err != nil {
		return err
	}
	if !seeded {
		b.seed = b.scenario.Seed
	}
	began := time.Now()
	if b.world, err = b.scenario.World(); err != nil {
		return err
	}
	var result *bound.Result
	cfg := b.world.Config(b.seed)
	err = b.app.intoJSON(b.json, func() (any, error) {
		var err error
		if result, err = b.compute(cfg); err != nil {
			return nil, err
		}
		return measured{reports.YardstickOf(result, cfg), byKey(b.with.Set)}, nil
	})
	if err != nil || b.app.quiet && b.json != "" {
		return err
	}
	var w io.Writer = b.app.stdout
	if b.json == "-" {
		w = b.app.stderr // standard output is JSON and nothing else
	}
	var verdicts []sim.Verdict
	if result.Replay != nil {
		verdicts = b.scenario.Judge(result.Replay)
	}
	show := reports.Options{Reproduce: b.reproduce(), Color: !b.app.noColor && b.json != "-", Width: b.app.width()}
	return reports.Bound(w, result, cfg, verdicts, time.Since(began), show)
}

// measured is what --json writes.
type measured struct {
	*reports.Yardstick
	Settings map[string]string `json:"settings,omitempty"` // with --set
}

// noteUnheeded tells the user which of what was set changes nothing here. It is no
// mistake: the same settings are to be given to simulate.
func (b *bounding) noteUnheeded() {
	for _, x := range b.with.Set {
		table, _, _ := strings.Cut(x.Key, ".")
		table, _, _ = strings.Cut(table, "[")
		if !b.app.quiet && slices.Contains([]string{"policy", "guard", "promise"}, table) {
			fmt.Fprintf(b.app.stderr, "note: --set %s: neither bound nor plan heeds the scenario's policy, guard or [[promise]] tables\n", x)
		}
	}
}

// compute returns the yardstick, with its progress shown: one bar a stage.
func (b *bounding) compute(cfg *sim.Config) (*bound.Result, error) {
	if err := b.world.Keep(b.app.ctx); err != nil { // it is replayed several times
		return nil, err
	}
	var bar *Progress
	stage := ""
	defer func() { bar.End() }()
	open := func() (traces.Source, error) {
		src, err := b.world.Source(b.seed)
		if err != nil {
			return nil, err
		}
		return stoppable{src, b.app.ctx}, nil
	}
	r, err := bound.Compute(b.app.ctx, cfg, open, bound.Options{
		LowerOnly: b.lower, Effort: b.effort, Parallel: b.parallel,
		Progress: func(name string, done, total int64) {
			if name != stage {
				bar.End()
				stage, bar = name, b.app.newProgress("bound: "+name, total)
			}
			bar.Set(done)
		},
	})
	return r, aboutScenario(b.scenario.Path, err)
}

// aboutScenario adds the scenario's file to an error that says why it has no
// bound.
func aboutScenario(path string, err error) error {
	for _, target := range []any{new(*bound.ImpossibleError), new(*bound.EmptyError), new(*bound.SpotError), new(*bound.ConfigError)} {
		if errors.As(err, target) {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return err
}

// reproduce returns the command that gives the same results again.
func (b *bounding) reproduce() string {
	words := []string{"skynet", "bound", b.scenario.Path, "--seed", fmt.Sprint(b.seed)}
	if b.with.Trace != "" {
		words = append(words, "--trace", b.with.Trace)
	}
	for _, text := range b.set {
		words = append(words, "--set", text)
	}
	if b.lower {
		words = append(words, "--lower-only")
	}
	if b.effort != 1 {
		words = append(words, "--effort", fmt.Sprint(b.effort))
	}
	return commandLine(words)
}
