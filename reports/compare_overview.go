package reports

import (
	"fmt"
	"math"
	"strings"
)

// overview is the table of several policies in one scenario, a row for each.
func (b *board) overview() matrix {
	head := []string{"policy", "promises", "cost", "÷ " + b.rows[0].bound(), "against " + b.rows[0].Name, "miss budget used", "slack", "launches/day", "rank"}
	if len(b.rows) == 1 {
		head = append(head[:4:4], head[5:8]...)
	}
	m := matrix{head}
	for _, r := range b.rows {
		row := []string{
			r.Name, keptText(r), plusMinus(r.JudgedUSD.interval(), Money), overText(r), againstText(r),
			budgetText(r), percents(float64(r.SlackMean)), Number(float64(r.LaunchesPerDay)), Number(r.Rank),
		}
		if len(b.rows) == 1 {
			row = append(row[:4:4], row[5:8]...)
		}
		m = append(m, row)
	}
	return m
}

// pairing tells what the same weather is worth.
func (b *board) pairing() []string {
	var lines []string
	if len(b.rows) == 2 {
		if x := float64(b.rows[1].Against.Reduction); !math.IsNaN(x) {
			lines = append(lines, fmt.Sprintf("the same weather makes the variance of the difference in cost %s times smaller", Number(x)))
		}
	}
	for _, r := range b.rows {
		if len(r.Broken) > 0 {
			lines = append(lines, r.Name+" broke: "+oneLine(strings.Join(r.Broken, ", ")))
		}
	}
	return lines
}

// yardstick is what the costs of all scenarios are measured in: the floor where that
// is meant, else the bound.
func (c *Comparison) yardstick() string {
	for _, b := range c.boards {
		if name := b.rows[0].bound(); name != "floor" {
			return name
		}
	}
	return "floor"
}

// ranks is a table of the policies' ranks.
func (c *Comparison) ranks() matrix {
	m := matrix{{"all scenarios", "mean rank", "promises kept in", "cost ÷ " + c.yardstick() + ", geometric mean"}}
	for _, p := range c.Ranking.Policies {
		m = append(m, []string{p.Name, fixed(float64(p.MeanRank), 2), Count(p.Kept), factorOf(p.OverBound)})
	}
	return m
}

// says tells how sure the ranks are.
func (r *CompareRanking) says() string {
	if math.IsNaN(float64(r.Critical)) {
		return ""
	}
	of := ""
	if r.Traces < len(r.Best) {
		of = fmt.Sprintf(" over %s, scenarios of one counting as one", numbered(r.Traces, "trace"))
	}
	return fmt.Sprintf("ranks%s: Friedman %s; by Nemenyi's test mean ranks differ from %s on", of, pText(float64(r.FriedmanP)), fixed(float64(r.Critical), 2))
}

// bests sets the first policy beside the best of the others, by scenario.
func (c *Comparison) bests() matrix {
	over := " ÷ " + c.yardstick()
	m := matrix{{"scenario", c.boards[0].rows[0].Name + over, "best other that kept all promises", strings.TrimSpace(over), "ratio"}}
	for _, x := range c.Ranking.Best {
		mark := ""
		if !x.Kept {
			mark = " " + markBroken
		}
		rival := x.Rival
		switch {
		case rival == "":
			rival = "none"
		case x.Own:
			rival += " (untuned)"
		}
		m = append(m, []string{x.Scenario, factor(float64(x.OverBound)) + mark, rival, factorOf(x.RivalOver), ratioText(x.Ratio)})
	}
	return m
}

// saysBest tells how the first policy's cost compares with the best others'.
func (r *CompareRanking) saysBest(first string) string {
	if math.IsNaN(float64(r.BestRatio)) {
		return "in no scenario did both " + first + " and another policy keep all promises"
	}
	sure := ""
	if !math.IsNaN(float64(r.BestLo)) {
		sure = fmt.Sprintf(" (95 %% interval %s to %s, over %s)", ratioText(r.BestLo), ratioText(r.BestHi), numbered(r.bestTraces, "trace"))
	}
	return fmt.Sprintf("where both kept all promises %s costs %s%s of the best other, in the geometric mean; %s marks a scenario where it broke one", first, ratioText(r.BestRatio), sure, markBroken)
}

// legend tells which policy a name stands for, where the name does not.
func (c *Comparison) legend() []string {
	if len(c.boards) == 0 {
		return nil
	}
	var lines []string
	for _, r := range c.boards[0].rows {
		switch {
		case r.File == "":
		case r.Tuning != nil: // its label differs by scenario
			lines = append(lines, fmt.Sprintf("%s: tuned from %s", r.Name, r.File))
		case r.Name != r.Policy:
			lines = append(lines, fmt.Sprintf("%s: %s of %s", r.Name, r.Policy, r.File))
		}
	}
	return lines
}

// tableOf is a scenario's table.
func (c *Comparison) tableOf(b *board) matrix {
	if len(c.boards) == 1 && len(b.rows) <= 2 {
		return b.beside()
	}
	return b.overview()
}

// saysAll tells what the table of all scenarios shows.
func (c *Comparison) saysAll() string {
	return "judged cost ÷ " + c.yardstick() + "; " + markBroken + " marks a promise that was broken in some run"
}

// all is a table of cost ÷ bound by policy and scenario.
func (c *Comparison) all() matrix {
	head := []string{"policy"}
	for _, b := range c.boards {
		head = append(head, b.Scenario)
	}
	m := matrix{head}
	for i, first := range c.boards[0].rows {
		row := []string{first.Name}
		for _, b := range c.boards {
			r := b.rows[i]
			text := fixed(float64(r.OverBound), 2)
			if !r.Kept {
				text += " " + string(markBroken)
			}
			row = append(row, text)
		}
		m = append(m, row)
	}
	return m
}

// fleets is a table of how every fleet moved.
func (c *Comparison) fleets() matrix {
	head := []string{"scenario", "policy"}
	for _, f := range rowFigures {
		head = append(head, f.name)
	}
	m := matrix{append(head, "pairwise score", "elastic speed-up")}
	for _, b := range c.boards {
		for _, r := range b.rows {
			row := []string{b.Scenario, r.Name}
			for _, f := range rowFigures {
				row = append(row, f.of(r))
			}
			m = append(m, append(row, Number(float64(r.Pairwise)), Number(float64(r.SpeedUp))))
		}
	}
	return m
}
