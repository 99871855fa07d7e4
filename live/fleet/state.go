package fleet

import (
	"encoding/json"
	"fmt"
	"time"
)

// MarshalJSON writes everything that the ledger knows; its rules are not part
// of it.
func (l *Ledger) MarshalJSON() ([]byte, error) { return json.Marshal(&l.state) }

// UnmarshalJSON restores a ledger from what MarshalJSON wrote. It refuses one
// whose parts do not agree.
func (l *Ledger) UnmarshalJSON(text []byte) error {
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if s.Ended == nil {
		s.Ended = map[string]time.Time{}
	}
	if s.Strangers == nil {
		s.Strangers = map[string]time.Time{}
	}
	seen := map[string]bool{}
	for _, r := range s.Intents {
		switch {
		case r == nil || r.Validate() != nil || seen[r.ID]:
			return fmt.Errorf("ledger: an intent is impossible or stands twice")
		case len(r.Bound) > r.Count || r.Stage > Done:
			return fmt.Errorf("ledger: intent %s has %d instances of %d, stage %d", r.ID, len(r.Bound), r.Count, r.Stage)
		case int64(r.First)+int64(r.Count) > int64(s.Next):
			return fmt.Errorf("ledger: intent %s has numbers from %d on, the next is %d", r.ID, r.First, s.Next)
		}
		seen[r.ID] = true
	}
	for i, in := range s.Instances {
		if in == nil || in.ID == "" || in.Number >= s.Next || i > 0 && in.Number <= s.Instances[i-1].Number {
			return fmt.Errorf("ledger: instance %d is impossible or out of order", i)
		}
	}
	l.state = s
	return nil
}
