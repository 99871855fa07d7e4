package reports

import (
	"fmt"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/reports/chart"
)

// place is a row of a sweep: its scenario and policy without what was set, and
// what was, in the order of the command line.
type place struct {
	scenario, policy string
	settings         []Setting
	row              *CompareRow
}

// places lists every row with what was set for it.
func (c *Comparison) places() []place {
	var list []place
	for _, b := range c.boards {
		for i, row := range b.rows {
			e := &b.Entries[i]
			list = append(list, place{b.Base, e.Base, append(slices.Clone(b.Settings), e.Settings...), row})
		}
	}
	return list
}

// heats returns plot 11 for each scenario and policy that was swept over two
// keys: cost ÷ bound by their values.
func (c *Comparison) heats() []plot {
	type pair struct{ scenario, policy string }
	var order []pair
	of := map[pair][]place{}
	for _, p := range c.places() {
		if len(p.settings) != 2 {
			continue
		}
		key := pair{p.scenario, p.policy}
		if of[key] == nil {
			order = append(order, key)
		}
		of[key] = append(of[key], p)
	}
	var list []plot
	for i, key := range order {
		p := heatOf(of[key])
		p.name = "11-heat"
		if len(order) > 1 {
			p.name = fmt.Sprintf("11-heat-%02d-%s-%s", i+1, fileName(key.scenario), fileName(key.policy))
		}
		list = append(list, p)
	}
	return list
}

// heatOf draws the rows of one scenario and policy.
func heatOf(places []place) plot {
	x, y := places[0].settings[0].Key, places[0].settings[1].Key
	h := &chart.Heat{
		Title:  fmt.Sprintf("Cost ÷ %s, %s, %s", places[0].row.bound(), places[0].scenario, places[0].policy),
		XLabel: x, YLabel: y,
	}
	at := func(list *[]string, value string) int {
		if i := slices.Index(*list, value); i >= 0 {
			return i
		}
		*list = append(*list, value)
		return len(*list) - 1
	}
	p := plot{
		other: h, heading: h.Title,
		caption: "Each cell is one setting of both: judged cost ÷ " + places[0].row.bound() + ", and the share of the miss budget that the class which " +
			"used most of it used. The deeper the colour, the dearer; a frame marks a broken promise.",
		table: table{note: "Each row is one cell.", columns: []string{x, y, "÷ " + places[0].row.bound(), "judged cost", "miss budget used", "promises"}},
	}
	for _, q := range places {
		at(&h.X, q.settings[0].Value)
		at(&h.Y, q.settings[1].Value)
	}
	for range h.Y {
		row := make([]chart.Cell, len(h.X))
		for i := range row {
			row[i].Value = math.NaN()
		}
		h.Cells = append(h.Cells, row)
	}
	for _, q := range places {
		r := q.row
		h.Cells[at(&h.Y, q.settings[1].Value)][at(&h.X, q.settings[0].Value)] = chart.Cell{
			Value: float64(r.OverBound), Text: factorOf(r.OverBound), Note: budgetText(r), Marked: !r.Kept,
		}
		p.table.rows = append(p.table.rows, []string{
			q.settings[0].Value, q.settings[1].Value, overText(r), plusMinus(r.JudgedUSD.interval(), Money), budgetText(r), keptText(r),
		})
	}
	return p
}
