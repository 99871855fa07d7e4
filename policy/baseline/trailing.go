package baseline

import "time"

// trailing is the highest of the last values: those that none after them
// reached, oldest and highest first.
type trailing struct {
	Peaks []peak `json:"peaks,omitempty"`
}

type peak struct {
	At    time.Time `json:"at"`
	Value int       `json:"value"`
}

// highest notes value at now and returns the highest noted since now - over,
// that instant included.
func (t *trailing) highest(now time.Time, over time.Duration, value int) int {
	n := len(t.Peaks)
	for n > 0 && t.Peaks[n-1].Value <= value {
		n--
	}
	t.Peaks = append(t.Peaks[:n], peak{now, value})
	for now.Sub(t.Peaks[0].At) > over && len(t.Peaks) > 1 {
		t.Peaks = lastOf(t.Peaks, len(t.Peaks)-1)
	}
	return t.Peaks[0].Value
}
