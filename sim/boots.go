package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/draw"
)

// launchStreams are the random numbers drawn per launch ordinal.
type launchStreams struct {
	lag, dead, deadFault, throttle, lost, crash, spot, pick, failure, poison draw.Stream
}

func newLaunchStreams(seed uint64) launchStreams {
	return launchStreams{
		lag:       newStream(seed, "boot-lag"),
		dead:      newStream(seed, "never-boots"),
		deadFault: newStream(seed, "dead-boot"),
		throttle:  newStream(seed, "throttle"),
		lost:      newStream(seed, "lost-reply"),
		crash:     newStream(seed, "crash"),
		spot:      newStream(seed, "spot-interruption"),
		pick:      newStream(seed, "fault-pick"),
		failure:   newStream(seed, "job-failure"),
		poison:    newStream(seed, "job-poison"),
	}
}

// bootSampler draws boot lags.
type bootSampler struct {
	model     BootModel
	mu, sigma float64 // of the lognormal's logarithm in seconds
}

func (cfg *Config) bootSampler(typeName string) *bootSampler {
	m, ok := cfg.Boot[typeName]
	if !ok {
		m = cfg.Boot[""]
	}
	b := &bootSampler{model: m}
	if m.Model == "lognormal" {
		b.mu = detmath.Log(m.Median.Seconds())
		b.sigma = (detmath.Log(m.P99.Seconds()) - b.mu) / detmath.NormalQuantile(0.99)
	}
	return b
}

// lag returns the boot lag for the uniform number u.
func (b *bootSampler) lag(u float64) time.Duration {
	switch b.model.Model {
	case "lognormal":
		s := detmath.Exp(b.mu + float64(b.sigma*detmath.NormalQuantile(u)))
		lag := policy.Seconds(s)
		if b.model.Max > 0 {
			lag = min(lag, b.model.Max)
		}
		return lag
	case "empirical":
		n := len(b.model.Samples)
		return b.model.Samples[min(int(u*float64(n)), n-1)]
	}
	return b.model.Value
}

// guess is what a controller would assume before it has seen a boot.
func (m BootModel) guess() time.Duration {
	switch m.Model {
	case "lognormal":
		return m.Median
	case "empirical":
		return m.Samples[len(m.Samples)/2]
	}
	return m.Value
}
