package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// week says what the policy would have decided in the last days, and what that
// would have cost. What cannot be had is said, and speaks against nothing.
func (p *planning) week(d *desk.Client, x *plan) {
	dir, err := os.MkdirTemp("", "skynet-plan-")
	if err == nil {
		defer os.RemoveAll(dir)
		x.Replay, err = p.replay(d, dir)
	}
	if err != nil {
		x.Replay = fmt.Sprintf("none: %v", err)
	}
	fmt.Fprintf(p.app.stdout, "REPLAY      %s\n", x.Replay)
	if x.History, err = p.history(dir); err != nil {
		x.History = fmt.Sprintf("none, so nothing tells what it would have cost: %v", err)
	}
	fmt.Fprintf(p.app.stdout, "HISTORY     %s\n", x.History)
}

// since is when the last days began.
func (p *planning) since() time.Time {
	return time.Now().UTC().Add(-time.Duration(p.days) * 24 * time.Hour)
}

// replay decides the last days of the controller's journal again.
func (p *planning) replay(d *desk.Client, dir string) (string, error) {
	all, err := d.Journals(p.app.ctx)
	if err != nil {
		return "", fmt.Errorf("the controller's journals cannot be read: %w", err)
	}
	var paths []string
	for _, f := range all.Files {
		if f.Modified.Before(p.since()) {
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := fetch(p.app.ctx, d, f.Name, path); err != nil {
			return "", err
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return "", fmt.Errorf("the controller has no journal of the last %d days", p.days)
	}
	var out journal.Report
	clamped := 0
	for _, path := range paths { // one by one: what lies between them may be another machine's
		again := journal.Replay{
			Other: true, Most: 1, From: p.since(),
			New: func(h *journal.Header) (policy.Policy, error) { return p.next.New(h.Env()) },
			Each: func(r *journal.Record) error {
				if r.Removed != (journal.Removed{}) {
					clamped++
				}
				return nil
			},
		}
		r := journalOf(p.app.ctx, []string{path}, true)
		one, err := again.Run(r)
		r.Close()
		if one != nil && one.Decisions > 0 {
			out.Decisions += one.Decisions
			out.Differing += one.Differing
			if out.First.IsZero() {
				out.First = one.First
			}
			out.Last = one.Last
			continue
		}
		var empty *journal.Error
		if err != nil && !errors.As(err, &empty) {
			return "", err
		}
	}
	if out.Decisions == 0 {
		return "", fmt.Errorf("no decision of the last %d days stands in the controller's journal", p.days)
	}
	return fmt.Sprintf("%d of %d decisions from %s to %s would have been others, seeing the fleet that there was (the guard had clamped %d)",
		out.Differing, out.Decisions, told(out.First), told(out.Last), clamped), nil
}

// fetch copies a journal.
func fetch(ctx context.Context, d *desk.Client, name, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Journal(ctx, name, f), f.Close())
}

// history simulates what the queue's history holds of the last days, under the
// policy and the one that decides now.
func (p *planning) history(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("there is no folder for it")
	}
	file, err := p.lastDays(dir)
	if err != nil {
		return "", err
	}
	s, err := scenarios.LoadWith(p.app.ctx, p.fleet.Scenario, scenarios.Replace{Trace: file})
	if err != nil {
		return "", err
	}
	w, err := s.World()
	if err != nil {
		return "", err
	}
	was, err := w.Run(p.app.ctx, p.current, s.Seed, sim.Options{})
	if err != nil {
		return "", err
	}
	is, err := w.Run(p.app.ctx, p.next, s.Seed, sim.Options{})
	if err != nil {
		return "", err
	}
	return besideText(&was.Figures, &is.Figures, p.days), nil
}

// lastDays writes the jobs of the last days, as the queue's history has them, to a
// trace in a folder, and returns its path.
func (p *planning) lastDays(dir string) (string, error) {
	q, err := client.New(client.Options{URL: p.fleet.Queue, Token: os.Getenv(client.EnvToken), RetryFor: -1})
	if err != nil {
		return "", err
	}
	defer q.Close()
	opt := history.Options{From: p.since(), Speeds: map[string]float64{}}
	for i := range p.header.Catalog.Types {
		t := &p.header.Catalog.Types[i]
		opt.Speeds[t.Name] = t.Speed
	}
	sorter := history.New(opt)
	defer sorter.Close()
	if err := q.History(p.app.ctx, opt.From, time.Time{}, func(j api.Finished) error { return sorter.Add(j) }); err != nil {
		return "", fmt.Errorf("the queue's history cannot be read: %w", err)
	}
	if sorter.Jobs() == 0 {
		return "", fmt.Errorf("no job of the last %d days is in the queue's history", p.days)
	}
	trace, err := sorter.Trace()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "history.parquet")
	_, err = traces.Write(file, trace, traces.WriteOptions{Tool: buildVersion().String()})
	return file, err
}

// besideText says what the last days would have come to, beside what decides now.
func besideText(now, next *sim.Figures, days int) string {
	text := fmt.Sprintf("%d jobs of the last %d days, simulated: $ %.2f, and $ %.2f under what decides now", next.Jobs.Arrived, days, next.CostUSD, now.CostUSD)
	if now.CostUSD > 0 {
		text += fmt.Sprintf(" (%+.1f %%)", 100*(next.CostUSD/now.CostUSD-1))
	}
	for _, name := range slices.Sorted(maps.Keys(next.Classes)) {
		if x, y := now.Classes[name], next.Classes[name]; x != nil && x.Attained != nil && y.Attained != nil {
			text += fmt.Sprintf("; %s %.2f %% in time, and %.2f %%", name, 100**y.Attained, 100**x.Attained)
		}
	}
	return text
}
