package observe

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// memory is what a Recorder has learned and a controller keeps over a restart:
// the work of job types, boot lags, the profile of the week, and the slack of
// the last day. Counters and windows begin anew.
type memory struct {
	Origin   time.Time       `json:"origin"`
	Types    []typeMemory    `json:"types,omitempty"`
	Boots    []time.Duration `json:"boots,omitempty"`  // in the order they were seen
	Failed   []int64         `json:"failed,omitempty"` // world times of boots given up
	Hours    [][]float64     `json:"hours,omitempty"`  // by hour of the week, oldest first
	Hour     int64           `json:"hour"`             // that is running, since the epoch on the users' clock
	Work     float64         `json:"work"`             // that arrived in it so far, core-seconds
	Slack    [][3]float64    `json:"slack,omitempty"`  // end of a step (ns), ready and busy slot-seconds
	Progress time.Time       `json:"progress,omitzero"`
	Speeds   *speedsMemory   `json:"speeds,omitempty"`
}

// typeMemory is what is known of the work of one job type in one size; see service.
type typeMemory struct {
	Type    string    `json:"type"`
	Size    uint8     `json:"size,omitempty"`
	N       float64   `json:"n"`
	Sum     float64   `json:"sum"`
	Squares float64   `json:"squares"`
	Samples int64     `json:"samples"`
	Buckets []int     `json:"buckets,omitempty"`
	Jobs    []float32 `json:"jobs,omitempty"` // by Buckets
	// Jobs that completed lately, when there was progress for the last time, and their
	// work.
	RecentN   float64 `json:"recent_n,omitempty"`
	RecentSum float64 `json:"recent_sum,omitempty"`
	// Started jobs, those of them with an estimate, and its sum.
	Started   float64 `json:"started,omitempty"`
	Estimated float64 `json:"estimated,omitempty"`
	Estimate  float64 `json:"estimate,omitempty"`
}

// slackMemoryStep is how finely the slack of a day is remembered, in nanoseconds.
const slackMemoryStep = int64(5 * time.Minute)

// Origin returns the instant of world time 0.
func (r *Recorder) Origin() time.Time { return r.origin }

// MarshalJSON returns what has been learned.
func (r *Recorder) MarshalJSON() ([]byte, error) {
	m := memory{Origin: r.origin, Failed: r.boots.failedAt, Hour: r.profile.currentHour, Work: r.profile.workThisHour, Progress: r.progress, Speeds: r.rememberedSpeeds()}
	for _, s := range r.types {
		t := typeMemory{Type: s.jobType, Size: s.size, N: s.jobs, Sum: s.work, Squares: s.workSquared, Samples: s.samples, RecentN: s.recentJobs, RecentSum: s.recentWork, Started: s.started, Estimated: s.estimated, Estimate: s.estimate}
		for b, n := range s.hist {
			if n > 0 {
				t.Buckets, t.Jobs = append(t.Buckets, b), append(t.Jobs, n)
			}
		}
		m.Types = append(m.Types, t)
	}
	b := &r.boots
	m.Boots = append(slices.Clone(b.recent[b.next:]), b.recent[:b.next]...)
	for h := range r.profile.hours {
		n := r.profile.visits[h]
		var seen []float64
		for i := max(0, n-profileWeeks); i < n; i++ {
			seen = append(seen, r.profile.hours[h][i%profileWeeks])
		}
		m.Hours = append(m.Hours, seen)
	}
	for _, e := range r.slack.entries[r.slack.first:] {
		if n := len(m.Slack); n > 0 && int64(m.Slack[n-1][0])/slackMemoryStep == e.at/slackMemoryStep {
			last := &m.Slack[n-1]
			last[0] = float64(e.at)
			last[1] += e.ready
			last[2] += e.busy
			continue
		}
		m.Slack = append(m.Slack, [3]float64{float64(e.at), e.ready, e.busy})
	}
	return json.Marshal(&m)
}

// UnmarshalJSON restores what MarshalJSON of another Recorder returned into a new one, with
// its origin. It refuses what no Recorder can have learned, and a Recorder that has
// begun.
func (r *Recorder) UnmarshalJSON(text []byte) error {
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	if r.ticks > 0 || len(r.kinds) > 0 {
		return fmt.Errorf("observe: what was learned goes into a new recorder")
	}
	if len(m.Hours) > len(r.profile.hours) {
		return fmt.Errorf("observe: hours holds %d hours of the week, not %d", len(m.Hours), len(r.profile.hours))
	}
	r.origin, r.progress = m.Origin, m.Progress
	for _, t := range m.Types {
		if len(t.Buckets) != len(t.Jobs) || !(t.N >= 0) {
			return fmt.Errorf("observe: type %q: impossible counts", t.Type)
		}
		s := &service{jobType: t.Type, size: t.Size, jobs: t.N, work: t.Sum, workSquared: t.Squares, samples: t.Samples}
		s.recentJobs, s.recentWork = max(t.RecentN, 0), max(t.RecentSum, 0)
		s.started, s.estimated, s.estimate = max(t.Started, 0), max(t.Estimated, 0), max(t.Estimate, 0)
		for i, b := range t.Buckets {
			if b < 0 || b >= workBuckets || !(t.Jobs[i] >= 0) {
				return fmt.Errorf("observe: type %q: bucket %d: must be from 0 to %d", t.Type, b, workBuckets-1)
			}
			s.hist[b] = t.Jobs[i]
			s.histJobs += float64(t.Jobs[i])
		}
		r.addType(s)
	}
	for _, lag := range m.Boots {
		r.boots.add(lag)
	}
	r.boots.failedAt = m.Failed
	for h, seen := range m.Hours {
		for _, work := range seen[max(0, len(seen)-profileWeeks):] {
			r.profile.hours[h][r.profile.visits[h]%profileWeeks] = work
			r.profile.visits[h]++
		}
	}
	r.profile.currentHour, r.profile.workThisHour = m.Hour, m.Work
	r.recallSpeeds(m.Speeds)
	for _, e := range m.Slack {
		r.slack.enter(slackEntry{int64(e[0]), e[1], e[2]})
	}
	return nil
}
