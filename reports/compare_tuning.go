package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/sim/trial"
)

// tuned tells who was tuned and how, in a sentence without a full stop at the end; "" if nobody was.
func (c *Comparison) tuned() string {
	if len(c.boards) == 0 {
		return ""
	}
	first := c.boards[0].rows
	var rest []string
	for _, r := range first[1:] {
		if r.Tuning == nil {
			rest = append(rest, r.Name)
		}
	}
	n := len(first) - 1 - len(rest)
	if n == 0 {
		return ""
	}
	sets := 0
	var hindsight []string
	for _, b := range c.boards {
		for _, r := range b.rows {
			if r.Tuning == nil {
				continue
			}
			sets = max(sets, r.Tuning.Sets)
			if r.Tuning.Hindsight && !slices.Contains(hindsight, b.Scenario) {
				hindsight = append(hindsight, b.Scenario)
			}
		}
	}
	on := "the time before the judged one"
	switch {
	case len(hindsight) == len(c.boards):
		on = "the judged time itself, hindsight in its favour"
	case len(hindsight) > 0:
		on += ", in " + strings.Join(hindsight, ", ") + " on the judged time itself, hindsight in its favour"
	}
	all := len(first) - 1
	who := "all " + Count(all) + " others were"
	switch {
	case all == 1:
		who = "the other was"
	case n == 2 && all == 2:
		who = "both others were"
	case n == 1:
		who = "one of the " + Count(all) + " others was"
	case n < all:
		who = Count(n) + " of the " + Count(all) + " others were"
	}
	text := fmt.Sprintf("%s tuned for each scenario, by at most %s of parameters, its own the first, tried on %s", who, numbered(sets, "set"), on)
	if c.Ranking != nil {
		text += "; the better of tuned and untuned counts here"
	}
	text += "; " + first[0].Name + " kept its parameters"
	if len(rest) > 0 {
		text += "; nothing to tune: " + strings.Join(rest, ", ")
	}
	return text
}

const tuningNote = "costs and miss budgets of its own parameters and of the chosen ones are those of the time that was tuned on, then what both came to where they were judged; " + string(markBroken) + " marks a promise that was broken"

// tunings is a table of what tuning found, by scenario and policy; nil if nobody
// was tuned.
func (c *Comparison) tunings() matrix {
	m := matrix{{"scenario", "policy", "sets tried", "that kept", "own", "own: miss budget", "chosen", "chosen: miss budget", "judged: own", "judged: chosen", "chosen where not its own"}}
	for _, b := range c.boards {
		for _, r := range b.rows {
			t := r.Tuning
			if t == nil {
				continue
			}
			where := b.Scenario
			if t.Hindsight {
				where += " (hindsight)"
			}
			m = append(m, []string{
				where, r.Name, Count(t.Sets), Count(t.KeptSets), attemptCost(&t.Own), attemptBudget(&t.Own),
				attemptCost(&t.Chosen), attemptBudget(&t.Chosen), ownCost(r.Own), marked(float64(r.JudgedUSD.Mean), r.Kept), paramsText(t.Params),
			})
		}
	}
	if len(m) == 1 {
		return nil
	}
	return m
}

// marked is a cost, marked where a promise was broken.
func marked(usd float64, kept bool) string {
	if kept {
		return Money(usd)
	}
	return Money(usd) + " " + string(markBroken)
}

func attemptCost(a *trial.Attempt) string { return marked(a.CostUSD, a.Kept) }

func ownCost(o *CompareOwn) string {
	if o == nil {
		return noValue
	}
	return marked(float64(o.JudgedUSD), o.Kept)
}

func attemptBudget(a *trial.Attempt) string {
	if a.Budget == nil {
		return noValue
	}
	return fixed(*a.Budget*100, 0) + " % (" + a.Class + ")"
}

// paramsText writes parameters as a policy file does, on one line.
func paramsText(params map[string]string) string {
	var list []string
	for name, value := range params { // map order: sorted below
		list = append(list, name+" = "+value)
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// tunedLines tell what tuning found in a single scenario, a line a policy.
func (c *Comparison) tunedLines() []string {
	if len(c.boards) != 1 {
		return nil
	}
	var lines []string
	for _, r := range c.boards[0].rows {
		if t := r.Tuning; t != nil {
			lines = append(lines, fmt.Sprintf("%s: tuned by %s, of which %d kept every promise: %s", r.Name, numbered(t.Sets, "set"), t.KeptSets, paramsText(t.Params)))
		}
	}
	return lines
}
