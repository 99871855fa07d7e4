// Package gate keeps what scenarios came to, their baselines, and runs them
// again, so that a change that makes a policy dearer or slower does not pass
// unnoticed. It measures and keeps; what a difference means is judged in
// package reports.
package gate
