package sim

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/traces"
)

// What must not change a run, or must change it in one known way.

// thrifty is a policy that follows the queue: it launches what is pending,
// counting what boots, drains what is idle near the end of its paid window, and
// gives up boots that take ten minutes. It has no state but what it observes.
type thrifty struct {
	acts
	typ, most int
}

func newThrifty(env *policy.Env, typeName string, most int) *thrifty {
	p := &thrifty{typ: env.Catalog.Index(typeName), most: most}
	slots := env.Catalog.Types[p.typ].Slots
	p.acts = func(o *policy.Observation) policy.Decision {
		var d policy.Decision
		need := 0
		for i := range o.Queue.Kinds {
			need += int(o.Queue.Kinds[i].Pending.Jobs)
		}
		for i := range o.Fleet.Instances {
			in := &o.Fleet.Instances[i]
			switch {
			case in.Phase == policy.Booting && o.Now.Sub(in.LaunchedAt) > 10*time.Minute:
				d.Drains = append(d.Drains, in.ID)
			case in.Phase == policy.Booting:
				need -= in.Slots
			case in.Phase == policy.Ready && in.Busy == 0 && in.PaidUntil.Sub(o.Now) <= 2*o.Tick:
				d.Drains = append(d.Drains, in.ID)
			}
		}
		n := min((need+slots-1)/slots, p.most-len(o.Fleet.Instances))
		if n > 0 {
			d.Launches = []policy.Launch{{Type: p.typ, Count: n}}
		}
		return d
	}
	return p
}

// someday returns a world with boots drawn at random, and half a day of work in
// bursts.
func someday(billing policy.Billing) (*Config, []job) {
	cfg := &Config{
		Name: "someday", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute, Seed: 7,
		Classes: []policy.Class{
			{Name: "urgent", Priority: 0, Target: 30 * time.Second, Attain: 0.9},
			{Name: "rest", Priority: -1, Target: 20 * time.Minute, Attain: 0.9},
		},
		Catalog: policy.EC2in2008(),
		Boot: map[string]BootModel{"": {
			Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 5 * time.Minute, NeverBoots: 0.02,
		}},
		MaxInstances: 30, Lease: 30 * time.Second, Beat: 10 * time.Second,
	}
	cfg.Catalog.Billing = billing
	for i := range cfg.Catalog.Types {
		// whole millionths of a dollar a second, so that no bill is rounded
		cfg.Catalog.Types[i].PerHour = cfg.Catalog.Types[i].PerHour / 3600 * 3600
	}
	r := rand.New(rand.NewPCG(1, 13))
	var list []job
	at := int64(0)
	for at < int64(12*time.Hour) {
		if r.IntN(60) == 0 {
			at += r.Int64N(int64(40 * time.Minute)) // a lull
		}
		at += r.Int64N(int64(4 * time.Second))
		list = append(list, job{at, 1 + r.Int64N(int64(40*time.Second)), []string{"photo", "video"}[r.IntN(2)], uint8(r.IntN(3))})
	}
	return cfg, list
}

// policies are the ones the relations are tested on. Their Env is that of the
// world they will run in.
var policies = []struct {
	name string
	new  func(env policy.Env) (policy.Policy, error)
}{
	{"thrifty", func(env policy.Env) (policy.Policy, error) { return newThrifty(&env, "c1.xlarge", 25), nil }},
	{"static", func(env policy.Env) (policy.Policy, error) { return policy.NewStatic(env, 6, "c1.xlarge") }},
	{"skynet", func(env policy.Env) (policy.Policy, error) { return skynet.Spec.New(env, nil) }},
	{"naive-2008", func(env policy.Env) (policy.Policy, error) { return baseline.Naive2008.New(env, nil) }},
}

// outcome is a run, comparable with another.
type outcome struct {
	res  *Result
	rows jobRows
}

func (o *outcome) decisions(t *testing.T, later time.Duration) string {
	t.Helper()
	for i := range o.res.Decisions {
		o.res.Decisions[i].At -= later
	}
	text, err := json.MarshalIndent(o.res.Decisions, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func live(t *testing.T, cfg *Config, newPolicy func(policy.Env) (policy.Policy, error), src traces.Source) *outcome {
	t.Helper()
	p, err := newPolicy(cfg.Env())
	if err != nil {
		t.Fatal(err)
	}
	var o outcome
	if o.res, err = Run(context.Background(), cfg, p, src, Options{Jobs: &o.rows, Timeline: true}); err != nil {
		t.Fatal(err)
	}
	if n := o.res.Figures.Jobs; n.Pending != 0 {
		t.Fatalf("%+v: the run did not end well", n)
	}
	return &o
}

// eachWorld runs a relation for every policy under both billing rules.
func eachWorld(t *testing.T, relation func(t *testing.T, cfg *Config, list []job, p func(policy.Env) (policy.Policy, error))) {
	for _, p := range policies {
		for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
			t.Run(p.name+" "+billing.Name, func(t *testing.T) {
				cfg, list := someday(billing)
				relation(t, cfg, list, p.new)
			})
		}
	}
}

// sameRun fails unless two runs did the same, event by event.
func sameRun(t *testing.T, a, b *outcome) {
	t.Helper()
	if a.res.Figures.Digest != b.res.Figures.Digest {
		t.Errorf("digests differ: %s, %s", a.res.Figures.Digest, b.res.Figures.Digest)
	}
	if d := cmp.Diff(a.res.Figures, b.res.Figures); d != "" {
		t.Errorf("figures differ:\n%s", d)
	}
	if !slices.Equal(a.rows, b.rows) {
		t.Error("jobs differ")
	}
}

// The same week a week later: nothing depends on the date.
func TestCalendarSevenDaysLater(t *testing.T) {
	eachWorld(t, func(t *testing.T, cfg *Config, list []job, p func(policy.Env) (policy.Policy, error)) {
		a := live(t, cfg, p, newJobs(list))
		later := *cfg
		later.Start = cfg.Start.Add(7 * 24 * time.Hour)
		b := live(t, &later, p, newJobs(list))
		for _, f := range []*Figures{&a.res.Figures, &b.res.Figures} { // where they name a date
			f.Guard.FirstAt = ""
			for _, c := range f.Classes {
				c.WorstHourAt, c.WorstDayAt = "", ""
			}
		}
		sameRun(t, a, b)
		if d := cmp.Diff(a.decisions(t, 0), b.decisions(t, 0)); d != "" {
			t.Errorf("decisions differ:\n%s", d)
		}
	})
}

// Jobs that all come seven days later meet the same decisions seven days later,
// at the same cost, from a policy that acts on the queue alone.
func TestTraceSevenDaysLater(t *testing.T) {
	const week = 7 * 24 * time.Hour
	for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		t.Run(billing.Name, func(t *testing.T) {
			cfg, list := someday(billing)
			a := live(t, cfg, policies[0].new, newJobs(list))
			shifted := slices.Clone(list)
			for i := range shifted {
				shifted[i].arrival += int64(week)
			}
			b := live(t, cfg, policies[0].new, newJobs(shifted))
			for i := range b.rows {
				row := &b.rows[i]
				row.Arrival, row.Start, row.Finish = row.Arrival-week, row.Start-week, row.Finish-week
			}
			if d := cmp.Diff(a.rows, b.rows); d != "" {
				t.Errorf("jobs differ:\n%s", d)
			}
			if d := cmp.Diff(a.decisions(t, 0), b.decisions(t, week)); d != "" {
				t.Errorf("decisions differ:\n%s", d)
			}
			if a.res.Figures.CostUSD != b.res.Figures.CostUSD {
				t.Errorf("$ %v became %v", a.res.Figures.CostUSD, b.res.Figures.CostUSD)
			}
		})
	}
}

// At double the prices the same happens, and costs exactly double.
func TestDoublePrices(t *testing.T) {
	eachWorld(t, func(t *testing.T, cfg *Config, list []job, p func(policy.Env) (policy.Policy, error)) {
		a := live(t, cfg, p, newJobs(list))
		double := *cfg
		double.Catalog.Types = slices.Clone(cfg.Catalog.Types)
		for i := range double.Catalog.Types {
			double.Catalog.Types[i].PerHour *= 2
		}
		b := live(t, &double, p, newJobs(list))
		if a.res.Figures.Digest != b.res.Figures.Digest {
			t.Error("dearer instances were used otherwise")
		}
		cents := func(x float64) int64 { return int64(x*1e6 + 0.5) }
		if got, want := cents(b.res.Figures.CostUSD), 2*cents(a.res.Figures.CostUSD); got != want {
			t.Errorf("costs %d millionths of a dollar, want %d", got, want)
		}
		if got, want := cents(b.res.Figures.Judged.CostUSD), 2*cents(a.res.Figures.Judged.CostUSD); got != want {
			t.Errorf("judged cost %d millionths of a dollar, want %d", got, want)
		}
	})
}

// A type that nobody buys, wherever it stands in the catalog, changes nothing.
func TestUnusedType(t *testing.T) {
	eachWorld(t, func(t *testing.T, cfg *Config, list []job, p func(policy.Env) (policy.Policy, error)) {
		a := live(t, cfg, p, newJobs(list))
		dear := policy.InstanceType{Name: "z9.dear", Cores: 1, Slots: 1, Speed: 0.5, PerHour: 100 * policy.USD}
		last := *cfg
		last.Catalog.Types = append(slices.Clone(cfg.Catalog.Types), dear)
		sameRun(t, a, live(t, &last, p, newJobs(list)))

		first := *cfg
		first.Catalog.Types = append([]policy.InstanceType{dear}, cfg.Catalog.Types...)
		b := live(t, &first, p, newJobs(list))
		b.res.Figures.Digest = a.res.Figures.Digest // which numbers the types
		sameRun(t, a, b)
	})
}

// A class that matches no job, and another name, change nothing.
func TestUnusedClass(t *testing.T) {
	cfg, list := someday(policy.Hourly)
	a := live(t, cfg, policies[0].new, newJobs(list))
	more := *cfg
	more.Classes = append(slices.Clone(cfg.Classes), policy.Class{Name: "none", Types: []string{"music"}, Priority: -1, Target: time.Second})
	b := live(t, &more, policies[0].new, newJobs(list))
	if c := b.res.Figures.Classes["none"]; c.Jobs != 0 || c.Attained != nil {
		t.Errorf("a class without jobs: %+v", c)
	}
	delete(b.res.Figures.Classes, "none")
	sameRun(t, a, b)
}

// Neither the number of CPUs nor what runs beside it changes a run.
func TestAnyNumberOfCPUs(t *testing.T) {
	want := map[uint64]string{}
	was := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(was)
	for _, cpus := range []int{1, 2} {
		runtime.GOMAXPROCS(cpus)
		got := make([]string, 8)
		var group sync.WaitGroup
		for i := range got {
			group.Go(func() {
				cfg, list := stormy(uint64(i % 4))
				p := &wild{r: rand.New(rand.NewPCG(uint64(i%4), 3)), types: len(cfg.Catalog.Types)}
				res, err := Run(context.Background(), cfg, p, newJobs(list), Options{})
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = res.Figures.Digest
			})
		}
		group.Wait()
		for i, digest := range got {
			seed := uint64(i % 4)
			if want[seed] == "" {
				want[seed] = digest
			}
			if digest != want[seed] {
				t.Errorf("storm %d on %d CPUs: digest %s, want %s", seed, cpus, digest, want[seed])
			}
		}
	}
}

// pieces yields a trace in batches of given sizes, each with only the kinds
// met so far.
type pieces struct {
	whole traces.Batch
	size  func() int
	at    int
}

func (p *pieces) Next(b *traces.Batch) error {
	left := p.whole.Len() - p.at
	if left == 0 {
		return io.EOF
	}
	n := min(p.size(), left)
	w := &p.whole
	known := uint16(0)
	for _, k := range w.Kind[:p.at+n] {
		known = max(known, k+1)
	}
	// copies, so that whoever keeps a batch too long finds nonsense
	for _, column := range [][]int64{b.Arrival, b.Service} {
		for i := range column {
			column[i] = -1
		}
	}
	*b = traces.Batch{
		First: int64(p.at), Kinds: w.Kinds[:known],
		Arrival: slices.Clone(w.Arrival[p.at : p.at+n]), Service: slices.Clone(w.Service[p.at : p.at+n]), Kind: slices.Clone(w.Kind[p.at : p.at+n]),
	}
	p.at += n
	return nil
}

func (p *pieces) Meta() traces.Meta { return traces.Meta{Jobs: -1} }
func (p *pieces) Close() error      { return nil }

// How a trace is cut into batches changes nothing.
func TestAnyBatches(t *testing.T) {
	cfg, list := someday(policy.Hourly)
	for i := range list { // arrivals in the same second, across batches too
		list[i].arrival -= list[i].arrival % int64(4*time.Second)
	}
	a := live(t, cfg, policies[0].new, newJobs(list))
	r := rand.New(rand.NewPCG(1, 17))
	for _, x := range []struct {
		name string
		size func() int
	}{
		{"one", func() int { return 1 }},
		{"seven", func() int { return 7 }},
		{"any", func() int { return 1 + r.IntN(100) }},
	} {
		t.Run(x.name, func(t *testing.T) {
			sameRun(t, a, live(t, cfg, policies[0].new, &pieces{whole: newJobs(list).batch, size: x.size}))
		})
	}
}

// A slot that goes straight from job to job does what completing, listing and
// dispatching would: a world in which jobs may fail, at a rate of nought, takes
// the long way. Jobs that arrive and end on whole seconds end together, too.
func TestRelayChangesNothing(t *testing.T) {
	for _, grid := range []int64{1, int64(time.Second)} {
		eachWorld(t, func(t *testing.T, cfg *Config, list []job, p func(policy.Env) (policy.Policy, error)) {
			for i := range list {
				x := &list[i]
				x.arrival -= x.arrival % grid
				x.service = max(x.service-x.service%grid, grid)
			}
			a := live(t, cfg, p, newJobs(list))
			cfg.Failures = []Failure{{}}
			sameRun(t, a, live(t, cfg, p, newJobs(list)))
		})
	}
}

// Two policies of one seed meet the same weather: the n-th launch boots as
// slowly, whenever it is made and whatever its type; another seed is another
// weather.
func TestSameWeather(t *testing.T) {
	const n = 40
	lags := func(seed uint64, p acts) []int64 {
		cfg, _ := someday(policy.Hourly)
		cfg.Seed, cfg.Duration, cfg.MaxInstances = seed, 2*time.Hour, n
		e, err := newEngine(cfg, p, newJobs(nil), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		lags := make([]int64, n)
		for _, r := range e.alive {
			in := e.insts[r]
			lags[in.id] = -1 // never
			if in.readyAt != never {
				lags[in.id] = in.readyAt - in.launch
			}
		}
		return lags
	}
	once := false
	together := func(*policy.Observation) policy.Decision {
		if once {
			return policy.Decision{}
		}
		once = true
		return launch(n)
	}
	k := 0
	oneByOne := func(*policy.Observation) policy.Decision {
		if k++; k > n {
			return policy.Decision{}
		}
		var d policy.Decision
		d.Launches = []policy.Launch{{Type: k % 5, Count: 1}}
		return d
	}
	a := lags(7, together)
	if b := lags(7, oneByOne); !slices.Equal(a, b) {
		t.Errorf("boot lags by launch:\n%v\n%v", a, b)
	}
	once = false
	if slices.Equal(a, lags(8, together)) {
		t.Error("another seed has the same weather")
	}
	if slices.Max(a) == slices.Min(a) || slices.Index(a, -1) < 0 {
		t.Errorf("boot lags %v: want different ones, and one that never boots", a)
	}
}

// A policy cannot tell how long pending jobs will take: until one of them has
// run, two worlds that differ in that alone look the same.
func TestPendingWorkIsUnknown(t *testing.T) {
	look := func(service time.Duration) (seen []string) {
		cfg := tiny()
		cfg.Duration = 10 * time.Minute
		p := acts(func(o *policy.Observation) policy.Decision {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, string(text))
			if len(seen) == 1 {
				return launch(1)
			}
			return policy.Decision{}
		})
		list := []job{do(0, 30*s), do(0, 40*s), do(0, time.Hour)}
		for i := range 20 {
			list = append(list, do(time.Duration(i)*20*s, service, 1)) // wait behind an hour's job
		}
		play(t, cfg, p, list...)
		return seen
	}
	short, endless := look(s), look(time.Hour)
	if len(short) != 10 {
		t.Fatalf("%d ticks, want 10", len(short))
	}
	for i := range short {
		if d := cmp.Diff(short[i], endless[i]); d != "" {
			t.Fatalf("tick %d tells pending jobs apart:\n%s", i, d)
		}
	}
}

// Bills add up: instances that have nothing to do with one another cost
// together what they cost apart.
func TestBillsAddUp(t *testing.T) {
	cost := func(p plan) policy.MicroUSD {
		cfg := tiny()
		cfg.Duration = 5 * time.Hour
		f, _ := follow(t, cfg, p)
		m, err := policy.FromDollars(f.CostUSD)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one := cost(plan{0: launch(1), time.Hour: drain(0)})
	two := cost(plan{0: launch(0, 2), 3 * time.Hour: drain(0, 1)})
	both := cost(plan{0: launch(1, 2), time.Hour: drain(0), 3 * time.Hour: drain(1, 2)})
	if one == 0 || two == 0 || one+two != both {
		t.Errorf("%v and %v apart, %v together", one, two, both)
	}
}

// A trace twice as long allocates no more: nothing is allocated per job.
func TestNoAllocationPerJob(t *testing.T) {
	count := func(n int) float64 {
		src := newJobs(mmc(n, 200, 0.85, 1))
		return testing.AllocsPerRun(2, func() {
			src.done = false
			cfg, p := staticWorld(200)
			if _, err := Run(context.Background(), cfg, p, src, Options{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	const n = 50_000
	once, twice := count(n), count(2*n)
	if more := twice - once; more > 50 { // histograms meet new octaves, lines grow
		t.Errorf("%d jobs cost %v allocations, %d cost %v", n, once, 2*n, twice)
	}
}
