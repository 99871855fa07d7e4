// Package source makes an existing queue look like SkyNet's own, so that a
// controller can scale a fleet whose work waits elsewhere: in SQS (package sqs),
// or in whatever a Prometheus server knows the figures of (package prometheus).
//
// A Reader reads how many jobs wait and run. A Queue turns two readings into what
// happened between them, as SkyNet's own queue would have counted it, and what is
// known of workers into what a controller is told of them.
//
// What such a queue cannot say is said here once:
//
//   - Jobs have no sizes. Their work is the service time that is configured, or
//     what slots were busy for divided by what was completed.
//   - Arrivals and completions that are not counted are what explains two
//     readings: jobs that came and went in between are seen only as far as busy
//     slots tell of them.
//   - How long jobs have waited is what follows if they are served in the order of
//     their arrival. The age of the oldest one, where it is known, corrects it.
//   - Workers hold no leases and cannot be told to drain. An instance that is to
//     go is ended when it is known to be idle: its workers said so, or nothing was
//     in flight in the whole queue, for all of Config.IdleAfter. Otherwise it stays,
//     unless Config.DrainGrace says how long at most.
//
// What cannot be read, is too old or cannot be true is an error of Observe, which
// a controller takes as unknown, never as zero.
package source
