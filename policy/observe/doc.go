// Package observe turns what a world counts into the Observation a policy is
// stepped with. The simulator and the production controller both use it, so a
// window of five minutes, a learned boot lag or a day's slack means the same in
// both.
//
// A world keeps a Recorder. It increments the counters of a Kind as jobs pass
// (plain fields, so that the simulator pays one addition per event), reports
// boots, launches and terminations as they are seen, and once per tick calls
// Observe. Nothing here knows more than a controller could: the work of a
// job that waits or runs is estimated from jobs that completed before, or from an
// estimate the job carries, never from its true service time. Estimates of a type
// that are wrong on average are corrected by what such jobs took.
package observe
