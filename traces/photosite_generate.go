package traces

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/draw"
)

const (
	minuteNS = int64(time.Minute)
	windowNS = 5 * minuteNS // jobs are made and sorted a window at a time
	// warmUp is how long before the trace's start sessions begin, so that the
	// first hour has its share of sessions under way.
	warmUp = int64(6 * time.Hour)
)

// photoGenerator makes the jobs of a PhotoSite, window by window: sessions
// and batches that begin in the window, then every job that one of those
// under way has in it, sorted by arrival.
type photoGenerator struct {
	c    *PhotoSite
	end  int64
	at   int64 // start of the window to make next
	week *Week
	flat bool

	perUpload float64 // sessions for one upload: 1 / their mean size
	mood      mood
	days      stream
	events    stream

	sessionStarts poisson
	batchStarts   poisson
	sessionDraws  stream
	batchDraws    stream

	size    *quantiles
	gap     *quantiles
	service [photoTypes]*quantiles
	kind    [photoTypes][3]uint16 // by priority

	videoSD, videoHD, rotate uint32 // shares of 2^32
	watermark, rotateBatch   float64
	clicks                   []Click

	sessions  []session
	batches   []batch
	followUps []timedJob

	window []timedJob
	sorter timeSorter
	kinds  kindSet
	out    Batch
	sent   int // jobs of out already handed over
	total  int64
}

// session is one person's uploads under way.
type session struct {
	at   int64 // of the next file
	left int32
	pro  bool
	draw stream
}

// batch is a gallery-wide operation being enqueued.
type batch struct {
	start int64
	size  int64 // jobs
	done  int64 // of them
	typ   uint8
	draw  stream
}

func newPhotoGenerator(c *PhotoSite) *photoGenerator {
	own := *c
	seed := own.Seed
	g := &photoGenerator{
		c: &own, end: int64(own.Duration), at: -warmUp, week: photoWeek(), flat: own.Rate.Flat,
		mood:          newMood(own.Rate, draw.New(seed, "mood")),
		days:          draw.New(seed, "day"),
		events:        draw.New(seed, "event"),
		sessionStarts: newPoisson(draw.New(seed, "session-start")),
		batchStarts:   newPoisson(draw.New(seed, "batch-start")),
		sessionDraws:  draw.New(seed, "session"),
		batchDraws:    draw.New(seed, "batch"),
		videoSD:       share32(own.Mix.VideoSD),
		videoHD:       share32(own.Mix.VideoHD),
		rotate:        share32(own.Mix.Rotate),
	}
	s := own.Sessions
	g.size = newQuantiles(lognormal(s.SizeMedian, s.SizeSigma, float64(s.SizeMax)))
	g.gap = newQuantiles(lognormal(float64(s.GapMedian), s.GapSigma, float64(24*time.Hour)))
	g.perUpload = 1 / meanSize(s)
	for t, l := range own.Service.all() {
		g.service[t] = l.quantiles()
	}
	g.nameKinds()
	b := own.Batches
	sum := b.Watermark + b.Rotate + b.Rerender
	g.watermark, g.rotateBatch = b.Watermark/sum, (b.Watermark+b.Rotate)/sum
	g.clicks = append(g.clicks, b.Clicks...)
	return g
}

// share32 returns p as a threshold for 32 uniform bits.
func share32(p float64) uint32 { return uint32(min(p*(1<<32), math.MaxUint32)) }

// meanSize returns the mean number of files in a session, by summing over
// 65536 equally likely sizes.
func meanSize(s SessionModel) float64 {
	size := lognormal(s.SizeMedian, s.SizeSigma, float64(s.SizeMax))
	const n = 1 << 16
	sum := int64(0)
	for i := range n {
		files := sessionFiles(size((float64(i) + 0.5) / n))
		sum += 1000 * files
		sum += int64(float64(1000*files) * float64(s.ProShare*(s.ProFactor-1)))
	}
	return float64(sum) / 1000 / n
}

// sessionFiles returns the whole number of files of a session.
func sessionFiles(size float64) int64 { return roundPositive(size) }

func (g *photoGenerator) Meta() Meta {
	m := Meta{
		Name: "photo-site", Start: g.c.Start, Jobs: -1, ReferenceSpeed: photoReferenceSpeed,
		Origin: fmt.Sprintf("photo-site scale %v seed %d", g.c.Scale, g.c.Seed),
	}
	if g.at >= g.end && g.sent == g.out.Len() {
		m.Jobs = g.total
	}
	return m
}

func (g *photoGenerator) Close() error { return nil }

func (g *photoGenerator) Next(b *Batch) error {
	if g.sent == g.out.Len() {
		g.out.reset()
		g.out.First, g.sent = g.total, 0
		for g.out.Len() < batchLen/2 && g.at < g.end {
			g.next()
		}
		g.out.Kinds = g.kinds.kinds
		g.total += int64(g.out.Len())
		if g.out.Len() == 0 {
			return io.EOF
		}
	}
	n := min(g.out.Len()-g.sent, batchLen)
	*b = g.out.slice(g.sent, g.sent+n)
	g.sent += n
	return nil
}

// next makes the next window and appends its jobs to out.
func (g *photoGenerator) next() {
	from := g.at
	to := min(from+windowNS, g.end)
	g.at = to
	g.window = g.window[:0]
	level := g.mood.next()
	for at := from; at < to; at += minuteNS {
		g.begin(at, min(at+minuteNS, to), level)
	}
	if from >= 0 {
		g.click(from, to)
	}
	g.runSessions(to)
	g.runBatches(to)
	g.runFollowUps(to)
	sorted := g.sorter.sort(g.window, from, to)
	arrival, service, kind := g.out.extend(len(sorted))
	for i := range sorted {
		job := &sorted[i]
		arrival[i], service[i], kind[i] = job.at, job.service, job.kind
	}
}

// begin starts the sessions and batches of one minute.
func (g *photoGenerator) begin(from, to int64, level float64) {
	c := g.c
	moment, day := weekday(c.Start, c.UTCOffset, from+(to-from)/2)
	profile := 1.0
	if !g.flat {
		profile = g.week.At(moment)
	}
	uploads := c.Rate.UploadsPerSecond * c.Scale * profile * level * g.dayLevel(day) * g.surge(from, to)
	g.sessionStarts.events(from, to, uploads*g.perUpload/1e9, func(at, n int64) {
		draws := g.sessionDraws.Of(n)
		pro := draws.Unit() < c.Sessions.ProShare
		files := sessionFiles(g.size.at(draws.Next()))
		if pro {
			files = roundPositive(float64(files) * c.Sessions.ProFactor)
		}
		g.sessions = append(g.sessions, session{at: at, left: int32(files), pro: pro, draw: draws})
	})
	if c.Batches.PerDay > 0 && from >= 0 {
		perDay := c.Batches.PerDay * c.Scale * detmath.Pow(profile, 0.7)
		g.batchStarts.events(from, to, perDay/86400e9, g.beginBatch)
	}
}

// beginBatch starts the n-th batch at a time.
func (g *photoGenerator) beginBatch(at, n int64) {
	b := &g.c.Batches
	draws := g.batchDraws.Of(n)
	size := b.SizeMin * detmath.Pow(draws.Unit(), -1/b.SizeAlpha)
	typ := typeRerender
	switch u := draws.Unit(); {
	case u < g.watermark:
		typ = typeWatermark
	case u < g.rotateBatch:
		typ = typeRotateBatch
	}
	g.batches = append(g.batches, batch{
		start: at, size: int64(min(size, float64(b.SizeMax))), typ: uint8(typ), draw: draws,
	})
}

// click starts the batches that were asked for between from and to.
func (g *photoGenerator) click(from, to int64) {
	for i, k := range g.clicks {
		if at := int64(k.At); at >= from && at < to {
			g.batches = append(g.batches, batch{
				start: at, size: int64(k.Jobs), typ: uint8(batchType(k.Type)),
				draw: draw.New(g.c.Seed, "click").Of(int64(i)),
			})
		}
	}
}

// runSessions makes the uploads of every session until to.
func (g *photoGenerator) runSessions(to int64) {
	kept := g.sessions[:0]
	photo, sd, hd := g.service[typePhoto], g.service[typeVideoSD], g.service[typeVideoHD]
	for i := range g.sessions {
		s := g.sessions[i]
		priority := 1
		if s.pro {
			priority = 0
		}
		for s.at < to && s.left > 0 {
			what := s.draw.Next()
			service := s.draw.Next()
			if s.at >= 0 {
				job := timedJob{at: s.at}
				switch w := uint32(what >> 32); {
				case w < g.videoSD:
					job.service, job.kind = roundPositive(sd.at(service)), g.kind[typeVideoSD][priority]
				case w-g.videoSD < g.videoHD:
					job.service, job.kind = roundPositive(hd.at(service)), g.kind[typeVideoHD][priority]
				default:
					job.service, job.kind = roundPositive(photo.at(service)), g.kind[typePhoto][priority]
					if uint32(what) < g.rotate {
						g.follow(s.at, stream(service))
					}
				}
				g.window = append(g.window, job)
			}
			s.left--
			s.at += roundPositive(g.gap.at(s.draw.Next()))
		}
		if s.left > 0 {
			kept = append(kept, s)
		}
	}
	g.sessions = kept
}

// follow plans the rotation of a photo that arrives at a time.
func (g *photoGenerator) follow(at int64, draws stream) {
	delay := float64(draws.Exponential() * float64(g.c.Mix.RotateDelay))
	at += roundPositive(min(delay, float64(30*24*time.Hour)))
	if at >= g.end {
		return
	}
	g.followUps = append(g.followUps, timedJob{
		at: at, service: roundPositive(g.service[typeRotate].at(draws.Next())), kind: g.kind[typeRotate][1],
	})
}

// runFollowUps moves the rotations due before to into the window.
func (g *photoGenerator) runFollowUps(to int64) {
	kept := g.followUps[:0]
	for _, job := range g.followUps {
		if job.at < to {
			g.window = append(g.window, job)
		} else {
			kept = append(kept, job)
		}
	}
	g.followUps = kept
}

// runBatches makes the jobs of every gallery-wide operation until to.
func (g *photoGenerator) runBatches(to int64) {
	kept := g.batches[:0]
	gap := 1e9 / g.c.Batches.PerSecond
	for _, b := range g.batches {
		service, kind := g.service[b.typ], g.kind[b.typ][2]
		for ; b.done < b.size; b.done++ {
			at := b.start + int64(float64(b.done)*gap)
			if at >= to {
				break
			}
			g.window = append(g.window, timedJob{at: at, service: roundPositive(service.at(b.draw.Next())), kind: kind})
		}
		if b.done < b.size {
			kept = append(kept, b)
		}
	}
	g.batches = kept
}

// nameKinds numbers the kinds of job that c can bring about.
func (g *photoGenerator) nameKinds() {
	m, b := &g.c.Mix, &g.c.Batches
	clicked := func(typ int) bool {
		for _, k := range b.Clicks {
			if batchType(k.Type) == typ {
				return true
			}
		}
		return false
	}
	uploads := g.c.Rate.UploadsPerSecond > 0
	pro, other := uploads && g.c.Sessions.ProShare > 0, uploads && g.c.Sessions.ProShare < 1
	for _, k := range []struct {
		typ, priority int
		occurs        bool
	}{
		{typePhoto, 0, pro && m.VideoSD+m.VideoHD < 1},
		{typePhoto, 1, other && m.VideoSD+m.VideoHD < 1},
		{typeVideoSD, 0, pro && m.VideoSD > 0},
		{typeVideoSD, 1, other && m.VideoSD > 0},
		{typeVideoHD, 0, pro && m.VideoHD > 0},
		{typeVideoHD, 1, other && m.VideoHD > 0},
		{typeRotate, 1, uploads && m.Rotate > 0},
		{typeWatermark, 2, clicked(typeWatermark) || b.PerDay > 0 && b.Watermark > 0},
		{typeRotateBatch, 2, clicked(typeRotateBatch) || b.PerDay > 0 && b.Rotate > 0},
		{typeRerender, 2, clicked(typeRerender) || b.PerDay > 0 && b.Rerender > 0},
	} {
		if k.occurs {
			// ten kinds never exceed a set's limits
			g.kind[k.typ][k.priority], _ = g.kinds.named(photoTypeNames[k.typ], uint8(k.priority), 0)
		}
	}
}
