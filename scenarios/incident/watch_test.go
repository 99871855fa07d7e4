package incident

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/sim"
)

// Workers that come back together were silent for as long as the first of them was,
// whatever their instances' numbers, and so were those that come back a little later.
func TestPartitionBeginsWithTheFirstSilence(t *testing.T) {
	catalog := policy.EC2in2008()
	began := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	w := newWatch()
	// When each worker was last heard of, in minutes; by minute and instance.
	heard := [][]int{{0, 0, 0}, {1, 1, 1}, {2, 1, 2}, {2, 1, 2}, {2, 1, 2}, {5, 5, 2}, {6, 6, 6}}
	for minute, last := range heard {
		now := began.Add(time.Duration(minute) * time.Minute)
		r := &journal.Record{At: now, Observation: policy.Observation{Now: now, Tick: time.Minute}}
		o := &r.Observation
		read := policy.Reading{At: now, Complete: true}
		o.Queue.Reading, o.Fleet.Reading, o.Money.Reading, o.EC2.Reading = read, read, read, read
		for i, at := range last {
			in := policy.Instance{ID: policy.InstanceID(i), Phase: policy.Ready, LaunchedAt: began.Add(-time.Hour), LastSeen: began.Add(time.Duration(at) * time.Minute)}
			if at < minute {
				in.Phase = policy.Lost
			}
			o.Fleet.Instances = append(o.Fleet.Instances, in)
		}
		w.see(r, &journal.Decision{}, &catalog)
	}
	faults := w.faults(Span{Start: began, From: began, To: began.Add(time.Hour)}, &journal.Header{Catalog: catalog})
	if len(faults) != 1 || faults[0].Kind != string(sim.Partition) || faults[0].From != time.Minute || faults[0].To != 6*time.Minute || faults[0].Probability != 1 {
		t.Errorf("%+v; want all workers silent from 1m to 6m", faults)
	}
}
