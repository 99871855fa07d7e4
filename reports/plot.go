package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// plot is a figure with what stands around it in a report.
type plot struct {
	// name of its files, without extension.
	name    string
	caption string
	figure  chart.Figure
	table   table
	events  *chart.Events // nil: none

	// other is drawn in the place of figure, under the title heading; nil: figure.
	other   drawing
	heading string

	// subject is what the plot is of, such as a run. It stands in the title of its
	// files, which are shown without a page around them; empty: the title says it.
	subject string
}

// chart is the plot as a page shows it.
func (p *plot) chart() *chart.Chart {
	c := &chart.Chart{
		ID: "plot-" + p.name, Title: p.title(), Caption: p.caption, Figure: &p.figure, Events: p.events,
		Table: chart.Table{Note: p.table.note, Columns: p.table.columns, Rows: p.table.rows},
	}
	if p.other != nil {
		c.Drawing = p.other
	}
	return c
}

// drawing is what a plot shows, in a page or on paper.
type drawing interface {
	chart.Drawing
	SVG(io.Writer) error
	PNG(io.Writer) error
	PDF(io.Writer) error
}

func (p *plot) drawing() drawing {
	if p.other != nil {
		return p.other
	}
	return &p.figure
}

func (p *plot) title() string {
	if p.other != nil {
		return p.heading
	}
	return p.figure.Title
}

// onFile is what the plot's files show: the drawing, with its subject in the title.
func (p *plot) onFile() drawing {
	if p.subject == "" {
		return p.drawing()
	}
	title := p.title() + " – " + p.subject
	switch d := p.other.(type) {
	case nil:
		figure := p.figure
		figure.Title = title
		return &figure
	case *chart.Tornado:
		tornado := *d
		tornado.Title = title
		return &tornado
	case *chart.Heat:
		heat := *d
		heat.Title = title
		return &heat
	}
	return p.other
}

// about makes subject that of all plots.
func about(subject string, list []plot) []plot {
	for i := range list {
		list[i].subject = subject
	}
	return list
}

// table is the data behind a plot, short enough to read.
type table struct {
	// note says what its rows are.
	note    string
	columns []string
	rows    [][]string
}

// rowsMax of a table.
const rowsMax = 200

// plots returns the figures of a report. The numbers in their names are those
// of the list of plots in the documentation.
func plots(res *sim.Result, o Options, on medium) []plot {
	list := []plot{
		demandPlot(res, on),
		slackPlot(res, o.SlackTarget),
		sojournPlot(res),
		latencyPlot(res),
		costPlot(res),
		decisionsPlot(res, on),
	}
	if res.Figures.Forecast != nil {
		list = append(list, forecastPlot(res, on))
	}
	return append(list, endedPlot(res))
}

// medium is where plots are looked at.
type medium int

const (
	onPaper medium = iota
	// onScreen a reader zooms: there is more to see than fits on paper.
	onScreen
)

// stretches is how many parts of a long run a line has a mean of.
func (m medium) stretches() int {
	if m == onScreen {
		return 1500
	}
	return 500
}

// length of the run.
func length(res *sim.Result) time.Duration {
	d := time.Duration(res.Figures.DurationS * 1e9)
	if n := len(res.Ticks); n > 0 {
		d = max(d, res.Ticks[n-1].At)
	}
	return d
}

// clock is the axis of a run's time, on the users' clock.
func clock(res *sim.Result) chart.Axis {
	return chart.Axis{
		Scale: chart.Clock, Label: "users' clock (" + zone(res.Config.UTCOffset) + ")",
		Origin: calendar(res, 0), Max: length(res).Seconds(),
	}
}

// calendar returns the time on the users' clock, to be shown as it reads in UTC.
func calendar(res *sim.Result, at time.Duration) time.Time {
	return res.Config.Start.UTC().Add(res.Config.UTCOffset).Add(at)
}

// zone returns an offset as clocks do: UTC, UTC−07:00.
func zone(offset time.Duration) string {
	if offset == 0 {
		return "UTC"
	}
	sign := "+"
	if offset < 0 {
		sign, offset = "−", -offset
	}
	return fmt.Sprintf("UTC%s%02d:%02d", sign, int(offset.Hours()), int(offset.Minutes())%60)
}

// moment writes a time of the run in a table.
func moment(res *sim.Result, at time.Duration) string {
	return calendar(res, at).Format("Mon 2006-01-02 15:04")
}

// shades mark what a reader must not judge by: the time before judging, and the
// time of faults.
func shades(res *sim.Result) []chart.Shade {
	var list []chart.Shade
	if from := res.Config.JudgeFrom; from > 0 {
		list = append(list, chart.Shade{Name: "not judged", To: from.Seconds()})
	}
	var kinds []string
	for _, f := range res.Config.Faults {
		if !slices.Contains(kinds, string(f.Kind)) {
			kinds = append(kinds, string(f.Kind))
		}
	}
	const most = 4
	if len(kinds) > most {
		kinds = append(kinds[:most:most], "…")
	}
	for _, f := range res.Config.Faults {
		list = append(list, chart.Shade{
			Name: "faults: " + strings.Join(kinds, ", "), From: f.From.Seconds(), To: f.To.Seconds(), Hue: chart.Yellow,
		})
	}
	return list
}

// bucket is the ticks of a stretch of the run.
type bucket struct {
	from  time.Duration // may lie before the run's start
	width time.Duration
	ticks []sim.TickRow
}

// comfortable lengths of time that clocks divide into.
var comfortable = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// widthFor returns the least comfortable length, at least the tick, of which at
// most n cover the run.
func widthFor(res *sim.Result, n int) time.Duration {
	total := length(res)
	for _, w := range comfortable {
		if w >= res.Config.Tick && total/w < time.Duration(n) {
			return w
		}
	}
	return max(total/time.Duration(n)+1, res.Config.Tick)
}

// buckets cuts the run's ticks into stretches that begin at multiples of width
// on the users' clock: for what is true at a tick.
func buckets(res *sim.Result, width time.Duration) []bucket { return cut(res, width, 0) }

// steps cuts likewise for what a tick says of the time since the tick before:
// at a stretch's very start that belongs to the stretch before.
func steps(res *sim.Result, width time.Duration) []bucket { return cut(res, width, 1) }

func cut(res *sim.Result, width, before time.Duration) []bucket {
	zero := calendar(res, 0)
	offset := zero.Sub(zero.Truncate(width)) // the part of the first stretch that was before the run
	number := func(i int) time.Duration { return (max(res.Ticks[i].At-before, 0) + offset) / width }
	var list []bucket
	from := 0
	for i := range res.Ticks {
		if i+1 < len(res.Ticks) && number(i+1) == number(i) {
			continue
		}
		list = append(list, bucket{number(i)*width - offset, width, res.Ticks[from : i+1]})
		from = i + 1
	}
	return list
}

// per names a length of time as in "per hour".
func per(d time.Duration) string {
	switch d {
	case time.Minute:
		return "minute"
	case time.Hour:
		return "hour"
	case 24 * time.Hour:
		return "day"
	case 7 * 24 * time.Hour:
		return "week"
	}
	return Duration(d)
}

// start is where the bucket begins in the run, in seconds.
func (b bucket) start() float64 { return max(b.from, 0).Seconds() }

// spread returns the mean and the range of a figure over the bucket's ticks.
func (b bucket) spread(of func(*sim.TickRow) int) (mean float64, least, most int) {
	sum := 0.0
	for i := range b.ticks {
		v := of(&b.ticks[i])
		sum += float64(v)
		if i == 0 {
			least, most = v, v
		}
		least, most = min(least, v), max(most, v)
	}
	return sum / float64(max(len(b.ticks), 1)), least, most
}

// rawTicksMax is how many ticks are still drawn one by one: about two weeks of
// minutes. Beyond, day and night blur, and means with their range say more.
const rawTicksMax = 21_000

// course is a figure over time: at every tick, or its mean and range over
// stretches of a long run.
type course struct {
	line chart.Series
	// around is the range; nil for a short run.
	around *chart.Series
	most   float64
}

// courseOf follows a figure through the run.
func courseOf(res *sim.Result, on medium, name string, hue chart.Hue, of func(*sim.TickRow) int) course {
	c := course{line: chart.Series{Name: name, Kind: chart.Step, Hue: hue}}
	if !averaged(res) {
		for i := range res.Ticks {
			v := float64(of(&res.Ticks[i]))
			c.line.X, c.line.Y = append(c.line.X, res.Ticks[i].At.Seconds()), append(c.line.Y, v)
			c.most = max(c.most, v)
		}
		hold(&c.line, length(res))
		return c
	}
	c.line.Kind = chart.Line
	c.around = &chart.Series{Name: "range", Kind: chart.Area, Hue: hue}
	for _, b := range buckets(res, averagedOver(res, on)) {
		mean, least, most := b.spread(of)
		c.line.X, c.line.Y = append(c.line.X, b.start()+b.width.Seconds()/2), append(c.line.Y, mean)
		c.around.X, c.around.Y = append(c.around.X, b.start()), append(c.around.Y, float64(most))
		c.around.Low = append(c.around.Low, float64(least))
		c.most = max(c.most, float64(most))
	}
	return c
}

// series returns what is drawn, what is behind first.
func (c course) series() []chart.Series {
	if c.around == nil {
		return []chart.Series{c.line}
	}
	return []chart.Series{*c.around, c.line}
}

func averaged(res *sim.Result) bool { return len(res.Ticks) > rawTicksMax }

func averagedOver(res *sim.Result, on medium) time.Duration { return widthFor(res, on.stretches()) }

// averagedNote says how a long run is drawn.
func averagedNote(res *sim.Result, on medium) string {
	if !averaged(res) {
		return ""
	}
	return " Lines are means per " + per(averagedOver(res, on)) + "; the range reaches from the least to the most of it."
}
