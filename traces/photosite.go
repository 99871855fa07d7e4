package traces

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// PhotoSite describes the load of a photo-sharing site of 2008: people
// upload, the site renders. DefaultPhotoSite holds the values behind each
// comment's figure; the zero PhotoSite does not validate.
//
// Uploads come in sessions whose rate follows the hour of the week, the day
// and the mood of the hour. A share of the photos is rotated soon after. Now
// and then somebody clicks a gallery-wide operation, which enqueues
// hundreds of jobs at once.
//
// Priorities are 0 for uploads of Pro customers, 1 for other uploads and
// single rotations, 2 for gallery operations. What happens to a job when it
// runs (about 0.5 % fail once and 0.05 % can never succeed) is not part of
// its record: a simulation draws it.
type PhotoSite struct {
	Start     time.Time     // UTC instant of arrival 0
	Duration  time.Duration // more than 0, at most 20 years
	UTCOffset time.Duration // of the users' clock; -14 h to 14 h
	Scale     float64       // number of users, 1 = the whole site; above 0, at most 1000
	Seed      uint64

	Rate     RateModel
	Sessions SessionModel
	Mix      UploadMix
	Batches  BatchModel
	Service  PhotoService
}

// RateModel describes how the rate of uploads moves. Every factor applies on
// top of the others.
type RateModel struct {
	UploadsPerSecond float64 // mean over the week at scale 1; 0 to 1e6
	Flat             bool    // no hour-of-week profile
	DaySpread        float64 // coefficient of variation of a day's level (lognormal); 0 to 2
	HourSpread       float64 // coefficient of variation of the hour's level (lognormal); 0 to 2
	HourPersistence  float64 // correlation of that level with the next hour's; 0 to 0.999
	EventsPerYear    float64 // holidays and deadlines: 1 to 3 days at 1.5 to 2.5 times the rate; 0 to 100
	Surges           []Surge // at fixed times, such as a flash crowd
}

// Surge multiplies the rate of upload sessions for a while.
type Surge struct {
	At     time.Duration // after the trace's start, not negative; acts by the minute
	For    time.Duration // more than 0
	Factor float64       // 0 to 1000
}

// SessionModel describes a session: one person's uploads, one after another.
type SessionModel struct {
	SizeMedian float64       // files, of a lognormal distribution; 1 to 1e4
	SizeSigma  float64       // 0 to 3
	SizeMax    int           // files, before a Pro's factor; 1 to 1e5
	ProShare   float64       // fraction of sessions by Pro customers; 0 to 1
	ProFactor  float64       // their sessions are this much larger; 1 to 100
	GapMedian  time.Duration // from file to file, lognormal; 1 ms to 1 h
	GapSigma   float64       // 0 to 3
}

// UploadMix says what an uploaded file is, and what follows it.
type UploadMix struct {
	VideoSD     float64       // fraction of uploads; photos are the rest
	VideoHD     float64       // fraction of uploads
	Rotate      float64       // fraction of photos rotated by hand afterwards; 0 to 1
	RotateDelay time.Duration // mean time until then, exponential; 1 s to 1 day
}

// BatchModel describes gallery-wide operations. Their number grows with
// Scale, their size does not.
type BatchModel struct {
	PerDay    float64 // clicks a day at scale 1, times profile^0.7; 0 to 1e6; 0: none but Clicks
	SizeMin   float64 // jobs, of a Pareto distribution; 1 to 1e6
	SizeAlpha float64 // its tail exponent; 0.5 to 10
	SizeMax   int     // jobs; 1 to 1e6
	PerSecond float64 // jobs enqueued each second; 1 to 1e6
	Watermark float64 // weight of the three operations; not negative, not all 0
	Rotate    float64
	Rerender  float64
	Clicks    []Click // at fixed times, in any order
}

// Click is one gallery-wide operation at a fixed time.
type Click struct {
	At   time.Duration // after the trace's start, not negative
	Type string        // "watermark", "rotate_batch" or "rerender"
	Jobs int           // 1 to 10 million
}

// PhotoService says how long each type takes on one core of a c1.xlarge
// (reference speed 2.5).
type PhotoService struct {
	Photo, VideoSD, VideoHD, Rotate  Lognormal
	Watermark, RotateBatch, Rerender Lognormal
}

// Lognormal is a distribution of times: exp(sigma Z) times the median, where
// Z is standard normal; what exceeds Max becomes Max.
type Lognormal struct {
	Median time.Duration // 1 µs to 1 year
	Sigma  float64       // 0 to 5
	Max    time.Duration // at least the median; 0: no bound
}

// Types of jobs of a photo site.
const (
	typePhoto = iota
	typeVideoSD
	typeVideoHD
	typeRotate
	typeWatermark
	typeRotateBatch
	typeRerender
	photoTypes
)

var photoTypeNames = [photoTypes]string{
	"photo", "video_sd", "video_hd", "rotate", "watermark", "rotate_batch", "rerender",
}

const photoReferenceSpeed = 2.5 // of a c1.xlarge core

// DefaultPhotoSite returns a site with 416 thousand uploads a day, for the
// four weeks from Monday, 2 June 2008, midnight in California.
func DefaultPhotoSite() PhotoSite {
	s := time.Second
	return PhotoSite{
		Start:     time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC),
		Duration:  28 * 24 * time.Hour,
		UTCOffset: -7 * time.Hour,
		Scale:     1,
		Seed:      1,
		Rate: RateModel{
			UploadsPerSecond: 4.81,
			DaySpread:        0.12, HourSpread: 0.25, HourPersistence: 0.84,
			EventsPerYear: 0, // 8 in a real year; a planning week is one without
		},
		Sessions: SessionModel{
			SizeMedian: 8, SizeSigma: 1.35, SizeMax: 2000,
			ProShare: 0.12, ProFactor: 4,
			GapMedian: 9 * s, GapSigma: 0.7,
		},
		Mix: UploadMix{VideoSD: 0.018, VideoHD: 0.005, Rotate: 0.05, RotateDelay: 20 * time.Minute},
		Batches: BatchModel{
			PerDay: 120, SizeMin: 30, SizeAlpha: 1.2, SizeMax: 20_000, PerSecond: 2000,
			Watermark: 0.45, Rotate: 0.35, Rerender: 0.20,
		},
		Service: PhotoService{
			Photo:       Lognormal{4500 * time.Millisecond, 0.55, 60 * s},
			VideoSD:     Lognormal{40 * s, 0.7, 900 * s},
			VideoHD:     Lognormal{150 * s, 0.7, 3600 * s},
			Rotate:      Lognormal{1500 * time.Millisecond, 0.4, 20 * s},
			Watermark:   Lognormal{3 * s, 0.45, 120 * s},
			RotateBatch: Lognormal{1500 * time.Millisecond, 0.4, 120 * s},
			Rerender:    Lognormal{5 * s, 0.5, 120 * s},
		},
	}
}

// Validate returns everything that is wrong with c, by the names of a
// scenario's [generate] table; nil when Source will accept it.
func (c *PhotoSite) Validate() error {
	var errs []error
	number := func(key string, v, lo, hi float64) {
		if !(v >= lo && v <= hi) {
			errs = append(errs, fmt.Errorf("%s = %v: must be from %v to %v", key, v, lo, hi))
		}
	}
	span := func(key string, v, lo, hi time.Duration) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("%s = %v: must be from %v to %v", key, v, lo, hi))
		}
	}
	const year = 365 * 24 * time.Hour
	span("duration", c.Duration, 1, 20*year)
	span("utc_offset", c.UTCOffset, -14*time.Hour, 14*time.Hour)
	number("scale", c.Scale, 1e-6, 1000)
	r := &c.Rate
	number("uploads_per_second", r.UploadsPerSecond, 0, 1e6)
	number("uploads_per_second × scale", r.UploadsPerSecond*c.Scale, 0, 1e6)
	number("day_spread", r.DaySpread, 0, 2)
	number("hour_spread", r.HourSpread, 0, 2)
	number("hour_persistence", r.HourPersistence, 0, 0.999)
	number("events_per_year", r.EventsPerYear, 0, 100)
	for i, s := range r.Surges {
		span(fmt.Sprintf("surge[%d].at", i), s.At, 0, 20*year)
		span(fmt.Sprintf("surge[%d].for", i), s.For, 1, 20*year)
		number(fmt.Sprintf("surge[%d].factor", i), s.Factor, 0, 1000)
	}
	s := &c.Sessions
	number("session_size_median", s.SizeMedian, 1, 1e4)
	number("session_size_sigma", s.SizeSigma, 0, 3)
	number("session_size_max", float64(s.SizeMax), 1, 1e5)
	number("pro_share", s.ProShare, 0, 1)
	number("pro_factor", s.ProFactor, 1, 100)
	span("session_gap_median", s.GapMedian, time.Millisecond, time.Hour)
	number("session_gap_sigma", s.GapSigma, 0, 3)
	m := &c.Mix
	number("video_sd_share", m.VideoSD, 0, 1)
	number("video_hd_share", m.VideoHD, 0, 1)
	number("video_sd_share + video_hd_share", m.VideoSD+m.VideoHD, 0, 1)
	number("rotate_share", m.Rotate, 0, 1)
	span("rotate_delay", m.RotateDelay, time.Second, 24*time.Hour)
	b := &c.Batches
	number("batches_per_day", b.PerDay, 0, 1e6)
	number("batch_size_min", b.SizeMin, 1, 1e6)
	number("batch_size_alpha", b.SizeAlpha, 0.5, 10)
	number("batch_size_max", float64(b.SizeMax), 1, 1e6)
	number("batch_jobs_per_second", b.PerSecond, 1, 1e6)
	number("watermark_weight", b.Watermark, 0, 1e6)
	number("rotate_weight", b.Rotate, 0, 1e6)
	number("rerender_weight", b.Rerender, 0, 1e6)
	if b.Watermark+b.Rotate+b.Rerender == 0 {
		errs = append(errs, errors.New("watermark_weight, rotate_weight, rerender_weight: one must be more than 0"))
	}
	for i, k := range b.Clicks {
		span(fmt.Sprintf("click[%d].at", i), k.At, 0, 20*year)
		number(fmt.Sprintf("click[%d].jobs", i), float64(k.Jobs), 1, 1e7)
		if t := batchType(k.Type); t < 0 {
			known := photoTypeNames[typeWatermark:]
			errs = append(errs, fmt.Errorf("click[%d].type = %q: must be one of %q%s", i, k.Type, known, spell.DidYouMean(k.Type, known)))
		}
	}
	for i, l := range c.Service.all() {
		errs = append(errs, l.validate(photoTypeNames[i]+"_service"))
	}
	return errors.Join(errs...)
}

// all returns the distributions in the order of photoTypeNames.
func (s *PhotoService) all() [photoTypes]Lognormal {
	return [...]Lognormal{s.Photo, s.VideoSD, s.VideoHD, s.Rotate, s.Watermark, s.RotateBatch, s.Rerender}
}

func (l Lognormal) validate(key string) error {
	const year = 365 * 24 * time.Hour
	switch {
	case l.Median < time.Microsecond || l.Median > year:
		return fmt.Errorf("%s.median = %v: must be from 1µs to %v", key, l.Median, year)
	case !(l.Sigma >= 0 && l.Sigma <= 5):
		return fmt.Errorf("%s.sigma = %v: must be from 0 to 5", key, l.Sigma)
	case l.Max != 0 && l.Max < l.Median:
		return fmt.Errorf("%s.max = %v: must be at least the median (%v)", key, l.Max, l.Median)
	}
	return nil
}

// quantiles returns l ready to draw from, in ns.
func (l Lognormal) quantiles() *quantiles {
	most := float64(TimeMax)
	if l.Max > 0 {
		most = float64(l.Max)
	}
	return newQuantiles(lognormal(float64(l.Median), l.Sigma, most))
}

// batchType returns the number of a gallery-wide operation, -1 if unknown.
func batchType(name string) int {
	for t := typeWatermark; t <= typeRerender; t++ {
		if photoTypeNames[t] == name {
			return t
		}
	}
	return -1
}

// Source returns the jobs of the site in order of arrival. It fails if c does
// not validate. The same c gives the same jobs, always; a longer Duration
// only adds jobs at the end.
func (c *PhotoSite) Source() (Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return newPhotoGenerator(c), nil
}
