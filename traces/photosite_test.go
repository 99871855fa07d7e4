package traces

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// uploads leaves only the uploads of a photo site.
type uploads struct {
	Source
	out  Batch
	next int64
}

func (u *uploads) Next(b *Batch) error {
	for {
		if err := u.Source.Next(b); err != nil {
			return err
		}
		u.out.reset()
		u.out.First, u.out.Kinds = u.next, b.Kinds
		for i, k := range b.Kind {
			if t := b.Kinds[k].Type; t == "photo" || t == "video_sd" || t == "video_hd" {
				u.out.Arrival = append(u.out.Arrival, b.Arrival[i])
				u.out.Service = append(u.out.Service, b.Service[i])
				u.out.Kind = append(u.out.Kind, k)
			}
		}
		if n := u.out.Len(); n > 0 {
			u.next += int64(n)
			*b = u.out
			return nil
		}
	}
}

func measured(t testing.TB, c PhotoSite, onlyUploads bool) *Stats {
	t.Helper()
	src, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	if onlyUploads {
		src = &uploads{Source: src}
	}
	s, err := Measure(src, c.UTCOffset)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The site of 2008, four weeks, ten seeds. A band holds for every seed, or, where
// the ratio of two single hours is too lively for that, for the mean of ten.
func TestPhotoSiteStaysWithinItsBands(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 2
	}
	bands := []struct {
		name     string
		lo, hi   float64
		onlyMean bool
		of       func(all, up *Stats) float64
		sum, min float64
		max      float64
	}{
		{name: "jobs a day", lo: 405e3, hi: 475e3, of: func(all, _ *Stats) float64 { return all.PerMinute * 1440 }},
		{name: "hour-of-week R2", lo: .70, hi: .85, of: func(all, _ *Stats) float64 { return *all.CycleR2 }},
		{name: "Sunday 18 h / Wednesday 3 h", lo: 6, hi: 10, onlyMean: true, of: func(_, up *Stats) float64 { return *up.Profile[6*24+18] / *up.Profile[2*24+3] }},
		{name: "upload IDC (1 min)", lo: 60, hi: 130, of: func(_, up *Stats) float64 { return *up.IDCMinute }},
		{name: "Hill exponent of batches", lo: 1.05, hi: 1.35, of: func(all, _ *Stats) float64 { return *all.Bursts.Hill }},
		{name: "service SCV", lo: 6, hi: 10, of: func(all, _ *Stats) float64 { return all.Service.SCV }},
		// a run of 28 days at seed 1 of the reference generator: 33.6 busy
		// cores, service mean 6.6 s, p50 4.3, p95 12.4, p99 52
		{name: "offered load", lo: 30, hi: 37, of: func(all, _ *Stats) float64 { return *all.OfferedLoad }},
		{name: "service mean", lo: 6.3, hi: 6.9, of: func(all, _ *Stats) float64 { return all.Service.Mean }},
		{name: "service p50", lo: 4.2, hi: 4.5, of: func(all, _ *Stats) float64 { return all.Service.P50 }},
		{name: "service p95", lo: 12, hi: 13, of: func(all, _ *Stats) float64 { return all.Service.P95 }},
		{name: "service p99", lo: 49, hi: 56, of: func(all, _ *Stats) float64 { return all.Service.P99 }},
		{name: "upload IDC (1 h)", lo: 3500, hi: 7000, of: func(_, up *Stats) float64 { return *up.IDCHour }},
	}
	for i := range bands {
		bands[i].min = math.Inf(1)
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		c := DefaultPhotoSite()
		c.Seed = seed
		all, up := measured(t, c, false), measured(t, c, true)
		for i := range bands {
			b := &bands[i]
			v := b.of(all, up)
			b.sum += v
			b.min, b.max = min(b.min, v), max(b.max, v)
		}
	}
	for _, b := range bands {
		mean := b.sum / float64(seeds)
		t.Logf("%-28s mean %.4g, %.4g to %.4g", b.name, mean, b.min, b.max)
		lo, hi := b.min, b.max
		if b.onlyMean {
			lo, hi = mean, mean
		}
		if !(lo >= b.lo && hi <= b.hi) {
			t.Errorf("%s = %.4g to %.4g over %d seeds, want %v to %v", b.name, lo, hi, seeds, b.lo, b.hi)
		}
	}
}

func TestPhotoSiteMixesTypesAsItSays(t *testing.T) {
	s := measured(t, DefaultPhotoSite(), false)
	share := map[string]float64{}
	pro := 0.0
	for _, k := range s.Kinds {
		share[k.Type] += float64(k.Jobs) / float64(s.Jobs)
		if k.Type == "photo" && k.Priority == 0 {
			pro = float64(k.Jobs)
		}
	}
	for _, want := range []struct {
		typ    string
		lo, hi float64
	}{
		{"photo", .87, .91},
		{"video_sd", .0150, .0175},
		{"video_hd", .0040, .0050},
		{"rotate", .043, .046},
		{"watermark", .012, .024},
		{"rotate_batch", .009, .020},
		{"rerender", .005, .013},
	} {
		if v := share[want.typ]; v < want.lo || v > want.hi {
			t.Errorf("%s is %.4f of all jobs, want %v to %v", want.typ, v, want.lo, want.hi)
		}
	}
	// 12 % of the sessions, four times as large: 0.48/1.36
	if v := pro / (share["photo"] * float64(s.Jobs)); v < .33 || v > .38 {
		t.Errorf("%.3f of the photos are by Pros, want 0.33 to 0.38", v)
	}
}

func TestPhotoSiteIsTheSameEveryTime(t *testing.T) {
	c := DefaultPhotoSite()
	c.Duration = 26 * time.Hour
	read := func(c PhotoSite) []job {
		src, err := c.Source()
		if err != nil {
			t.Fatal(err)
		}
		return jobsOf(t, src)
	}
	want := read(c)
	sameJobs(t, want, read(c))

	longer := c
	longer.Duration = 30 * time.Hour
	sameJobs(t, want, read(longer)[:len(want)])

	other := c
	other.Seed = 2
	if got := read(other); len(got) == len(want) && got[0] == want[0] {
		t.Error("another seed gives the same jobs")
	}
}

func TestPhotoSiteScalesUsersNotBatches(t *testing.T) {
	c := DefaultPhotoSite()
	c.Duration = 7 * 24 * time.Hour
	whole := measured(t, c, true).Jobs
	c.Scale = 0.1
	tenth := measured(t, c, false)
	if up := measured(t, c, true).Jobs; float64(up) < .08*float64(whole) || float64(up) > .12*float64(whole) {
		t.Errorf("%d uploads at scale 0.1, %d at scale 1", up, whole)
	}
	if tenth.Bursts.Largest < 500 {
		t.Errorf("largest batch in a week at scale 0.1 has %d jobs, want sizes not scaled down", tenth.Bursts.Largest)
	}
}

func TestPhotoSiteClicksAndSurges(t *testing.T) {
	c := DefaultPhotoSite()
	c.Duration = 24 * time.Hour
	c.Batches.PerDay = 0
	c.Rate.DaySpread, c.Rate.HourSpread, c.Rate.Flat = 0, 0, true
	c.Batches.Clicks = []Click{{At: 18*time.Hour + 30*time.Minute, Type: "watermark", Jobs: 10_000}, {At: 3 * time.Hour, Type: "rerender", Jobs: 7}}
	c.Rate.Surges = []Surge{{At: 6 * time.Hour, For: time.Hour, Factor: 5}}
	src, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	batch := map[string][]int64{}
	hours := [24]int{}
	for _, j := range jobsOf(t, src) {
		hours[j.Arrival/int64(time.Hour)]++
		if j.Kind.Priority == 2 {
			batch[j.Kind.Type] = append(batch[j.Kind.Type], j.Arrival)
		}
	}
	w := batch["watermark"]
	if len(w) != 10_000 || w[0] != int64(c.Batches.Clicks[0].At) || w[9999] != w[0]+9999*int64(500*time.Microsecond) {
		t.Errorf("%d watermarks from %d, want 10000 from 18:30 at 2000 a second", len(w), w[0])
	}
	if len(batch["rerender"]) != 7 {
		t.Errorf("%d rerenders, want 7", len(batch["rerender"]))
	}
	if ratio := float64(hours[6]) / float64(hours[4]+hours[5]) * 2; ratio < 3 || ratio > 7 {
		t.Errorf("the surge's hour has %.1f times the jobs of those before, want about 5: %v", ratio, hours)
	}
}

func TestPhotoSiteWeek(t *testing.T) {
	w := photoWeek()
	sum, low := 0.0, math.Inf(1)
	for _, v := range w {
		sum += v
		low = min(low, v)
	}
	if math.Abs(sum-168) > 1e-9 {
		t.Errorf("the profile adds up to %v, want 168", sum)
	}
	for _, want := range []struct {
		hour  int
		value float64
	}{{6*24 + 18, 2.69}, {2*24 + 3, .33}} {
		if v := w[want.hour]; math.Abs(v-want.value) > .01 {
			t.Errorf("hour %d is %.3f, want %v", want.hour, v, want.value)
		}
	}
	if math.Abs(low-.32) > .005 {
		t.Errorf("the lowest hour is %.3f, want 0.32", low)
	}
	centre := 24*time.Hour + 30*time.Minute
	if v := w.At(centre); v != w[24] {
		t.Errorf("the centre of hour 24 is %v, want %v", v, w[24])
	}
	if v := w.At(0); math.Abs(v-(w[0]+w[167])/2) > 1e-12 {
		t.Errorf("Monday 0:00 is %v, want the mean of its neighbours", v)
	}
}

func TestPhotoSiteNamesEveryMistake(t *testing.T) {
	c := DefaultPhotoSite()
	c.Scale = math.NaN()
	c.Mix.VideoHD = 2
	c.Batches.Clicks = []Click{{Type: "watermrak", Jobs: 1}}
	c.Service.Photo.Max = time.Second
	_, err := c.Source()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"scale = NaN", "video_hd_share = 2", `did you mean "watermark"`, "photo_service.max = 1s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
	var zero PhotoSite
	if zero.Validate() == nil {
		t.Error("the zero PhotoSite validates")
	}
}

func TestWeekday(t *testing.T) {
	start := time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC) // Monday 0:00 in California
	for _, at := range []time.Duration{0, time.Nanosecond, 23 * time.Hour, 6*24*time.Hour + 18*time.Hour, 400 * 24 * time.Hour} {
		since, day := weekday(start, -7*time.Hour, int64(at))
		local := start.Add(at - 7*time.Hour)
		wantDay := local.Unix() / 86400
		want := at % (7 * 24 * time.Hour)
		if since != want || day != wantDay {
			t.Errorf("%v after Monday: %v into the week, day %d; want %v, %d", at, since, day, want, wantDay)
		}
	}
}

func ExamplePhotoSite() {
	site := DefaultPhotoSite()
	site.Duration = time.Hour
	site.Scale = 0.01
	src, err := site.Source()
	if err != nil {
		panic(err)
	}
	var b Batch
	if err := src.Next(&b); err != nil {
		panic(err)
	}
	k := b.Kinds[b.Kind[0]]
	fmt.Printf("%d jobs, the first a %s of priority %d at %s s\n", b.Len(), k.Type, k.Priority, formatSeconds(b.Arrival[0]/1e9*1e9))
	// Output: 154 jobs, the first a photo of priority 1 at 555 s
}
