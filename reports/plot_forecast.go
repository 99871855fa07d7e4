package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// forecastQuantile is the part of the loads that the upper end of a forecast
// should cover.
const forecastQuantile = 0.9

// forecastPlot is plot 8: what the policy expected and what came, and how often
// what came was within the forecast.
func forecastPlot(res *sim.Result, on medium) plot {
	p := plot{
		name: "8-forecast",
		caption: "At each moment: the work that the policy expected for the tick when an instance launched then could help, from its mean to its 90th percentile, " +
			"and the work that came in that tick. Below, how much of what came was within the forecast; 90 % is right.",
		figure: chart.Figure{Title: "Forecast and what came", X: clock(res), Shades: shades(res)},
	}
	loads, said := forecastLoads(res, on)
	covered, rows := forecastCoverage(res)
	p.figure.Panels, p.table = []chart.Panel{loads, covered}, rows
	p.caption += said
	if f := res.Figures.Forecast; f != nil && f.P90Coverage != nil {
		p.caption += fmt.Sprintf(" Over the judged time %s of %s ticks were within the p90", percents(*f.P90Coverage), Count(f.Ticks))
		if f.Skill != nil {
			p.caption += fmt.Sprintf("; against the p90 of the last 60 ticks, the forecast loses %s %% less (pinball loss)", fixed(100**f.Skill, 1))
		}
		p.caption += "."
	}
	return p
}

// forecastLoads is the panel of what was forecast and what came, with what the
// caption says of it.
func forecastLoads(res *sim.Result, on medium) (loads chart.Panel, said string) {
	width := forecastWidth(res, on)
	fan := chart.Series{Name: "forecast, mean to p90", Kind: chart.Area, Hue: chart.Blue}
	upper := chart.Series{Name: "p90", Kind: chart.Step, Hue: chart.Blue}
	mean := chart.Series{Name: "mean", Kind: chart.Step, Hue: chart.Green, Dash: chart.Dashed}
	highest := 0.0
	for _, b := range buckets(res, width) {
		x := b.start()
		high, low := b.mean(forecastHigh), b.mean(forecastMean)
		if math.IsNaN(low) {
			low = high
		}
		fan.X, fan.Low, fan.Y = append(fan.X, x), append(fan.Low, low), append(fan.Y, high)
		upper.X, upper.Y = append(upper.X, x), append(upper.Y, high)
		mean.X, mean.Y = append(mean.X, x), append(mean.Y, b.mean(forecastMean))
		if high > highest {
			highest = high
		}
	}
	if n := len(fan.X); n > 0 && fan.X[n-1] < length(res).Seconds() { // to the end of the last stretch
		fan.X, fan.Low, fan.Y = append(fan.X, length(res).Seconds()), append(fan.Low, fan.Low[n-1]), append(fan.Y, fan.Y[n-1])
		hold(&mean, length(res))
		hold(&upper, length(res))
	}
	loads = chart.Panel{
		Y:     chart.Axis{Label: "work, reference cores", Unit: chart.Number},
		Empty: "nothing was forecast", Height: 220,
	}
	if width > res.Config.Tick {
		what := "The forecast is its mean"
		if averaged(res) {
			what = "Lines are means"
		}
		said += " " + what + " per " + per(width) + "."
	}
	loads.Series = append(came(res, on), fan, upper, mean)
	const crowdedBy = 2 // a burst of a minute would flatten the forecast to a line
	all := bucket{ticks: res.Ticks}
	if most := all.most(forecastActual); !averaged(res) && most > crowdedBy*highest && highest > 0 {
		loads.Y.Max = crowdedBy * highest
		loads.Series[0].Name += ", bursts to " + Number(most)
		said += fmt.Sprintf(" Bursts, the highest of %s cores, pass the upper edge.", Number(most))
	}
	return loads, said
}

// forecastCoverage is the panel of how often what came was within the forecast, and
// the table of the plot.
func forecastCoverage(res *sim.Result) (chart.Panel, table) {
	width := coverageWidth(res)
	rows := table{
		note:    "Each row is " + Duration(width) + ".",
		columns: []string{"from", "forecast mean", "forecast p90", "came, mean", "came, max", "within p90"},
	}
	share := chart.Series{Name: "per " + per(width), Kind: chart.Step, Hue: chart.Green}
	for _, b := range buckets(res, width) {
		n, held := b.held()
		part := math.NaN()
		if n > 0 {
			part = float64(held) / float64(n)
		}
		share.X, share.Y = append(share.X, b.start()), append(share.Y, part)
		if len(rows.rows) < rowsMax {
			rows.rows = append(rows.rows, []string{
				moment(res, b.from), Number(b.mean(forecastMean)), Number(b.mean(forecastHigh)),
				Number(b.mean(forecastActual)), Number(b.most(forecastActual)), percents(part),
			})
		}
	}
	hold(&share, length(res))
	return chart.Panel{
		Y: chart.Axis{Label: "within the forecast", Unit: chart.Share, Max: 1}, Empty: "nothing was forecast", Height: 100,
		Rules:  []chart.Rule{{Name: "right: 90 %", At: forecastQuantile, Hue: chart.Ink, Dash: chart.Dotted}},
		Series: []chart.Series{share},
	}, rows
}

func forecastMean(r *sim.TickRow) float64   { return r.ForecastMean }
func forecastHigh(r *sim.TickRow) float64   { return r.ForecastHigh }
func forecastActual(r *sim.TickRow) float64 { return r.ForecastActual }

// came draws what came: tick by tick, or of a long run the mean.
func came(res *sim.Result, on medium) []chart.Series {
	if !averaged(res) {
		s := chart.Series{Name: "came", Kind: chart.Line, Hue: chart.Vermillion, Thin: true}
		for i := range res.Ticks {
			s.X, s.Y = append(s.X, res.Ticks[i].At.Seconds()), append(s.Y, res.Ticks[i].ForecastActual)
		}
		return []chart.Series{s}
	}
	line := chart.Series{Name: "came, mean", Kind: chart.Line, Hue: chart.Vermillion}
	for _, b := range buckets(res, forecastWidth(res, on)) {
		line.X, line.Y = append(line.X, b.start()+b.width.Seconds()/2), append(line.Y, b.mean(forecastActual))
	}
	return []chart.Series{line}
}

// forecastWidth is over how long forecasts are averaged to be drawn: in a long
// run the course of the day would hide everything else.
func forecastWidth(res *sim.Result, on medium) time.Duration {
	if averaged(res) {
		on = onPaper
	}
	return widthFor(res, on.stretches())
}

// coverageWidth is over how long the share within the forecast is counted: long
// enough for a share to mean something.
func coverageWidth(res *sim.Result) time.Duration {
	return min(max(widthFor(res, rowsMax), 10*res.Config.Tick), max(length(res), res.Config.Tick))
}

// mean returns the mean of what has a value, NaN where nothing has.
func (b bucket) mean(of func(*sim.TickRow) float64) float64 {
	sum, n := 0.0, 0.0
	for i := range b.ticks {
		if v := of(&b.ticks[i]); !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}

// most returns the greatest value, NaN where there is none.
func (b bucket) most(of func(*sim.TickRow) float64) float64 {
	most := math.NaN()
	for i := range b.ticks {
		if v := of(&b.ticks[i]); math.IsNaN(most) || v > most {
			most = v
		}
	}
	return most
}

// held counts the forecasts of the bucket that can be judged, and those whose
// load was within.
func (b bucket) held() (n, held int) {
	for i := range b.ticks {
		r := &b.ticks[i]
		if math.IsNaN(r.ForecastHigh) || math.IsNaN(r.ForecastActual) {
			continue
		}
		n++
		if r.ForecastActual <= r.ForecastHigh {
			held++
		}
	}
	return n, held
}
