package sim

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/skynet-ec2/skynet/policy"
)

// plain is a deliberately plain simulator of a scripted fleet: no heaps, no
// trees, no integrals; at every instant it looks at everything. It shares no
// code with the engine and exists to be obviously right.
type plain struct {
	jobs      []job
	steps     []policy.Step
	types     map[string]policy.InstanceType
	reference float64
	boot      time.Duration
	tick      int64
	end       int64
	billing   string
	judge     int64

	start, finish []int64
	due           []int64 // when a job that has started will finish
	at            []int   // instance a job ran on
	fleet         []*plainInstance

	arrived []bool
	acted   int // steps that have acted
}

type plainInstance struct {
	typ                 policy.InstanceType
	launch, ready, ends int64 // ends: -1 while alive
	drainAt             int64 // -1: never
	draining            bool
	running             []int   // job by slot, -1 idle
	since               []int64 // idle since, by slot
}

// run plays one instant after the other, each in the order of the contract.
func (p *plain) run() {
	n := len(p.jobs)
	p.start, p.finish, p.due, p.at = make([]int64, n), make([]int64, n), make([]int64, n), make([]int, n)
	p.arrived = make([]bool, n)
	for i := range p.jobs {
		p.start[i], p.finish[i], p.at[i] = -1, -1, -1
	}
	for now := int64(0); now <= p.end; now = p.next(now) {
		p.complete(now)
		p.makeReady(now)
		for i := range p.jobs {
			p.arrived[i] = p.arrived[i] || p.jobs[i].arrival == now
		}
		p.dispatch(now)
		if now%p.tick == 0 && now < p.end {
			p.drain(now)
			p.launch(now)
			p.makeReady(now) // of those whose boot takes no time
			p.dispatch(now)
		}
	}
}

// complete ends the jobs that are due, and draining instances that are idle then.
func (p *plain) complete(now int64) {
	for _, in := range p.fleet {
		for s, job := range in.running {
			if job >= 0 && p.due[job] == now {
				p.finish[job] = now
				in.running[s], in.since[s] = -1, now
			}
		}
		if in.draining && in.ends < 0 && in.idle() {
			in.ends = now
		}
	}
}

// makeReady gives slots to the instances that have booted.
func (p *plain) makeReady(now int64) {
	for _, in := range p.fleet {
		if in.ready == now && in.running == nil && in.ends < 0 {
			for range in.typ.Slots {
				in.running = append(in.running, -1)
				in.since = append(in.since, now)
			}
		}
	}
}

// dispatch hands waiting jobs to idle slots while there are both.
func (p *plain) dispatch(now int64) {
	for {
		job, owner, slot := p.firstWaiting(), -1, -1
		for k, in := range p.fleet {
			if in.ready > now || in.draining || in.ends >= 0 {
				continue
			}
			for s := range in.running {
				if in.running[s] < 0 && (owner < 0 || in.since[s] < p.fleet[owner].since[slot]) {
					owner, slot = k, s
				}
			}
		}
		if job < 0 || owner < 0 {
			return
		}
		in := p.fleet[owner]
		p.start[job], p.due[job], p.at[job] = now, now+p.service(job, in.typ), owner
		in.running[slot] = job
	}
}

// firstWaiting returns the job that goes next: of the lowest priority number, the
// first in the trace; -1 if none waits.
func (p *plain) firstWaiting() int {
	best := -1
	for i := range p.jobs {
		if p.arrived[i] && p.start[i] < 0 && (best < 0 || p.jobs[i].priority < p.jobs[best].priority) {
			best = i
		}
	}
	return best
}

// service returns ceil(service × reference ÷ speed), in exact rationals.
func (p *plain) service(job int, t policy.InstanceType) int64 {
	r := new(big.Rat).SetInt64(p.jobs[job].service)
	ref, _ := new(big.Rat).SetString(fmt.Sprint(p.reference))
	speed, _ := new(big.Rat).SetString(fmt.Sprint(t.Speed))
	r.Mul(r, ref).Quo(r, speed)
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return max(q.Int64(), 1)
}

// drain takes the instances out of service whose time has come.
func (p *plain) drain(now int64) {
	for _, in := range p.fleet {
		if in.drainAt >= 0 && in.drainAt <= now && !in.draining && in.ends < 0 {
			in.draining = true
			if in.idle() {
				in.ends = now
			}
		}
	}
}

// launch carries out the steps that are due.
func (p *plain) launch(now int64) {
	for ; p.acted < len(p.steps) && int64(p.steps[p.acted].At) <= now; p.acted++ {
		s := p.steps[p.acted]
		for range s.Launch {
			in := &plainInstance{typ: p.types[s.Type], launch: now, ready: now + int64(p.boot), ends: -1, drainAt: -1}
			if s.Keep > 0 {
				in.drainAt = now + int64(s.Keep)
			}
			p.fleet = append(p.fleet, in)
		}
	}
}

// next returns the next instant at which something happens.
func (p *plain) next(now int64) int64 {
	next := (now/p.tick + 1) * p.tick
	for i := range p.jobs {
		if a := p.jobs[i].arrival; a > now {
			next = min(next, a)
		}
		if p.start[i] >= 0 && p.finish[i] < 0 && p.due[i] > now {
			next = min(next, p.due[i])
		}
	}
	for _, in := range p.fleet {
		if in.ready > now && in.ends < 0 {
			next = min(next, in.ready)
		}
	}
	return next
}

func (in *plainInstance) idle() bool {
	for _, job := range in.running {
		if job >= 0 {
			return false
		}
	}
	return true
}

// bill returns the bills in µUSD: whole, and of windows begun from p.judge on.
func (p *plain) bill() (whole, judged int64) {
	for _, in := range p.fleet {
		end := p.end
		if in.ends >= 0 {
			end = in.ends
		}
		quantum, least := int64(time.Hour), int64(time.Hour)
		if p.billing == "per-second" {
			quantum, least = int64(time.Second), int64(time.Minute)
		}
		windows, late := int64(0), int64(0)
		for w := in.launch; w == in.launch || w < end || w < in.launch+least; w += quantum {
			windows++
			if w >= p.judge {
				late++
			}
		}
		for i, k := range []int64{windows, late} {
			r := new(big.Rat).SetFrac64(k*quantum, int64(time.Hour))
			r.Mul(r, new(big.Rat).SetInt64(int64(in.typ.PerHour)))
			r.Add(r, big.NewRat(1, 2))
			q := new(big.Int).Div(r.Num(), r.Denom())
			if i == 0 {
				whole += q.Int64()
			} else {
				judged += q.Int64()
			}
		}
	}
	return whole, judged
}

type jobRows []JobRow

func (r *jobRows) Job(row *JobRow) error {
	*r = append(*r, *row)
	return nil
}

// The engine and the plain simulator agree on every job and every cent.
func TestAgainstPlain(t *testing.T) {
	catalog := policy.EC2in2008()
	types := map[string]policy.InstanceType{}
	for _, x := range catalog.Types {
		types[x.Name] = x
	}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := &plain{
			types: types, tick: int64(time.Minute), reference: []float64{1, 1, 2.5, 0.7}[r.IntN(4)],
			boot:    []time.Duration{0, 1, 61 * time.Second, 150 * time.Second, 5 * time.Minute}[r.IntN(5)],
			billing: []string{"hourly", "per-second"}[r.IntN(2)],
		}
		at := int64(0)
		unit := []int64{1, int64(time.Millisecond), int64(time.Second), int64(time.Minute)}[r.IntN(4)]
		for range 1 + r.IntN(120) {
			if r.IntN(5) > 0 {
				at += r.Int64N(40) * unit
			}
			p.jobs = append(p.jobs, job{at, 1 + r.Int64N(60*unit), []string{"a", "b"}[r.IntN(2)], uint8(r.IntN(3))})
		}
		for k := range 1 + r.IntN(4) {
			s := policy.Step{Launch: 1 + r.IntN(3), Type: catalog.Types[r.IntN(len(catalog.Types))].Name}
			if k > 0 {
				s.At = time.Duration(r.Int64N(at + 1))
				if r.IntN(2) == 0 {
					s.Keep = time.Duration(1 + r.Int64N(int64(2*time.Hour)))
				}
			}
			p.steps = append(p.steps, s)
		}
		sortSteps(p.steps)
		p.end = at + r.Int64N(int64(3*time.Hour)) + 1
		p.judge = r.Int64N(p.end)
		p.run()

		cfg := &Config{
			Name: "plain", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Duration: time.Duration(p.end), Tick: time.Minute,
			JudgeFrom: time.Duration(p.judge), ReferenceSpeed: p.reference,
			Classes: []policy.Class{{Name: "all", Priority: -1, Target: time.Minute}},
			Catalog: catalog, Boot: map[string]BootModel{"": {Model: "fixed", Value: p.boot}}, MaxInstances: 100,
		}
		cfg.Catalog.Billing, _ = policy.BillingByName(p.billing)
		script, err := policy.NewScripted(cfg.Env(), p.steps)
		if err != nil {
			t.Fatal(err)
		}
		var rows jobRows
		res, err := Run(context.Background(), cfg, script, newJobs(p.jobs), Options{Jobs: &rows, Timeline: seed%2 == 0, Check: true})
		if err != nil {
			t.Fatal(err)
		}
		var want jobRows
		for i, j := range p.jobs {
			row := JobRow{
				Job: int64(i), Type: j.typ, Priority: int(j.priority), Arrival: time.Duration(j.arrival),
				Start: time.Duration(p.start[i]), Finish: time.Duration(p.finish[i]), Instance: int64(p.at[i]),
			}
			if p.start[i] >= 0 {
				row.Attempts = 1
			}
			want = append(want, row)
		}
		if d := cmp.Diff(want, rows); d != "" {
			t.Fatalf("seed %d: jobs (-plain +engine):\n%s", seed, d)
		}
		whole, judged := p.bill()
		f := &res.Figures
		if got := f.CostUSD; got != policy.MicroUSD(whole).Dollars() {
			t.Fatalf("seed %d: cost %v, want %v", seed, got, policy.MicroUSD(whole).Dollars())
		}
		if got := f.Judged.CostUSD; got != policy.MicroUSD(judged).Dollars() {
			t.Fatalf("seed %d: judged cost %v, want %v", seed, got, policy.MicroUSD(judged).Dollars())
		}
		if f.Instances.Launched != len(p.fleet) {
			t.Fatalf("seed %d: launched %d, want %d", seed, f.Instances.Launched, len(p.fleet))
		}
		p.checkClass(t, seed, f.Classes["all"])
		p.checkSlack(t, seed, f)
	}
}

func sortSteps(steps []policy.Step) {
	for i := range steps {
		for j := i; j > 0 && steps[j].At < steps[j-1].At; j-- {
			steps[j], steps[j-1] = steps[j-1], steps[j]
		}
	}
}

// checkClass compares attainment, counted by hand.
func (p *plain) checkClass(t *testing.T, seed uint64, c *ClassFigures) {
	t.Helper()
	var jobs, inTime, judged int64
	for i, j := range p.jobs {
		if j.arrival < p.judge {
			continue
		}
		jobs++
		switch {
		case p.finish[i] >= 0:
			judged++
			if p.finish[i]-j.arrival <= int64(time.Minute) {
				inTime++
			}
		case p.end-j.arrival > int64(time.Minute):
			judged++
		}
	}
	if c.Jobs != jobs {
		t.Fatalf("seed %d: %d jobs judged, want %d", seed, c.Jobs, jobs)
	}
	if (c.Attained == nil) != (judged == 0) || c.Attained != nil && *c.Attained != float64(inTime)/float64(judged) {
		t.Fatalf("seed %d: attained %v, want %d of %d", seed, c.Attained, inTime, judged)
	}
}

// checkSlack compares the busy slot-seconds with the jobs' own times.
func (p *plain) checkSlack(t *testing.T, seed uint64, f *Figures) {
	t.Helper()
	busy := 0.0
	for i := range p.jobs {
		if p.start[i] < 0 {
			continue
		}
		end := p.finish[i]
		if end < 0 {
			end = p.end
		}
		busy += float64(end-p.start[i]) * 1e-9
	}
	if d := busy - f.BusyCoreS; d > 1e-6*busy+1e-6 || d < -1e-6*busy-1e-6 {
		t.Fatalf("seed %d: busy %v slot-seconds, want %v", seed, f.BusyCoreS, busy)
	}
	if f.ReadyCoreS < f.BusyCoreS-1e-6 {
		t.Fatalf("seed %d: ready %v below busy %v", seed, f.ReadyCoreS, f.BusyCoreS)
	}
}
