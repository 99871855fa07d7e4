package main

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/traces"
)

// jobs are those of one type: arrival and service in seconds.
type jobs struct {
	arrival, service []float64
	priority         uint8
}

// read returns a trace's jobs by type, and a digest of all of it.
func read(t *testing.T, packed *traces.Packed) (byType map[string]*jobs, digest uint64) {
	t.Helper()
	byType = map[string]*jobs{}
	src := packed.Source()
	defer src.Close()
	for {
		var b traces.Batch
		err := src.Next(&b)
		if errors.Is(err, io.EOF) {
			return byType, digest
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range b.Arrival {
			k := b.Kinds[b.Kind[i]]
			j := byType[k.Type]
			if j == nil {
				j = &jobs{priority: k.Priority}
				byType[k.Type] = j
			}
			j.arrival = append(j.arrival, float64(at)/1e9)
			j.service = append(j.service, float64(b.Service[i])/1e9)
			for _, v := range []uint64{uint64(at), uint64(b.Service[i]), uint64(b.Kind[i])} {
				digest = draw.Mix(digest ^ v)
			}
		}
	}
}

// per counts arrivals in each stretch of so many seconds.
func (j *jobs) per(seconds float64, days int) []float64 {
	n := make([]float64, int(float64(days)*86400/seconds))
	for _, at := range j.arrival {
		n[int(at/seconds)]++
	}
	return n
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[len(s)/2]
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// bursts returns the lengths of the runs of minutes with over twice the median
// of the arrivals, but for one that the end cuts off.
func (j *jobs) bursts(days int) (lengths []int) {
	n := j.per(60, days)
	usual, run := median(n), 0
	for _, v := range n {
		switch {
		case v > 2*usual:
			run++
		case run > 0:
			lengths, run = append(lengths, run), 0
		}
	}
	return lengths
}

// A claim is what a site's name says, besides the load of its streams.
type claim func(t *testing.T, s *site, j map[string]*jobs)

func between(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if !(got >= least && got <= most) {
		t.Errorf("%s = %.4g, want %.4g to %.4g", what, got, least, most)
	}
}

// tenfold says that an eighth of the time or more has ten times the load.
func tenfold(busy float64) claim {
	return func(t *testing.T, s *site, j map[string]*jobs) {
		between(t, "busy slots", s.streams[0].busy, busy, busy)
		n := slices.Sorted(slices.Values(j["job"].per(60, s.days)))
		between(t, "burst ÷ median", median(n[len(n)*15/16:])/median(n[:len(n)*3/4]), 8.5, 11.5)
	}
}

var claims = map[string]claim{
	"onoff20": tenfold(20),
	"onoff50": tenfold(50),
	"burst15": func(t *testing.T, s *site, j map[string]*jobs) {
		lengths := j["job"].bursts(s.days)
		between(t, "bursts", float64(len(lengths)), 5, 40)
		for _, n := range lengths {
			between(t, "minutes of a burst", float64(n), 14, 16)
		}
	},
	"steady": func(t *testing.T, s *site, j map[string]*jobs) {
		h := j["job"].per(3600, s.days)
		between(t, "busiest ÷ quietest hour", slices.Max(h)/slices.Min(h), 3.2, 4.5)
	},
	"nocycle": func(t *testing.T, s *site, j map[string]*jobs) {
		h := j["job"].per(3600, s.days)
		between(t, "busiest ÷ quietest hour", slices.Max(h)/slices.Min(h), 1, 1.06)
	},
	"small": func(t *testing.T, s *site, _ map[string]*jobs) {
		between(t, "busy slots", s.streams[0].busy, 1.5, 2)
	},
	"big": func(t *testing.T, s *site, _ map[string]*jobs) {
		between(t, "busy slots", s.streams[0].busy, 200, 300)
	},
	"heavy": func(t *testing.T, _ *site, j map[string]*jobs) {
		x := j["job"].service
		mean, square := sum(x)/float64(len(x)), 0.0
		for _, v := range x {
			square += v * v / float64(len(x))
		}
		between(t, "SCV of service", square/(mean*mean)-1, 15, 25)
	},
	"slowboot": func(t *testing.T, s *site, _ map[string]*jobs) {
		for _, hourly := range []bool{true, false} {
			between(t, "median boot", s.world(hourly, true, 1).Boot[""].Median.Seconds(), 300, 300)
		}
	},
	"minute": func(t *testing.T, s *site, j map[string]*jobs) {
		between(t, "jobs a minute", float64(len(j["job"].arrival))/float64(s.days*1440), 0.95, 1.05)
	},
	"tenminutes": func(t *testing.T, s *site, j map[string]*jobs) {
		between(t, "jobs in ten minutes", float64(len(j["job"].arrival))/float64(s.days*144), 0.9, 1.1)
	},
	"week": func(t *testing.T, s *site, j map[string]*jobs) {
		between(t, "days", float64(s.days), 9, 9)
		n := j["job"].per(86400, s.days)
		weekend := (n[5] + n[6]) / 2
		between(t, "weekend ÷ weekday", weekend/median(n), 0.38, 0.52)
		between(t, "second Monday ÷ first", n[7]/n[0], 0.98, 1.02)
	},
	"crowd": func(t *testing.T, s *site, j map[string]*jobs) {
		n := j["job"].per(300, s.days)
		times := map[int]bool{}
		for d := range s.days {
			today := n[d*288 : d*288+288]
			high := slices.Max(today)
			between(t, "busiest five minutes ÷ median", high/median(today), 3, 7.5)
			times[slices.Index(today, high)/12] = true
		}
		between(t, "hours of the day with a crowd", float64(len(times)), 3, 4)
	},
	"growth": func(t *testing.T, s *site, j map[string]*jobs) {
		n := j["job"].per(86400, s.days)
		between(t, "last day ÷ first", n[5]/n[0], 0.97*math.Exp2(5./6), 1.03*math.Exp2(5./6))
	},
	"mixline": func(t *testing.T, _ *site, j map[string]*jobs) {
		between(t, "priority of long jobs", float64(j["long"].priority), float64(j["short"].priority), float64(j["short"].priority))
	},
	"few": func(t *testing.T, s *site, _ map[string]*jobs) {
		between(t, "busy slots", s.streams[0].busy+s.streams[1].busy, 5, 10)
	},
	"clicks": func(t *testing.T, s *site, j map[string]*jobs) {
		between(t, "encode ÷ click", s.streams[1].mean/s.streams[0].mean, 100, 1000)
		between(t, "priority of encodes", float64(j["encode"].priority), 1, 1)
	},
	"mail": func(t *testing.T, s *site, _ map[string]*jobs) {
		between(t, "seconds promised", s.classes[0].Target.Seconds(), 10, 10)
		between(t, "attained", s.classes[0].Attain, 0.99, 0.99)
		between(t, "seconds of mail", s.streams[1].mean, 25, 40)
	},
	"three": func(t *testing.T, s *site, j map[string]*jobs) {
		for i, kind := range []string{"first", "second", "third"} {
			between(t, "priority of "+kind, float64(j[kind].priority), float64(i), float64(i))
			between(t, "attained of "+kind, s.classes[i].Attain, 0.99, 0.99)
		}
	},
	"hourdump": func(t *testing.T, s *site, j map[string]*jobs) {
		lengths := j["dump"].per(3600, s.days)
		between(t, "least dump", slices.Min(lengths), 200, 1000)
		between(t, "minutes with a dump", float64(busyMinutes(j["dump"], s.days)), 48, 96)
	},
	"nightdump": func(t *testing.T, s *site, j map[string]*jobs) {
		for _, at := range j["batch"].arrival {
			if h := math.Mod(at/3600, 24); h > 6 && h < 22 {
				t.Fatalf("a job of the night's batch at %.1f h", h)
			}
		}
		between(t, "minutes with a dump", float64(busyMinutes(j["batch"], s.days)), 30, 30)
	},
	"newclass": func(t *testing.T, _ *site, j map[string]*jobs) {
		between(t, "first hour of photos", j["photo"].arrival[0]/3600, 0, 0.1)
		between(t, "first hour of videos", j["video"].arrival[0]/3600, 48, 72)
	},
}

// busyMinutes counts minutes with an arrival.
func busyMinutes(j *jobs, days int) (n int) {
	for _, v := range j.per(60, days) {
		if v > 0 {
			n++
		}
	}
	return n
}

func TestSitesAreWhatTheirNamesSay(t *testing.T) {
	digests := map[uint64]string{}
	for _, h := range []half{'A', 'B'} {
		all := sites(h)
		if len(all) != 22 || len(claims) != 22 {
			t.Fatalf("half %c has %d sites, of %d something is claimed: want 22", h, len(all), len(claims))
		}
		for i := range all {
			s := &all[i]
			t.Run(string(h)+" "+s.name, func(t *testing.T) {
				packed, err := s.jobs(h)
				if err != nil {
					t.Fatal(err)
				}
				j, digest := read(t, packed)
				if other, met := digests[digest]; met {
					t.Errorf("has the jobs of %s", other)
				}
				digests[digest] = t.Name()
				if s.days < 2 || s.days > 9 || s.judge >= time.Duration(s.days)*day {
					t.Errorf("%d days, judged from %v", s.days, s.judge)
				}
				for _, st := range s.streams {
					// four standard errors of a sum of so many services
					n := float64(len(j[st.kind].service))
					off := 4 * math.Sqrt((1+st.scv)/n)
					busy := sum(j[st.kind].service) / float64(s.days*86400)
					between(t, "busy slots of "+st.kind, busy, st.busy*(1-off), st.busy*(1+off))
				}
				claims[s.name](t, s, j)
			})
		}
	}
}

// A site drawn twice, from a list made twice, is the same: bursts drawn at random,
// crowds drawn at random, and several streams merged.
func TestSitesAreTheSameEachTime(t *testing.T) {
	for _, name := range []string{"onoff20", "crowd", "clicks"} {
		var digests [2]uint64
		for n := range digests {
			packed, err := siteOf(t, 'B', name).jobs('B')
			if err != nil {
				t.Fatal(err)
			}
			_, digests[n] = read(t, packed)
		}
		if digests[0] != digests[1] {
			t.Errorf("%s: made twice, the jobs differ", name)
		}
	}
}

// The halves have the same kinds, and each kind another load, service or promise.
func TestHalvesOfTheSitesDiffer(t *testing.T) {
	a, b := sites('A'), sites('B')
	for i := range a {
		if a[i].name != b[i].name {
			t.Fatalf("site %d is %s and %s", i, a[i].name, b[i].name)
		}
		for k := range a[i].streams {
			x, y := &a[i].streams[k], &b[i].streams[k]
			if x.busy == y.busy && x.mean == y.mean {
				t.Errorf("%s: %s has the same load and service in both halves", a[i].name, x.kind)
			}
		}
	}
}

func siteOf(t *testing.T, h half, name string) *site {
	t.Helper()
	all := sites(h)
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	t.Fatalf("half %c has no site %s", h, name)
	return nil
}

// A row is marked as broken by the worst seed, and only then.
func TestRowSaysWhatIsBroken(t *testing.T) {
	s := siteOf(t, 'A', "tenminutes")
	packed, err := s.jobs('A')
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		attain float64
		target time.Duration
		broken bool
	}{{0.01, time.Hour, false}, {1, 0, true}} {
		s.classes[0].Attain, s.classes[0].Target = c.attain, c.target
		r, err := s.measure(packed, &skynet.Spec, nil, false, true, 2)
		if err != nil {
			t.Fatal(err)
		}
		if r.broken != c.broken || strings.Contains(r.text, "!") != c.broken {
			t.Errorf("%v promised to %g: broken %v, %q", c.target, c.attain, r.broken, r.text)
		}
		if r.over < 1 {
			t.Errorf("cost over the floor is %g, below it", r.over)
		}
	}
}

func TestTallyCountsSitesAndMultipliesCosts(t *testing.T) {
	var sum, total tally
	sum.add(true, row{over: 4, broken: true})
	sum.add(false, row{over: 1})
	sum.sites, sum.broken = 1, 1
	total.merge(&sum)
	total.merge(&tally{sites: 1})
	want := "1 of 2 sites broke a promise on some seed; per-second 0, geometric mean of cost ÷ floor 1.000; " +
		"hourly 1, geometric mean of cost ÷ floor 4.000; over all 2.000"
	if got := total.text(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFlagsThatCannotBe(t *testing.T) {
	ok := options{sites: "A", only: "tenminutes", billings: "hourly", policy: "skynet", params: "{}", seeds: 1, effort: 1}
	for want, change := range map[string]func(o *options){
		`-sites = "C": allowed are A, B, AB and R`: func(o *options) { o.sites = "C" },
		`-only = "cloud": allowed are`:             func(o *options) { o.only = "cloud" },
		`did you mean crowd?`:                      func(o *options) { o.only = "croud" },
		`-billings = "weekly": allowed are hourly`: func(o *options) { o.billings = "weekly" },
		`-seeds = 0: must be at least 1`:           func(o *options) { o.seeds = 0 },
		`-effort = 101: must be from 1 to 100`:     func(o *options) { o.effort = 101 },
		`-effort = 4: only with -bound`:            func(o *options) { o.effort = 4 },
		`-first, -bound and -search`:               func(o *options) { o.first = true },
		`-policy none: not known`:                  func(o *options) { o.policy = "none" },
	} {
		o := ok
		change(&o)
		if err := o.run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
