package tune

import "context"

// LeftOut is a scenario judged by what was tuned on all the others.
type LeftOut struct {
	// Scenario is an index into the inputs.
	Scenario int `json:"scenario"`
	Params   Raw `json:"params"`
	// Held is what the recommendation came to on the scenario's judging weeks,
	// and Saved 1 − its cost ÷ the defaults', by week.
	Held  Summary `json:"held_out"`
	Saved Series  `json:"saved"`
}

// LeaveOut tunes, with budget runs each, on all scenarios but one and judges on
// that one, for every scenario: how well what is found carries over to a
// workload that nobody tuned on.
func LeaveOut(ctx context.Context, cfg *Config, budget int) ([]LeftOut, error) {
	var list []LeftOut
	for out := range cfg.Inputs.Scenarios {
		others := func(f *Fold) bool { return f.Scenario != out }
		sub := *cfg
		sub.Swing = false
		sub.Search, sub.Select = only(cfg.Search, others), only(cfg.Select, others)
		sub.Judge = only(cfg.Judge, func(f *Fold) bool { return f.Scenario == out })
		sub.Budget = budget
		// The others may have no point that keeps their promises; the scenario
		// that is judged may do well nevertheless.
		sub.EvenBroken = true
		o, err := Run(ctx, &sub)
		if err != nil {
			return nil, err
		}
		b, d := o.Find(Recommended), o.Find(Defaults)
		list = append(list, LeftOut{Scenario: out, Params: b.Params, Held: b.Held, Saved: b.Held.SavedAgainst(&d.Held)})
	}
	return list, nil
}

// only returns the weeks with those of their folds that keep says.
func only(weeks []Week, keep func(*Fold) bool) []Week {
	list := make([]Week, len(weeks))
	for i, w := range weeks {
		for j := range w {
			if keep(&w[j]) {
				list[i] = append(list[i], w[j])
			}
		}
	}
	return list
}
