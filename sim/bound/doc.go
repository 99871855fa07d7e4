// Package bound computes the yardstick that policies are judged by: the least
// that any policy could pay and keep the promises of its classes, even one that
// knew the future, and the best plan found that does keep them.
//
// Compute returns both. The lower bound is certified: every step of the
// relaxation lowers it. The plan is called kept only after it was replayed in
// the simulator, job by job, and kept every class's promise there.
//
// What is relaxed, so that the bound holds for every policy:
//
//   - only jobs that arrive in the judged time ask for capacity
//   - arrivals are rounded down and deadlines up to whole steps of the grid
//   - of every class the allowed share may be late: those that save most
//   - boots are as fast as the fastest that any fleet could draw, or the bound
//     is lowered by what faster ones could save
//   - capacity may be fractional, beyond the first instance
//   - under hourly billing the first hour of the judged time is free: the
//     windows that began before it are not judged
//   - promises about single hours and the scenario's own [[promise]] tables are
//     left out, and so is the guard
//
// What is asked of a policy: that it keeps the classes' promises, and, where the
// run goes on until the last job is done, that every job is.
//
// docs/bound.md derives the formulas.
//
// # Where to read
//
//   - bound.go, world.go, grid.go: what goes in, rounded in favour of whoever pays
//   - lower.go: the lower bound, from prices.go (prices that may be right), value.go
//     (what they prove), guess.go and claims.go (who is late), cover.go (the first
//     instance) and draws.go (boot lags)
//   - plan.go: the plan, from model.go (what the search plays), search.go, propose.go
//     and hands.go (the search), endings.go (instances that work on), rigid.go (where
//     it begins) and follow.go (its replay)
package bound
