package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
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
		return s.app.listProblems(err)
	}
	if !seeded {
		s.seed = s.scenario.Seed
	}
	began := time.Now()
	if s.world, err = s.scenario.World(); err != nil {
		return err
	}
	if s.runs > 1 {
		return s.many()
	}
	return s.once(began)
}

// once runs the scenario with one seed.
func (s *simulation) once(began time.Time) error {
	opt := sim.Options{Timeline: s.timeline != "" || s.report != ""}
	out, err := s.createJSON()
	if err != nil {
		return err
	}
	defer out.abort()
	if s.jobs != "" {
		log, err := createJobLog(s.jobs)
		if err != nil {
			return err
		}
		defer log.abort()
		opt.Jobs = log
	}
	progress := s.follow(&opt)
	result, err := s.simulate(s.app.ctx, s.seed, opt, began)
	progress.End()
	if err != nil {
		return err
	}
	if log, ok := opt.Jobs.(jobLog); ok {
		if err := log.commit(); err != nil {
			return err
		}
	}
	if err := out.write(&result.Figures); err != nil {
		return err
	}
	return s.verdict(s.scenario.Judge(&result.Figures))
}

// verdict returns the error of a broken promise, if there is one.
func (s *simulation) verdict(list []sim.Verdict) error {
	for _, v := range list {
		if !v.Kept {
			return brokenError(nil)
		}
	}
	return nil
}

// follow makes a run tell how far it has come: in jobs where their number is
// known, else in seconds of the trace.
func (s *simulation) follow(opt *sim.Options) *Progress {
	const work = "simulate"
	if jobs := s.world.Jobs(); jobs > 0 {
		p := s.app.newProgress(work+" (jobs)", jobs)
		opt.Progress = func(_ time.Duration, done int64) { p.Set(done) }
		return p
	}
	p := s.app.newProgress(work+" (s of the trace)", int64(s.scenario.Duration.Seconds()))
	opt.Progress = func(at time.Duration, _ int64) { p.Set(int64(at.Seconds())) }
	return p
}

// many runs the scenario with as many seeds as --runs says, in parallel, and
// keeps their figures in the order of the seeds.
func (s *simulation) many() error {
	out, err := s.createJSON()
	if err != nil {
		return err
	}
	defer out.abort()
	if err := s.world.Keep(); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(s.app.ctx)
	defer stop(nil)
	progress := s.app.newProgress("simulate (runs)", int64(s.runs))
	figures := make([]*sim.Figures, s.runs)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(s.parallel, s.runs) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(s.runs) {
					return
				}
				result, err := s.simulate(ctx, s.seed+uint64(i), sim.Options{}, time.Now())
				if err != nil {
					stop(err) // the others need not go on
					return
				}
				figures[i] = &result.Figures
				progress.Add(1)
			}
		})
	}
	workers.Wait()
	progress.End()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return s.summarize(figures, out)
}

// summarize writes what the runs came to.
func (s *simulation) summarize(figures []*sim.Figures, out *jsonOut) error {
	var broken error
	for _, f := range figures {
		if err := s.verdict(s.scenario.Judge(f)); err != nil {
			broken = err
		}
	}
	if err := out.write(map[string]any{"runs": figures}); err != nil {
		return err
	}
	return broken
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

// jsonOut is where --json goes: a file, standard output, or nowhere. It is
// opened before the work begins, so that a mistyped folder costs nothing.
type jsonOut struct {
	file   *outfile
	stdout io.Writer
}

func (s *simulation) createJSON() (*jsonOut, error) {
	out := &jsonOut{}
	var err error
	switch s.json {
	case "":
	case "-":
		out.stdout = s.app.stdout
	default:
		out.file, err = createOutfile(s.json)
	}
	return out, err
}

func (o *jsonOut) write(v any) error {
	if o.file == nil && o.stdout == nil {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if o.file == nil {
		_, err := o.stdout.Write(text)
		return err
	}
	if _, err := o.file.Write(text); err != nil {
		return err
	}
	return o.file.commit()
}

func (o *jsonOut) abort() {
	if o.file != nil {
		o.file.abort()
	}
}
