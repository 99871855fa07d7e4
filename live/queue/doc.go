// Package queue is where work waits and where its history is written. One process
// leads: it holds what waits in memory, decides there who gets what, and writes
// each change to a Store before it tells anybody. Any number of others stand by.
//
// # How it works
//
// The rules are those of policy/dispatch, the state machine that the simulator's
// line is proved equal to. An Engine puts around it what a machine without clock
// and I/O cannot have: calls of many clients at once, one writer that commits what
// all of them have done as one batch, calls that wait in memory for work, and a
// keeper that does what is due by the clock.
//
// A Store keeps the rows. It decides nothing, but it knows who leads: what a
// former leader still tries to write is refused (ErrFenced). The stores are
// Memory, for tests, and the packages sqlite and postgres; package storetest is
// what each of them must pass.
//
// # The caller's duties
//
//  1. Open the engine with a store, and wait: Open returns when it leads.
//  2. Repeat a call whose outcome is not known: with an idempotency key, a req_id or
//     a lease's token it counts once.
//  3. Watch Done: an engine that no longer leads answers nothing any more.
//  4. Close it, so that the next leader need not wait.
//
// Package server puts it on HTTP. docs/queue.md says what is promised, and why it
// holds.
package queue
