// Package skynet is the SkyNet policy: it buys and releases instances so that
// every class of jobs keeps its promise for the least money.
//
// It plans in work and deadlines, never in job counts. All work is measured in
// slot-seconds of the unit slot, which is one slot of the instance type whose
// unit of work is cheapest. A job of w core-seconds on the reference core is
// w ÷ speed slot-seconds of work, and an instance of any type counts as many
// unit slots as its throughput is worth.
//
// # Words
//
//   - The lag, L, is the time in seconds from a launch until the instance serves.
//     A tick, Δ, is the time between two decisions.
//   - A line is the queue of one priority, served first come first served. Its
//     budget is how long a job may wait in it for its start.
//   - A line is urgent when a launch would come too late for its budget, or when
//     it is served before such a line. Arrivals of an urgent line are forecast and
//     capacity stands ready for them. A line is patient when its own budget leaves
//     time for a launch: what waits in it is planned to its deadline. A patient
//     line with a promise that is served before an urgent one is both.
//   - The head of a job is its first budget seconds of work, which compete with
//     other jobs for a start in time. The tail is the rest of its work, which holds
//     the slot afterwards.
//   - The level is the load that arrives, in slots: slot-seconds of work per
//     second.
//   - The reserve is what is planned for beyond the mean. Its multiplier, z, rises
//     while too many jobs are late and falls while too few are.
//   - The recovery time, ρ, is how long late work may stay late after a launch
//     could help. It keeps the policy from buying for work that no launch can save.
//
// # One step
//
// Step, in skynet.go, does the following in this order. Each family of rules has
// a file of its own; files in parentheses serve the one before them.
//
//	doubt.go       Hold everything if queue or fleet were not read well enough.
//	lines.go       Find the lines and their budgets (market.go: what each type's
//	               capacity is worth and costs, and what EC2 refuses).
//	work.go        Sort waiting and arriving work into the lines, as heads and tails.
//	level.go       Learn the load that arrives (shape.go: by hour of day and week).
//	spread.go      Learn how far loads scatter (quantile.go, phi.go: two models;
//	               fan.go: the forecast that is shown to people; off.go: which
//	               hours are so quiet that nothing need stand ready).
//	steer.go       Move z by the late jobs of each class, and give each line its z.
//	spare.go       Let jobs of lines that are not urgent be late, as many as their
//	               promise has to spare.
//	hours.go       Choose ρ: shorter while an hour, or a class, goes badly.
//	forecast.go    Combine level, profile and reserve into the load to plan for.
//	fleet.go       Count what serves and what boots, and from when on.
//	plan.go        Lay out the fluid plan (serve.go runs it).
//	slackrule.go   The rule of 2008: a floor and a ceiling from the slack of the
//	               last 24 hours (slackswap.go: a smaller instance for a large one).
//	chance.go      A floor that lets urgent jobs find a free slot beside long jobs.
//	buy.go         Scale out: undrain, then launch, what the plan or a floor lacks
//	               (cover.go: of which types).
//	release.go     Scale in: drain what the plan does without, when its paid window
//	               ends.
//	nexttick.go    Say when to look again.
//
// What is remembered between steps is in state.go, and restore.go checks it when it
// is read back. The parameters and their defaults are in spec.go.
//
// # An example
//
// The first purchase of testdata/story/buy can be checked by hand. No instance
// runs. In the last minute 600 photos arrived, 12.5 core-seconds each, of which
// 95 % must start within 120 s. Boots take L = 120 s, the tick is Δ = 60 s, hours
// are paid whole, so that ρ = 300 s, and z is at its start, 0.5. The cheapest unit
// slot has the speed 2.5.
//
//  1. A photo is 12.5 ÷ 2.5 = 5 slot-seconds. That is less than the budget of
//     120 s, so all of it is head. 600 × 5 = 3000 slot-seconds wait. The budget is
//     shorter than L + Δ + ρ = 480 s: the line is urgent.
//  2. The level is 3000 slot-seconds in 60 s: m = 50 slots.
//  3. In the first hour, before it has learned, the reserve assumes a variance of
//     twice the mean: the plan is for m + z·√(2m) = 50 + 0.5·10 = 55 slots.
//  4. The plan is checked from u = L + ρ = 420 s to u = L + ρ + Δ = 480 s. At 420 s,
//     3000 + 55·420 = 26 100 slot-seconds have come. What arrived in the last 120 s of
//     them is not yet due: 55·120 = 6600 may still wait. So 19 500 must have been served
//     in the ρ = 300 s since a launch could help, which takes 65 slots. At 480 s, 63.3
//     slots are enough.
//  5. Unit slots are equally cheap in c1.medium (2 slots) and c1.xlarge (8 slots).
//     A fleet of 65 slots should have instances of at most a twelfth of it, 5.4
//     slots, to follow the load. 65 ÷ 2, rounded up, are 33 c1.medium.
//
// The decision says so itself: "short of 162.5 cores in 120 s", which is 65 slots
// of speed 2.5. At the next ticks the 33 instances are booting, and the plan counts
// them from the moment they are expected: nothing is bought for the same work again.
//
// # Arithmetic
//
// Every product that is added is rounded first, float64(x*y)+z. Otherwise a
// compiler may fuse the two into one operation, and architectures would differ in
// the last bit and so in what they decide.
//
// docs/policy.md has all formulas, and the measurements behind the defaults.
package skynet
