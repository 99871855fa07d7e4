package bound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// grid is the trace cut into steps: how many jobs of each sort arrive in each,
// and their work. Its size follows from the number of steps and sorts, not from
// the number of jobs.
type grid struct {
	from  int64 // ns since the trace's start at which step 0 begins
	step  int64 // ns
	judge int   // the step at which judging begins
	steps int   // up to the end of everything
	sorts []sort
	cells []cell // by step, then in the order of their first arrival

	arrived []int64 // judged jobs by class, those that cannot be late included
	budget  []int64 // judged jobs by class that may be late
	short   []int64 // judged jobs by class that nobody could serve in time
	work    float64 // judged work, unit seconds, that of jobs without a promise included
	last    int64   // the last arrival
	longest float64 // service in unit seconds
}

// sort is what jobs have in common that are counted together.
type sort struct {
	class    int
	priority uint8
	lo, hi   float64 // service in unit seconds: lo <= service < hi
	// free jobs promise nothing that could be broken: their class promises
	// nothing, they arrive before judging begins, or the run ends before they
	// could be late.
	free bool
}

// cell is what arrives of one sort in one step.
type cell struct {
	step int32
	sort int32
	n    int64
	work float64 // unit seconds
}

const (
	stepMin  = 2 * time.Second
	stepsMax = 330_000
	// serviceRatio is how much longer the longest service of a sort may be
	// than the shortest.
	serviceRatio = 1.3
)

// edges are the limits between services of different sorts, in unit seconds.
var edges = func() []float64 {
	e := []float64{0}
	for x := 1.0; x < 1e8; x = float64(x * serviceRatio) {
		e = append(e, x)
	}
	return e
}()

// bucket returns the index of the last edge at or below s.
func bucket(s float64) int {
	i, found := slices.BinarySearch(edges, s)
	if found {
		return i
	}
	return i - 1
}

// firstStep returns the length of a step to begin with: a third of the shortest
// target that is promised to somebody.
func (w *world) firstStep() int64 {
	shortest := time.Duration(math.MaxInt64)
	for i := range w.cfg.Classes {
		if c := &w.cfg.Classes[i]; c.Attain > 0 {
			shortest = min(shortest, c.Target)
		}
	}
	step := stepMin
	for _, s := range []time.Duration{3, 4, 5, 6, 10, 12, 15, 20, 30, 60} { // divisors of the hour
		if s *= time.Second; s <= shortest/3 {
			step = s
		}
	}
	return int64(step)
}

// warmup is the time before judging begins in which the plan is already made.
const warmup = 2 * time.Hour

// reader gathers a trace into a grid.
type reader struct {
	w       *world
	g       *grid
	ids     map[sort]int32
	kindOf  []int32   // class by the trace's kind
	sortOf  [][]int32 // by the trace's kind and bucket, plus one; two for free or not
	counts  []cell    // of the present step by sort
	touched []int32
	now     int32
	ready   int64 // no instance is ready before
}

// read gathers the trace into a grid.
func (w *world) read(ctx context.Context, open func() (traces.Source, error), opt Options) (*grid, error) {
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	step := w.firstStep()
	align := step * 64 // so that steps may be joined
	from := w.judge - min(w.judge, int64(warmup))/align*align
	r := &reader{w: w, ids: map[sort]int32{}, now: -1, ready: w.leastReady(), g: &grid{from: from, step: step, judge: int((w.judge - from) / step)}}
	n := len(w.cfg.Classes)
	r.g.arrived, r.g.budget, r.g.short = make([]int64, n), make([]int64, n), make([]int64, n)
	var b traces.Batch
	total := src.Meta().Jobs
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := src.Next(&b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if over, err := r.take(&b); err != nil {
			return nil, err
		} else if over {
			break
		}
		if opt.Progress != nil {
			opt.Progress("read the trace", b.First+int64(b.Len()), total)
		}
	}
	r.flush()
	return r.g, r.g.close(w)
}

// take counts a batch of jobs. It reports whether the run ends within it.
func (r *reader) take(b *traces.Batch) (over bool, err error) {
	w, g := r.w, r.g
	for i := len(r.kindOf); i < len(b.Kinds); i++ {
		k := &b.Kinds[i]
		class := policy.ClassOf(w.cfg.Classes, k.Type, int(k.Priority))
		if class < 0 {
			return false, &ConfigError{fmt.Sprintf("a job of type %q, priority %d belongs to no class", k.Type, k.Priority)}
		}
		r.kindOf = append(r.kindOf, int32(class))
		r.sortOf = append(r.sortOf, make([]int32, 2*len(edges)))
	}
	for i, at := range b.Arrival {
		if at > w.end {
			return true, nil
		}
		kind := b.Kind[i]
		service := float64(float64(b.Service[i]) * 1e-9 * w.scale)
		class := int(r.kindOf[kind])
		c := &w.cfg.Classes[class]
		free := c.Attain == 0 || at < w.judge
		if at >= w.judge {
			g.arrived[class]++
			g.work += service
			// late jobs that are not late before the run ends do not count
			if w.end != never && at >= w.end-int64(c.Target) {
				free = true
			}
			if !free && w.hopeless(c, at, service, r.ready) {
				g.short[class]++
			}
		}
		g.last = max(g.last, at)
		g.longest = max(g.longest, service)
		if at < g.from {
			continue
		}
		if t := int32((at - g.from) / g.step); t != r.now {
			r.flush()
			r.now = t
		}
		at := 2 * bucket(service)
		if free {
			at++
		}
		id := r.sortOf[kind][at] - 1
		if id < 0 {
			id = r.newSort(kind, at, sort{class: class, priority: b.Kinds[kind].Priority, lo: edges[at/2], hi: edges[at/2+1], free: free})
		}
		x := &r.counts[id]
		if x.n == 0 {
			r.touched = append(r.touched, id)
		}
		x.n++
		x.work += service
	}
	return false, nil
}

// leastReady returns a time before which no instance can be ready: the shortest
// boot of as many launches as ten ticks allow.
func (w *world) leastReady() int64 {
	if w.judge > 0 || w.cfg.MaxInstances <= 0 {
		return 0
	}
	lag := w.shorten(w.lags.Least(10 * int64(w.cfg.MaxInstances)))
	return int64(min(lag, 10*w.cfg.Tick))
}

// hopeless reports whether no fleet could serve a job in time.
func (w *world) hopeless(c *policy.Class, at int64, service float64, ready int64) bool {
	room := c.Target.Seconds()
	if at < ready { // it waits for the first boot
		room -= seconds(ready - at)
	}
	if c.On == policy.Sojourn {
		room -= service / w.fastest()
	}
	return room < -1e-6
}

// newSort numbers a sort, and notes that a kind's bucket is of it.
func (r *reader) newSort(kind uint16, at int, s sort) int32 {
	id, known := r.ids[s]
	if !known {
		id = int32(len(r.g.sorts))
		r.ids[s] = id
		r.g.sorts = append(r.g.sorts, s)
		r.counts = append(r.counts, cell{})
	}
	r.sortOf[kind][at] = id + 1
	return id
}

// flush ends the present step.
func (r *reader) flush() {
	g := r.g
	for _, id := range r.touched {
		x := r.counts[id]
		g.cells = append(g.cells, cell{r.now, id, x.n, x.work})
		r.counts[id] = cell{}
	}
	r.touched = r.touched[:0]
	for int(r.now) >= stepsMax {
		g.double()
		r.now /= 2
	}
}

// double joins every two steps.
func (g *grid) double() {
	g.step *= 2
	g.judge /= 2
	out := g.cells[:0]
	at := make([]int32, len(g.sorts)) // place in out of a sort's cell, plus one
	now, first := int32(-1), 0
	for _, c := range g.cells {
		c.step /= 2
		if c.step != now {
			for _, x := range out[first:] {
				at[x.sort] = 0
			}
			now, first = c.step, len(out)
		}
		if i := at[c.sort]; i > 0 {
			out[i-1].n += c.n
			out[i-1].work += c.work
			continue
		}
		out = append(out, c)
		at[c.sort] = int32(len(out))
	}
	g.cells = out
}

// ImpossibleError is a promise that no fleet could keep.
type ImpossibleError struct {
	Class            string
	Target           time.Duration
	Attain           float64
	Jobs, Late, Most int64
}

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("class %q: %d of its %d jobs cannot be done within %v by any fleet (their own service, or the first boot, takes longer); attain = %v allows %d: raise target or lower attain",
		e.Class, e.Late, e.Jobs, e.Target, e.Attain, e.Most)
}

// BadInput marks the error as the user's.
func (e *ImpossibleError) BadInput() bool { return true }

// EmptyError is a trace with no job in the judged time.
type EmptyError struct{}

func (*EmptyError) Error() string {
	return "no job arrives in the judged time: there is nothing to bound"
}

// BadInput marks the error as the user's.
func (*EmptyError) BadInput() bool { return true }

// close computes what is known once the trace is read. The error is one
// of promises that cannot be kept.
func (g *grid) close(w *world) error {
	var jobs int64
	for i, n := range g.arrived {
		c := &w.cfg.Classes[i]
		jobs += n
		if c.Attain == 0 {
			continue
		}
		g.budget[i] = budget(n, c.Attain)
		if g.short[i] > g.budget[i] {
			return &ImpossibleError{c.Name, c.Target, c.Attain, n, g.short[i], g.budget[i]}
		}
	}
	if jobs == 0 {
		return &EmptyError{}
	}
	end := w.end
	if end == never { // when the last job is done that has a promise
		far := time.Duration(0)
		for i := range w.cfg.Classes {
			far = max(far, min(w.cfg.Classes[i].Target, 24*time.Hour))
		}
		end = g.last + int64(far) + int64(g.longest/w.slowest()*1e9) + int64(time.Hour)
	}
	g.steps = int((end-g.from)/g.step) + 1
	return nil
}

// floor returns what the judged work costs on the cheapest capacity, in dollars.
func (g *grid) floor(w *world) float64 { return float64(g.work * w.price) }

// seconds returns the length of a step in seconds.
func (g *grid) seconds() float64 { return seconds(g.step) }

// seconds returns ns in seconds, rounded once.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }
