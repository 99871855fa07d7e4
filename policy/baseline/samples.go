package baseline

import "time"

// samples are what a value was at times, oldest first.
type samples []sample

type sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// note adds a sample and forgets those that are older than over.
func (all *samples) note(now time.Time, value float64, over time.Duration) {
	*all = append(*all, sample{now, value})
	old := 0
	for now.Sub((*all)[old].At) > over {
		old++
	}
	*all = lastOf(*all, len(*all)-old)
}
