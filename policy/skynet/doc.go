// Package skynet is the SkyNet policy: it buys and releases instances so that
// every class of jobs keeps its promise and nothing more is paid than that
// takes.
//
// It reasons in work and deadlines, never in job counts. All work is measured
// in slot-seconds of the unit slot: one slot of the instance type whose unit of
// work is cheapest. A job of w reference core-seconds is w ÷ speed slot-seconds
// there, and an instance of another type counts by its throughput.
//
// # One step
//
//  1. doubt.go: is what was read fit to act on? If not, hold.
//  2. lines.go: the queue as lines, one per priority, each served first come
//     first served: what waits, by when it must start, how much of it.
//  3. level.go, shape.go: how much work arrives, now and at this hour of the week.
//  4. forecast.go (spread.go, quantile.go, phi.go): how much more than the mean
//     to plan for, by urgent line. A multiplier of each line, z, scales it.
//  5. steer.go: the promises' miss budget moves z; hours.go: what single hours
//     were promised. slackrule.go: or the 24 h mean of slack sets a floor under
//     the fleet, as in 2008, and alone a ceiling too; slackswap.go: a smaller
//     instance for one that is too large.
//  6. plan.go, serve.go: a fluid plan of the next 42 minutes, or as far as work
//     may wait: does what is ready and on its way leave no avoidable miss?
//  7. buy.go: if not, the least capacity that does, from drains taken back and
//     from the cheapest set of types EC2 sells.
//  8. release.go: what the same plan does not need, when its paid window ends.
//  9. nexttick.go: when to look again.
//
// Formulas and the experiments behind the defaults: docs/policy.md.
//
// Every product that is added is rounded first, float64(x*y)+z, so that no
// compiler fuses the two and all architectures decide the same bytes.
package skynet
