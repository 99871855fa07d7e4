package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/sim"
)

// randomScenario returns the text of a few hours with weather that seed decides:
// billing, ticks, limits, and faults of everything that a controller reads.
func randomScenario(r *rand.Rand) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	var b strings.Builder
	fmt.Fprintf(&b, "start = 2008-06-0%dT1%d:00:00Z\nutc_offset = %q\nseed = %d\nduration = \"%dm\"\ntick = %q\nfast_ticks = %s\n",
		1+r.IntN(7), r.IntN(10), pick("0s", "-7h", "5h30m"), r.IntN(1000), 100+r.IntN(120), pick("1m", "1m", "30s", "2m"), pick("true", "false"))
	fmt.Fprintf(&b, "[generate]\nmodel = \"photo-site\"\nscale = 0.0%d\n", 1+r.IntN(5))
	b.WriteString("[[class]]\nname = \"upload\"\npriority = 0\ntarget = \"30s\"\nattain = 0.99\n[[class]]\nname = \"rest\"\ntarget = \"20m\"\non = \"wait\"\nattain = 0.9\n")
	fmt.Fprintf(&b, "[cloud]\ncatalog = %q\nbilling = %q\nmax_instances = %d\nboot = { model = \"lognormal\", median = \"95s\", p99 = \"230s\", max = \"300s\", never_boots = 0.1 }\n",
		pick("ec2-2008", "ec2-2026"), pick("hourly", "per-second"), 5+r.IntN(40))
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "[guard]\nlaunch_max = 2\nfleet_max = %d\n", 3+r.IntN(9))
	}
	for range r.IntN(4) {
		fmt.Fprintf(&b, "[[fault]]\nkind = %q\nfrom = \"%dm\"\nto = \"%dm\"\n",
			pick("refuse", "throttle", "api-outage", "stale", "zero", "blind", "crash", "partition", "queue-outage", "store-down"), 5+r.IntN(40), 50+r.IntN(40))
	}
	b.WriteString("[policy]\nname = \"skynet\"\n")
	return b.String()
}

// journaled runs a scenario, with a journal if w is not nil.
func journaled(t *testing.T, text, decides string, w io.Writer) *sim.Result {
	t.Helper()
	s, err := read("random.toml", []byte(text), Replace{Policy: decides})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	world, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	var opt sim.Options
	if w != nil {
		opt.Journal = journal.NewWriter(w, world.JournalHeader(nil, s.Seed, "test"), 0)
	}
	result, err := world.Run(context.Background(), nil, s.Seed, opt)
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		if err := opt.Journal.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return result
}

// readerOf returns a reader of a journal in memory.
func readerOf(text []byte) *journal.Reader {
	return journal.NewReader(journal.Source{Name: "journal", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}})
}

// TestEveryPolicyReplays: under every policy, a random scenario with a journal
// comes to the same as without one, and the journal replays to the byte: from
// its beginning, and from any time with the state that stands before it.
func TestEveryPolicyReplays(t *testing.T) {
	again := func(h *journal.Header) (policy.Policy, error) { return h.New(Policies()) }
	for i, spec := range append(Policies(), &policy.Spec{Name: "skynet"}, &policy.Spec{Name: "skynet"}) {
		r := rand.New(rand.NewPCG(uint64(i), 5))
		t.Run(fmt.Sprintf("%s_%d", spec.Name, i), func(t *testing.T) {
			t.Parallel()
			text := randomScenario(r)
			var b bytes.Buffer
			with, without := journaled(t, text, spec.Name, &b), journaled(t, text, spec.Name, nil)
			if with.Figures.Digest != without.Figures.Digest {
				t.Errorf("the journal changes the run\n%s", text)
			}
			x := journal.Replay{New: again, Most: 3}
			report, err := x.Run(readerOf(b.Bytes()))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !report.Same() || report.Decisions != with.Figures.Ticks {
				t.Errorf("%+v\n%d ticks\n%s", report, with.Figures.Ticks, text)
			}
			x.From = report.First.Add(time.Duration(r.Int64N(int64(report.Last.Sub(report.First)))))
			if report, err = x.Run(readerOf(b.Bytes())); err != nil || !report.Same() {
				t.Errorf("from %v: %v, %+v\n%s", x.From, err, report, text)
			}
		})
	}
}

// TestHashesTellStates changes numbers in the state of every policy: a state that is
// another has another hash, and the same state has the same.
func TestHashesTellStates(t *testing.T) {
	for i, spec := range Policies() {
		t.Run(spec.Name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 6))
			s, err := read("random.toml", []byte(randomScenario(r)), Replace{Policy: spec.Name})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := playScenario(t, s, nil)
			state, err := p.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			hash, err := journal.StateHash(p)
			if err != nil {
				t.Fatal(err)
			}
			places := digits.FindAllIndex(state, -1)
			r.Shuffle(len(places), func(a, b int) { places[a], places[b] = places[b], places[a] })
			for _, at := range places[:min(len(places), 25)] {
				changed := slices.Concat(state[:at[0]], []byte("3"), state[at[0]:at[1]], state[at[1]:])
				if err := p.UnmarshalJSON(changed); err != nil {
					continue // no state it can have come to
				}
				back, err := p.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				other, err := journal.StateHash(p)
				if err != nil {
					t.Fatal(err)
				}
				if same := bytes.Equal(back, state); same != (other == hash) {
					t.Errorf("…%s… for …%s…: same state %t, same hash %t", changed[max(at[0]-30, 0):at[1]+1], state[max(at[0]-30, 0):at[1]], same, other == hash)
				}
			}
			if err := p.UnmarshalJSON(state); err != nil {
				t.Fatal(err)
			}
			if again, err := journal.StateHash(p); err != nil || again != hash {
				t.Errorf("restored, the hash is %v (%v), was %v", again, err, hash)
			}
		})
	}
}

var digits = regexp.MustCompile(`[0-9][0-9.]*`)

// TestHeaderKeepsParameters: a policy with parameters of every kind, and a
// script, are made again as they were.
func TestHeaderKeepsParameters(t *testing.T) {
	const world = "duration = \"90m\"\n[generate]\nmodel = \"photo-site\"\nscale = 0.02\n[[class]]\nname = \"all\"\ntarget = \"1m\"\nattain = 0.9\n"
	for name, text := range map[string]string{
		"skynet":   "[policy]\nname = \"skynet\"\nreserve = \"promises+slack\"\nquantile = 0.71\ntau = \"7m3.5s\"\ncold_launch = 7\ntypes = [\"m1.large\", \"c1.medium\"]\n",
		"static":   "[policy]\nname = \"static\"\ninstances = 3\ntype = \"m1.large\"\n",
		"scripted": "[policy]\nname = \"scripted\"\n[[policy.step]]\nat = \"2m\"\nlaunch = 4\ntype = \"c1.xlarge\"\nkeep = \"30m\"\n[[policy.step]]\nat = \"9m\"\nlaunch = 1\ntype = \"m1.small\"\n",
	} {
		var b bytes.Buffer
		journaled(t, world+text, "", &b)
		x := journal.Replay{New: func(h *journal.Header) (policy.Policy, error) { return h.New(Policies()) }, Most: 3}
		report, err := x.Run(readerOf(b.Bytes()))
		if err != nil || !report.Same() {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
	}
}

// TestForeignPolicies: what this program does not know is said by its name.
func TestForeignPolicies(t *testing.T) {
	for _, c := range []struct {
		p    journal.Policy
		want string
	}{
		{journal.Policy{Name: "skynt"}, `policy.name = "skynt": no policy of this program (did you mean "skynet"?)`},
		{journal.Policy{Name: "skynet", Params: map[string]any{"quantil": 0.5}}, "skynet.quantil = 0.5: must be one of the parameters"},
		{journal.Policy{Name: "skynet", Params: map[string]any{"quantile": 5.0}}, "skynet.quantile = 5: must be a number from 0.5 to 0.99"},
	} {
		h := journal.Header{Policy: c.p, Catalog: policy.EC2in2008(), Tick: time.Minute}
		if _, err := h.New(Policies()); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// BenchmarkReplay tells how many decisions of a photo site's day are replayed a
// second, and what a decision takes in a journal.
func BenchmarkReplay(b *testing.B) {
	s, err := LoadWith(b.Context(), "photo-week.toml", Replace{})
	if err != nil {
		b.Fatal(err)
	}
	s.Duration = 24 * time.Hour
	world, err := s.World()
	if err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	opt := sim.Options{Journal: journal.NewWriter(&text, world.JournalHeader(nil, s.Seed, "test"), 0)}
	if _, err := world.Run(context.Background(), nil, s.Seed, opt); err != nil {
		b.Fatal(err)
	}
	if err := opt.Journal.Close(); err != nil {
		b.Fatal(err)
	}
	x := journal.Replay{New: func(h *journal.Header) (policy.Policy, error) { return h.New(Policies()) }}
	decisions := int64(0)
	for b.Loop() {
		report, err := x.Run(readerOf(text.Bytes()))
		if err != nil || !report.Same() {
			b.Fatal(err, report)
		}
		decisions += report.Decisions
	}
	b.ReportMetric(float64(decisions)/b.Elapsed().Seconds(), "decisions/s")
	b.ReportMetric(float64(text.Len())/float64(decisions)*float64(b.N), "bytes/decision")
	b.ReportMetric(0, "ns/op")
}
