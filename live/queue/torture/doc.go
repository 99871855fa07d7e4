// Package torture puts a queue under the load of producers and workers that
// misbehave, behind a network that loses and doubles, and checks what they saw
// against what a queue must never do. Whoever runs it adds the faults of
// processes, disks and clocks.
//
// Everything random is drawn from a seed. The seed decides who misbehaves how
// often; when exactly a call meets a fault is the machine's, so a seed that
// failed is a hint to where, and is run again a few times.
//
// Only tests use this package.
package torture
