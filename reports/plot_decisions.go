package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// decisionsPlot is plot 7: what was decided, and what the guard and EC2 made of
// it.
func decisionsPlot(res *sim.Result, on medium) plot {
	width := widthFor(res, 170)
	p := plot{
		name:    "7-decisions",
		caption: "Instances alive, and the decisions summed per " + per(width) + ": launches and undrains upward, drains downward." + averagedNote(res, on),
		figure:  chart.Figure{Title: "Decisions", X: clock(res), Shades: shades(res)},
	}
	fleet := courseOf(res, on, "alive", chart.Ink, func(r *sim.TickRow) int { return r.Instances })
	bars := func(name string, hue chart.Hue) chart.Series {
		return chart.Series{Name: name, Kind: chart.Bars, Hue: hue, Width: width.Seconds()}
	}
	launches, undrains, drains := bars("launches", chart.Blue), bars("undrains", chart.Sky), bars("drains", chart.Orange)
	clamped, refused := bars("removed by the guard", chart.Vermillion), bars("refused by EC2", chart.Purple)
	put := func(s *chart.Series, x, low, high float64) {
		s.X, s.Low, s.Y = append(s.X, x), append(s.Low, low), append(s.Y, high)
	}
	clamps, refusals, undrained := 0, 0, 0
	for _, b := range buckets(res, width) {
		var sum sim.TickRow
		for i := range b.ticks {
			t := &b.ticks[i]
			sum.Launches += t.Launches
			sum.Drains += t.Drains
			sum.Undrains += t.Undrains
			sum.Clamped += t.Clamped
			sum.Refused += t.Refused
		}
		x := b.from.Seconds()
		up := float64(sum.Launches)
		put(&launches, x, 0, up)
		put(&undrains, x, up, up+float64(sum.Undrains))
		put(&drains, x, 0, -float64(sum.Drains))
		put(&clamped, x, 0, float64(sum.Clamped))
		put(&refused, x, float64(sum.Clamped), float64(sum.Clamped+sum.Refused))
		clamps += sum.Clamped
		refusals += sum.Refused
		undrained += sum.Undrains
	}
	changes := []chart.Series{launches, drains}
	if undrained > 0 {
		changes = append(changes, undrains)
	}
	p.figure.Panels = []chart.Panel{
		{Y: chart.Axis{Label: "instances", Unit: chart.Count}, Series: fleet.series(), Height: 130, Empty: "no ticks"},
		{Y: chart.Axis{Label: "instances per " + per(width), Unit: chart.Count}, Series: changes, Height: 150, Empty: "no ticks"},
	}
	var cut []chart.Series
	if clamps > 0 {
		cut = append(cut, clamped)
		p.caption += fmt.Sprintf(" The guard clamped %s.", times(res.Figures.Guard.Clamped, "decision"))
	}
	if refusals > 0 {
		cut = append(cut, refused)
		p.caption += fmt.Sprintf(" EC2 refused %s.", times(int64(refusals), "instance"))
	}
	if cut != nil {
		p.figure.Panels = append(p.figure.Panels, chart.Panel{
			Y: chart.Axis{Label: "instances per " + per(width), Unit: chart.Count}, Series: cut, Height: 80,
		})
	} else {
		p.caption += " The guard removed nothing, and EC2 refused nothing."
	}
	p.table = decisionTable(res)
	p.events = decisionEvents(res)
	return p
}

// Lanes of the marks of decisions.
const (
	laneLaunch = iota
	laneDrain
	laneGuard
)

// decisionEvents are the decisions on the time line, with their reasons.
func decisionEvents(res *sim.Result) *chart.Events {
	e := &chart.Events{
		Noun:  "decision",
		Note:  "Every decision that changed something or that the guard clamped. Where the crosshair meets a mark its reasons are shown; ← and → go from mark to mark.",
		Lanes: []chart.Lane{laneLaunch: {Name: "launch", Hue: chart.Blue}, laneDrain: {Name: "drain", Hue: chart.Orange}, laneGuard: {Name: "guard", Hue: chart.Vermillion}},
	}
	clamped := map[time.Duration]int{}
	for i := range res.Ticks {
		if n := res.Ticks[i].Clamped; n > 0 {
			clamped[res.Ticks[i].At] = n
		}
	}
	for i := range res.Decisions {
		r := &res.Decisions[i]
		d := &r.Decision
		x := chart.Event{At: r.At.Seconds(), Title: decisionText(d, &res.Config.Catalog), Text: reasons(d), Weight: float64(size(d) + clamped[r.At])}
		if len(d.Launches)+len(d.Undrains) > 0 {
			x.Lanes = append(x.Lanes, laneLaunch)
		}
		if len(d.Drains) > 0 {
			x.Lanes = append(x.Lanes, laneDrain)
		}
		if n := clamped[r.At]; n > 0 {
			x.Lanes = append(x.Lanes, laneGuard)
			x.Title += fmt.Sprintf(" (the guard removed %s)", Count(n))
		}
		e.List = append(e.List, x)
	}
	if fit := len(e.Fit()); fit < len(e.List) {
		e.Note = fmt.Sprintf("The %s of %s decisions that changed most: a page has no room for more. Where the crosshair meets a mark its reasons are shown; ← and → go from mark to mark.", Count(fit), Count(len(e.List)))
	}
	return e
}

// size is how many instances a decision is about.
func size(d *policy.Decision) int { return d.Instances() + len(d.Drains) + len(d.Undrains) }

// decisionTable has the decisions that changed most, with their reasons.
func decisionTable(res *sim.Result) table {
	const rows = 50
	t := table{
		note:    "Every decision that changed something.",
		columns: []string{"at", "decision", "because"},
	}
	list := make([]int, len(res.Decisions))
	for i := range list {
		list[i] = i
	}
	if len(list) > rows {
		t.note = fmt.Sprintf("The %d of %s decisions that changed most.", rows, Count(len(list)))
		slices.SortStableFunc(list, func(a, b int) int {
			return cmp.Compare(size(&res.Decisions[b].Decision), size(&res.Decisions[a].Decision))
		})
		list = list[:rows]
		slices.Sort(list)
	}
	for _, i := range list {
		r := &res.Decisions[i]
		t.rows = append(t.rows, []string{moment(res, r.At), decisionText(&r.Decision, &res.Config.Catalog), because(&r.Decision)})
	}
	return t
}

// decisionText returns a decision as people say it: launch 8×c1.xlarge.
func decisionText(d *policy.Decision, catalog *policy.Catalog) string {
	var parts []string
	for _, l := range d.Launches {
		name := fmt.Sprintf("type %d", l.Type)
		if l.Type >= 0 && l.Type < len(catalog.Types) {
			name = catalog.Types[l.Type].Name
		}
		parts = append(parts, fmt.Sprintf("launch %s×%s", Count(l.Count), name))
	}
	if n := len(d.Drains); n > 0 {
		parts = append(parts, "drain "+Count(n))
	}
	if n := len(d.Undrains); n > 0 {
		parts = append(parts, "undrain "+Count(n))
	}
	if parts == nil {
		return "sleep"
	}
	return strings.Join(parts, ", ")
}

// because returns the first reasons of a decision.
func because(d *policy.Decision) string { return strings.Join(reasons(d), "; ") }

// reasons lists the first reasons of a decision.
func reasons(d *policy.Decision) []string {
	const most = 6
	var parts []string
	for i := range d.Because[:min(len(d.Because), most)] {
		parts = append(parts, d.Because[i].String())
	}
	if left := len(d.Because) - most; left > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", left))
	}
	return parts
}
