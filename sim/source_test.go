package sim

import (
	"io"

	"github.com/skynet-ec2/skynet/traces"
)

// jobs is a trace in memory, written out by hand in tests.
type jobs struct {
	list  []job
	kinds []traces.Kind
	done  bool
	batch traces.Batch
}

type job struct {
	arrival, service int64
	typ              string
	priority         uint8
}

func newJobs(list []job) *jobs {
	j := &jobs{list: list}
	for _, x := range list {
		k := traces.Kind{Type: x.typ, Priority: x.priority}
		at := -1
		for i := range j.kinds {
			if j.kinds[i] == k {
				at = i
			}
		}
		if at < 0 {
			at = len(j.kinds)
			j.kinds = append(j.kinds, k)
		}
		j.batch.Arrival = append(j.batch.Arrival, x.arrival)
		j.batch.Service = append(j.batch.Service, x.service)
		j.batch.Kind = append(j.batch.Kind, uint16(at))
	}
	j.batch.Kinds = j.kinds
	return j
}

func (j *jobs) Next(b *traces.Batch) error {
	if j.done || len(j.list) == 0 {
		return io.EOF
	}
	j.done = true
	*b = j.batch
	return nil
}

func (j *jobs) Meta() traces.Meta { return traces.Meta{Jobs: int64(len(j.list))} }
func (j *jobs) Close() error      { return nil }
