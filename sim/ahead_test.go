package sim

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// seer asks for so much of the future and keeps what it was told.
type seer struct {
	acts
	ahead, span time.Duration
	told        [][]policy.Coming
}

func (p *seer) Foresight() (ahead, span time.Duration) { return p.ahead, p.span }

func (p *seer) Step(o *policy.Observation) policy.Decision {
	var told []policy.Coming
	for _, c := range o.Ahead {
		c.Arrivals = slices.Clone(c.Arrivals)
		told = append(told, c)
	}
	p.told = append(p.told, told)
	return p.acts(o)
}

// batches hands out jobs as its batches have them, in the same memory each time.
type batches struct {
	all         [][]int64 // arrivals in seconds; each job takes a second of work
	fail        error
	at, service []int64
	kind        []uint16
}

func (s *batches) Next(b *traces.Batch) error {
	if len(s.all) == 0 {
		if s.fail != nil {
			return s.fail
		}
		return io.EOF
	}
	s.at, s.service, s.kind = s.at[:0], s.service[:0], s.kind[:0]
	for _, x := range s.all[0] {
		s.at, s.service, s.kind = append(s.at, x*int64(time.Second)), append(s.service, int64(time.Second)), append(s.kind, uint16(x%2))
	}
	s.all = s.all[1:]
	*b = traces.Batch{Arrival: s.at, Service: s.service, Kind: s.kind, Kinds: []traces.Kind{{Type: "even"}, {Type: "odd"}}}
	return nil
}

func (s *batches) Meta() traces.Meta { return traces.Meta{Jobs: -1} }
func (s *batches) Close() error      { return nil }

// jobsTold returns the jobs by class and span.
func jobsTold(told []policy.Coming) (jobs [][2]int64) {
	for _, c := range told {
		jobs = append(jobs, [2]int64{c.Arrivals[0].Jobs, c.Arrivals[1].Jobs})
	}
	return jobs
}

// lookingWorld runs for four minutes of a minute's ticks, with a class for each of
// the kinds.
func lookingWorld() *Config {
	cfg := tiny()
	cfg.Duration, cfg.Tick, cfg.FastTicks = 4*time.Minute, time.Minute, false
	cfg.Classes = []policy.Class{
		{Name: "even", Types: []string{"even"}, Priority: -1, Target: time.Minute},
		{Name: "odd", Priority: -1, Target: time.Minute},
	}
	return cfg
}

func newSeer(ahead, span time.Duration) *seer {
	return &seer{acts: func(*policy.Observation) policy.Decision { return policy.Decision{} }, ahead: ahead, span: span}
}

// A clairvoyant policy is told at each tick what arrives after it, by spans and by
// class, over batches that are not yet handed out and whose memory the source uses
// again; what arrives at the tick has arrived, and nothing beyond the run's end is
// told.
func TestForesight(t *testing.T) {
	p := newSeer(90*time.Second, 30*time.Second)
	src := &batches{all: [][]int64{{0, 10, 30}, {31, 60, 60}, {61, 90, 91, 120, 150}, {210, 240, 241}, {600}}}
	if _, err := Run(context.Background(), lookingWorld(), p, src, Options{}); err != nil {
		t.Fatal(err)
	}
	want := [][][2]int64{
		{{2, 0}, {2, 1}, {1, 1}}, // at 0: 10, 30 | 31, 60, 60 | 61, 90
		{{1, 1}, {1, 1}, {1, 0}}, // at 60: 61, 90 | 91, 120 | 150
		{{1, 0}, {0, 0}, {1, 0}}, // at 120: 150 | | 210
		{{1, 0}, {1, 0}, {0, 0}}, // at 180: 210 | 240 | the run ends at 240
	}
	if len(p.told) < len(want) {
		t.Fatalf("%d ticks, want %d", len(p.told), len(want))
	}
	for i := range want[:3] {
		if got := jobsTold(p.told[i]); !slices.Equal(got, want[i]) {
			t.Errorf("minute %d: told %v, want %v", i, got, want[i])
		}
	}
	if got := jobsTold(p.told[3]); !slices.Equal(got, want[3][:2]) {
		t.Errorf("minute 3: told %v, want %v: the run ends", got, want[3][:2])
	}
	for k, c := range p.told[0] {
		if until := time.Duration(k+1) * 30 * time.Second; c.Until != until {
			t.Errorf("span %d ends after %v, want %v", k, c.Until, until)
		}
		for _, f := range c.Arrivals {
			if float64(f.Work) != float64(f.Jobs) {
				t.Errorf("span %d: %v jobs of a second are %v of work", k, f.Jobs, f.Work)
			}
		}
	}
}

// Looking ahead changes nothing but what the policy knows, and a policy that does
// not ask is told nothing.
func TestForesightDisturbsNothing(t *testing.T) {
	run := func(p policy.Policy) string {
		src := &batches{all: [][]int64{{0, 10, 30}, {31, 60, 60}, {61, 90, 91, 120, 150}, {210, 240, 241}}}
		res, err := Run(context.Background(), lookingWorld(), p, src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return res.Figures.Digest
	}
	blind := newSeer(0, time.Minute)
	without := run(newSeer(0, 0).acts)
	for name, p := range map[string]*seer{"all": newSeer(1<<62, time.Minute), "some": newSeer(time.Minute, 0), "none": blind} {
		if got := run(p); got != without {
			t.Errorf("%s: digest %s, want %s", name, got, without)
		}
	}
	for i, told := range blind.told {
		if len(told) > 0 {
			t.Errorf("tick %d: told %v without asking", i, told)
		}
	}
}

// A trace that cannot be read on is no error before its jobs are due.
func TestForesightOfABrokenTrace(t *testing.T) {
	broken := errors.New("broken")
	p := newSeer(10*time.Minute, time.Minute)
	_, err := Run(context.Background(), lookingWorld(), p, &batches{all: [][]int64{{10, 100}}, fail: broken}, Options{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if len(p.told) != 2 {
		t.Errorf("%d ticks before the error, want those at 0 and 60 s", len(p.told))
	}
}

// At the end of a trace there is one span without jobs, so that a policy can tell
// that nothing comes from that nobody tells.
func TestForesightAtTheEnd(t *testing.T) {
	p := newSeer(1<<62, time.Minute)
	cfg := lookingWorld()
	if _, err := Run(context.Background(), cfg, p, &batches{all: [][]int64{{10}}}, Options{}); err != nil {
		t.Fatal(err)
	}
	last := p.told[len(p.told)-1]
	if len(last) != 1 || last[0].Arrivals[0].Jobs != 0 {
		t.Errorf("told %v, want one span without jobs", last)
	}
}
