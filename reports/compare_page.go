package reports

import (
	"fmt"
	"io"
)

func (m matrix) titled(title, note string) pageTable {
	return pageTable{Title: title, Note: note, Head: m[0], Rows: m[1:]}
}

// CompareReport is the report of a comparison, under a title.
func CompareReport(c *Comparison, title string) *Report {
	list := c.plots()
	return &Report{list, func(w io.Writer) error { return c.pageTo(w, title, list) }}
}

// pageTo writes the page of a comparison.
func (c *Comparison) pageTo(w io.Writer, title string, list []plot) error {
	p := pageContent{
		Title:    title,
		Subtitle: fmt.Sprintf("%s, %s", times(int64(len(c.boards)), "scenario"), numberedPolicies(len(c.boards[0].rows))),
	}
	var kept bool
	if p.Verdict, kept = c.verdict(); kept {
		p.Class = classKept
	} else {
		p.Class = classBroken
	}
	if c.Ranking != nil {
		p.Tables = append(p.Tables,
			c.all().titled("Cost ÷ "+c.yardstick(), c.saysAll()),
			c.ranks().titled("All scenarios", c.Ranking.says()),
			c.bests().titled("The best of the others", c.Ranking.saysBest(c.boards[0].rows[0].Name)))
	}
	for _, b := range c.boards {
		p.Tables = append(p.Tables, c.tableOf(b).titled(b.Scenario, b.says()))
	}
	if m := c.tunings(); m != nil {
		p.Tables = append(p.Tables, m.titled("Tuning", upperFirst(c.tuned())+". "+upperFirst(tuningNote)))
	}
	p.Tables = append(p.Tables, c.fleets().titled("Fleets", "θ, τ and υ: how closely ready capacity followed the work as it arrived; in brackets, the best plan that knows the future."))
	if err := p.add(list); err != nil {
		return err
	}
	for _, line := range c.legend() {
		p.footed("policy", line)
	}
	p.footed("reproduce", c.Command)
	p.footed("version", c.Version)
	p.footed("inputs", c.Inputs)
	return p.writeTo(w)
}
