package main

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/draw"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// A site is a synthetic workload with what its users are promised.
type site struct {
	name    string
	days    int
	judge   time.Duration // when judging begins; what is before is learned on
	boot    time.Duration // median boot, under any billing rule; 0: what the rule comes with
	streams []stream
	classes []policy.Class
	rates   string // the file that the rates come from; empty: they are made up
}

// A stream is the jobs of one type: Poisson arrivals whose rate follows shape,
// and lognormal service.
type stream struct {
	kind     string
	priority uint8
	busy     float64 // slots busy with it, on average over the run
	mean     float64 // service in seconds, on a slot of a c1 instance
	scv      float64 // squared coefficient of variation of the service
	shape    shape
}

// half is one of the two halves of the synthetic sites, A and B, or R: the sites
// whose rates were recorded.
type half byte

// sitesOf returns the sites of a half; those of R from the files in dir.
func sitesOf(h half, dir string) ([]site, error) {
	if h == 'R' {
		return rateSites(dir)
	}
	return sites(h), nil
}

// seed of all that is drawn for the sites of a half.
func (h half) seed() uint64 {
	switch h {
	case 'A':
		return 11
	case 'B':
		return 23
	}
	return 37
}

// promise is a class of a type's jobs: the share attain starts within target
// seconds.
func promise(kind string, target, attain float64) policy.Class {
	return policy.Class{
		Name: kind, Types: []string{kind}, Priority: -1,
		Target: time.Duration(target * float64(time.Second)), On: policy.Wait, Attain: attain,
	}
}

// of returns what is a in the sites of A, and of R, and b in those of B.
func (h half) of(a, b float64) float64 {
	if h == 'B' {
		return b
	}
	return a
}

// drawn returns the random numbers of a site: they hang on its name, not on the
// sites before it.
func (h half) drawn(name string) *draw.Stream {
	d := draw.New(h.seed(), name)
	return &d
}

// diurnal swings once a day, in the two halves at other hours.
func (h half) diurnal(swing float64) shape { return daily(swing, h.of(0, 0.3)) }

// sites returns the 22 sites of a half, one of each kind. The halves differ in
// load, service, promises and whatever is drawn.
func sites(h half) []site {
	all := append(plainSites(h), mixedSites(h)...)
	for i := range all {
		all[i].judge = judgeFrom(all[i].name)
		if all[i].name == "slowboot" {
			all[i].boot = 300 * time.Second
		}
	}
	return all
}

// one returns a site with jobs of one type, 95 % of which start within target
// seconds.
func one(name string, days int, s stream, target float64) site {
	s.kind = "job"
	return site{name: name, days: days, streams: []stream{s}, classes: []policy.Class{promise("job", target, 0.95)}}
}

// plainSites returns the sites with jobs of one type.
func plainSites(h half) []site {
	return []site{
		// ten times the load at random for half an hour or less
		one("onoff20", 2, stream{busy: 20, mean: h.of(6, 9), scv: 1, shape: onOff(h.drawn("onoff20"), 2, h.of(900, 1800), h.of(4500, 6000), 10, false)}, h.of(30, 45)),
		one("onoff50", 2, stream{busy: 50, mean: h.of(6, 9), scv: 1, shape: onOff(h.drawn("onoff50"), 2, h.of(1800, 1200), h.of(5400, 7200), 10, false)}, h.of(30, 45)),
		// a quarter of an hour of five or seven times the load
		one("burst15", 2, stream{busy: h.of(34, 28), mean: h.of(8, 5), scv: 1.5, shape: onOff(h.drawn("burst15"), 2, 900, h.of(9000, 12000), h.of(5, 7), true)}, 120),
		one("steady", 2, stream{busy: h.of(35, 50), mean: h.of(5, 7), scv: 1, shape: h.diurnal(0.6)}, 30),
		one("nocycle", 2, stream{busy: h.of(25, 40), mean: h.of(6, 5), scv: 1, shape: flat}, h.of(20, 30)),
		one("small", 2, stream{busy: h.of(2, 1.6), mean: h.of(5, 8), scv: 1, shape: h.diurnal(0.6)}, h.of(30, 45)),
		one("big", 2, stream{busy: h.of(300, 240), mean: h.of(30, 20), scv: 1, shape: h.diurnal(0.5)}, h.of(60, 30)),
		one("heavy", 2, stream{busy: h.of(30, 45), mean: h.of(10, 15), scv: 20, shape: h.diurnal(0.5)}, h.of(60, 90)),
		one("slowboot", 2, stream{busy: h.of(30, 20), mean: h.of(8, 12), scv: 1, shape: h.diurnal(0.5)}, h.of(120, 60)),
		// a job a minute, a job every ten minutes
		one("minute", 2, stream{busy: h.of(20, 25) / 60, mean: h.of(20, 25), scv: 1, shape: flat}, h.of(60, 45)),
		one("tenminutes", 4, stream{busy: h.of(60, 75) / 600, mean: h.of(60, 75), scv: 1, shape: flat}, h.of(120, 90)),
		// weekends have half of the load
		one("week", 9, stream{busy: h.of(25, 30), mean: h.of(20, 15), scv: 1, shape: times(h.diurnal(0.6), weekly(h.of(0.5, 0.4)))}, h.of(30, 60)),
		// an hour of five times the load, each day at another time
		one("crowd", 4, stream{busy: h.of(20, 30), mean: h.of(6, 10), scv: 1, shape: times(h.diurnal(0.4), crowds(h.drawn("crowd"), 4, h.of(3600, 2700), 5))}, h.of(60, 45)),
		one("growth", 6, stream{busy: h.of(20, 30), mean: h.of(10, 15), scv: 1, shape: times(h.diurnal(0.4), func(t float64) float64 { return math.Exp2(t / (6 * 86400)) })}, h.of(30, 45)),
	}
}

// mixedSites returns the sites with jobs of several types.
func mixedSites(h half) []site {
	return []site{
		{
			// one priority for all
			name: "mixline", days: 2,
			streams: []stream{
				{kind: "short", busy: h.of(19, 30), mean: h.of(5, 4), scv: 1, shape: h.diurnal(0.4)},
				{kind: "long", busy: h.of(19, 30), mean: h.of(190, 240), scv: 0.5, shape: h.diurnal(0.4)},
			},
			classes: []policy.Class{promise("short", 30, 0.95), promise("long", 1200, 0.95)},
		},
		{
			name: "few", days: 2,
			streams: []stream{
				{kind: "short", busy: h.of(3.5, 5), mean: h.of(3, 6), scv: 1, shape: h.diurnal(0.5)},
				{kind: "long", priority: 1, busy: h.of(3.5, 5), mean: h.of(400, 600), scv: 1, shape: h.diurnal(0.5)},
			},
			classes: []policy.Class{promise("short", h.of(10, 15), 0.95), promise("long", 1800, 0.95)},
		},
		{
			// clicks find slots held by encodes
			name: "clicks", days: 2,
			streams: []stream{
				{kind: "click", busy: h.of(4, 6), mean: h.of(2, 3), scv: 1, shape: h.diurnal(0.5)},
				{kind: "encode", priority: 1, busy: h.of(30, 24), mean: h.of(600, 900), scv: 0.5, shape: h.diurnal(0.5)},
			},
			classes: []policy.Class{promise("click", h.of(10, 5), 0.95), promise("encode", h.of(1800, 2700), 0.95)},
		},
		{
			name: "mail", days: 2,
			streams: []stream{
				{kind: "search", busy: h.of(8, 12), mean: h.of(1.5, 2), scv: 1, shape: h.diurnal(0.5)},
				{kind: "mail", priority: 1, busy: h.of(20, 15), mean: h.of(30, 35), scv: 1, shape: h.diurnal(0.5)},
			},
			classes: []policy.Class{promise("search", 10, 0.99), promise("mail", h.of(300, 600), 0.95)},
		},
		{
			name: "three", days: 2,
			streams: []stream{
				{kind: "first", busy: h.of(15, 20), mean: h.of(2, 3), scv: 1, shape: h.diurnal(0.5)},
				{kind: "second", priority: 1, busy: h.of(15, 10), mean: h.of(10, 8), scv: 1, shape: h.diurnal(0.5)},
				{kind: "third", priority: 2, busy: h.of(20, 30), mean: h.of(60, 120), scv: 1, shape: h.diurnal(0.5)},
			},
			classes: []policy.Class{promise("first", h.of(10, 15), 0.99), promise("second", h.of(120, 60), 0.99), promise("third", h.of(1800, 3600), 0.99)},
		},
		{
			// some hundreds of jobs at once, every hour
			name: "hourdump", days: 2,
			streams: []stream{
				{kind: "click", busy: h.of(6, 8), mean: h.of(4, 5), scv: 1, shape: h.diurnal(0.5)},
				{kind: "dump", priority: 1, busy: h.of(2, 2.5), mean: h.of(12, 20), scv: 0.5, shape: dumps(3600, h.of(300, 1200), h.of(60, 120))},
			},
			classes: []policy.Class{promise("click", 30, 0.95), promise("dump", h.of(600, 900), 0.95)},
		},
		{
			// the batch of each night
			name: "nightdump", days: 3,
			streams: []stream{
				{kind: "click", busy: h.of(12, 9), mean: h.of(5, 6), scv: 1, shape: h.diurnal(0.7)},
				{kind: "batch", priority: 1, busy: h.of(2, 2.5), mean: h.of(20, 40), scv: 0.5, shape: dumps(86400, h.of(2, 23.5)*3600, 600)},
			},
			classes: []policy.Class{promise("click", h.of(60, 30), 0.95), promise("batch", h.of(2, 4)*3600, 0.95)},
		},
		{
			// a class that nobody has seen before the third day
			name: "newclass", days: 4,
			streams: []stream{
				{kind: "photo", busy: h.of(20, 15), mean: h.of(8, 6), scv: 1, shape: h.diurnal(0.5)},
				{kind: "video", priority: 1, busy: h.of(7, 12), mean: h.of(120, 60), scv: 1, shape: from(h.of(48, 54)*3600, h.diurnal(0.5))},
			},
			classes: []policy.Class{promise("photo", 30, 0.95), promise("video", h.of(300, 180), 0.95)},
		},
	}
}

// judgeFrom returns when a site is judged from: after a time long enough to learn
// what its load is like.
func judgeFrom(name string) time.Duration {
	switch name {
	case "week":
		return 2 * day
	case "tenminutes":
		return day
	}
	return 6 * time.Hour
}

// jobs returns the site's jobs, the same on every call.
func (s *site) jobs(h half) (*traces.Packed, error) {
	parts := make([]traces.Source, len(s.streams))
	for i := range s.streams {
		st := &s.streams[i]
		src, err := st.source(h, s.name, s.days)
		if err != nil {
			return nil, fmt.Errorf("site %s: %w", s.name, err)
		}
		parts[i] = src
	}
	all := traces.Merge(parts...)
	defer all.Close()
	return traces.Load(all)
}

// source returns the jobs of a stream: those of a Poisson stream of the greatest
// rate, thinned to the rate of each second.
func (st *stream) source(h half, name string, days int) (traces.Source, error) {
	keep := make([]float64, days*86400)
	total, peak := 0.0, 0.0
	for i := range keep {
		keep[i] = st.shape(float64(i))
		total += keep[i]
		peak = max(peak, keep[i])
	}
	for i := range keep {
		keep[i] /= peak
	}
	seed := draw.New(h.seed(), name+"/"+st.kind)
	all := traces.Poisson{
		Duration: time.Duration(days) * day, Seed: seed.Next(),
		Classes: []traces.PoissonClass{{
			Type: st.kind, Priority: st.priority, PerSecond: st.busy / st.mean * peak * float64(len(keep)) / total,
			Service: traces.ServiceTime{Law: traces.LognormalLaw, Mean: time.Duration(st.mean * float64(time.Second)), SCV: st.scv},
		}},
	}
	src, err := all.Source()
	return &thinned{Source: src, keep: keep, draw: draw.New(seed.Next(), "thinning")}, err
}

// thinned leaves each job of a source in with the probability of its second.
type thinned struct {
	traces.Source
	keep []float64
	draw draw.Stream
	in   traces.Batch
	out  traces.Batch
}

// Next fills b with the next jobs that are left in.
func (t *thinned) Next(b *traces.Batch) error {
	first := t.out.First + int64(t.out.Len())
	t.out = traces.Batch{First: first, Arrival: t.out.Arrival[:0], Service: t.out.Service[:0], Kind: t.out.Kind[:0]}
	for t.out.Len() == 0 {
		if err := t.Source.Next(&t.in); err != nil {
			return err
		}
		t.out.Kinds = t.in.Kinds
		for i, at := range t.in.Arrival {
			if t.draw.Unit() < t.keep[at/int64(time.Second)] {
				t.out.Arrival = append(t.out.Arrival, at)
				t.out.Service = append(t.out.Service, t.in.Service[i])
				t.out.Kind = append(t.out.Kind, t.in.Kind[i])
			}
		}
	}
	*b = t.out
	return nil
}

// world returns what the site runs in.
func (s *site) world(hourly, medium bool, seed uint64) *sim.Config {
	cfg := &sim.Config{
		Name: s.name, Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), JudgeFrom: s.judge,
		Tick: time.Minute, Seed: seed, ReferenceSpeed: 2.5, MaxInstances: 500, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Classes: s.classes,
	}
	sell(cfg, hourly, medium)
	if s.boot > 0 {
		cfg.Boot[""] = sim.BootModel{Model: "lognormal", Median: s.boot, P99: s.boot * 7 / 5, Max: 2 * s.boot}
	}
	return cfg
}
