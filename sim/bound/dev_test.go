package bound

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

func devWorld(name string, hourly bool) (*sim.Config, func() (traces.Source, error)) {
	const day = 24 * time.Hour
	dir := "/work/shared/traces"
	type wl struct {
		file  string
		amp   int
		scale float64
		judge time.Duration
	}
	w := map[string]wl{
		"smug": {"smugmug_synth_7d_10pct.csv.gz", 10, 1, 84 * time.Hour},
		"wlm":  {"wlm_photo_2013.csv.gz", 20, 1, 15 * day},
		"ali":  {"alibaba_genai_2024.csv.gz", 77, .35, 23 * day / 2},
		"nasa": {"nasa_http_1995_07.csv.gz", 10, 1, 331 * time.Hour},
		"fb":   {"fb_hadoop_2009.csv.gz", 2, 1, 0},
	}[name]
	src, err := traces.Open(filepath.Join(dir, w.file), traces.Options{})
	if err != nil {
		panic(err)
	}
	if w.scale != 1 {
		src = traces.Scale(src, w.scale)
	}
	packed, err := traces.Load(traces.Amplify(src, w.amp, 30*time.Second, 1))
	if err != nil {
		panic(err)
	}
	cfg := &sim.Config{
		Name: name, Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), JudgeFrom: w.judge,
		Tick: time.Minute, Seed: 1, ReferenceSpeed: 1, MaxInstances: 500, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Classes: []policy.Class{
			{Name: "p0", Priority: 0, Target: 30 * time.Second, On: policy.Wait, Attain: 0.99},
			{Name: "p1", Priority: 1, Target: 120 * time.Second, On: policy.Wait, Attain: 0.95},
			{Name: "p2", Priority: 2, Target: 1800 * time.Second, On: policy.Wait, Attain: 0.95},
		},
		Catalog: policy.Catalog{Name: "c1", Billing: policy.PerSecond, Types: []policy.InstanceType{
			{Name: "c1.xlarge", Cores: 8, Slots: 8, Speed: 2.5, PerHour: 800_000},
		}},
		Boot: map[string]sim.BootModel{"": {Model: "lognormal", Median: 28 * time.Second, P99: 62 * time.Second, Max: 180 * time.Second}},
	}
	if os.Getenv("MEDIUM") != "" {
		cfg.Catalog.Types = append(cfg.Catalog.Types, policy.InstanceType{Name: "c1.medium", Cores: 2, Slots: 2, Speed: 2.5, PerHour: 200_000})
	}
	if hourly {
		cfg.Catalog.Billing = policy.Hourly
		cfg.Boot[""] = sim.BootModel{Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 300 * time.Second}
	}
	return cfg, func() (traces.Source, error) { return packed.Source(), nil }
}

func TestDev(t *testing.T) {
	names := os.Getenv("DEV")
	if names == "" {
		t.Skip()
	}
	for _, name := range strings.Split(names, ",") {
		for _, hourly := range []bool{true, false} {
			if b := os.Getenv("BILL"); b == "h" && !hourly || b == "s" && hourly {
				continue
			}
			cfg, open := devWorld(name, hourly)
			began := time.Now()
			last := ""
			r, err := Compute(context.Background(), cfg, open, Options{Parallel: 2, LowerOnly: os.Getenv("LOWER") != "", Progress: func(s string, a, b int64) {
				if s != last {
					fmt.Printf("  [%.1fs] %s\n", time.Since(began).Seconds(), s)
					last = s
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%s hourly=%v floor %.2f lower %.2f (%.3f) plan %.2f (%.3f floor, gap %.3f) kept %v  %.1fs step %v\n", name, hourly, r.FloorUSD, r.LowerUSD, r.LowerUSD/r.FloorUSD, r.PlanUSD, r.PlanUSD/r.FloorUSD, r.Gap, r.Kept, time.Since(began).Seconds(), r.Step)
			for _, b := range r.Bounds {
				fmt.Printf("   %-30s %.3f\n", b.Name, b.USD/r.FloorUSD)
			}
			if r.Replay != nil {
				for _, c := range []string{"p0", "p1", "p2"} {
					if x := r.Replay.Classes[c]; x != nil && x.Attained != nil {
						fmt.Printf("   %s %.4f", c, *x.Attained)
					}
				}
				fmt.Println()
			}
		}
	}
}

func init() {
	if os.Getenv("DEV") == "" {
		return
	}
	debugOver = func(now time.Duration, own *owned) {
		fmt.Printf("      over at %v id %d busy %d idlein %v\n", now, own.id, own.in.Busy, own.in.IdleIn)
	}
	debug = func(p *planner, a *attempt) {
		fmt.Printf("    rents %d model cost %.2f real %.2f (%.3f) kept %v ", len(p.rents), p.cost, a.figures.Judged.CostUSD, a.figures.Judged.CostUSD/p.g.floor(p.w), a.kept)
		for k := range p.may {
			fmt.Printf(" | budget %d may %.0f model %.0f real %.0f price %.5f", p.g.budget[k], p.may[k], p.m.late[k], a.late[k], p.price[k])
		}
		fmt.Println()
	}
}
