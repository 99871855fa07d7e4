package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// simulation is one invocation of simulate.
type simulation struct {
	app      *app
	scenario *scenarios.Scenario
	world    *scenarios.World

	with           scenarios.Replace
	seed           uint64
	runs, parallel int
	json, jobs     string
	timeline       string
	report         string
}

func newSimulateCommand(a *app) *cobra.Command {
	s := &simulation{app: a}
	c := &cobra.Command{
		Use:   "simulate SCENARIO",
		Short: "replay a scenario's trace under a policy: cost, and who waited",
		Long: `Simulate plays the trace of a scenario against a policy, job by job, and says
whether the scenario's promises were kept and what it cost. It exits 1 when a
promise was broken.`,
		Args: exactArgs("SCENARIO"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.run(args[0], c.Flags().Changed("seed"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&s.with.Policy, "policy", "", "decide by the policy in this `file`")
	flags.StringVar(&s.with.Trace, "trace", "", "replay this trace `file` to its end, not the scenario's")
	flags.Uint64Var(&s.seed, "seed", 0, "draw the weather from this `number`, not the scenario's")
	flags.IntVar(&s.runs, "runs", 1, "run this `many` seeds, one after the other from the first")
	flags.IntVar(&s.parallel, "parallel", runtime.GOMAXPROCS(0), "run this `many` at once")
	flags.StringVar(&s.json, "json", "", "write the figures as JSON to this `file`; - for standard output")
	flags.StringVar(&s.jobs, "jobs", "", "write every job's fate to this `file` (.csv or .parquet)")
	flags.StringVar(&s.timeline, "timeline", "", "write the state at every tick to this CSV `file`")
	flags.StringVar(&s.report, "report", "", "write plots and an index page to this `folder`")
	return c
}

// seedMax is the largest seed that JSON keeps exactly.
const seedMax = 1<<53 - 1

func (s *simulation) run(path string, seeded bool) error {
	switch {
	case s.runs < 1 || s.runs > 100_000:
		return usageError(fmt.Errorf("--runs %d: must be from 1 to 100000", s.runs))
	case s.parallel < 1 || s.parallel > 4096:
		return usageError(fmt.Errorf("--parallel %d: must be from 1 to 4096", s.parallel))
	case s.runs > 1 && (s.jobs != "" || s.timeline != "" || s.report != ""):
		return usageError(errors.New("--jobs, --timeline and --report are of one run: leave out --runs"))
	case s.seed > seedMax-uint64(s.runs):
		return usageError(fmt.Errorf("--seed %d: must be at most %d", s.seed, uint64(seedMax)-uint64(s.runs)))
	}
	var err error
	if s.scenario, err = scenarios.LoadWith(path, s.with); err != nil {
		return err
	}
	if !seeded {
		s.seed = s.scenario.Seed
	}
	began := time.Now()
	if s.world, err = s.scenario.World(); err != nil {
		return err
	}
	return s.once(began)
}

// once runs the scenario with one seed.
func (s *simulation) once(began time.Time) error {
	opt := sim.Options{Timeline: s.timeline != "" || s.report != ""}
	var log jobLog
	if s.jobs != "" {
		var err error
		if log, err = createJobLog(s.jobs); err != nil {
			return err
		}
		defer log.abort()
		opt.Jobs = log
	}
	result, err := s.simulate(s.app.ctx, s.seed, opt, began)
	if err != nil {
		return err
	}
	if log != nil {
		if err := log.commit(); err != nil {
			return err
		}
	}
	verdicts := s.scenario.Judge(&result.Figures)
	if err := s.writeJSON(&result.Figures); err != nil {
		return err
	}
	for _, v := range verdicts {
		if !v.Kept {
			return brokenError(nil)
		}
	}
	return nil
}

// simulate runs the scenario with a seed. began is when its trace was opened.
func (s *simulation) simulate(ctx context.Context, seed uint64, opt sim.Options, began time.Time) (*sim.Result, error) {
	src, err := s.world.Source(seed)
	if err != nil {
		return nil, err
	}
	timed := &timedSource{Source: src}
	defer timed.Close()
	policy, err := s.world.Policy()
	if err != nil {
		return nil, err
	}
	result, err := sim.Run(ctx, s.world.Config(seed), policy, timed, opt)
	if err != nil {
		return nil, err
	}
	f := &result.Figures
	f.Policy = s.scenario.PolicyLabel()
	wall := time.Since(began)
	f.WallS = wall.Seconds()
	if engine := wall - timed.decoding; engine > 0 {
		f.JobsPerS = float64(f.Jobs.Arrived) / engine.Seconds()
	}
	return result, nil
}

// timedSource measures how long its source takes to decode or generate jobs.
type timedSource struct {
	traces.Source
	decoding time.Duration
}

func (t *timedSource) Next(b *traces.Batch) error {
	began := time.Now()
	err := t.Source.Next(b)
	t.decoding += time.Since(began)
	return err
}

// writeJSON writes v where --json says, if it says anything.
func (s *simulation) writeJSON(v any) error {
	if s.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if s.json == "-" {
		_, err := s.app.stdout.Write(text)
		return err
	}
	return writeFile(s.json, text)
}

// writeFile writes a whole file, or nothing.
func writeFile(path string, text []byte) error {
	out, err := createOutfile(path)
	if err != nil {
		return err
	}
	defer out.abort()
	if _, err := out.Write(text); err != nil {
		return err
	}
	return out.commit()
}
