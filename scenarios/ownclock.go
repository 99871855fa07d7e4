package scenarios

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/traces"
)

// ownClock is a trace whose first job must arrive within three years of its start.
// One that arrives later has a time that counts from 1970, and a simulation would
// tick through decades in which nothing happens.
type ownClock struct {
	traces.Source
	file string
	any  bool // a job was seen
}

func (o *ownClock) Next(b *traces.Batch) error {
	err := o.Source.Next(b)
	if o.any || err != nil || b.Len() == 0 {
		return err
	}
	o.any = true
	const latest = 3 * 365 * 24 * time.Hour
	if first := time.Duration(b.Arrival[0]); first > latest {
		return &traces.InputError{
			File:   o.file,
			Reason: fmt.Sprintf("the first job arrives %v after the trace's start: a trace's times count from its own start, not from 1970", first.Round(time.Second)),
			Fix:    "run: skynet trace import " + spell.Shell(o.file) + " -o OUT",
		}
	}
	return nil
}
