package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
)

// replay is one invocation of the verb.
type replay struct {
	app          *app
	from, to, at string
	policy       string
	fleet        string
	differences  int
	torn         bool
	json         string

	start  time.Time // of the journal
	offset time.Duration
}

func newReplayCommand(a *app) *cobra.Command {
	x := &replay{app: a}
	c := &cobra.Command{
		Use:   "replay JOURNAL...",
		Short: "decide again on what a journal recorded, and compare",
		Long: `Replay makes the policy that a journal names, gives it the state and the
observations that were recorded, and compares what it decides, why, and what it
remembers then with what was recorded. It exits 1 at a difference and names the
first field that differs. Several files of one journal are given in the order of
time, or the folder that a controller writes them to. In the place of a file may stand
the URL of a controller, which has its journal in its store: of the last day, or as
--from and --to say where they are instants in UTC, or ?from=…&to=… in the URL.

With --policy it tells instead what another policy would have decided about the
same observations. They are of the fleet that the recorded policy had: what the
other policy would have made of its own, only simulate can tell.`,
		Example: `  skynet simulate scenarios/photo-week.toml --journal week.jsonl.zst
  skynet replay week.jsonl.zst
  skynet replay /var/lib/skynet/journal --from 2026-03-02T18:00:00Z
  skynet replay http://127.0.0.1:7421 --from 2026-03-02T18:00:00Z --to 2026-03-02T23:00:00Z
  skynet replay week.jsonl.zst --policy scenarios/policies/naive-2008.toml --from "Sun 18:00" --to "Sun 23:00"`,
		Args: atLeastOne("JOURNAL"),
		RunE: func(_ *cobra.Command, args []string) error { return x.run(args) },
	}
	flags := c.Flags()
	flags.StringVar(&x.from, "from", "", "compare decisions from this `time` on: "+instants)
	flags.StringVar(&x.to, "to", "", "compare decisions before this `time`")
	flags.StringVar(&x.at, "at", "", "compare the decision that held at this `time` only")
	flags.StringVar(&x.policy, "policy", "", "decide by the policy in this `file`, or of this name, and count where it would have acted otherwise")
	fleetFlag(flags, &x.fleet)
	flags.IntVar(&x.differences, "differences", 10, "show this `many` differences")
	flags.BoolVar(&x.torn, "torn", false, "accept that a file's last line is cut off, as a crash leaves it")
	flags.StringVar(&x.json, "json", "", "write what the replay came to as JSON to this `file`; - for standard output")
	return c
}

func (x *replay) run(paths []string) error {
	switch {
	case x.differences < 1 || x.differences > 1_000_000:
		return usageError(fmt.Errorf("--differences %d: must be from 1 to 1000000", x.differences))
	case x.at != "" && (x.from != "" || x.to != ""):
		return usageError(errors.New("--at is of one decision: leave out --from and --to"))
	}
	began := time.Now()
	paths, live, err := filesOf(paths, x.fleet)
	if err != nil {
		return err
	}
	x.torn = x.torn || live
	for i, path := range paths {
		if past.IsURL(path) {
			paths[i] = asked(path, x.from, x.to)
		}
	}
	h, start, err := firstOf(x.app.ctx, paths, x.torn)
	if err != nil {
		return err
	}
	x.start, x.offset = start, h.UTCOffset
	r := journalOf(x.app.ctx, paths, x.torn)
	defer r.Close()
	again := journal.Replay{Other: x.policy != "", Most: x.differences}
	if err := x.bounds(&again, paths); err != nil {
		return err
	}
	if again.New, err = x.decider(h); err != nil {
		return err
	}
	bar := x.app.newProgress("replay (decisions)", -1)
	defer bar.End()
	done := int64(0)
	again.Each = func(*journal.Record) error {
		if done++; done%1024 == 0 {
			bar.Set(done)
		}
		return nil
	}
	report, err := again.Run(r)
	if err != nil {
		return explainTorn(err)
	}
	bar.End()
	return x.tell(report, x.label(h), time.Since(began))
}

// tell writes what the replay came to, and returns the error of a difference if
// there is one that should not be. other is the label of --policy.
func (x *replay) tell(report *journal.Report, other string, wall time.Duration) error {
	err := x.app.intoJSON(x.json, func() (any, error) {
		return struct {
			*journal.Report
			Same  bool    `json:"same"`
			Other string  `json:"other_policy,omitempty"`
			WallS float64 `json:"wall_s"`
		}{report, report.Same(), other, wall.Seconds()}, nil
	})
	if err != nil {
		return err
	}
	w := x.app.stdout
	if x.json == "-" {
		w = x.app.stderr // standard output is JSON and nothing else
	}
	if !x.app.quiet || !report.Same() {
		show := reports.ReplayOptions{
			Wall: wall, Other: other, UTCOffset: x.offset, Color: !x.app.noColor && x.json != "-", Width: x.app.width(),
		}
		if err := reports.Replayed(w, report, show); err != nil {
			return err
		}
	}
	if !report.Same() && x.policy == "" {
		return brokenError(nil)
	}
	return nil
}

// bounds fills in what is compared.
func (x *replay) bounds(again *journal.Replay, paths []string) error {
	if x.at != "" {
		at, err := parseInstant(x.at, x.start, x.offset)
		if err != nil {
			return usageError(fmt.Errorf("--at %w", err))
		}
		id, err := decisionAt(x.app.ctx, paths, x.torn, at)
		if err != nil {
			return err
		}
		again.From, again.To = id.at, id.at.Add(1)
		return nil
	}
	if len(paths) == 1 && past.IsURL(paths[0]) {
		// whole pages come, which begin before what was asked for
		var err error
		if _, again.From, again.To, err = spanOf(paths[0]); err != nil {
			return err
		}
	}
	for _, bound := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", x.from, &again.From}, {"--to", x.to, &again.To}} {
		if bound.text == "" {
			continue
		}
		at, err := parseInstant(bound.text, x.start, x.offset)
		if err != nil {
			return usageError(fmt.Errorf("%s %w", bound.flag, err))
		}
		*bound.to = at
	}
	if !again.From.IsZero() && !again.To.IsZero() && !again.From.Before(again.To) {
		from, to := x.from, x.to
		if from == "" || to == "" { // the URL says
			from, to = again.From.Format(time.RFC3339), again.To.Format(time.RFC3339)
		}
		return usageError(fmt.Errorf("--from %s: must be before --to %s", from, to))
	}
	return nil
}

// decider returns what makes the policy of a header: the one it names, or that
// of --policy.
func (x *replay) decider(first *journal.Header) (func(*journal.Header) (policy.Policy, error), error) {
	if x.policy == "" {
		return func(h *journal.Header) (policy.Policy, error) { return h.New(scenarios.Policies()) }, nil
	}
	p, err := x.other(first)
	if err != nil {
		return nil, x.app.listProblems(err)
	}
	return func(h *journal.Header) (policy.Policy, error) { return p.New(h.Env()) }, nil
}

// other returns the policy of --policy.
func (x *replay) other(h *journal.Header) (*scenarios.Policy, error) {
	if scenarios.IsPolicyName(x.policy) {
		return scenarios.NamedPolicy(x.policy)
	}
	return scenarios.LoadPolicy(x.policy, &h.Catalog)
}

// label returns the label of the policy of --policy.
func (x *replay) label(h *journal.Header) string {
	if x.policy == "" {
		return ""
	}
	if p, err := x.other(h); err == nil {
		return p.Label()
	}
	return x.policy
}

// firstOf returns the first header of a journal, and when it starts: its trace,
// or else its first decision.
func firstOf(ctx context.Context, paths []string, torn bool) (*journal.Header, time.Time, error) {
	r := journalOf(ctx, paths, torn)
	defer r.Close()
	var h *journal.Header
	for {
		line, err := r.Next()
		if err == io.EOF {
			return nil, time.Time{}, inputError(fmt.Errorf("%s: there is no decision in it", paths[0]))
		}
		if err != nil {
			return nil, time.Time{}, explainTorn(err)
		}
		switch line := line.(type) {
		case *journal.Header:
			if h == nil {
				h = line
			}
			if !h.Start.IsZero() {
				return h, h.Start, nil
			}
		case *journal.State:
			return h, line.At, nil
		case *journal.Record:
			return h, line.At, nil
		}
	}
}

// decided is a decision of a journal.
type decided struct {
	id int64
	at time.Time
}

// decisionAt returns the decision that held at an instant: the last one at or
// before it. An instant more than a tick after the last one of all is none of
// the run.
func decisionAt(ctx context.Context, paths []string, torn bool, at time.Time) (decided, error) {
	r := journalOf(ctx, paths, torn)
	defer r.Close()
	var last decided
	any, behind := false, false
	r.Skip = func(id int64, then time.Time) bool {
		if !any && then.After(at) {
			last, any = decided{id, then}, true // the first, though it is later
		}
		if behind = then.After(at); !behind {
			last, any = decided{id, then}, true
		}
		return true
	}
	// a line that is skipped is not returned, so one call goes as far as a state
	for !behind {
		_, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return last, explainTorn(err)
		}
	}
	if !any {
		return last, inputError(fmt.Errorf("%s: there is no decision in it", paths[0]))
	}
	if h := r.Header(); !behind && at.After(last.at.Add(h.Tick)) {
		const form = "Mon 2006-01-02 15:04:05 -07:00"
		zone := time.FixedZone("", int(h.UTCOffset/time.Second))
		return last, inputError(fmt.Errorf("--at: %s is after the last decision, #%d at %s",
			at.In(zone).Format(form), last.id, last.at.In(zone).Format(form)))
	}
	return last, nil
}

// explainTorn adds what to do about a journal that was cut off.
func explainTorn(err error) error {
	if errors.Is(err, journal.ErrTorn) {
		return inputError(fmt.Errorf("%w: --torn reads what is whole", err))
	}
	return err
}
