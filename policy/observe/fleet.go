package observe

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// freeSteps is how many steps of FreeStep are told apart when running jobs are done; the
// last one holds all that are done later.
const freeSteps = int(time.Hour / policy.FreeStep)

// Running notes a job of a kind that has run for elapsed nanoseconds on a slot of the given
// speed in reference cores, and returns after how long it is estimated to be done. The
// estimate is what the job carries, in nanoseconds on the reference core; 0: none. Frees
// says that its instance is ready and stays, so that others can have the slot then.
func (r *Recorder) Running(k *Kind, estimate, elapsed int64, speed float64, frees bool) time.Duration {
	left := residual(r.expected(k, estimate), float64(float64(elapsed)/1e9*speed))
	after := policy.CoreSeconds(left).On(speed)
	r.views[k.view].InFlight.Work += policy.CoreSeconds(left)
	if frees {
		step := min(int(after/policy.FreeStep), freeSteps-1)
		r.freeing[step] += speed
		r.freeEnd = max(r.freeEnd, step+1)
	}
	return after
}

// fleet fills what o.Fleet has besides Instances: sums over them, and what Running,
// Launched, Terminated and Booted noted.
func (r *Recorder) fleet(o *policy.Observation, now int64) {
	f := &o.Fleet
	f.At, f.Complete = o.Now, true
	f.ReadySlots, f.BusySlots, f.BootingSlots, f.DrainingSlots = 0, 0, 0, 0
	r.boots.fill(&f.Boot, now)
	ready := 0
	f.Boot.Overdue = 0
	for i := range f.Instances {
		v := &f.Instances[i]
		switch v.Phase {
		case policy.Requested, policy.Booting:
			f.BootingSlots += v.Slots
			if o.Now.Sub(v.LaunchedAt) > f.Boot.P99 {
				f.Boot.Overdue++
			}
		case policy.Ready:
			ready++
			f.ReadySlots += v.Slots
			f.BusySlots += v.Busy
		case policy.Draining:
			f.DrainingSlots += v.Slots
		}
	}
	f.Load = 0
	if f.ReadySlots > 0 {
		f.Load = float64(f.BusySlots) / float64(f.ReadySlots)
	}
	f.JobsPerInstance = 0
	if ready > 0 {
		done := int64(0)
		for _, k := range r.kinds {
			done += k.Completed - k.seen.completed
		}
		f.JobsPerInstance = float64(done) / float64(ready)
	}
	r.fillFreeing(f)
	f.Speeds = nil
	if r.speeds.stale {
		r.speeds.estimate(r.catalogSpeeds())
	}
	if r.speeds.changed {
		f.Speeds = r.speeds.speeds
	}
	r.fleetLog.fill(f, now)
}

// fillFreeing tells when running jobs leave how much capacity, and forgets it.
func (r *Recorder) fillFreeing(f *policy.FleetView) {
	r.freeBuffer = r.freeBuffer[:0]
	for step, capacity := range r.freeing[:r.freeEnd] {
		if capacity != 0 {
			r.freeBuffer = append(r.freeBuffer, policy.FreeCount{After: time.Duration(step+1) * policy.FreeStep, Capacity: capacity})
			r.freeing[step] = 0
		}
	}
	r.freeEnd = 0
	f.Freeing = r.freeBuffer
}

// Decided notes a decision and what became of its launches at once. The last few are kept.
func (r *Recorder) Decided(o policy.Outcome) {
	const kept = 8
	if len(r.outcomes) == kept {
		copy(r.outcomes, r.outcomes[1:])
		r.outcomes = r.outcomes[:kept-1]
	}
	r.outcomes = append(r.outcomes, o)
}

// trendLeast is for how many seconds the world must have run, for a quarter of an hour
// to be compared with the hour.
const trendLeast = 900

// history fills o.History: the profile, level and trend of the work that arrives, the
// slack of the last 24 hours with the ready slot-seconds it rests on, and the last
// decisions.
func (r *Recorder) history(o *policy.Observation, now int64, slack, ready float64) {
	h := &o.History
	h.At, h.Complete = o.Now, true
	var arrived, quarter, hour float64 // core-seconds: of this step, the last 15 and 60 minutes
	for i, k := range r.kinds {
		arrived += k.estimated - k.seen.estimated
		quarter += k.estimated - r.countersBefore(i, window15m, now).estimated
		hour += k.estimated - r.countersBefore(i, window1h, now).estimated
	}
	r.profile.add(o.Now, arrived)
	var seen bool
	h.ProfileMean, h.ProfileP90, seen = r.profile.at(o.Now)
	h.NextMean, _, _ = r.profile.at(o.Now.Add(time.Hour))
	h.Level, h.Trend = 1, 1
	if seen && h.ProfileMean > 0 {
		h.Level = hour / 3600 / h.ProfileMean
	}
	if span := float64(min(now, int64(time.Hour))) * 1e-9; hour > 0 && span > trendLeast {
		h.Trend = (quarter / 900) / (hour / span)
	}
	h.Slack24h = slack
	h.SlackOver = time.Duration(min(now, int64(24*time.Hour)))
	h.ReadySlotSeconds = ready
	h.BusySlotSeconds = ready - float64(slack*ready)
	h.Decisions = r.outcomes
}
