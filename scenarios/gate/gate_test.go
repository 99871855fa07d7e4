package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim/trial"
)

const small = `seed = 3
duration = "1h"
[generate]
model = "poisson"
[[generate.stream]]
type = "x"
per_second = 0.1
service = { mean = "5s" }
[[class]]
name = "all"
target = "10m"
attain = 0.5
[[promise]]
name = "most instances"
metric = "instances.max"
max = 1.0
[policy]
name = "static"
instances = 1
`

// scenario returns a scenario of this text in a folder of its own.
func scenario(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// measured runs a scenario with two seeds.
func measured(t *testing.T, s *scenarios.Scenario) *Measured {
	t.Helper()
	m, err := (&Measure{Parallel: 2}).Run(context.Background(), s, s.Decides(), Seeds(s, 2))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// written returns the baseline of a scenario, after it was written and read.
func written(t *testing.T, s *scenarios.Scenario, b *Baseline) *Baseline {
	t.Helper()
	put(t, s, string(b.Text()))
	b, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, s *scenarios.Scenario, text string) {
	t.Helper()
	path := Path(s.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestBaseline(t *testing.T) {
	s := scenario(t, small)
	m := measured(t, s)
	b, err := m.Baseline(nil, "skynet v1", "first")
	if err != nil {
		t.Fatal(err)
	}
	read := written(t, s, b)
	if diff := cmp.Diff(b, read); diff != "" {
		t.Errorf("a baseline is another after it was read:\n%s", diff)
	}
	if why, err := read.Stale(s); why != "" || err != nil {
		t.Errorf("fresh from the run it is stale: %s %v", why, err)
	}
	if diff := cmp.Diff([]uint64{3, 4}, read.Seeds); diff != "" {
		t.Error(diff)
	}
	var metrics []string
	for _, f := range read.Figures {
		metrics = append(metrics, f.Metric)
	}
	if diff := cmp.Diff([]string{"cost_usd", "classes.all.sojourn_s.p95", "classes.all.attained"}, metrics); diff != "" {
		t.Error(diff)
	}
	var promises []string
	for _, p := range read.Promises {
		promises = append(promises, fmt.Sprintf("%s %s %v", p.Promise, p.Want, p.KeptOn))
	}
	if diff := cmp.Diff([]string{"all ≥ 50 % within 10 m [3 4]", "most instances ≤ 1 [3 4]"}, promises); diff != "" {
		t.Error(diff)
	}

	// The same again is the same, whoever runs it; a tolerance that somebody chose
	// stays.
	read.Figures[0].Tolerance = trial.Tolerance{Relative: 0.5}
	again, err := measured(t, s).Baseline(read, "skynet v2", "no reason")
	if err != nil {
		t.Fatal(err)
	}
	if !again.Same(read) || again.Same(b) || again.Same(nil) {
		t.Errorf("same: %t, %t", again.Same(read), again.Same(b))
	}
}

// TestBaselineOn: what is compared stands seed by seed.
func TestBaselineOn(t *testing.T) {
	x, y := 1.0, 2.0
	b := &Baseline{Seeds: []uint64{5, 6}, Digests: []string{"a", "b"}, Figures: []trial.Series{{Metric: "cost_usd", Values: []*float64{&x, &y}}}}
	figures, digests := b.On([]uint64{7, 6, 5})
	if diff := cmp.Diff([]string{"", "b", "a"}, digests); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*float64{nil, &y, &x}, figures[0].Values); diff != "" {
		t.Error(diff)
	}
	if len(b.Figures[0].Values) != 2 {
		t.Error("the baseline itself was changed")
	}
}

// TestBadBaselines: what cannot be compared with is refused, with the reason and
// what to do.
func TestBadBaselines(t *testing.T) {
	s := scenario(t, small)
	var missing *MissingError
	if _, err := Load(s); !errors.As(err, &missing) || !strings.Contains(err.Error(), filepath.Join("baselines", "small.json")+": there is no baseline") {
		t.Errorf("without a file: %v", err)
	}
	b, err := measured(t, s).Baseline(nil, "skynet v1", "first")
	if err != nil {
		t.Fatal(err)
	}
	good := string(b.Text())
	for _, x := range []struct{ from, to, says string }{
		{good, "", "not a baseline: unexpected end of JSON input"},
		{good, good[:len(good)/2], "not a baseline: unexpected end of JSON input"},
		{good, "{}", "not a baseline: it has no schema"},
		{good, "[]", "not a baseline: json: cannot unmarshal array"},
		{`"schema": 1`, `"schema": 2`, `schema = 2: this skynet reads 1; the file was written by "skynet v1"`},
		{`"scenario"`, `"scenari"`, `not a baseline: json: unknown field "scenari"`},
		{`"scenario": "small"`, `"scenario": "large"`, `it is the baseline of "large", not of "small"`},
		{`"seeds": [3,4]`, `"seeds": [3]`, `1 seeds but 2 digests`},
		{`"seeds": [3,4]`, `"seeds": [3,3]`, `seed 3 stands there twice`},
		{`"seeds": [3,4]`, `"seeds": []`, `it names no seed`},
		{`"seeds": [3,4]`, `"seeds": [3,-4]`, `not a baseline: json: cannot unmarshal number -4`},
		{`"relative":0.02`, `"relative":-0.02`, `cost_usd: a tolerance must be 0 or more`},
		{`"metric":"cost_usd"`, `"metric":"cost"`, `it has no cost_usd`},
		{`"by_seed":[0.8,0.8]`, `"by_seed":[0.8,0.2]`, `cost_usd: its mean is not that of its values`},
		{`"by_seed":[0.8,0.8]`, `"by_seed":[0.8]`, `cost_usd: 2 seeds but 1 values`},
	} {
		text := strings.Replace(good, x.from, x.to, 1)
		if text == good {
			t.Fatalf("%s is not in\n%s", x.from, good)
		}
		put(t, s, text)
		_, err := Load(s)
		var bad *FileError
		if !errors.As(err, &bad) || !strings.Contains(bad.Reason, x.says) || !strings.Contains(bad.Reason, "skynet check --update --reason") {
			t.Errorf("%s → %s: %v, want %s", x.from, x.to, err, x.says)
		}
	}
	if err := os.Truncate(Path(s.Path), sizeMax+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(s); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file too large: %v", err)
	}
}

// TestStale: another world needs another baseline, another promise or policy
// does not.
func TestStale(t *testing.T) {
	b, err := measured(t, scenario(t, small)).Baseline(nil, "skynet v1", "first")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		from, to string
		stale    bool
	}{
		{"max = 1.0", "max = 2.0", false},
		{"instances = 1", "instances = 2", false},
		{"seed = 3", "seed = 4", false},
		{"per_second = 0.1", "per_second = 0.2", true},
		{"attain = 0.5", "attain = 0.6", true}, // the policy sees it
		{`duration = "1h"`, `duration = "2h"`, true},
	} {
		why, err := b.Stale(scenario(t, strings.Replace(small, x.from, x.to, 1)))
		if err != nil || (why != "") != x.stale {
			t.Errorf("%s → %s: %q, %v", x.from, x.to, why, err)
		}
	}
}

// TestOwnSeed: promises are judged on the scenario's own seed, though figures
// are of others.
func TestOwnSeed(t *testing.T) {
	s := scenario(t, small)
	m, err := (&Measure{Parallel: 2}).Run(context.Background(), s, s.Decides(), []uint64{8, 9})
	if err != nil {
		t.Fatal(err)
	}
	own := measured(t, s)
	if diff := cmp.Diff(own.Verdicts, m.Verdicts); diff != "" {
		t.Errorf("judged on another seed:\n%s", diff)
	}
	if len(m.Digests) != 2 || slices.Contains(m.Digests, own.Digests[0]) || len(m.Figures[0].Values) != 2 {
		t.Errorf("the scenario's own seed stands among %v", m.Seeds)
	}
}

// TestMeasureIsTheSame for any number of CPUs.
func TestMeasureIsTheSame(t *testing.T) {
	s := scenario(t, small)
	var texts []string
	for _, parallel := range []int{1, 4} {
		m, err := (&Measure{Parallel: parallel}).Run(context.Background(), s, s.Decides(), Seeds(s, 6))
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Baseline(nil, "", "")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b.Text()))
	}
	if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
		t.Error(diff)
	}
}

// TestTimeout: a run that does not end is ended, and named.
func TestTimeout(t *testing.T) {
	s := scenario(t, strings.Replace(small, `duration = "1h"`, `duration = "175000h"`, 1))
	m := &Measure{Parallel: 1, Timeout: 50 * time.Millisecond}
	_, err := m.Run(context.Background(), s, s.Decides(), Seeds(s, 2))
	var late *TimeoutError
	if !errors.As(err, &late) || late.Seed != 3 || !late.BadInput() || !strings.Contains(err.Error(), "small.toml, seed 3: not done after 50ms") {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := m.Run(ctx, s, s.Decides(), Seeds(s, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestNoJobs(t *testing.T) {
	s := scenario(t, strings.Replace(small, "per_second = 0.1", "per_second = 1e-9", 1))
	_, err := (&Measure{Parallel: 1}).Run(context.Background(), s, s.Decides(), Seeds(s, 1))
	var bad interface{ BadInput() bool }
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "seed 3: holds no job") {
		t.Error(err)
	}
}

// TestWatched: what is compared follows from what is promised.
func TestWatched(t *testing.T) {
	s := scenario(t, `duration = "1h"
[generate]
model = "photo-site"
[[class]]
name = "upload"
type = "photo"
target = "30s"
attain = 0.99
worst_hour = 0.9
[[class]]
name = "rest"
target = "1m"
on = "wait"
attain = 0.0
`)
	var got []string
	for _, w := range watched(s) {
		got = append(got, fmt.Sprintf("%s ±%v ±%v", w.metric, w.tolerance.Relative, w.tolerance.Absolute))
	}
	if diff := cmp.Diff([]string{
		"cost_usd ±0.02 ±0",
		"classes.upload.sojourn_s.p95 ±0.1 ±0.1", "classes.upload.attained ±0 ±0.001", "classes.upload.worst_hour ±0 ±0.025",
		"classes.rest.wait_s.p95 ±0.1 ±0.1", "classes.rest.attained ±0 ±0.01",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzBaseline: no text makes the reader fail otherwise than by saying why, and
// what it takes for a baseline can be compared with.
func FuzzBaseline(f *testing.F) {
	path := filepath.Join(f.TempDir(), "small.toml")
	if err := os.WriteFile(path, []byte(small), 0o666); err != nil {
		f.Fatal(err)
	}
	s, err := scenarios.Load(path)
	if err != nil {
		f.Fatal(err)
	}
	m, err := (&Measure{Parallel: 1}).Run(context.Background(), s, s.Decides(), Seeds(s, 2))
	if err != nil {
		f.Fatal(err)
	}
	b, err := m.Baseline(nil, "skynet v1", "first")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.Text())
	f.Add([]byte(`{"schema":1,"scenario":"small","seeds":[1],"digests":["a"],"figures":[{"metric":"cost_usd","by_seed":null}]}`))
	f.Add([]byte(`{"schema":1,"scenario":"small","seeds":[1],"digests":["a"],"figures":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, wrong := read(text, s)
		if wrong != "" {
			return
		}
		figures, digests := b.On(Seeds(s, 3))
		if len(digests) != 3 || len(figures) != len(b.Figures) {
			t.Errorf("%d digests, %d figures", len(digests), len(figures))
		}
		if again, wrong := read(b.Text(), s); wrong != "" || !again.Same(b) {
			t.Errorf("written again it is another: %s", wrong)
		}
	})
}
