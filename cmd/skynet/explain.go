package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/explain"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
)

// explaining is one invocation of explain.
type explaining struct {
	app    *app
	at     string
	whyNot string
	job    int64
	class  string
	worst  int
	jobs   string
	torn   bool
	fleet  string
	json   string
	with   scenarios.Replace
	seed   uint64

	seeded, oneJob bool
	paths          []string // of the journal
	named          []string // what messages call them: a scenario's journal is a passing one
	header         *journal.Header
	start          time.Time
}

func newExplainCommand(a *app) *cobra.Command {
	x := &explaining{app: a}
	c := &cobra.Command{
		Use:   "explain RUN... [DECISION]",
		Short: "say why a decision was made, or why a job was late",
		Long: `Explain shows one decision of a run: what was known, what was decided and why,
and what became of it. RUN is a journal, or several files of one in the order of
time, as simulate --journal and production write it; or the folder that a controller
writes them to, or its URL; or a scenario, which is simulated first. DECISION is a decision's number; --at names it by time.

With --job or --class it says instead what late jobs waited for: instances that were
booting, that EC2 refused, that the guard did not allow, or that nobody had
foreseen; or simply their turn. For a journal that needs the jobs file of the
same run, as simulate --jobs writes it.`,
		Example: `  skynet explain week.jsonl.zst --at "Sun 20:14"
  skynet explain week.jsonl.zst 9434 --why-not terminate
  skynet explain scenarios/photo-week.toml --class upload --worst 10`,
		Args: atLeastOne("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			x.seeded, x.oneJob = c.Flags().Changed("seed"), c.Flags().Changed("job")
			return x.run(args)
		},
	}
	flags := c.Flags()
	flags.StringVar(&x.at, "at", "", "explain the decision that held at this `time`: "+instants)
	choiceVar(flags, &x.whyNot, "why-not", "", "say what kept it from this `action`", []string{reports.WhyNotLaunch, reports.WhyNotTerminate})
	flags.Int64Var(&x.job, "job", 0, "explain the wait of the job of this `number`")
	flags.StringVar(&x.class, "class", "", "explain the worst jobs of this `class`: those most over its target")
	flags.IntVar(&x.worst, "worst", 10, "explain this `many` of them")
	flags.StringVar(&x.jobs, "jobs", "", "with a journal: the jobs `file` of the same run (.csv or .parquet)")
	flags.BoolVar(&x.torn, "torn", false, "accept that a journal's last line is cut off, as a crash leaves it")
	fleetFlag(flags, &x.fleet)
	flags.StringVar(&x.json, "json", "", "write the explanation as JSON to this `file`; - for standard output")
	flags.StringVar(&x.with.Policy, "policy", "", "with a scenario: decide by the policy in this `file`, or of this name")
	flags.StringVar(&x.with.Trace, "trace", "", "with a scenario: replay this trace `file`")
	flags.Uint64Var(&x.seed, "seed", 0, "with a scenario: draw the weather from this `number`")
	return c
}

// question is what explain is asked.
type question struct {
	id    int64 // -1: by --at
	delay bool  // about jobs
}

// question takes the command line apart: the runs, and what is asked about them.
func (x *explaining) question(args []string) (runs []string, q question, err error) {
	q = question{id: -1, delay: x.oneJob || x.class != ""}
	last := args[len(args)-1]
	if id, err := strconv.ParseInt(last, 10, 64); err == nil && id >= 0 {
		if _, err := os.Lstat(last); err != nil {
			q.id, args = id, args[:len(args)-1]
		}
	}
	asked := 0
	for _, given := range []bool{q.id >= 0, x.at != "", x.oneJob, x.class != ""} {
		if given {
			asked++
		}
	}
	switch {
	case len(args) == 0:
		err = fmt.Errorf("missing RUN: the journal or the scenario that decision %s is of", last)
	case asked == 0:
		err = errors.New("say what to explain: a decision's number, --at TIME, --job N or --class C")
	case asked > 1:
		err = errors.New("one question at a time: a decision's number, --at, --job or --class")
	case x.oneJob && x.job < 0:
		err = fmt.Errorf("--job %d: must be at least 0", x.job)
	case x.worst < 1 || x.worst > 100_000:
		err = fmt.Errorf("--worst %d: must be from 1 to 100000", x.worst)
	case q.delay && x.whyNot != "":
		err = errors.New("--why-not is about a decision: leave out --job and --class")
	case !q.delay && x.jobs != "":
		err = errors.New("--jobs goes with --job or --class")
	}
	return args, q, err
}

// checkRun returns what does not go with what is explained: a scenario, or a
// journal.
func (x *explaining) checkRun(scenario bool, q question) error {
	switch {
	case scenario && x.jobs != "":
		return errors.New("--jobs goes with a journal: a scenario is simulated, jobs and all")
	case !scenario && (x.with.Policy != "" || x.with.Trace != "" || x.seeded):
		return errors.New("--policy, --trace and --seed go with a scenario: a journal is of one run")
	case !scenario && q.delay && x.jobs == "":
		return errors.New("--job and --class need --jobs FILE, which simulate --jobs writes beside the journal; or give the scenario as RUN")
	}
	return nil
}

func (x *explaining) run(args []string) error {
	runs, q, err := x.question(args)
	if err != nil {
		return usageError(err)
	}
	scenario := len(runs) == 1 && filepath.Ext(runs[0]) == ".toml"
	if err := x.checkRun(scenario, q); err != nil {
		return usageError(err)
	}
	var wanted *wantedJobs
	if q.delay {
		wanted = &wantedJobs{one: x.oneJob, job: x.job, class: x.class, most: x.worst}
	}
	var live bool
	if x.paths, live, err = filesOf(runs, x.fleet); err != nil {
		return err
	}
	x.torn = x.torn || live
	x.named = x.paths
	if scenario {
		folder, err := os.MkdirTemp("", "skynet-explain-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		x.named, x.paths = runs, []string{filepath.Join(folder, "run.jsonl.zst")}
		if err := x.simulate(runs[0], wanted); err != nil {
			return err
		}
	}
	if x.header, x.start, err = firstOf(x.app.ctx, x.paths, x.torn); err != nil {
		return err
	}
	if q.delay {
		return x.delays(wanted, scenario)
	}
	if q.id < 0 {
		if q.id, err = x.numberAt(); err != nil {
			return err
		}
	}
	e, err := x.explain(q.id)
	if err != nil {
		return err
	}
	return x.show(e, func(w io.Writer, o reports.Options) error { return reports.Explain(w, e, o) })
}

// numberAt returns the number of the decision that --at names.
func (x *explaining) numberAt() (int64, error) {
	at, err := parseInstant(x.at, x.start, x.header.UTCOffset)
	if err != nil {
		return 0, usageError(fmt.Errorf("--at %w", err))
	}
	d, err := decisionAt(x.app.ctx, x.paths, x.torn, at)
	return d.id, err
}

// show writes an answer as JSON where that is asked for, and otherwise, or
// beside a file, for people.
func (x *explaining) show(v any, text func(io.Writer, reports.Options) error) error {
	if err := x.app.intoJSON(x.json, func() (any, error) { return v, nil }); err != nil || x.json == "-" {
		return err
	}
	return text(x.app.stdout, reports.Options{Color: !x.app.noColor, Width: x.app.width()})
}

// simulate runs the scenario and leaves its journal, and the jobs that are
// wanted.
func (x *explaining) simulate(path string, wanted *wantedJobs) error {
	s := &simulation{app: x.app, with: x.with, seed: x.seed, runs: 1, parallel: 1}
	began := time.Now()
	var err error
	if s.scenario, err = scenarios.LoadWith(x.app.ctx, path, s.with); err != nil {
		return x.app.listProblems(err)
	}
	if !x.seeded {
		s.seed = s.scenario.Seed
	}
	if err := checkRuns(s.runs, s.parallel, s.seed); err != nil {
		return usageError(err)
	}
	if s.world, err = s.scenario.World(); err != nil {
		return err
	}
	header := func() journal.Header { return s.world.JournalHeader(nil, s.seed, buildVersion().short()) }
	return intoJournal(x.paths[0], header, func(j *journal.Writer) error {
		opt := sim.Options{Journal: j}
		if wanted != nil {
			c := s.world.Config(s.seed)
			if err := wanted.begin(c.Classes, c.JudgeFrom); err != nil {
				return err
			}
			opt.Jobs = wanted
		}
		progress := s.follow(&opt)
		defer progress.End()
		_, err := s.simulate(x.app.ctx, s.seed, opt, began)
		return err
	})
}

// explain returns the explanation of a decision. Its policy is stepped up to it
// from the state before, to learn what it expected.
func (x *explaining) explain(id int64) (*reports.Explanation, error) {
	before, err := journal.StateBefore(journalOf(x.app.ctx, x.paths, x.torn), func(at int64, _ time.Time) bool { return at >= id })
	if err != nil {
		return nil, explainTorn(err)
	}
	r := journalOf(x.app.ctx, x.paths, x.torn)
	defer r.Close()
	r.Skip = func(_ int64, at time.Time) bool { return at.Before(before) }
	player := journal.Player{New: func(h *journal.Header) (policy.Policy, error) { return h.New(scenarios.Policies()) }}
	var unplayed error // why the policy cannot be asked
	for {
		line, err := r.Next()
		if err == io.EOF {
			return nil, inputError(fmt.Errorf("%s: there is no decision #%d in it", x.named[len(x.named)-1], id))
		}
		if err != nil {
			return nil, explainTorn(err)
		}
		switch line := line.(type) {
		case *journal.Header:
			unplayed = player.Header(line)
		case *journal.State:
			if unplayed == nil && !line.At.Before(before) {
				_, _, unplayed = player.State(line)
			}
		case *journal.Record:
			if unplayed == nil {
				_, _, unplayed = player.Step(line)
			}
			if line.ID == id {
				return x.explained(r.Header(), line, &player, unplayed)
			}
			if line.ID > id {
				return nil, inputError(fmt.Errorf("%s: there is no decision #%d in it: its first is #%d", x.named[0], id, line.ID))
			}
		}
	}
}

// explained returns the explanation of a record; player stands behind it unless
// there is an error.
func (x *explaining) explained(h *journal.Header, rec *journal.Record, player *journal.Player, unplayed error) (*reports.Explanation, error) {
	d, err := rec.Decode()
	if err != nil {
		return nil, inputError(err)
	}
	v, spec, _ := h.Values(scenarios.Policies())
	if rec.Guard != nil {
		other := *h
		other.Guard = *rec.Guard
		h = &other
	}
	subject := &explain.Subject{
		Header: h, Observation: &rec.Observation, Decision: d, Removed: rec.Removed, Outcome: rec.Outcome,
		Lead: explain.Lead(spec, v, h.Tick),
	}
	e := reports.NewExplanation(rec.ID, subject, x.whyNot)
	if unplayed != nil {
		e.Notes = append(e.Notes, fmt.Sprintf("the policy could not be asked what it expected: %v", unplayed))
		return e, nil
	}
	if hash, err := journal.StateHash(player.Policy()); err != nil || hash.String() != rec.StateHash {
		e.Notes = append(e.Notes, "this skynet decides otherwise than the one that wrote the journal: skynet replay says where")
		return e, nil
	}
	if f, ok := player.Policy().(interface {
		Forecast() (mean, high float64, ahead time.Duration)
	}); ok {
		if mean, high, ahead := f.Forecast(); !math.IsNaN(mean) && !math.IsNaN(high) { // it does not know yet
			e.Forecast = &reports.Forecast{Mean: mean, P90: high, Ahead: ahead.Seconds()}
		}
	}
	return e, nil
}
