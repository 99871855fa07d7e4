// Package baseline holds SkyNet's rivals: one file per policy, each built from
// what its documentation or its history says it does, mistakes included. They
// run in the same simulator, behind the same guard, on the same weather.
//
// # How a rival is written
//
// A rival is a rule: a function of signals, which are an observation in plain
// numbers, and of what it remembers, a struct that JSON restores exactly. Its
// arithmetic is a pure function of its own, tested with the vectors of its
// source. It returns a verdict: so many units, a difference, or hold. The
// actuator, the same for all, moves the fleet there; see docs/decisions/0005.
// newSpec joins the two with the parameters of both, and the comment of the
// declaration tells source, deviations, uncertainty and pitfalls: docs/rivals.md
// is made of it.
//
// A rule that runs every few minutes returns nothing in between: what it desired
// stays desired, within its limits.
package baseline
