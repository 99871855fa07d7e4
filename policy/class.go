package policy

import "time"

// Class is a set of jobs that one promise is made to.
type Class struct {
	// Name as it stands in the scenario, unique among the classes.
	Name string `json:"name"`
	// Types the class is for; empty: any type.
	Types []string `json:"types,omitempty"`
	// Priority the class is for; negative: any priority.
	Priority int `json:"priority"`
	// Target is what a job of the class may take, measured as On says.
	Target time.Duration `json:"target"`
	On     Measure       `json:"on"`
	// Attain is the fraction of jobs promised to be within Target, 0 to 1.
	// 0 promises nothing: attainment is reported only.
	Attain float64 `json:"attain"`
	// WorstHour is the fraction promised in every clock hour of arrival that has
	// at least 100 jobs; 0 promises nothing about single hours. It is by far the
	// dearer promise: bursts fall into hours, and a week's average forgives them.
	WorstHour float64 `json:"worst_hour,omitempty"`
}

// Matches reports whether a job of this type and priority belongs to c.
func (c *Class) Matches(jobType string, priority int) bool {
	if c.Priority >= 0 && c.Priority != priority {
		return false
	}
	if len(c.Types) == 0 {
		return true
	}
	for _, t := range c.Types {
		if t == jobType {
			return true
		}
	}
	return false
}

// ClassOf returns the index of the first class that matches, or -1.
func ClassOf(classes []Class, jobType string, priority int) int {
	for i := range classes {
		if classes[i].Matches(jobType, priority) {
			return i
		}
	}
	return -1
}

// Measure is what a class's target bounds.
type Measure uint8

const (
	// Sojourn is the time from arrival to done. It is the default: the
	// stricter reading of a promise.
	Sojourn Measure = iota
	// Wait is the time from arrival to start.
	Wait
)

// String returns the word used in scenarios: "sojourn" or "wait".
func (m Measure) String() string {
	if m == Wait {
		return "wait"
	}
	return "sojourn"
}

// MarshalText writes the measure as its word.
func (m Measure) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads "sojourn" or "wait".
func (m *Measure) UnmarshalText(text []byte) error {
	return unmarshalWord(m, text, "measure", Sojourn, Wait)
}
