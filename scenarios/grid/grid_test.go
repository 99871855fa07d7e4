package grid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/scenarios"
)

const small = `
seed = 3
duration = "3h"
judge_from = "10m"
[generate]
model = "poisson"
[[generate.stream]]
type = "x"
per_second = 0.2
service = { mean = "20s" }
[[class]]
name = "all"
target = "5m"
attain = 0.9
[cloud]
catalog = "ec2-2008"
[policy]
name = "static"
instances = 2
`

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// trials runs a grid and returns all its trials as JSON, and how many were
// found in the store.
func trials(t *testing.T, g *Grid) (text []byte, found int) {
	t.Helper()
	found = run(t, g, func(_ *scenarios.Scenario, rows []Row) error {
		for _, r := range rows {
			b, err := json.Marshal(r.Trials)
			if err != nil {
				return err
			}
			text = append(text, b...)
		}
		return nil
	})
	return text, found
}

func run(t *testing.T, g *Grid, each func(*scenarios.Scenario, []Row) error) int {
	t.Helper()
	hits := make(chan bool, g.Cells())
	g.Done = func(kept bool) { hits <- kept }
	if errs := g.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	if err := g.Run(t.Context(), each); err != nil {
		t.Fatal(err)
	}
	close(hits)
	found, all := 0, 0
	for hit := range hits {
		all++
		if hit {
			found++
		}
	}
	if all != g.Cells() {
		t.Errorf("%d cells were told of, want %d", all, g.Cells())
	}
	return found
}

// versions are of a program that is one version for every policy.
func versions(v string) func(string) string { return func(string) string { return v } }

// A grid gives the same bytes whatever the parallelism, and whether all, some
// or none of it was in the store.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	other := write(t, dir, "one.toml", "name = \"static\"\n[params]\ninstances = 1\n")
	g := &Grid{
		Scenarios: []*scenarios.Scenario{
			load(t, write(t, dir, "a.toml", small)),
			load(t, write(t, dir, "b.toml", strings.Replace(small, "seed = 3", "seed = 9", 1))),
		},
		Policies: []Contender{{Name: "skynet", Of: "skynet"}, {Name: "one", Path: other}},
		Runs:     3, Parallel: 1, Version: versions("v1"),
	}
	want, _ := trials(t, g)
	g.Parallel = 4
	if got, _ := trials(t, g); !bytes.Equal(got, want) {
		t.Error("four at once gave other bytes")
	}
	var warned []string
	store := &Store{Dir: t.TempDir(), Warn: func(file, why string) { warned = append(warned, filepath.Base(file)+": "+why) }}
	g.Store = store
	again := func(what string, wantFound int) {
		t.Helper()
		got, found := trials(t, g)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes", what)
		}
		if found != wantFound {
			t.Errorf("%s: %d cells were found, want %d", what, found, wantFound)
		}
	}
	again("an empty store", 0)
	again("a full store", 12)
	if len(warned) > 0 {
		t.Errorf("warned of %q", warned)
	}

	files, err := filepath.Glob(filepath.Join(store.Dir, "*.json"))
	if err != nil || len(files) != 12 {
		t.Fatalf("%d files, %v; want one for each cell", len(files), err)
	}
	slices.Sort(files)
	truncate(t, files[0])
	change(t, files[1])
	copyFile(t, files[2], files[3])
	if err := os.Remove(files[4]); err != nil {
		t.Fatal(err)
	}
	again("a damaged store", 8)
	if len(warned) != 3 ||
		!strings.Contains(warned[0]+warned[1]+warned[2], "not a finished cell") ||
		!strings.Contains(warned[0]+warned[1]+warned[2], "was changed since it was written") ||
		!strings.Contains(warned[0]+warned[1]+warned[2], "holds another cell") {
		t.Errorf("warned of %q, want a file cut short, one changed and one of another cell", warned)
	}
	again("a repaired store", 12)

	// The digest tells what the results depend on.
	digest := g.Digest()
	g.Runs = 2
	if g.Digest() == digest {
		t.Error("fewer seeds have the same digest")
	}
	g.Runs = 3
	if g.Digest() != digest {
		t.Error("the same grid has another digest")
	}

	// Nothing of another version, policy or scenario is used.
	g.Version = versions("v2")
	again("another version", 0)
	g.Version = func(policy string) string { return map[string]string{"skynet": "v2", "static": "v3"}[policy] }
	again("another version of one policy", 6)
	again("a store of both", 12)
	g.Version = versions("v2")
	write(t, dir, "one.toml", "name = \"static\"\n[params]\ninstances = 3\n")
	if g.Digest() == digest {
		t.Error("another policy has the same digest")
	}
	if got, found := trials(t, g); found != 6 || bytes.Equal(got, want) {
		t.Errorf("another policy of the same name: %d cells were found, want the other policy's 6", found)
	}
	g.Scenarios[0] = load(t, write(t, dir, "a.toml", strings.Replace(small, `"20s"`, `"21s"`, 1)))
	if _, found := trials(t, g); found != 6 {
		t.Errorf("another scenario of the same name: %d cells were found, want the 6 of the second scenario", found)
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(`"cost_usd":`), []byte(`"cost_usd":1`), 1)
	if bytes.Equal(changed, text) {
		t.Fatal("nothing was changed")
	}
	if err := os.WriteFile(path, changed, 0o666); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A grid that is stopped keeps what it has finished.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	g := &Grid{
		Scenarios: []*scenarios.Scenario{load(t, write(t, dir, "a.toml", small))},
		Runs:      5, Parallel: 1, Store: &Store{Dir: t.TempDir()},
	}
	ctx, stop := context.WithCancel(t.Context())
	done := 0
	g.Done = func(bool) {
		if done++; done == 2 {
			stop()
		}
	}
	if errs := g.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	err := g.Run(ctx, func(*scenarios.Scenario, []Row) error {
		t.Error("an incomplete scenario was handed over")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that it was canceled", err)
	}
	if _, found := trials(t, g); found != 2 {
		t.Errorf("%d cells were found, want the 2 that were finished", found)
	}
}

// A yardstick is asked once for each seed, and never for what is finished.
func TestYardstick(t *testing.T) {
	dir := t.TempDir()
	asked := make(chan uint64, 100)
	g := &Grid{
		Scenarios: []*scenarios.Scenario{load(t, write(t, dir, "a.toml", small))},
		Policies:  []Contender{{Name: "skynet", Of: "skynet"}, {Name: "naive-2008", Of: "naive-2008"}},
		Runs:      2, Parallel: 2, Store: &Store{Dir: t.TempDir()},
		Yardstick: Yardstick{Name: "plan", Of: func(_ context.Context, _ *scenarios.World, seed uint64) (*Bound, error) {
			asked <- seed
			return &Bound{LowerUSD: float64(seed), PlanUSD: 7}, nil
		}},
	}
	check := func(_ *scenarios.Scenario, rows []Row) error {
		for _, r := range rows {
			for k, x := range r.Trials {
				if x.LowerUSD != float64(3+k) || !x.Certified || x.PlanUSD != 7 {
					t.Errorf("%s, seed %d: bound %v, certified %v, plan %v", r.Name, 3+k, x.LowerUSD, x.Certified, x.PlanUSD)
				}
			}
		}
		return nil
	}
	run(t, g, check)
	if n := len(asked); n != 2 {
		t.Errorf("asked %d times, want once for each of 2 seeds", n)
	}
	run(t, g, check)
	g.Policies = append(g.Policies, Contender{Name: "static", Of: "static"})
	run(t, g, check)
	if n := len(asked); n != 2 {
		t.Errorf("asked %d times, want the kept bounds to be used", n)
	}
}

// A policy that cannot decide in a scenario is found before anything runs.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	g := &Grid{
		Scenarios: []*scenarios.Scenario{load(t, write(t, dir, "a.toml", small))},
		Policies: []Contender{
			{Name: "skynet", Of: "skynet"},
			{Name: "skynt", Of: "skynt"},
			{Name: "scripted", Of: "scripted"},
			{Name: "huge", Path: write(t, dir, "huge.toml", "name = \"static\"\n[params]\ntype = \"c9.huge\"\n")},
		},
		Runs: 1, Parallel: 1,
	}
	var said []string
	for _, err := range g.Check() {
		said = append(said, err.Error())
	}
	if len(said) != 3 || !strings.Contains(said[0], `did you mean "skynet"`) || !strings.Contains(said[1], "steps") || !strings.Contains(said[2], "c9.huge") {
		t.Errorf("got %q", said)
	}
}
