// Package controller is the loop that spends real money while nobody watches:
// about once a minute it reads the queue and EC2, builds the Observation that
// the simulator would have built, steps the policy, and does what the guard
// leaves of its decision.
//
// One tick
//
//  1. gathers: the queue's counters and EC2's lists, at the same time, each with
//     a deadline. What cannot be read is unknown, never zero.
//  2. sweeps: the ledger (package fleet) joins what was asked for with what the
//     lists and the workers show.
//  3. decides: Step of the policy, then the guard; the journal has both.
//  4. saves, fenced by the leader's epoch: the policy's state, what was learned,
//     the ledger with every launch that is about to be asked for, and what drains.
//  5. acts, if nobody has stopped it: drains travel as directives of the queue,
//     launches go to EC2 with client tokens that follow from what was saved, and
//     an instance is terminated only when the queue says that nothing is leased
//     on it and nothing will be.
//  6. settles: saves what became of it.
//
// A crash between any two of these loses nothing and launches nothing twice: the
// next leader asks again with the same tokens.
//
// A Controller without an actuator only watches: it has nothing to act with.
package controller
