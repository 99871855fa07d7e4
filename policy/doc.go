// Package policy decides, about once a minute, what a batch fleet on EC2
// should do next: launch, drain or sleep. It is the only place that decides;
// the simulator and the production controller are two worlds that obey it.
//
// # The contract
//
// A Policy is stepped with an Observation and returns a Decision. It has no
// clock, no randomness, no goroutine and does no I/O. The same parameters,
// the same state and the same observation give the same bytes, on every
// architecture. In return the caller must
//
//  1. call Step with Observation.Now increasing;
//  2. apply at most what was asked, never more;
//  3. report every launch it sent in the next Observation, even if EC2 has
//     not confirmed it: capacity on its way is capacity;
//  4. save the state (it is JSON) before it applies the decision.
//
// The caller's loop, in both worlds:
//
//	for each tick {
//		o := observe(now) // unknown stays unknown, never zero
//		d := p.Step(o)
//		d = Obey(o, catalog, d)        // what operators wish, where there are any
//		d = guard.Clamp(o, catalog, d) // the guard has the last word
//		save(p)
//		apply(guard.Clamp(o, catalog, d)) // and stands again at the door
//	}
//
// # Words
//
// Job, job type, priority (0 first), work (core-seconds on the reference
// core), wait (arrival to start), sojourn (arrival to done), class (the jobs a
// promise is made to), backlog, instance, instance type, slot (one core that
// runs one job), boot lag, paid window, drain, slack, tick. The glossary in
// docs/ defines each once.
//
// # What lives where
//
// This package holds the vocabulary, the instance catalogs, the billing rules and
// the guard. To learn it, read observation.go (what is known), decision.go (what is
// asked for), policy.go (who decides), guard.go and guard_clamp.go (what may pass),
// obey.go (what operators wish), and reason.go (how a decision explains itself).
//
// The rules of the SkyNet policy are in policy/skynet, every other policy is in
// policy/baseline, the queue's state machine in policy/dispatch, and policy/observe
// turns what either world counts into an Observation.
package policy
