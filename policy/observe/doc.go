// Package observe turns what a world counts into the Observation that a policy is
// stepped with. The simulator and the production controller both use it, so a window
// of five minutes, a learned boot lag or a day's slack means the same in both.
//
// # How a world uses it
//
// A world keeps one Recorder, and tells it what happens:
//
//   - Recorder.Kind returns the counters of one kind of job: a type, a priority and a
//     size. The world increments them as jobs pass. They are plain fields, so that the
//     simulator pays one addition for an event. A world that learns of jobs from
//     another process hands over that one's counters instead (Kind.Follow).
//   - Booted, BootFailed, Launched, Terminated, Called, Refused and so on note what is
//     seen of the fleet and of EC2 at the time it happens.
//
// And once per tick, at world time now, it does
//
//	r.Begin(&o, now)                      // learns from what completed, fills o.Queue
//	o.Fleet.Instances = …                 // what the world knows of its instances
//	for each running job { r.Running(…) }
//	r.End(&o, now, sample)                // fills the rest
//	decision := policy.Step(&o)
//
// World time is in nanoseconds since the recorder's origin.
//
// # What it knows
//
// No more than a controller could. The work of a job that waits or runs is estimated
// from jobs that completed before, or from an estimate that the job carries, never
// from its true service time. Estimates of a type that are wrong on average are
// corrected by what such jobs took.
//
// # Where to find what
//
//	recorder.go   one tick; windows over 1, 5, 15 and 60 minutes; o.Queue
//	kind.go       the counters of a kind
//	ages.go       how long jobs have waited
//	service.go    how much work a job of a type is
//	follow.go     counters that another process keeps
//	fleet.go      o.Fleet and o.History
//	boot.go       boot lags
//	speeds.go     how fast the slots of instance types are
//	profile.go    arriving work by hour of the week
//	window.go     events and calls of the last hour; slack of the last day
//	memory.go     what is kept over a restart
package observe
