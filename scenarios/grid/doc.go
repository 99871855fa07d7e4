// Package grid runs policies against scenarios with several seeds, and keeps
// what is finished: a grid that was stopped goes on where it stopped, and gives
// the same bytes as one that was not, whatever the parallelism.
package grid
