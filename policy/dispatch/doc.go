// Package dispatch decides which waiting job goes to which worker: the queue
// as a pure state machine. It has no clock (now is handed in, in ns), no
// randomness but a seeded hash, no goroutine and no I/O, and no map whose order
// could be seen. The same calls give the same answers.
//
// # Two layers
//
// Line is the order and nothing else: by (priority, arrival, id), 0 first, no
// preemption, and a job that comes back gets its place again. The simulator
// runs it for every job that waits.
//
// Queue is what a live queue needs besides: leases with fencing tokens,
// workers that beat or fall silent, retries, quarantine, delayed jobs,
// idempotency keys, limits by type and key, shares of tenants, ageing, and a
// snapshot that restores exactly. The live queue runs it, and so do tests with
// faults. It does no I/O either: its caller stores first what an Effect says,
// and answers the worker after.
//
// # The caller's duties
//
//  1. Name instants that do not decrease; an earlier one counts as the latest.
//  2. Call Expire at the instant Wake names, or every second.
//  3. Make what Enqueue, Complete and the like returned durable before telling
//     anybody. Leases need not be: a new leader of a greater epoch lets the
//     workers Adopt what they run, and whoever comes too late holds a token
//     that is stale.
//  4. Give every leader an epoch greater than any before it.
//
// The loop around it:
//
//	queue, err := dispatch.Restore(snapshot, epoch) // or New, and Load for each stored job
//	for each request or Wake {
//		effects := queue.Expire(now, nil)
//		… queue.Enqueue, Lease, Beat, Complete, Fail, Release …
//		store(effects)
//		answer()
//	}
//
// # Where to find what
//
//	line.go       Line
//	file.go       the rule of order that both layers share (heap.go: for late ones)
//	queue.go      Queue: Enqueue, the clock, and how a job enters and leaves each State
//	record.go     what is kept of a job: State, Token, the record
//	lease.go      leases, workers that beat or fall silent, which job goes next
//	finish.go     Complete, Fail, Release, and the Effect of each
//	flow.go       who waits, by type, priority and tenant
//	limit.go      limits of types and of concurrency keys
//	tenant.go     shares of tenants
//	operate.go    Cancel, Retry, SetPriority, Pause, limits: what people order
//	options.go    constants of a queue, and the back-off of retries
//	stored.go     Load and Jobs: a queue kept in a store (reload.go: what goes with it)
//	snapshot.go   a queue kept in one piece
//
// # Nothing is searched for
//
// A job that leaves the line, or whose deadline no longer counts, is not looked for in
// heaps and rings. Its record bears a stamp, which every change of state raises, and
// whatever refers to the job, a place in the line or a timer, bears the stamp of the
// moment it was made. When one comes to the front that bears an old stamp it is
// skipped, and when these are most of a ring or heap it is filtered.
//
// # Why two layers and not one
//
// A job that waits in the simulator costs a Push and a Pop, 18 ns together and
// 40 bytes. A job's life in a Queue costs 330 to 490 ns with nothing waiting,
// 760 to 980 ns with a million, and 126 bytes (BenchmarkLine, BenchmarkQueue;
// Go 1.26, one shared core at 2.6 GHz): it is found by its id, stamped, held by
// a worker, remembered. At the 100 ns a job of ten million jobs a second the
// simulator cannot pay that for tokens and tenants it does not have, while a
// queue that answers over HTTP does not notice.
//
// So the two share the rule of order, in the type file (a ring for those who
// come in order, a heap for those who come back), and are proved equal: the
// scripts in testdata/both play against a loop of workers around a Line and
// against a Queue with one expected output, TestQueueOrderIsLineOrder compares
// them on random returns, cancellations and changes of priority, and
// TestQueueAgainstModel compares a Queue with everything on with a list that is
// searched from end to end.
//
// What was measured and rejected for the Line: an array per field of Job (a
// quarter slower in the barest ring: five cache lines in place of one), copying
// whole jobs (44 ns: wide loads wait for narrow stores), a heap by priority and
// arrival (225 ns at 100 deep, 507 a million deep).
package dispatch
