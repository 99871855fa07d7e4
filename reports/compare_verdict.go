package reports

import (
	"fmt"
	"math"
)

// verdict says in a sentence what a comparison came to, and whether the policy
// it names kept its promises.
func (c *Comparison) verdict() (text string, kept bool) {
	first := c.boards[0].rows
	switch {
	case len(c.boards) == 1 && len(first) == 1:
		r := first[0]
		if r.Kept {
			return fmt.Sprintf("%s kept every promise in %s", r.Name, numbered(r.Runs, "run")), true
		}
		return fmt.Sprintf("%s kept every promise in %d of %s", r.Name, r.KeptRuns, numbered(r.Runs, "run")), false
	case len(c.boards) == 1:
		return c.boards[0].verdict()
	case c.Ranking == nil:
		n := 0
		for _, b := range c.boards {
			if b.rows[0].Kept {
				n++
			}
		}
		return fmt.Sprintf("%s kept every promise in %d of %s", first[0].Name, n, numbered(len(c.boards), "scenario")), n == len(c.boards)
	}
	best := &c.Ranking.Policies[0]
	for i := range c.Ranking.Policies {
		if p := &c.Ranking.Policies[i]; p.MeanRank < best.MeanRank {
			best = p
		}
	}
	return fmt.Sprintf("%s ranks best over %s (mean rank %s of %d) and kept every promise in %d of them",
		best.Name, numbered(len(c.boards), "scenario"), fixed(float64(best.MeanRank), 2), len(first), best.Kept), best.Kept == len(c.boards)
}

// verdict names the cheapest policy that kept every promise in every run, and
// sets it beside the first.
func (b *board) verdict() (text string, kept bool) {
	var best *CompareRow
	keep := 0
	for _, r := range b.rows {
		if !r.Kept {
			continue
		}
		keep++
		if best == nil || r.JudgedUSD.Mean < best.JudgedUSD.Mean {
			best = r
		}
	}
	if best == nil {
		return fmt.Sprintf("None of %s kept every promise", numberedPolicies(len(b.rows))), false
	}
	text = fmt.Sprintf("%s is the cheapest of the %d that kept every promise", best.Name, keep)
	if keep == 1 {
		text = fmt.Sprintf("%s alone kept every promise", best.Name)
	}
	text += ": " + plusMinus(best.JudgedUSD.interval(), Money)
	if best.Against == nil {
		return text, true
	}
	cost := best.Against.Cost
	switch p := float64(cost.PHolm); {
	case math.IsNaN(p):
		text += fmt.Sprintf(", %s against %s (one run tells no chance)", relative(float64(cost.Mean)), b.rows[0].Name)
	case p < 0.05:
		text += fmt.Sprintf(", %s against %s (%s)", relative(float64(cost.Mean)), b.rows[0].Name, pText(p))
	default:
		text += fmt.Sprintf(", against %s no difference that is not chance (%s)", b.rows[0].Name, pText(p))
	}
	return text, true
}

func numberedPolicies(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return Count(n) + " policies"
}
