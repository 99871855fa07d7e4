// Package sim runs a policy against a recorded or generated trace: an exact
// discrete-event simulation of the queue, the workers and EC2, job by job, with
// boot lags, paid windows and everything that goes wrong.
//
// # What it promises
//
// At one instant completions come first, then what happens to instances (they
// become ready, crash, are taken back; leases end), then arrivals, then
// dispatch, then the tick (drains before launches), then instances whose boot
// lag is zero, then dispatch again. Jobs wait in one line per priority, in
// order of arrival and then of the trace; a waiting job goes to the slot idle
// longest, ties to the lowest instance and slot; nothing is preempted. The
// policy sees what a controller could know and no more.
//
// The same inputs give the same bytes and the same digest, whatever the number
// of CPUs. Every random quantity is drawn by what it is for, never by call
// order, so two policies with one seed meet the same weather.
//
// # How it is fast
//
// Completions sit in a winner tree over slots (a slot has at most one pending),
// arrivals are a cursor over the trace, the tick is a scalar, and everything
// rare is in a small heap. While jobs wait, a slot that is done goes straight to
// the next of them. Integrals over time are kept by one addition per event, and
// arrivals are counted when somebody asks. In steady state nothing is allocated
// per job. What each of it is worth stands in docs/benchmarks.md.
//
// # Where to read
//
//   - run.go, config.go, result.go: what goes in, and what comes out
//   - engine.go: what a run remembers
//   - play.go: what every job passes through; events.go, faults.go: what is rare
//   - tick.go, distort.go, ahead.go: what the policy sees, decides, and what becomes
//     of it
//   - launch.go, boots.go, fleet.go, spot.go: EC2; instance.go: an instance and its
//     bill
//   - workers.go: leases, crashes, partitions, failures
//   - weather.go: what chance has in store; weather_public.go: the same for others
//   - stats.go, figures.go, days.go, latency.go, timeline.go: what is counted
//   - completions.go, idle.go: the two data structures that make it fast
package sim
