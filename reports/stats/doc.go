// Package stats says how sure one can be of a difference that was measured on
// the same weather: block bootstrap, Holm's correction, ranks over traces.
//
// A comparison is a table of cells, one for each seed and each stretch of the
// trace (a block: a day, or a week of a long run). Two policies with one seed
// meet the same trace and the same boot lags, so their cells are paired. Jobs
// of one day depend on each other; days hardly do. So whole blocks and whole
// seeds are resampled, never jobs.
//
// Nothing here draws from chance that is not seeded: the same numbers give the
// same intervals.
package stats
