package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
	"github.com/spf13/cobra"
)

// simulation is one invocation of simulate.
type simulation struct {
	app      *app
	scenario *scenarios.Scenario
	world    *scenarios.World

	with           scenarios.Replace
	set            []string // what --set says
	seed           uint64
	runs, parallel int
	json, jobs     string
	timeline       string
	journal        string
	report         reporting
	bounded        bool
}

func newSimulateCommand(a *app) *cobra.Command {
	s := &simulation{app: a}
	c := &cobra.Command{
		Use:   "simulate SCENARIO",
		Short: "replay a scenario's trace under a policy: cost, and who waited",
		Long: `Simulate plays the trace of a scenario against a policy, job by job, and says
whether the scenario's promises were kept and what it cost. It exits 1 when a
promise was broken. With --quiet it says so only then.`,
		Args: scenarioAlone,
		RunE: func(c *cobra.Command, args []string) error {
			return s.run(args[0], c.Flags().Changed("seed"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&s.with.Policy, "policy", "", "decide by the policy in this `file`, or of this name")
	flags.StringVar(&s.with.Trace, "trace", "", "replay this trace `file` to its end, not the scenario's")
	flags.StringArrayVar(&s.set, "set", nil, setUsage+", class[1].target or policy.PARAMETER; any number of times")
	flags.Uint64Var(&s.seed, "seed", 0, "draw the weather from this `number`, not the scenario's")
	flags.IntVar(&s.runs, "runs", 1, "run this `many` seeds, one after the other from the first; [[expect]] is of one run and not judged")
	flags.IntVar(&s.parallel, "parallel", runtime.GOMAXPROCS(0), "run this `many` at once")
	flags.StringVar(&s.json, "json", "", "write the figures as JSON to this `file`; - for standard output")
	flags.StringVar(&s.jobs, "jobs", "", "write every job's fate to this `file` (.csv or .parquet)")
	flags.StringVar(&s.timeline, "timeline", "", "write the state at every tick to this CSV `file`")
	flags.BoolVar(&s.bounded, "bound", false, "say too what no policy that keeps the promises could pay less than")
	flags.StringVar(&s.journal, "journal", "", "record every decision in this `file` (.jsonl.zst), for replay and explain")
	s.report.addTo(flags)
	return c
}

// scenarioAlone accepts a scenario alone. Whoever names a policy behind it, as for
// compare, is told how.
func scenarioAlone(c *cobra.Command, args []string) error {
	err := exactArgs("SCENARIO")(c, args)
	if len(args) > 1 && isPolicy(c.Context(), args[1]) {
		return fmt.Errorf("%w (did you mean --policy %s?)", err, spell.Shell(args[1]))
	}
	return err
}

// isPolicy reports whether word is a policy's name, or a file that holds one.
func isPolicy(ctx context.Context, word string) bool {
	if scenarios.IsPolicyName(word) {
		_, err := scenarios.NamedPolicy(word)
		return err == nil
	}
	kind, err := scenarios.KindOf(ctx, word)
	return err == nil && kind == scenarios.PolicyFile
}

func (s *simulation) run(path string, seeded bool) error {
	if err := checkRuns(s.runs, s.parallel, s.seed); err != nil {
		return usageError(err)
	}
	if s.runs > 1 && (s.jobs != "" || s.timeline != "" || s.journal != "") {
		return usageError(errors.New("--jobs, --timeline and --journal are of one run: leave out --runs"))
	}
	if s.runs > 1 && s.bounded {
		return usageError(errors.New("--bound is of one run: leave out --runs, or see compare"))
	}
	var err error
	if s.with.Set, err = readSettings(s.set); err != nil {
		return usageError(err)
	}
	if err := s.checkPlaces(); err != nil {
		return err
	}
	if s.scenario, err = scenarios.LoadWith(s.app.ctx, path, s.with); err != nil {
		return s.app.listProblems(err)
	}
	outputs := []output{{"json", s.json}, {"jobs", s.jobs}, {"timeline", s.timeline}, {"journal", s.journal}}
	if err := spareInputs(outputs, s.scenario.Files()...); err != nil {
		return err
	}
	if err := s.app.noteDoubts(s.scenario); err != nil {
		return err
	}
	if !seeded {
		s.seed = s.scenario.Seed
	}
	if err := s.app.fetch(s.scenario); err != nil {
		return err
	}
	began := time.Now()
	if s.world, err = s.scenario.World(); err != nil {
		return err
	}
	if s.runs > 1 {
		return s.many(began)
	}
	return s.once(began)
}

// setUsage is how the help of a verb with --set begins; keys that mean something to
// it follow.
const setUsage = "put `KEY=VALUE` in the place of what the scenario says; KEY is such as cloud.billing"

// readSettings returns what the --set flags say.
func readSettings(flags []string) ([]scenarios.Setting, error) {
	var list []scenarios.Setting
	for _, text := range flags {
		x, err := scenarios.ParseSetting(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("--set %w", err)
		case slices.ContainsFunc(list, func(y scenarios.Setting) bool { return y.Key == x.Key }):
			return nil, fmt.Errorf("--set %s: is given twice", x.Key)
		}
		list = append(list, x)
	}
	return list, nil
}

// byKey returns settings as JSON has them.
func byKey(settings []scenarios.Setting) map[string]string {
	set := map[string]string{}
	for _, x := range settings {
		set[x.Key] = x.Value
	}
	return set
}

// checkPlaces returns an error where a result could not be written, before any
// work is done for it. The files of --json, --jobs and --journal are tried when
// they begin.
func (s *simulation) checkPlaces() error {
	if err := checkJobLog(s.jobs); err != nil {
		return err
	}
	if err := checkJournal(s.journal); err != nil {
		return err
	}
	if err := checkFile(s.timeline); err != nil {
		return namedByUser(err)
	}
	return prepareFolders(s.report.page, s.report.plots)
}

// once runs the scenario with one seed. The files of --json, --jobs and --journal
// are begun before the work and completed after it.
func (s *simulation) once(began time.Time) error {
	opt := sim.Options{Timeline: s.timeline != "" || s.report.wanted() || len(s.scenario.Expects) > 0}
	var result *sim.Result
	var verdicts []sim.Verdict
	run := func(jobs io.Writer) error {
		var log jobLog
		if jobs != nil {
			log = newJobLog(jobs, s.jobs)
			opt.Jobs = log
		}
		progress := s.follow(&opt)
		defer progress.End()
		var err error
		if result, err = s.simulate(s.app.ctx, s.seed, opt, began); err != nil || log == nil {
			return err
		}
		return log.close()
	}
	show := s.showing()
	header := func() journal.Header { return s.world.JournalHeader(nil, s.seed, buildVersion().short()) }
	err := s.app.intoJSON(s.json, func() (any, error) {
		err := intoJournal(s.journal, header, func(j *journal.Writer) error {
			opt.Journal = j
			return into(s.jobs, run)
		})
		if err != nil {
			return nil, err
		}
		verdicts = s.scenario.JudgeRun(result)
		if s.bounded {
			var err error
			if show.LowerUSD, err = s.lower(); err != nil {
				return nil, err
			}
		}
		return judged{&result.Figures, verdicts, show.LowerUSD, byKey(s.with.Set)}, nil
	})
	if err != nil {
		return err
	}
	s.warnUnjudged(&result.Figures)
	if s.timeline != "" {
		if err := reports.WriteTimeline(s.timeline, result.Ticks); err != nil {
			return namedByUser(err)
		}
	}
	if s.report.wanted() {
		if show.Report, err = s.report.write(reports.RunReport(result, verdicts, show)); err != nil {
			return err
		}
	}
	return s.conclude(kept(verdicts), func(w io.Writer) error { return reports.Verdict(w, result, verdicts, show) })
}

// warnUnjudged tells that no job of any run arrived once judging had begun, so
// that no class was held to its promise.
func (s *simulation) warnUnjudged(runs ...*sim.Figures) {
	var ended float64
	for _, f := range runs {
		for _, class := range f.Classes {
			if class.Jobs > 0 {
				return
			}
		}
		ended = max(ended, f.DurationS)
	}
	s.app.log.Warn("no job is judged: none arrived after judge_from",
		"judge_from", reports.Seconds(&runs[0].Judged.FromS), "ended", reports.Seconds(&ended))
}

// judged is what --json writes of a run.
type judged struct {
	*sim.Figures
	Promises []sim.Verdict `json:"promises"`
	LowerUSD float64       `json:"lower_usd,omitempty"` // with --bound

	Settings map[string]string `json:"settings,omitempty"` // with --set
}

// judgedRuns is what --json writes of several runs.
type judgedRuns struct {
	reports.Runs
	Settings map[string]string `json:"settings,omitempty"` // with --set
}

// kept reports whether every promise was.
func kept(verdicts []sim.Verdict) bool {
	for _, v := range verdicts {
		if !v.Kept {
			return false
		}
	}
	return true
}

// conclude shows what the simulation came to, and returns the error of a broken
// promise if there is one. When quiet, kept promises are not worth a word.
func (s *simulation) conclude(kept bool, show func(io.Writer) error) error {
	w := s.app.stdout
	if s.json == "-" {
		w = s.app.stderr // standard output is JSON and nothing else
	}
	if !kept || !s.app.quiet {
		if err := show(w); err != nil {
			return err
		}
	}
	if !kept {
		return brokenError(nil)
	}
	return nil
}

// showing returns how the verdict is shown.
func (s *simulation) showing() reports.Options {
	return reports.Options{
		Reproduce:   s.reproduce(),
		Color:       !s.app.noColor && s.json != "-",
		SlackTarget: s.scenario.SlackTarget(),
		Width:       s.app.width(),
	}
}

// reproduce returns the command that gives the same results again.
func (s *simulation) reproduce() string {
	words := []string{"skynet", "simulate", s.scenario.Path, "--seed", fmt.Sprint(s.seed)}
	for _, flag := range []struct{ name, value string }{{"--policy", s.with.Policy}, {"--trace", s.with.Trace}} {
		if flag.value != "" {
			words = append(words, flag.name, flag.value)
		}
	}
	for _, text := range s.set {
		words = append(words, "--set", text)
	}
	if s.runs > 1 {
		words = append(words, "--runs", fmt.Sprint(s.runs))
	}
	return commandLine(words)
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

// many runs the scenario with as many seeds as --runs says, in parallel. The
// figures stand in the order of the seeds, whoever was first.
func (s *simulation) many(began time.Time) error {
	var all reports.Runs
	err := s.app.intoJSON(s.json, func() (any, error) {
		figures, err := s.seeds()
		if err != nil {
			return nil, err
		}
		all, err = reports.Summarize(figures)
		return judgedRuns{all, byKey(s.with.Set)}, err
	})
	if err != nil {
		return err
	}
	s.warnUnjudged(all.Runs...)
	good := true
	verdicts := make([][]sim.Verdict, len(all.Runs))
	for i, f := range all.Runs {
		verdicts[i] = s.scenario.Judge(f)
		good = good && kept(verdicts[i])
	}
	wall, show := time.Since(began).Seconds(), s.showing()
	if s.report.wanted() {
		// the run in the middle again, with its history
		shown, err := s.simulate(s.app.ctx, all.Runs[all.Median()].Seed, sim.Options{Timeline: true}, time.Now())
		if err != nil {
			return err
		}
		if show.Report, err = s.report.write(reports.RunsReport(all, verdicts, shown, show)); err != nil {
			return err
		}
	}
	return s.conclude(good, func(w io.Writer) error { return reports.VerdictOfRuns(w, all, verdicts, wall, show) })
}

// seeds returns the figures of every run.
func (s *simulation) seeds() ([]*sim.Figures, error) {
	if err := s.world.Keep(s.app.ctx); err != nil {
		return nil, err
	}
	progress := s.app.newProgress("simulate (runs)", int64(s.runs))
	defer progress.End()
	figures := make([]*sim.Figures, s.runs)
	err := sim.Each(s.app.ctx, s.parallel, s.runs, func(ctx context.Context, i int) error {
		result, err := s.simulate(ctx, s.seed+uint64(i), sim.Options{}, time.Now())
		if err != nil {
			return err
		}
		figures[i] = &result.Figures
		progress.Add(1)
		return nil
	})
	return figures, err
}

// simulate runs the scenario with a seed. began is when its trace was opened.
func (s *simulation) simulate(ctx context.Context, seed uint64, opt sim.Options, began time.Time) (*sim.Result, error) {
	src, err := s.world.Source(seed)
	if err != nil {
		return nil, err
	}
	timed := &timedSource{Source: stoppable{src, ctx}}
	defer timed.Close()
	result, err := s.world.RunFrom(ctx, timed, nil, seed, opt)
	if err != nil {
		return nil, err
	}
	f := &result.Figures
	if s.scenario.Trace != nil && !timed.any {
		return nil, scenarios.NoJobs(s.scenario, seed)
	}
	wall := time.Since(began)
	f.WallS = wall.Seconds()
	if engine := wall - timed.decoding; engine > 0 {
		f.JobsPerS = float64(f.Jobs.Arrived) / engine.Seconds()
	}
	return result, nil
}

// timedSource measures how long its source takes to decode or generate jobs,
// and whether there are any.
type timedSource struct {
	traces.Source
	decoding time.Duration
	any      bool // it had a job
}

func (t *timedSource) Next(b *traces.Batch) error {
	began := time.Now()
	err := t.Source.Next(b)
	t.decoding += time.Since(began)
	t.any = t.any || err == nil && b.Len() > 0
	return err
}
