package baseline

import "testing"

// By hand: 90 loads of 10 and 10 of 40, all of one weight. Buckets end within
// 5 % above what they hold.
func TestAutopilotPercentile(t *testing.T) {
	var a autopilotState
	for i := range 100 {
		load := 10.0
		if i%10 == 9 {
			load = 40
		}
		a.learn(load, 0)
	}
	for _, c := range []struct{ p, want float64 }{{0.5, 10}, {0.9, 10}, {0.91, 40}, {1, 40}} {
		if got := a.percentile(c.p); got < c.want || got > 1.05*c.want {
			t.Errorf("percentile %v: %v, want %v to 5 %% more", c.p, got, c.want)
		}
	}
	var none autopilotState
	if got := none.percentile(0.95); got != 0 {
		t.Errorf("without samples: %v", got)
	}
	none.learn(0, 0)
	if got := none.percentile(1); got != 0 {
		t.Errorf("no load: %v, want 0", got)
	}
}

// After one half-life a sample weighs half: of a load of 40 and then one of 10,
// the first is a third of the weight; after two, a fifth.
func TestAutopilotForgets(t *testing.T) {
	for _, c := range []struct{ halfLives, share float64 }{{1, 1.0 / 3}, {2, 1.0 / 5}} {
		var a autopilotState
		a.learn(40, 0)
		a.learn(10, c.halfLives)
		if got := a.percentile(1 - c.share - 0.01); got > 11 {
			t.Errorf("after %v half-lives, just below %v: %v, want 10", c.halfLives, 1-c.share, got)
		}
		if got := a.percentile(1 - c.share + 0.01); got < 40 {
			t.Errorf("after %v half-lives, just above %v: %v, want 40", c.halfLives, 1-c.share, got)
		}
	}
}

// A peak is forgotten, whatever the percentile, after 30 half-lives.
func TestAutopilotForgetsPeaks(t *testing.T) {
	var a autopilotState
	a.learn(1000, 0)
	for range 29 {
		a.learn(10, 1)
	}
	if got := a.percentile(1); got < 1000 {
		t.Errorf("after 29 half-lives the peak is %v, want 1000", got)
	}
	a.learn(10, 1)
	if got := a.percentile(1); got > 11 {
		t.Errorf("after 30 half-lives the peak is %v, want 10", got)
	}
}
