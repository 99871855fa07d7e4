package observe

import (
	"testing"
	"time"
)

// Work that arrived in the minute before the full hour belongs to that hour.
func TestProfileAtTheFullHour(t *testing.T) {
	var p profile
	for m := 1; m <= 120; m++ {
		work := 0.0
		if m <= 60 {
			work = 60
		}
		p.add(origin.Add(time.Duration(m)*time.Minute), work)
	}
	p.add(origin.Add(121*time.Minute), 0)
	if mean, _, _ := p.at(origin); mean != 1 {
		t.Errorf("the first hour's mean is %v, want 1", mean)
	}
	if mean, _, seen := p.at(origin.Add(time.Hour)); mean != 0 || !seen {
		t.Errorf("the second hour's mean is %v, want 0", mean)
	}
}
