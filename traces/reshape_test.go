package traces

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// amplified is Amplify by its definition: every clone, then one stable sort.
func amplified(jobs []job, k int, jitter time.Duration, seed uint64) []job {
	moves := draw.New(seed, "amplify")
	var all []job
	for i, j := range jobs {
		draw := moves.Of(int64(i))
		for clone := range k {
			moved := j
			if clone > 0 {
				moved.Arrival += int64(draw.Below(2*uint64(jitter)+1)) - int64(jitter)
				moved.Arrival = min(max(moved.Arrival, 0), TimeMax)
			}
			all = append(all, moved)
		}
	}
	slices.SortStableFunc(all, func(a, b job) int { return cmp.Compare(a.Arrival, b.Arrival) })
	return all
}

func TestAmplifyAgreesWithItsDefinition(t *testing.T) {
	// sizes of gaps from none to far beyond the jitter
	for name, gap := range map[string]func(s *stream) int64{
		"one instant": func(*stream) int64 { return 0 },
		"dense":       func(s *stream) int64 { return int64(s.Below(1e6)) },
		"even":        func(s *stream) int64 { return int64(s.Below(1e9)) },
		"sparse":      func(s *stream) int64 { return int64(s.Below(1e12)) },
		"bursts": func(s *stream) int64 {
			if s.Below(500) == 0 {
				return int64(s.Below(1e12))
			}
			return int64(s.Below(1000))
		},
	} {
		for _, k := range []int{1, 2, 7, 77} {
			for _, jitter := range []time.Duration{0, time.Millisecond, 30 * time.Second} {
				t.Run(fmt.Sprintf("%s/%d/%v", name, k, jitter), func(t *testing.T) {
					s := draw.New(1, name)
					at := int64(0)
					jobs := make([]job, 9000/k)
					for i := range jobs {
						at += gap(&s)
						jobs[i] = job{
							Arrival: at, Service: 1 + int64(i), Kind: Kind{Type: fmt.Sprint(i % 3), Size: SizeBucket(int64(i))},
							BytesIn: int64(i), Tenant: fmt.Sprint(i % 5), Deadline: int64(i) * 10,
						}
					}
					src := &made{n: len(jobs), make: func(i int) job { return jobs[i] }, optional: true}
					sameJobs(t, amplified(jobs, k, jitter, 5), jobsOf(t, Amplify(src, k, jitter, 5)))
				})
			}
		}
	}
}

func TestAmplifyKeepsMemorySmall(t *testing.T) {
	const n = 2_000_000
	src := Amplify(&made{n: n / 10, make: func(i int) job { return job{Arrival: int64(i) * 1e8, Service: 1, Kind: Kind{Type: "x"}} }, optional: true}, 10, 30*time.Second, 1)
	var b Batch
	jobs := 0
	for src.Next(&b) != io.EOF {
		jobs += b.Len()
	}
	a := src.(*amplifier)
	// two jitters hold 6000 jobs; twice that may wait, and as many again be due
	if jobs != n || cap(a.waiting) > 100_000 || cap(a.store.Arrival) > 100_000 {
		t.Errorf("%d jobs, room for %d waiting clones and %d originals", jobs, cap(a.waiting), cap(a.store.Arrival))
	}
}

func TestScaleRoundsAndNeverReachesZero(t *testing.T) {
	services := []int64{1, 2, 3, 1000, 1_500_000_001, TimeMax}
	src := Scale(&made{n: len(services), optional: true, make: func(i int) job {
		return job{Service: services[i], Estimate: services[i] - 1, Kind: Kind{Type: "x"}}
	}}, 0.25)
	want := []int64{1, 1, 1, 250, 375_000_000, TimeMax/4 + 1}
	for i, j := range jobsOf(t, src) {
		if math.Abs(float64(j.Service-want[i])) > float64(want[i])*1e-15 {
			t.Errorf("%d × 0.25 = %d, want %d", services[i], j.Service, want[i])
		}
		if (j.Estimate == 0) != (services[i] == 1) {
			t.Errorf("estimate %d × 0.25 = %d", services[i]-1, j.Estimate)
		}
	}
	doubled := jobsOf(t, Scale(&made{n: 1, make: func(int) job { return job{Service: TimeMax, Kind: Kind{Type: "x"}} }}, 2))
	if doubled[0].Service != TimeMax {
		t.Errorf("twice the longest service is %d, want it kept at %d", doubled[0].Service, int64(TimeMax))
	}
}

func TestCutKeepsWhatArrivesInside(t *testing.T) {
	all := jobsOf(t, mixed(20_000, true))
	span := time.Duration(all[len(all)-1].Arrival)
	for _, c := range []struct{ from, to time.Duration }{
		{0, 0},
		{0, span},
		{0, span + 1},
		{span / 3, span / 2},
		{time.Duration(all[777].Arrival), time.Duration(all[5000].Arrival)},
		{span + 1, 0},
		{span, span + 1},
		{5, 5},
	} {
		var want []job
		for _, j := range all {
			if at := time.Duration(j.Arrival); at >= c.from && (c.to == 0 || at < c.to) {
				j.Arrival -= int64(c.from)
				want = append(want, j)
			}
		}
		src := Cut(mixed(20_000, true), c.from, c.to)
		if start := src.Meta().Start; !start.Equal((&made{}).Meta().Start.Add(c.from)) {
			t.Errorf("cut from %v starts at %v", c.from, start)
		}
		sameJobs(t, want, jobsOf(t, src))
	}
}

// A crowd that would fill the memory is refused instead.
func TestAmplifyHoldsNoMoreThanItsBound(t *testing.T) {
	crowd := &made{n: 5000, make: func(int) job { return job{Arrival: 7, Service: 1, Kind: Kind{Type: "x"}} }}
	a := Amplify(crowd, 10, time.Second, 1).(*amplifier)
	a.max = 10_000
	_, err := readJobs(t, a)
	var bad *InputError
	if !errors.As(err, &bad) || !strings.Contains(bad.Reason, "amplified 10 times, it has more than 10000 jobs around 0s") {
		t.Errorf("error %v, want one of bad input", err)
	}
	if held := cap(a.waiting); held > 100_000 {
		t.Errorf("holds room for %d jobs", held)
	}
}

func BenchmarkAmplify(b *testing.B) {
	c := DefaultPhotoSite()
	c.Duration = 2 * 24 * time.Hour
	c.Scale = 0.1
	src, err := c.Source()
	if err != nil {
		b.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []int{2, 20, 77} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				src := Amplify(p.Source(), k, 30*time.Second, 1)
				var batch Batch
				for src.Next(&batch) != io.EOF {
				}
			}
			b.ReportMetric(float64(p.Len())*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
		})
	}
}
