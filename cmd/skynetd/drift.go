package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/skynet-ec2/skynet/cmd/drift"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/incident"
)

// daily compares, once a day, what the simulator says of the day before with what
// happened. What it comes to is kept in the store, and told.
type daily struct {
	fleet  string
	file   scenarios.FleetDrift
	from   past.Sources
	store  *sqlstore.Store
	server *server.Server // nil: nobody asks
	log    *slog.Logger
}

// driftEvery is how often it is looked whether a day is to be compared.
const driftEvery = time.Minute

// run goes on until ctx ends.
func (d *daily) run(ctx context.Context) {
	kept := d.last(ctx)
	tick := time.NewTicker(driftEvery)
	defer tick.Stop()
	for {
		now := time.Now().UTC()
		day := now.Truncate(24 * time.Hour)
		due := d.file.At < 24*time.Hour && now.Sub(day) >= d.file.At
		if due && (kept == nil || kept.To.Before(day)) {
			kept = d.compare(ctx, incident.Span{Start: day.Add(-25 * time.Hour), From: day.Add(-24 * time.Hour), To: day})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// last returns, and tells, what the store has.
func (d *daily) last(ctx context.Context) *drift.Report {
	text, err := d.store.Drift(ctx, d.fleet)
	if err == nil && text == nil {
		return nil
	}
	var r drift.Report
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		d.log.Warn("read what the last comparison of a day came to", "error", err)
		return nil
	}
	d.tell(&r)
	return &r
}

// compare compares a day. One that cannot be is told too, and not tried again; one on
// which nothing was decided, as before a controller's first start, is nothing to tell.
func (d *daily) compare(ctx context.Context, span incident.Span) *drift.Report {
	bounds := drift.Bounds{Cost: d.file.Cost, Slack: d.file.Slack, Latency: d.file.Latency}
	r, err := drift.Measure(ctx, d.from, span, bounds, d.file.Runs)
	var none *past.NoJournalError
	if errors.As(err, &none) {
		d.log.Debug("nothing was decided on the day before", "day", span.From.Format(time.DateOnly))
		return &drift.Report{Fleet: d.fleet, From: span.From, To: span.To}
	}
	if err != nil {
		d.log.Warn("the day before cannot be compared with what the simulator says of it", "day", span.From.Format(time.DateOnly), "error", err)
		r = &drift.Report{Fleet: d.fleet, From: span.From, To: span.To, Bounds: bounds, Problem: err.Error()}
	}
	r.At = time.Now().UTC().Truncate(time.Second)
	switch {
	case r.Problem != "":
	case r.Kept:
		d.log.Info("what the simulator says of the day before is within bounds", "cost", r.Cost.Off, "slack", r.Slack.Off)
	default:
		d.log.Warn("what the simulator says of the day before is not what happened", "beyond", r.Beyond, "not_modelled", r.NotModelled)
	}
	if text, err := json.Marshal(r); err != nil {
		d.log.Error("keep the comparison", "error", err)
	} else if err := d.store.SaveDrift(ctx, d.fleet, span.From, text); err != nil && ctx.Err() == nil {
		d.log.Warn("keep the comparison", "error", err)
	}
	d.tell(r)
	return r
}

// tell shows a report where people and Prometheus look.
func (d *daily) tell(r *drift.Report) {
	if d.server == nil {
		return
	}
	x := &controller.Drift{
		From: r.From, To: r.To, At: r.At, Kept: r.Kept, Problem: r.Problem, Beyond: r.Beyond, NotModelled: r.NotModelled,
		Cost: r.Cost.Off, Slack: r.Slack.Off, Latency: map[string]float64{},
	}
	for i := range r.Types {
		if t := &r.Types[i]; t.Judged {
			x.Latency[t.Type] = t.P95.Off
		}
	}
	d.server.Drifted(x)
}
