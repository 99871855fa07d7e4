package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces/compressed"
)

// journalFigures measures what it costs to record a photo site's month, and how
// fast it is replayed: from compressed text to the comparison of every decision,
// reason and state.
func journalFigures(set settings) ([]figure, error) {
	const instances = 100
	site := siteWeek()
	site.Duration = 30 * 24 * time.Hour
	week, err := packed(site)
	if err != nil {
		return nil, err
	}
	cfg := siteWorld(instances)
	simulate := func(opt sim.Options) error {
		p, err := skynet.Spec.New(cfg.Env(), nil)
		if err != nil {
			return err
		}
		_, err = sim.Run(context.Background(), cfg, p, week.Source(), opt)
		return err
	}
	var file bytes.Buffer
	plain := int64(0)
	write := func() error {
		file.Reset()
		z, err := compressed.NewWriter(&file, "month.jsonl.zst")
		if err != nil {
			return err
		}
		env := cfg.Env()
		text := &counted{w: z}
		j := journal.NewWriter(text, journal.Header{
			World: journal.Simulated, Start: cfg.Start, Policy: journal.PolicyOf(&skynet.Spec, nil, "skynet"),
			Classes: env.Classes, Tick: env.Tick, BootGuess: env.BootGuess, Guard: cfg.Limits(), Catalog: env.Catalog,
		}, 0)
		if err := simulate(sim.Options{Journal: j}); err != nil {
			return err
		}
		plain = text.n
		if err := j.Close(); err != nil {
			return err
		}
		return z.Close()
	}
	decisions := int64(0)
	replay := func() error {
		r := journal.NewReader(journal.Source{Name: "month", Open: func() (io.ReadCloser, error) {
			return compressed.NewReader(bytes.NewReader(file.Bytes()))
		}})
		defer r.Close()
		x := journal.Replay{New: func(h *journal.Header) (policy.Policy, error) { return h.New([]*policy.Spec{&skynet.Spec}) }}
		report, err := x.Run(r)
		if err == nil && !report.Same() {
			err = fmt.Errorf("%d of %d decisions differ", report.Differing, report.Decisions)
		}
		if err == nil {
			decisions = report.Decisions
		}
		return err
	}
	took, err := inTurn(set.rounds, func() error { return simulate(sim.Options{}) }, write, replay)
	if err != nil {
		return nil, err
	}
	n := float64(decisions)
	return []figure{
		{"decisions of a photo site's month", fmt.Sprint(decisions), "", ""},
		{"recording one, with compression", fmt.Sprintf("%.0f µs", float64(took[1]-took[0])/n/1e3), "", ""},
		{"its text, and compressed", fmt.Sprintf("%.1f kB, %.2f kB", float64(plain)/n/1e3, float64(file.Len())/n/1e3), "", ""},
		{"replaying it, to the same bytes", fmt.Sprintf("%.0f decisions/s", n/took[2].Seconds()), "5000/s", ""},
	}, nil
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
