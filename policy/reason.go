package policy

import (
	"encoding/json"
	"fmt"
	"math"
)

// Reason is one cause of a decision, as data: a rule and the figures it
// compared. The simulator, production, goldens and reports all print it with
// String, so they print the same sentence. Making one allocates nothing.
type Reason struct {
	Rule Rule
	// Name is a type, class or section the sentence names; may be empty.
	Name string
	// Figures in the order the rule's sentence prints them.
	Figures [5]float64
}

// Rule identifies the sentence of a Reason. Rules are registered by the package
// that owns them, at start-up.
type Rule struct{ entry *ruleEntry }

type ruleEntry struct {
	name    string
	format  string // %s for Name if named, then %v verbs for figures
	named   bool
	figures int
}

var rules = map[string]*ruleEntry{}

// NewRule registers a rule under a unique dotted name, such as "guard.launch".
// The sentence is a format of %g, %.1f or %.0f verbs, at most five; when named
// is set, its first verb is %s and prints Reason.Name. It is called from
// package variables only and panics on a name used twice: a programming error.
func NewRule(name, sentence string, named bool) Rule {
	if rules[name] != nil {
		panic("policy: rule " + name + " registered twice")
	}
	e := &ruleEntry{name: name, format: sentence, named: named}
	for i := 0; i < len(sentence); i++ {
		if sentence[i] == '%' {
			if i+1 < len(sentence) && sentence[i+1] == '%' {
				i++
				continue
			}
			e.figures++
		}
	}
	if named {
		e.figures--
	}
	rules[name] = e
	return Rule{e}
}

// Name returns the rule's dotted name.
func (r Rule) Name() string {
	if r.entry == nil {
		return ""
	}
	return r.entry.name
}

// Because returns the reason for rule r with the given figures.
func (r Rule) Because(figures ...float64) Reason {
	reason := Reason{Rule: r}
	copy(reason.Figures[:], figures)
	return reason
}

// Named returns the reason for rule r about name with the given figures.
func (r Rule) Named(name string, figures ...float64) Reason {
	reason := r.Because(figures...)
	reason.Name = name
	return reason
}

// Text returns the sentence without the rule's name.
func (r *Reason) Text() string {
	e := r.Rule.entry
	if e == nil {
		return ""
	}
	args := make([]any, 0, 6)
	if e.named {
		args = append(args, r.Name)
	}
	for _, f := range r.Figures[:e.figures] {
		args = append(args, f)
	}
	return fmt.Sprintf(e.format, args...)
}

// String returns "rule: sentence".
func (r *Reason) String() string { return r.Rule.Name() + ": " + r.Text() }

// reasonJSON is a reason in JSON. F holds its figures.
type reasonJSON[F any] struct {
	Rule    string `json:"rule"`
	Name    string `json:"name,omitempty"`
	Figures []F    `json:"figures,omitempty"`
	Text    string `json:"text"`
}

// MarshalJSON writes the rule, its figures and the sentence. A figure that is
// not finite is null; the sentence tells what it was.
func (r Reason) MarshalJSON() ([]byte, error) {
	name, text := r.Rule.Name(), r.Text()
	if r.Rule.entry == nil {
		return json.Marshal(reasonJSON[float64]{name, r.Name, nil, text})
	}
	figures := r.Figures[:r.Rule.entry.figures]
	for _, f := range figures {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return json.Marshal(reasonJSON[*float64]{name, r.Name, finite(figures), text})
		}
	}
	return json.Marshal(reasonJSON[float64]{name, r.Name, figures, text})
}

// finite returns pointers to the figures, nil to those that are not finite.
func finite(figures []float64) []*float64 {
	all := make([]*float64, len(figures))
	for i := range figures {
		if f := figures[i]; !math.IsNaN(f) && !math.IsInf(f, 0) {
			all[i] = &figures[i]
		}
	}
	return all
}

// UnmarshalJSON reads what MarshalJSON wrote; the sentence is made anew.
func (r *Reason) UnmarshalJSON(data []byte) error {
	var j reasonJSON[float64]
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	e := rules[j.Rule]
	if e == nil {
		return fmt.Errorf("reason: unknown rule %q", j.Rule)
	}
	if len(j.Figures) > len(r.Figures) {
		return fmt.Errorf("reason %s: %d figures: must be at most %d", j.Rule, len(j.Figures), len(r.Figures))
	}
	*r = Reason{Rule: Rule{e}, Name: j.Name}
	copy(r.Figures[:], j.Figures)
	return nil
}
