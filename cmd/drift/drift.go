// Package drift says how far the simulator's prediction of a day lies from what
// happened: it makes a scenario of what was recorded, as an incident is made,
// simulates it, and compares cost, slack and the time jobs took.
package drift

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/incident"
	"github.com/skynet-ec2/skynet/sim"
)

// Bounds are how far apart measured and predicted may be, as fractions of what
// was measured. The zero Bounds allow nothing.
type Bounds struct {
	Cost    float64 `json:"cost"`
	Slack   float64 `json:"slack"`
	Latency float64 `json:"latency"` // of the 95th percentile of each job type
}

// Usual are the bounds where nobody gives others.
var Usual = Bounds{Cost: 0.10, Slack: 0.10, Latency: 0.20}

// jobsMin is of how many jobs of a type a 95th percentile says anything.
const jobsMin = 100

// Pair is a figure as it was and as it was predicted.
type Pair struct {
	Measured  float64 `json:"measured"`
	Predicted float64 `json:"predicted"`
	// Off is how far the prediction is from what was measured, as a fraction of
	// it.
	Off float64 `json:"off"`
}

func pair(measured, predicted float64) Pair {
	p := Pair{Measured: measured, Predicted: predicted}
	switch {
	case measured != 0:
		p.Off = (predicted - measured) / math.Abs(measured)
	case predicted != 0:
		p.Off = math.Copysign(1, predicted)
	}
	return p
}

// Type is the time from arrival to done of the jobs of a type, in seconds.
type Type struct {
	Type string `json:"type"`
	Jobs int64  `json:"jobs"` // that were measured
	Mean Pair   `json:"mean_s"`
	P50  Pair   `json:"p50_s"`
	P95  Pair   `json:"p95_s"`
	// Judged is false of a type of too few jobs.
	Judged bool `json:"judged"`
}

// Report is what a comparison came to.
type Report struct {
	Fleet  string    `json:"fleet"`
	Policy string    `json:"policy"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	At     time.Time `json:"at"` // when it was made
	Runs   int       `json:"runs"`

	Cost  Pair   `json:"cost_usd"`
	Slack Pair   `json:"slack"`
	Types []Type `json:"types"`

	Bounds Bounds `json:"bounds"`
	// Beyond are the figures that lie further apart than the bounds, each a
	// sentence.
	Beyond []string `json:"beyond"`
	Kept   bool     `json:"kept"`
	// Problem says why nothing could be compared; "": it was.
	Problem string `json:"problem,omitempty"`
	// Faults that were journaled are in the simulation too.
	Faults int `json:"faults"`
	// NotModelled is what the live fleet and queue did that the simulator does
	// not show, each a sentence.
	NotModelled []string `json:"not_modelled"`
}

// Measure compares what was with what the simulator says of it: the mean of so
// many runs, which draw boot lags anew.
func Measure(ctx context.Context, from past.Sources, span incident.Span, bounds Bounds, runs int) (*Report, error) {
	p, err := past.Read(ctx, from, span)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	s := p.Story
	folder, err := os.MkdirTemp("", "skynet-drift-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	day := filepath.Join(folder, "day")
	if err := s.Write(day, &p.Jobs, "skynet drift"); err != nil {
		return nil, err
	}
	said, err := predict(ctx, filepath.Join(day, incident.ScenarioFile), s.From.Sub(s.Start), runs)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Fleet: s.Header.Fleet, Policy: s.Header.Policy.Label, From: s.From.UTC(), To: s.To.UTC(), Runs: runs,
		Cost: pair(s.Measured.CostUSD, said.cost), Slack: pair(s.Measured.Slack, said.slack),
		Bounds: bounds, Faults: len(s.Faults), NotModelled: s.AllNotes(&p.Jobs),
	}
	r.types(p.Sojourns, said.sojourns)
	r.judge()
	return r, nil
}

// said is what the simulator predicts.
type said struct {
	cost, slack float64
	sojourns    map[string][]float64 // of all runs
}

// predict simulates a scenario.
func predict(ctx context.Context, path string, judged time.Duration, runs int) (*said, error) {
	scenario, err := scenarios.Load(path)
	if err != nil {
		return nil, fmt.Errorf("the scenario of that day: %w", err)
	}
	world, err := scenario.World()
	if err != nil {
		return nil, err
	}
	p := &said{sojourns: map[string][]float64{}}
	for seed := range uint64(runs) {
		sink := &sojourns{from: judged, by: p.sojourns}
		result, err := world.Run(ctx, nil, seed+1, sim.Options{Jobs: sink})
		if err != nil {
			return nil, fmt.Errorf("simulate that day: %w", err)
		}
		f := &result.Figures
		p.cost += f.Judged.CostUSD / float64(runs)
		if f.Slack.Mean != nil {
			p.slack += *f.Slack.Mean / float64(runs)
		}
	}
	for _, list := range p.sojourns {
		slices.Sort(list)
	}
	return p, nil
}

// sojourns collects how long jobs took.
type sojourns struct {
	from time.Duration
	by   map[string][]float64
}

// Job implements sim.JobSink.
func (s *sojourns) Job(row *sim.JobRow) error {
	if row.Finish >= 0 && row.Arrival >= s.from {
		s.by[row.Type] = append(s.by[row.Type], (row.Finish - row.Arrival).Seconds())
	}
	return nil
}

// types compares the job types, in the order of their names.
func (r *Report) types(measured, predicted map[string][]float64) {
	var names []string
	for name := range measured {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m, p := measured[name], predicted[name]
		r.Types = append(r.Types, Type{
			Type: name, Jobs: int64(len(m)), Judged: len(m) >= jobsMin && len(p) > 0,
			Mean: pair(mean(m), mean(p)), P50: pair(rank(m, 0.5), rank(p, 0.5)), P95: pair(rank(m, 0.95), rank(p, 0.95)),
		})
	}
}

func mean(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(len(list))
}

// rank returns the nearest rank of an ascending list.
func rank(list []float64, p float64) float64 {
	if len(list) == 0 {
		return 0
	}
	return list[min(max(int(math.Ceil(p*float64(len(list))))-1, 0), len(list)-1)]
}

// judge fills in what lies beyond the bounds.
func (r *Report) judge() {
	r.Beyond = []string{}
	say := func(what string, p Pair, most float64) {
		if !(math.Abs(p.Off) <= most) {
			r.Beyond = append(r.Beyond, fmt.Sprintf("%s: %+.1f %%, at most %.0f %%", what, 100*p.Off, 100*most))
		}
	}
	say("cost", r.Cost, r.Bounds.Cost)
	say("slack", r.Slack, r.Bounds.Slack)
	for i := range r.Types {
		if t := &r.Types[i]; t.Judged {
			say("p95 of "+t.Type, t.P95, r.Bounds.Latency)
		}
	}
	r.Kept = len(r.Beyond) == 0
	if r.NotModelled == nil {
		r.NotModelled = []string{}
	}
}
