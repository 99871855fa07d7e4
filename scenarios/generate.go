package scenarios

import (
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// Generate is the [generate] table. Defaults and bounds are those of package
// traces, which describes the models; a test holds the two together.
type Generate struct {
	Model    string        `toml:"model" required:"yes" selects:"yes" choices:"photo-site|poisson|sinusoid" doc:"What is generated. photo-site: a photo-sharing site of 2008, its people's uploads and their rendering, on cores of speed 2.5. poisson: independent Poisson streams, as the closed forms of queueing theory assume. sinusoid: one stream whose rate swings around its mean."`
	Duration time.Duration `toml:"duration" unset:"the scenario's" min:"1ms" max:"175200h" doc:"For how long jobs arrive."`
	Scale    float64       `toml:"scale" default:"1.0" min:"1e-6" max:"1000" doc:"Number of users, 1 being the whole site: a factor on every rate."`

	Streams []Stream `toml:"stream" of:"poisson" required:"yes" doc:"A stream of jobs."`

	Type      string        `toml:"type" of:"sinusoid" required:"yes" doc:"Job type."`
	Priority  int           `toml:"priority" of:"sinusoid" default:"0" min:"0" max:"255" doc:"Priority of the jobs."`
	PerHour   float64       `toml:"per_hour" of:"sinusoid" required:"yes" min:"1e-9" max:"1e9" unit:"1/h" doc:"Mean rate."`
	Amplitude float64       `toml:"amplitude" of:"sinusoid" default:"0.0" min:"0" max:"1e9" unit:"1/h" doc:"How far the rate swings to either side; at most per_hour."`
	Period    time.Duration `toml:"period" of:"sinusoid" default:"24h" min:"1s" max:"8760h" doc:"Time of one swing."`
	Service   *ServiceLaw   `toml:"service" of:"sinusoid" required:"yes" doc:"Service time, on a core of speed 1."`

	UploadsPerSecond float64 `toml:"uploads_per_second" of:"photo-site" default:"4.81" min:"0" max:"1e6" unit:"1/s" doc:"Mean over the week at scale 1."`
	Flat             bool    `toml:"flat" of:"photo-site" default:"false" doc:"The same rate at every hour of the week."`
	DaySpread        float64 `toml:"day_spread" of:"photo-site" default:"0.12" min:"0" max:"2" doc:"Coefficient of variation of a day's level."`
	HourSpread       float64 `toml:"hour_spread" of:"photo-site" default:"0.25" min:"0" max:"2" doc:"Coefficient of variation of an hour's level."`
	HourPersistence  float64 `toml:"hour_persistence" of:"photo-site" default:"0.84" min:"0" max:"0.999" doc:"Correlation of an hour's level with the next hour's."`
	EventsPerYear    float64 `toml:"events_per_year" of:"photo-site" default:"0.0" min:"0" max:"100" doc:"Holidays and deadlines: one to three days at 1.5 to 2.5 times the rate."`
	Surges           []Surge `toml:"surge" of:"photo-site" doc:"A time of more uploads, such as a flash crowd."`

	SessionSizeMedian float64       `toml:"session_size_median" of:"photo-site" default:"8.0" min:"1" max:"1e4" unit:"files" doc:"Uploads of one person, one after another; lognormal."`
	SessionSizeSigma  float64       `toml:"session_size_sigma" of:"photo-site" default:"1.35" min:"0" max:"3" doc:"Sigma of that distribution."`
	SessionSizeMax    int           `toml:"session_size_max" of:"photo-site" default:"2000" min:"1" max:"100000" unit:"files" doc:"Largest session, before pro_factor."`
	ProShare          float64       `toml:"pro_share" of:"photo-site" default:"0.12" min:"0" max:"1" unit:"fraction" doc:"Sessions by Pro customers, whose uploads have priority 0."`
	ProFactor         float64       `toml:"pro_factor" of:"photo-site" default:"4.0" min:"1" max:"100" doc:"How much larger their sessions are."`
	SessionGapMedian  time.Duration `toml:"session_gap_median" of:"photo-site" default:"9s" min:"1ms" max:"1h" doc:"From file to file; lognormal."`
	SessionGapSigma   float64       `toml:"session_gap_sigma" of:"photo-site" default:"0.7" min:"0" max:"3" doc:"Sigma of that distribution."`

	VideoSDShare float64       `toml:"video_sd_share" of:"photo-site" default:"0.018" min:"0" max:"1" unit:"fraction" doc:"Uploads that are videos."`
	VideoHDShare float64       `toml:"video_hd_share" of:"photo-site" default:"0.005" min:"0" max:"1" unit:"fraction" doc:"Uploads that are HD videos."`
	RotateShare  float64       `toml:"rotate_share" of:"photo-site" default:"0.05" min:"0" max:"1" unit:"fraction" doc:"Photos that are rotated by hand afterwards."`
	RotateDelay  time.Duration `toml:"rotate_delay" of:"photo-site" default:"20m" min:"1s" max:"24h" doc:"Mean time until then; exponential."`

	BatchesPerDay      float64 `toml:"batches_per_day" of:"photo-site" default:"120.0" min:"0" max:"1e6" unit:"1/day" doc:"Gallery-wide operations at scale 1; their jobs have priority 2."`
	BatchSizeMin       float64 `toml:"batch_size_min" of:"photo-site" default:"30.0" min:"1" max:"1e6" unit:"jobs" doc:"Smallest operation; Pareto."`
	BatchSizeAlpha     float64 `toml:"batch_size_alpha" of:"photo-site" default:"1.2" min:"0.5" max:"10" doc:"Tail exponent of that distribution."`
	BatchSizeMax       int     `toml:"batch_size_max" of:"photo-site" default:"20000" min:"1" max:"1000000" unit:"jobs" doc:"Largest operation."`
	BatchJobsPerSecond float64 `toml:"batch_jobs_per_second" of:"photo-site" default:"2000.0" min:"1" max:"1e6" unit:"1/s" doc:"How fast an operation is enqueued."`
	WatermarkWeight    float64 `toml:"watermark_weight" of:"photo-site" default:"0.45" min:"0" max:"1e6" doc:"Share of watermarking among the operations."`
	RotateWeight       float64 `toml:"rotate_weight" of:"photo-site" default:"0.35" min:"0" max:"1e6" doc:"Share of rotating."`
	RerenderWeight     float64 `toml:"rerender_weight" of:"photo-site" default:"0.2" min:"0" max:"1e6" doc:"Share of rendering anew."`
	Clicks             []Click `toml:"click" of:"photo-site" doc:"A gallery-wide operation at a fixed time."`

	PhotoService       *Service `toml:"photo_service" of:"photo-site" unset:"4.5s, 0.55, at most 1m" doc:"Service time of a photo, on a core of speed 2.5."`
	VideoSDService     *Service `toml:"video_sd_service" of:"photo-site" unset:"40s, 0.7, at most 15m" doc:"Of a video."`
	VideoHDService     *Service `toml:"video_hd_service" of:"photo-site" unset:"2m30s, 0.7, at most 1h" doc:"Of an HD video."`
	RotateService      *Service `toml:"rotate_service" of:"photo-site" unset:"1.5s, 0.4, at most 20s" doc:"Of a rotation by hand."`
	WatermarkService   *Service `toml:"watermark_service" of:"photo-site" unset:"3s, 0.45, at most 2m" doc:"Of a watermark."`
	RotateBatchService *Service `toml:"rotate_batch_service" of:"photo-site" unset:"1.5s, 0.4, at most 2m" doc:"Of a rotation of a gallery-wide operation."`
	RerenderService    *Service `toml:"rerender_service" of:"photo-site" unset:"5s, 0.5, at most 2m" doc:"Of a new rendering."`
}

// Stream is a [[generate.stream]] table.
type Stream struct {
	Type      string     `toml:"type" required:"yes" doc:"Job type."`
	Priority  int        `toml:"priority" default:"0" min:"0" max:"255" doc:"Priority of the jobs."`
	PerSecond float64    `toml:"per_second" required:"yes" min:"1e-9" max:"1e6" unit:"1/s" doc:"Mean rate."`
	Service   ServiceLaw `toml:"service" required:"yes" doc:"Service time, on a core of speed 1."`
}

// ServiceLaw is a distribution of service times by its mean.
type ServiceLaw struct {
	Law  string        `toml:"law" default:"exponential" choices:"exponential|deterministic|lognormal" selects:"yes" doc:"Its family."`
	Mean time.Duration `toml:"mean" required:"yes" min:"1µs" max:"8760h" doc:"Mean."`
	SCV  float64       `toml:"scv" of:"lognormal" required:"yes" min:"0" max:"1000" doc:"Squared coefficient of variation."`
}

// Surge is a [[generate.surge]] table.
type Surge struct {
	At     time.Duration `toml:"at" required:"yes" min:"0s" max:"175200h" doc:"When it begins, since the trace's start."`
	For    time.Duration `toml:"for" required:"yes" min:"1s" max:"175200h" doc:"How long it lasts."`
	Factor float64       `toml:"factor" required:"yes" min:"0" max:"1000" doc:"On the rate of upload sessions."`
}

// Click is a [[generate.click]] table.
type Click struct {
	At   time.Duration `toml:"at" required:"yes" min:"0s" max:"175200h" doc:"When it happens, since the trace's start."`
	Type string        `toml:"type" required:"yes" choices:"watermark|rotate_batch|rerender" doc:"The operation."`
	Jobs int           `toml:"jobs" required:"yes" min:"1" max:"10000000" doc:"Photos of the gallery."`
}

// Service is a lognormal distribution of service times.
type Service struct {
	Median time.Duration `toml:"median" required:"yes" min:"1µs" max:"8760h" doc:"Half of the jobs take less."`
	Sigma  float64       `toml:"sigma" required:"yes" min:"0" max:"5" doc:"Standard deviation of the logarithm."`
	Max    time.Duration `toml:"max" unset:"no bound" min:"1µs" max:"8760h" doc:"A longer time becomes it."`
}

// generator is a trace that can be made.
type generator interface {
	Source() (traces.Source, error)
	Validate() error
}

// generator returns the model of the scenario's [generate] table, with its
// weather drawn from seed.
func (s *Scenario) generator(seed uint64) generator {
	g := s.Generate
	switch g.Model {
	case "poisson":
		return g.poisson(s.Start, s.generated(), seed)
	case "sinusoid":
		return &traces.Sinusoid{
			Start: s.Start, Duration: s.generated(), Seed: seed,
			Type: g.Type, Priority: uint8(g.Priority),
			PerHour: g.PerHour * g.Scale, Amplitude: g.Amplitude * g.Scale, Period: g.Period,
			Service: g.Service.time(),
		}
	}
	site := g.photoSite(s.Start, s.UTCOffset, s.generated(), seed)
	return &site
}

// kinds returns what kinds of job g can bring about: those of a miniature in
// which everything that happens at all happens at once.
func (g *Generate) kinds() []traces.Kind {
	switch g.Model {
	case "poisson":
		var list []traces.Kind
		for _, s := range g.Streams {
			list = append(list, traces.Kind{Type: s.Type, Priority: uint8(s.Priority)})
		}
		return list
	case "sinusoid":
		return []traces.Kind{{Type: g.Type, Priority: uint8(g.Priority)}}
	}
	site := g.photoSite(time.Time{}, 0, 10*time.Minute, 1)
	site.Scale = 1
	rate := traces.RateModel{Flat: true}
	if site.Rate.UploadsPerSecond > 0 {
		rate.UploadsPerSecond = 100
	}
	site.Rate = rate
	if site.Batches.PerDay > 0 {
		site.Batches.PerDay = 100_000
	}
	for i := range site.Batches.Clicks {
		site.Batches.Clicks[i].At, site.Batches.Clicks[i].Jobs = 0, 1
	}
	src, err := site.Source()
	if err != nil {
		return nil
	}
	defer src.Close()
	var b traces.Batch
	if src.Next(&b) != nil {
		return nil // no jobs at all
	}
	return b.Kinds
}

// poisson returns the streams that g describes.
func (g *Generate) poisson(start time.Time, duration time.Duration, seed uint64) *traces.Poisson {
	p := &traces.Poisson{Start: start, Duration: duration, Seed: seed}
	for i := range g.Streams {
		s := &g.Streams[i]
		p.Classes = append(p.Classes, traces.PoissonClass{
			Type: s.Type, Priority: uint8(s.Priority), PerSecond: s.PerSecond * g.Scale, Service: s.Service.time(),
		})
	}
	return p
}

// time returns the distribution as package traces has it.
func (l *ServiceLaw) time() traces.ServiceTime {
	law := map[string]traces.Law{
		"exponential": traces.Exponential, "deterministic": traces.Deterministic, "lognormal": traces.LognormalLaw,
	}
	return traces.ServiceTime{Law: law[l.Law], Mean: l.Mean, SCV: l.SCV}
}

// photoSite returns the site that g describes. start is zero where the
// scenario leaves it to the generator.
func (g *Generate) photoSite(start time.Time, offset, duration time.Duration, seed uint64) traces.PhotoSite {
	site := traces.DefaultPhotoSite()
	if !start.IsZero() {
		site.Start = start
	}
	site.UTCOffset, site.Duration, site.Seed, site.Scale = offset, duration, seed, g.Scale
	site.Rate = traces.RateModel{
		UploadsPerSecond: g.UploadsPerSecond, Flat: g.Flat,
		DaySpread: g.DaySpread, HourSpread: g.HourSpread, HourPersistence: g.HourPersistence,
		EventsPerYear: g.EventsPerYear,
	}
	for _, s := range g.Surges {
		site.Rate.Surges = append(site.Rate.Surges, traces.Surge{At: s.At, For: s.For, Factor: s.Factor})
	}
	site.Sessions = traces.SessionModel{
		SizeMedian: g.SessionSizeMedian, SizeSigma: g.SessionSizeSigma, SizeMax: g.SessionSizeMax,
		ProShare: g.ProShare, ProFactor: g.ProFactor,
		GapMedian: g.SessionGapMedian, GapSigma: g.SessionGapSigma,
	}
	site.Mix = traces.UploadMix{
		VideoSD: g.VideoSDShare, VideoHD: g.VideoHDShare, Rotate: g.RotateShare, RotateDelay: g.RotateDelay,
	}
	site.Batches = traces.BatchModel{
		PerDay: g.BatchesPerDay, SizeMin: g.BatchSizeMin, SizeAlpha: g.BatchSizeAlpha, SizeMax: g.BatchSizeMax,
		PerSecond: g.BatchJobsPerSecond,
		Watermark: g.WatermarkWeight, Rotate: g.RotateWeight, Rerender: g.RerenderWeight,
	}
	for _, c := range g.Clicks {
		site.Batches.Clicks = append(site.Batches.Clicks, traces.Click{At: c.At, Type: c.Type, Jobs: c.Jobs})
	}
	for _, s := range []struct {
		to   *traces.Lognormal
		from *Service
	}{
		{&site.Service.Photo, g.PhotoService},
		{&site.Service.VideoSD, g.VideoSDService},
		{&site.Service.VideoHD, g.VideoHDService},
		{&site.Service.Rotate, g.RotateService},
		{&site.Service.Watermark, g.WatermarkService},
		{&site.Service.RotateBatch, g.RotateBatchService},
		{&site.Service.Rerender, g.RerenderService},
	} {
		if s.from != nil {
			*s.to = traces.Lognormal{Median: s.from.Median, Sigma: s.from.Sigma, Max: s.from.Max}
		}
	}
	return site
}
