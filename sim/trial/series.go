package trial

import "math"

// Series is one figure of the results over several seeds of one scenario.
type Series struct {
	Metric string `json:"metric"` // path of the figure, such as classes.upload.attained
	Class  string `json:"class,omitempty"`
	Tolerance
	// Mean of the values there are; null without any.
	Mean *float64 `json:"mean"`
	// Values by seed; null where the figure had none.
	Values []*float64 `json:"by_seed"`
}

// Tolerance is the change of a mean that is too small to matter. The larger of
// the two counts. The zero Tolerance lets nothing pass.
type Tolerance struct {
	Relative float64 `json:"relative,omitempty"` // of the mean before
	Absolute float64 `json:"absolute,omitempty"` // in the figure's unit
}

// Of returns the tolerance around a mean.
func (t Tolerance) Of(mean float64) float64 {
	return math.Max(float64(t.Relative*math.Abs(mean)), t.Absolute)
}

// MeanOf returns the mean of the values there are, nil without any.
func MeanOf(values []*float64) *float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if v != nil {
			sum += *v
			n++
		}
	}
	if n == 0 {
		return nil
	}
	mean := sum / float64(n)
	return &mean
}
