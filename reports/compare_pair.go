package reports

import (
	"fmt"
	"math"
	"strings"
)

// beside is the table of one or two policies side by side, with a row for each
// figure and, of two, the difference.
func (b *board) beside() matrix {
	head := []string{""}
	for _, r := range b.rows {
		head = append(head, r.Name)
	}
	pair := len(b.rows) == 2
	if pair {
		head = append(head, "delta", "")
	}
	m := matrix{head}
	add := func(name string, of func(*CompareRow) string, delta ...string) {
		row := []string{name}
		for _, r := range b.rows {
			row = append(row, of(r))
		}
		if pair {
			row = append(row, append(delta, "", "")[:2]...)
		}
		m = append(m, row)
	}
	var against CompareAgainst
	if pair {
		against = *b.rows[1].Against
	}
	diff := func(c Change, show measure) []string {
		if !pair {
			return nil
		}
		return delta(c, show)
	}
	add("promises", keptText)
	judged := diff(against.Cost, relative)
	whole := judged
	apart := b.judgedApart()
	if apart {
		whole = nil
	}
	add("cost", func(r *CompareRow) string { return plusMinus(r.CostUSD.interval(), Money) }, whole...)
	if apart {
		add("judged cost", func(r *CompareRow) string { return plusMinus(r.JudgedUSD.interval(), Money) }, judged...)
	}
	add("cost ÷ "+b.rows[0].bound(), overText)
	for _, name := range b.Classes {
		if !b.hasJobs(name) {
			continue
		}
		var of ClassAgainst
		if pair {
			of = *against.Classes[name]
		}
		class := func(show func(*CompareClass) string) func(*CompareRow) string {
			return func(r *CompareRow) string { return show(r.Classes[name]) }
		}
		add(name+" attained", class(func(c *CompareClass) string { return plusMinus(c.attained().interval(), percents) }), diff(of.Attained, points)...)
		add(name+" p95", class(func(c *CompareClass) string { return plusMinus(c.p95().interval(), seconds) }), b.p95Delta(name, of.P95S, pair)...)
	}
	add("miss budget used", budgetText)
	add("slack", func(r *CompareRow) string { return percents(float64(r.SlackMean)) }, diff(against.Slack, points)...)
	add("slack over 24 h, p5 to p95", func(r *CompareRow) string {
		if math.IsNaN(float64(r.SlackP5)) {
			return noValue
		}
		return fmt.Sprintf("%s to %s", percents(float64(r.SlackP5)), percents(float64(r.SlackP95)))
	})
	for _, f := range rowFigures {
		add(f.name, f.of)
	}
	return m
}

// hasJobs reports whether a class had any to judge.
func (b *board) hasJobs(class string) bool {
	for _, r := range b.rows {
		if c := r.Classes[class]; c != nil && !math.IsNaN(float64(c.Attained)) {
			return true
		}
	}
	return false
}

// rowFigures are the figures of the fleet, without intervals.
var rowFigures = []struct {
	name string
	of   func(*CompareRow) string
}{
	{"launches/day", func(r *CompareRow) string { return Number(float64(r.LaunchesPerDay)) }},
	{"churn/day", func(r *CompareRow) string { return Number(float64(r.ChurnPerDay)) }},
	{"wasted minutes/day", func(r *CompareRow) string { return Number(float64(r.WastedPerDay)) }},
	{"θ_U, θ_O", elasticText(0, 1)},
	{"τ_U, τ_O", elasticText(2, 3)},
	{"υ", elasticText(4)},
	{"deviation", func(r *CompareRow) string { return percentOrNone(float64(r.Deviation)) }},
}

// percentOrNone writes what is in percent already.
func percentOrNone(x float64) string {
	if math.IsNaN(x) {
		return noValue
	}
	return Number(x) + " %"
}

// elasticText writes figures of the rigid demand and, where there is a plan,
// those of the plan's.
func elasticText(which ...int) func(*CompareRow) string {
	return func(r *CompareRow) string {
		if r.Rigid == nil {
			return noValue
		}
		var parts []string
		for _, i := range which {
			text := Number(*r.Rigid.Figures()[i])
			if r.Planned != nil {
				text += " [" + Number(*r.Planned.Figures()[i]) + "]"
			}
			parts = append(parts, text+" %")
		}
		return strings.Join(parts, ", ")
	}
}

// judgedApart reports whether the judged cost is another than the whole bill.
func (b *board) judgedApart() bool {
	for _, r := range b.rows {
		if r.CostUSD.Mean != r.JudgedUSD.Mean {
			return true
		}
	}
	return false
}

// p95Delta is relative where the first policy's p95 is not 0.
func (b *board) p95Delta(class string, c Change, pair bool) []string {
	if !pair {
		return nil
	}
	base := float64(b.rows[0].Classes[class].P95S)
	if base > 0 {
		c.Mean, c.Lo, c.Hi = c.Mean/Maybe(base), c.Lo/Maybe(base), c.Hi/Maybe(base)
		return delta(c, relative)
	}
	return delta(c, func(x float64) string { return signed(x, func(x float64) string { return seconds(x) }) })
}
