// Command policyeval measures a policy on recorded traces: what it costs over
// the floor of work with the promises kept, learned on the first part of each
// trace and judged on the rest.
//
// Conditions: c1.xlarge (8 slots, speed 2.5, 0.80 USD/h) alone or with
// c1.medium; boots lognormal, hourly median 95 s and p99 230 s, per second 28 s
// and 62 s; promises on waiting time: priority 0, 99 % within 30 s; 1, 95 %
// within 120 s; 2, 95 % within 1800 s; each trace amplified by clones within
// ±30 s of the original.
//
//	go run ./bench/policyeval -traces ../shared/traces
//
// With -sites it measures the policy on synthetic sites in place of the traces:
// 22 kinds in two halves, A to choose defaults on and B to judge them by.
//
//	go run ./bench/policyeval -sites A -seeds 2 -medium
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/traces"
)

// A workload is a trace with how it is prepared and from when it is judged.
type workload struct {
	name    string
	file    string
	amplify int
	scale   float64
	from    time.Duration // of the trace that learning begins
	judge   time.Duration // after from
	offset  time.Duration
	site    *traces.PhotoSite
	first   bool // judge the first half, from two fifths of it
}

const day = 24 * time.Hour

func workloads(dir string) []workload {
	site := traces.DefaultPhotoSite()
	site.Duration = 14 * day
	return []workload{
		{name: "smug", file: filepath.Join(dir, "smugmug_synth_7d_10pct.csv.gz"), amplify: 10, scale: 1, judge: 84 * time.Hour, offset: -7 * time.Hour},
		{name: "wlm", file: filepath.Join(dir, "wlm_photo_2013.csv.gz"), amplify: 20, scale: 1, judge: 15 * day},
		{name: "ali", file: filepath.Join(dir, "alibaba_genai_2024.csv.gz"), amplify: 77, scale: 0.35, judge: 23 * day / 2},
		{name: "nasa", file: filepath.Join(dir, "nasa_http_1995_07.csv.gz"), amplify: 10, scale: 1, judge: 331 * time.Hour, offset: -4 * time.Hour},
		{name: "fb", file: filepath.Join(dir, "fb_hadoop_2009.csv.gz"), amplify: 2, scale: 1},
		{name: "surf", file: filepath.Join(dir, "surf_lisa_2022_10.csv.gz"), amplify: 2, scale: 0.116, judge: 15 * day, offset: 2 * time.Hour},
		{name: "meta", file: filepath.Join(dir, "metacentrum_2013q1.csv.gz"), amplify: 75, scale: 0.0034, judge: 45 * day, offset: time.Hour},
		{name: "site", site: &site, judge: 7 * day, offset: -7 * time.Hour},
	}
}

func (w *workload) load() (*traces.Packed, error) {
	if w.site != nil {
		src, err := w.site.Source()
		if err != nil {
			return nil, err
		}
		return traces.Load(src)
	}
	src, err := traces.Open(w.file, traces.Options{})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if w.scale != 1 {
		src = traces.Scale(src, w.scale)
	}
	if w.from > 0 {
		src = traces.Cut(src, w.from, 0)
	}
	return traces.Load(traces.Amplify(src, w.amplify, 30*time.Second, 1))
}

func (w *workload) world(hourly bool, medium bool, seed uint64) *sim.Config {
	cfg := &sim.Config{
		Name: w.name, Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), UTCOffset: w.offset, JudgeFrom: w.judge,
		Tick: time.Minute, Seed: seed, ReferenceSpeed: 1, MaxInstances: 500, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Classes: []policy.Class{
			{Name: "p0", Priority: 0, Target: 30 * time.Second, On: policy.Wait, Attain: 0.99},
			{Name: "p1", Priority: 1, Target: 120 * time.Second, On: policy.Wait, Attain: 0.95},
			{Name: "p2", Priority: 2, Target: 1800 * time.Second, On: policy.Wait, Attain: 0.95},
		},
	}
	sell(cfg, hourly, medium)
	if w.site != nil {
		cfg.ReferenceSpeed = 2.5
		cfg.Start = w.site.Start
	}
	if w.first {
		cfg.Duration = w.judge
		cfg.JudgeFrom = w.judge * 2 / 5
	}
	return cfg
}

// sell gives a world its instance types, how they are billed and how they boot.
func sell(cfg *sim.Config, hourly, medium bool) {
	cfg.Catalog = policy.Catalog{Name: "c1", Billing: policy.PerSecond, Types: []policy.InstanceType{
		{Name: "c1.xlarge", Cores: 8, Slots: 8, Speed: 2.5, PerHour: 800_000},
	}}
	boot := sim.BootModel{Model: "lognormal", Median: 28 * time.Second, P99: 62 * time.Second, Max: 180 * time.Second}
	if medium {
		cfg.Catalog.Types = append(cfg.Catalog.Types, policy.InstanceType{Name: "c1.medium", Cores: 2, Slots: 2, Speed: 2.5, PerHour: 200_000})
	}
	if hourly {
		cfg.Catalog.Billing = policy.Hourly
		boot = sim.BootModel{Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 300 * time.Second}
	}
	cfg.Boot = map[string]sim.BootModel{"": boot}
}

func main() {
	o := &options{}
	flag.StringVar(&o.dir, "traces", "../shared/traces", "folder of the recorded traces")
	flag.StringVar(&o.sites, "sites", "", "measure sites in place of traces: synthetic ones, half A, B or AB; or R, those whose rates were recorded")
	flag.StringVar(&o.only, "only", "", "workloads, by name: smug, wlm, ali, nasa, fb, surf, meta, site (default smug,wlm,site); sites, by name (default all)")
	flag.StringVar(&o.billings, "billings", "hourly,per-second", "billing rules")
	flag.BoolVar(&o.medium, "medium", false, "allow c1.medium too")
	flag.BoolVar(&o.first, "first", false, "judge the first halves only, from 40 % of them: what defaults are chosen on")
	flag.IntVar(&o.seeds, "seeds", 1, "boot seeds to average over")
	flag.BoolVar(&o.yardstick, "bound", false, "bound the cost and plan it knowing the future, in place of running the policy")
	flag.IntVar(&o.effort, "effort", 1, "with -bound, try this many times as many changes of the plan")
	flag.IntVar(&o.search, "search", 0, "try this many parameter sets in hindsight, and print the cheapest that keeps the promises")
	flag.StringVar(&o.policy, "policy", "skynet", "the policy measured")
	flag.StringVar(&o.params, "params", "{}", "policy parameters as JSON")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "policyeval:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	dir, sites, only, billings, policy, params string
	medium, first, yardstick                   bool
	seeds, search, effort                      int
}

// spec returns the policy asked for, and its parameters.
func (o *options) spec() (*policy.Spec, policy.Values, error) {
	raw := map[string]any{}
	if err := json.Unmarshal([]byte(o.params), &raw); err != nil {
		return nil, nil, fmt.Errorf("-params: %w", err)
	}
	spec := &skynet.Spec
	if o.policy != spec.Name {
		var known bool
		if spec, known = baseline.Lookup(o.policy); !known {
			return nil, nil, fmt.Errorf("-policy %s: not known", o.policy)
		}
	}
	values, problems := spec.Check(raw)
	if len(problems) > 0 {
		return nil, nil, problems[0]
	}
	return spec, values, nil
}

// named returns the places in known of the comma-separated names of list, in the
// order of known; of all where list is empty.
func named(key, list string, known []string) ([]int, error) {
	asked := known
	if list != "" {
		asked = strings.Split(list, ",")
	}
	for _, name := range asked {
		if !slices.Contains(known, name) {
			err := fmt.Errorf("%s = %q: allowed are %s", key, name, strings.Join(known, ", "))
			if near := spell.Nearest(name, known); near != "" {
				err = fmt.Errorf("%w; did you mean %s?", err, near)
			}
			return nil, err
		}
	}
	var at []int
	for i, name := range known {
		if slices.Contains(asked, name) {
			at = append(at, i)
		}
	}
	return at, nil
}

// hourly returns whether each billing rule asked for is by the hour, hourly ones
// first.
func (o *options) hourly() ([]bool, error) {
	at, err := named("-billings", o.billings, []string{billingName(true), billingName(false)})
	var hourly []bool
	for _, i := range at {
		hourly = append(hourly, i == 0)
	}
	return hourly, err
}

func (o *options) run() error {
	spec, values, err := o.spec()
	if err != nil {
		return err
	}
	billings, err := o.hourly()
	if err != nil {
		return err
	}
	switch {
	case o.seeds < 1:
		return fmt.Errorf("-seeds = %d: must be at least 1", o.seeds)
	case o.effort < 1 || o.effort > bound.EffortMax:
		return fmt.Errorf("-effort = %d: must be from 1 to %d", o.effort, bound.EffortMax)
	case o.effort != 1 && !o.yardstick:
		return fmt.Errorf("-effort = %d: only with -bound", o.effort)
	}
	if o.sites != "" {
		return o.measureSites(spec, values, billings)
	}
	return o.measureTraces(spec, values, billings)
}

// measureTraces prints a line for each workload and billing rule.
func (o *options) measureTraces(spec *policy.Spec, values policy.Values, billings []bool) error {
	all := workloads(o.dir)
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	if o.only == "" {
		o.only = "smug,wlm,site"
	}
	chosen, err := named("-only", o.only, names)
	if err != nil {
		return err
	}
	if o.yardstick {
		fmt.Println("bound and plan over the floor of work; plan over bound; attained by the plan p0/p1/p2 %")
	} else {
		fmt.Println("cost over the floor of work; attained p0/p1/p2 %; slack %; launches in the whole run")
	}
	for _, i := range chosen {
		w := all[i]
		w.first = o.first
		packed, err := w.load()
		if err != nil {
			return err
		}
		for _, hourly := range billings {
			switch {
			case o.yardstick:
				err = w.bound(packed, hourly, o.medium, o.effort)
			case o.search > 0:
				err = w.search(packed, spec, hourly, o.medium, o.search)
			default:
				err = w.measure(packed, spec, hourly, o.medium, o.seeds, values)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// simulate runs a policy on the same jobs with boot seeds 1, 2, 3 …, in that
// order of results.
func simulate(packed *traces.Packed, spec *policy.Spec, values policy.Values, seeds int, world func(seed uint64) *sim.Config) ([]*sim.Result, error) {
	results := make([]*sim.Result, seeds)
	err := sim.Each(context.Background(), runtime.GOMAXPROCS(0), seeds, func(ctx context.Context, i int) error {
		cfg := world(uint64(i + 1))
		p, err := spec.New(cfg.Env(), values)
		if err == nil {
			results[i], err = sim.Run(ctx, cfg, p, packed.Source(), sim.Options{})
		}
		return err
	})
	return results, err
}

// measure runs one workload under one billing rule and prints a line.
func (w *workload) measure(packed *traces.Packed, spec *policy.Spec, hourly, medium bool, seeds int, values policy.Values) error {
	began := time.Now()
	results, err := simulate(packed, spec, values, seeds, func(seed uint64) *sim.Config { return w.world(hourly, medium, seed) })
	if err != nil {
		return err
	}
	var over, slack, launched float64
	attained := [3]float64{}
	for _, r := range results {
		f := &r.Figures
		over += *f.Floor.Over / float64(seeds)
		slack += 100 * *f.Slack.Mean / float64(seeds)
		launched += float64(f.Instances.Launched) / float64(seeds)
		for k, name := range []string{"p0", "p1", "p2"} {
			if a := f.Classes[name].Attained; a != nil {
				attained[k] += 100 * *a / float64(seeds)
			} else {
				attained[k] = 100
			}
		}
	}
	billing := billingName(hourly)
	mark := func(x, want float64) string {
		if x < want {
			return fmt.Sprintf("%.2f!", x)
		}
		return fmt.Sprintf("%.2f", x)
	}
	fmt.Printf("%-5s %-10s %6.3f  floor $%8.2f  %s/%s/%s  s%.0f  l%.0f  (%.1fs)\n", w.name, billing, over, results[0].Figures.Floor.CostUSD,
		mark(attained[0], 99), mark(attained[1], 95), mark(attained[2], 95), slack, launched, time.Since(began).Seconds())
	return nil
}
