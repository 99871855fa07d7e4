package sim

// Verdict is whether one promise was kept: a class's target, or a [[promise]]
// of the scenario.
//
// The zero Verdict is a broken promise.
type Verdict struct {
	// Name is the class, or the metric of the promise.
	Name string `json:"name"`
	// Class says that Name is a class of jobs.
	Class bool `json:"class,omitempty"`
	// Want is what was promised and Got what the run came to, for people:
	// "≥ 99 % within 30 s" and "99.2 %".
	Want string `json:"want"`
	Got  string `json:"got"`
	// Value is what Got shows; null when the figure has no value, which breaks
	// the promise.
	Value *float64 `json:"value"`
	Kept  bool     `json:"kept"`
	// Margin is how much of what the promise allows is left, as a fraction of it:
	// of the late jobs allowed, or of the bound. It is negative when the promise
	// was broken, −1 when the figure has no value.
	Margin float64 `json:"-"`
	// Line of the promise in the scenario's file; 0: unknown.
	Line int `json:"-"`
}
