package sim

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// Lags are the boot lags that a world has in store: launch number id draws the
// same lag whatever was launched before. Make them with NewLags.
type Lags struct {
	stream  draw.Stream
	sampler []*bootSampler // by type
}

// NewLags returns the boot lags of the world cfg, faults left out.
func NewLags(cfg *Config) *Lags {
	l := &Lags{stream: newLaunchStreams(cfg.Seed).lag}
	for i := range cfg.Catalog.Types {
		l.sampler = append(l.sampler, cfg.bootSampler(cfg.Catalog.Types[i].Name))
	}
	return l
}

// Of returns the lag of launch number id, counted from 0, if it is of the type
// with that catalog index.
func (l *Lags) Of(typ int, id int64) time.Duration {
	return l.sampler[typ].lag(l.stream.UnitAt(id))
}

// Least returns, by type, the shortest lag among the first so many launches.
func (l *Lags) Least(launches int64) []time.Duration {
	u := 1.0
	for id := range launches {
		u = math.Min(u, l.stream.UnitAt(id))
	}
	least := make([]time.Duration, len(l.sampler))
	for i, s := range l.sampler {
		least[i] = s.lag(u)
	}
	return least
}

// Quantile returns the lag that the share q of boots of a type stays below, for
// 0 < q < 1.
func (l *Lags) Quantile(typ int, q float64) time.Duration { return l.sampler[typ].lag(q) }
