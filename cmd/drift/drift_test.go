package drift

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/incident"
	"github.com/skynet-ec2/skynet/sim"
)

// A site that lives through a bad evening: its best type is refused for half an
// hour while the load doubles, then the queue is away, then EC2 does not answer.
const evening = `
title = "an evening"
start = 2026-03-02T16:00:00Z
tick = "1m"
duration = "6h"

[generate]
model = "photo-site"
scale = 0.6

[[class]]
name = "upload"
type = ["photo", "rotate"]
target = "45s"
attain = 0.95

[[class]]
name = "rest"
target = "20m"
attain = 0.9

[cloud]
boot = { model = "lognormal", median = "80s", p99 = "150s", max = "200s" }
max_instances = 60

[guard]
fleet_max = 60
launch_max = 20
hour_max_usd = 100.0

[policy]
name = "skynet"
`

const troubles = `
[[fault]]
kind = "refuse"
types = ["c1.xlarge", "c1.medium", "m1.xlarge", "m1.large", "m1.small"]
from = "2h10m"
to = "2h45m"

[[fault]]
kind = "queue-outage"
from = "3h30m"
to = "3h41m"

[[fault]]
kind = "api-outage"
from = "4h20m"
to = "4h40m"
`

// lived is what a run leaves behind, as production would.
type lived struct {
	began   time.Time
	journal []byte
	ended   []api.Finished
	figures *sim.Figures
	catalog []string
}

// live simulates a scenario, keeps its journal, and makes a history of its jobs.
func live(t *testing.T, text string) *lived {
	t.Helper()
	file := filepath.Join(t.TempDir(), "evening.toml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	header := w.JournalHeader(nil, 7, "skynet test")
	header.Fleet = "render"
	j := journal.NewWriter(&b, header, 0)
	c := s.Catalog()
	l := &lived{began: w.Config(7).Start, catalog: c.Names()}
	r, err := w.Run(t.Context(), nil, 7, sim.Options{Journal: j, Jobs: l})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	l.journal, l.figures = b.Bytes(), &r.Figures
	// the work of a job is its time on the type it ran on: the journal says which
	types := map[int64]string{}
	rd := journal.NewReader(l.source())
	for {
		line, err := rd.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec, is := line.(*journal.Record); is {
			for _, in := range rec.Observation.Fleet.Instances {
				types[int64(in.ID)] = l.catalog[in.Type]
			}
		}
	}
	for i := range l.ended {
		f := &l.ended[i]
		var instance int64
		if _, err := fmt.Sscan(f.InstanceID, &instance); err != nil {
			t.Fatal(err)
		}
		f.InstanceType = types[instance]
		if f.InstanceType == "" {
			t.Fatalf("no decision saw instance %d", instance)
		}
	}
	slices.SortFunc(l.ended, func(a, b api.Finished) int { return a.FinishedAt.Compare(b.FinishedAt) })
	return l
}

// Job implements sim.JobSink.
func (l *lived) Job(row *sim.JobRow) error {
	if row.Finish < 0 {
		return nil
	}
	at := func(d time.Duration) time.Time { return l.began.Add(d) }
	l.ended = append(l.ended, api.Finished{
		ID: row.Job, Type: row.Type, Priority: row.Priority, State: api.StateDone, Attempts: row.Attempts,
		SubmittedAt: at(row.Arrival), ArrivedAt: at(row.Arrival), StartedAt: at(row.Start), FinishedAt: at(row.Finish),
		RunS: (row.Finish - row.Start).Seconds(), InstanceID: fmt.Sprint(row.Instance),
	})
	return nil
}

func (l *lived) source() journal.Source {
	return journal.Source{Name: "journal", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(l.journal)), nil }}
}

func (l *lived) sources() past.Sources {
	return past.Sources{
		Journal: func(_, _ time.Time) ([]journal.Source, error) { return []journal.Source{l.source()}, nil },
		History: func(from time.Time, yield func(api.Finished) error) error {
			for _, f := range l.ended {
				if f.FinishedAt.Before(from) {
					continue
				}
				if err := yield(f); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// late returns how many of the jobs that arrived in a time took longer than most.
func late(l *lived, from, to time.Time, most time.Duration) (n int) {
	for _, f := range l.ended {
		if f.Type == "photo" && !f.ArrivedAt.Before(from) && f.ArrivedAt.Before(to) && f.FinishedAt.Sub(f.ArrivedAt) > most {
			n++
		}
	}
	return n
}

// An incident tells the same story as what it was made of: the same faults, to
// the minute, and when it is simulated the same refusals and late jobs, within a
// third, though boots are drawn anew.
func TestIncidentTellsTheSameStory(t *testing.T) {
	l := live(t, evening+troubles)
	at := func(d time.Duration) time.Time { return l.began.Add(d) }
	span := incident.Span{Start: at(time.Hour), From: at(90 * time.Minute), To: at(5*time.Hour + 30*time.Minute)}
	p, err := past.Read(t.Context(), l.sources(), span)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	folder := filepath.Join(t.TempDir(), "tonight")
	if err := p.Story.Write(folder, &p.Jobs, "test"); err != nil {
		t.Fatal(err)
	}
	if err := p.Story.Write(folder, &p.Jobs, "test"); err == nil {
		t.Error("it is written over what is there")
	}
	for _, want := range []struct {
		kind     sim.FaultKind
		from, to time.Duration
	}{
		{sim.Refuse, 2*time.Hour + 10*time.Minute, 2*time.Hour + 45*time.Minute},
		{sim.QueueOutage, 3*time.Hour + 30*time.Minute, 3*time.Hour + 41*time.Minute},
		{sim.APIOutage, 4*time.Hour + 20*time.Minute, 4*time.Hour + 40*time.Minute},
	} {
		found := false
		for _, f := range p.Story.Faults {
			from, to := f.From+time.Hour, f.To+time.Hour
			// a refusal shows when something is asked for
			near := from >= want.from && to <= want.to+time.Minute
			if want.kind != sim.Refuse {
				near = near && from <= want.from+time.Minute && to >= want.to-time.Minute
			}
			found = found || f.Kind == string(want.kind) && near
		}
		if !found {
			t.Errorf("no %s from %v to %v in %+v", want.kind, want.from, want.to, p.Story.Faults)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, incident.ScenarioFile))
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Load(filepath.Join(folder, incident.ScenarioFile))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	again := &lived{began: w.Config(1).Start}
	r, err := w.Run(context.Background(), nil, 1, sim.Options{Jobs: again})
	if err != nil {
		t.Fatal(err)
	}
	if p.Jobs.Pending+p.Jobs.Running == 0 || !strings.Contains(string(text), "arrive at 0") {
		t.Errorf("nothing was under way at the start: %+v", p.Jobs)
	}
	compare := func(what string, was, is float64) {
		t.Logf("%s: %v was, %v is simulated", what, was, is)
		if was == 0 || math.Abs(is-was) > 0.34*was {
			t.Errorf("%s: %v was, %v is simulated", what, was, is)
		}
	}
	compare("late uploads while nothing could be bought", float64(late(l, at(2*time.Hour), at(3*time.Hour), 45*time.Second)), float64(late(again, at(2*time.Hour), at(3*time.Hour), 45*time.Second)))
	compare("late uploads while the queue was away", float64(late(l, at(3*time.Hour+25*time.Minute), at(4*time.Hour), 45*time.Second)), float64(late(again, at(3*time.Hour+25*time.Minute), at(4*time.Hour), 45*time.Second)))
	compare("refused instances", float64(p.Story.Measured.Refused), float64(r.Figures.Instances.Refused))
	compare("cost", p.Story.Measured.CostUSD, r.Figures.Judged.CostUSD)
	if left, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(left) != 1 {
		t.Errorf("beside the folder stand %v, %v", left, err)
	}
}

// Each kind of fault that the journal shows is told of as what it was, when it was;
// an evening without any is told of without any.
func TestEveryFaultIsToldOf(t *testing.T) {
	for _, c := range []struct {
		kind     sim.FaultKind
		text     string
		from, to time.Duration // between which it is told of
	}{
		{"", "", 0, 0},
		{sim.Throttle, "from = '2h'\nto = '3h'\nprobability = 0.9", 115 * time.Minute, 190 * time.Minute},
		{sim.DeadBoot, "from = '2h'\nto = '3h'\nprobability = 0.8", 119 * time.Minute, 181 * time.Minute},
		{sim.Crash, "from = '2h30m'\nprobability = 0.7", 148 * time.Minute, 160 * time.Minute},
		{sim.Partition, "from = '2h30m'\nto = '2h38m'\nprobability = 0.5", 148 * time.Minute, 162 * time.Minute},
		{sim.Interrupt, "from = '1h'\nto = '3h'\nprobability = 0.6\n[[cloud.standing]]\ntype = 'c1.xlarge'\nmarket = 'spot'\ncount = 6\n[cloud.spot]\ndiscount = 0.4", 58 * time.Minute, 65 * time.Minute},
		{sim.PriceChange, "from = '2h30m'\nto = '3h'\nfactor = 1.5", 149 * time.Minute, 182 * time.Minute},
		{sim.Stale, "from = '2h30m'\nto = '3h'\nsignals = 'fleet'", 149 * time.Minute, 182 * time.Minute},
		{sim.Blind, "from = '2h30m'\nto = '3h'\nsignals = 'money'", 149 * time.Minute, 182 * time.Minute},
	} {
		t.Run(cmp.Or(string(c.kind), "nothing"), func(t *testing.T) {
			text := evening
			if c.kind != "" {
				text += fmt.Sprintf("\n[[fault]]\nkind = %q\n%s\n", c.kind, c.text)
			}
			l := live(t, text)
			span := incident.Span{Start: l.began.Add(10 * time.Minute), From: l.began.Add(30 * time.Minute), To: l.began.Add(5 * time.Hour)}
			p, err := past.Read(t.Context(), l.sources(), span)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			told := 0
			for _, f := range p.Story.Faults {
				from, to := f.From+10*time.Minute, f.To+10*time.Minute
				t.Logf("%s from %v to %v, probability %.2f, factor %.2f: %s", f.Kind, from, to, f.Probability, f.Factor, f.Why)
				switch {
				case f.Kind != string(c.kind):
					t.Errorf("%s is told of", f.Kind)
				case from < c.from || to > c.to:
					t.Errorf("it is told of from %v to %v: want within %v and %v", from, to, c.from, c.to)
				default:
					told++
				}
			}
			if (told > 0) != (c.kind != "") {
				t.Errorf("%d faults are told of", told)
			}
			if c.kind == sim.PriceChange && told != 1 {
				t.Errorf("one price change is told of as %d", told)
			}
		})
	}
}

// What the simulator says of what the simulator did is within a twentieth; what
// it says where jobs took half as long again is not, and is said. An evening has
// few watermarks, so their p95 takes two dozen simulations to settle.
func TestDrift(t *testing.T) {
	l := live(t, evening)
	span := incident.Span{Start: l.began.Add(30 * time.Minute), From: l.began.Add(90 * time.Minute), To: l.began.Add(6 * time.Hour)}
	r, err := Measure(t.Context(), l.sources(), span, Bounds{0.05, 0.05, 0.10}, 24)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	if !r.Kept || !strings.Contains(b.String(), "✓ within bounds") {
		t.Error("not within bounds")
	}
	for i := range l.ended { // the workers were half as fast as they said
		f := &l.ended[i]
		f.Tenant = "smith"
		f.FinishedAt = f.FinishedAt.Add(2 * f.FinishedAt.Sub(f.StartedAt))
	}
	r, err = Measure(t.Context(), l.sources(), span, Usual, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Kept || !slices.ContainsFunc(r.Beyond, func(s string) bool { return strings.HasPrefix(s, "p95 of ") }) {
		t.Errorf("slower jobs are not noticed: %+v", r)
	}
	if !slices.ContainsFunc(r.NotModelled, func(s string) bool { return strings.HasPrefix(s, "tenants: ") }) {
		t.Errorf("tenants are not named: %q", r.NotModelled)
	}
}

// A time without a decision, or without a job, is the user's mistake.
func TestNothingToCompare(t *testing.T) {
	l := live(t, strings.Replace(evening, `duration = "6h"`, `duration = "20m"`, 1))
	day := 24 * time.Hour
	for _, span := range []incident.Span{{Start: l.began.Add(day), From: l.began.Add(day), To: l.began.Add(2 * day)}} {
		_, err := Measure(t.Context(), l.sources(), span, Usual, 1)
		if bad, is := err.(interface{ BadInput() bool }); !is || !bad.BadInput() {
			t.Errorf("%v", err)
		}
	}
}
