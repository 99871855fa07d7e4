package trial

import "github.com/skynet-ec2/skynet/policy/detmath"

// Churn returns the trend-discounting total variation of a fleet's size, in
// instances: how much it went up and down without getting anywhere (after
// CockroachDB's allocator simulator). With u and d its total rise and fall and
// α = (min(u,d) ÷ max(u,d))^0.8:
//
//	churn = α (u + d) + (1 − α) min(u, d)
//
// Properties:
//   - a fleet that only grows, or only shrinks, scores 0
//   - it lies between min(u, d) and u + d
//   - reversed in time, turned upside down, or moved by a constant, it stays
//   - twice the fleet has twice the churn
//   - n times up and down by h scores 2nh
func Churn(fleet []int) float64 {
	var up, down int
	for i := 1; i < len(fleet); i++ {
		if change := fleet[i] - fleet[i-1]; change > 0 {
			up += change
		} else {
			down -= change
		}
	}
	less, more := min(up, down), max(up, down)
	if less == 0 {
		return 0
	}
	alpha := 1.0
	if less < more {
		alpha = detmath.Pow(float64(less)/float64(more), 0.8)
	}
	return float64(alpha*float64(up+down)) + float64((1-alpha)*float64(less))
}
