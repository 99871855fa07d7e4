package traces

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

func TestMergeOrdersJobsByTime(t *testing.T) {
	start := time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)
	shifts := []time.Duration{time.Hour, 0, 5 * time.Second}
	var srcs []Source
	var want []job
	for i, shift := range shifts {
		make := func() Source { return mixed(6000+i, i != 1) }
		srcs = append(srcs, startingAt{make(), start.Add(shift)})
		for _, j := range jobsOf(t, make()) {
			j.Arrival += int64(shift)
			want = append(want, j)
		}
	}
	slices.SortStableFunc(want, func(a, b job) int { return cmp.Compare(a.Arrival, b.Arrival) })
	m := Merge(srcs...)
	if !m.Meta().Start.Equal(start) || m.Meta().Jobs != int64(len(want)) {
		t.Errorf("merged: %+v", m.Meta())
	}
	sameJobs(t, want, jobsOf(t, m))
}
