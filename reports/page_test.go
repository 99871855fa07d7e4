package reports

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// A month costs what the judged time cost, as often as it goes into a month; of
// less than a judged day, what the whole run did.
func TestMonth(t *testing.T) {
	f := &sim.Figures{DurationS: 8 * 86400, CostUSD: 1000, Judged: sim.JudgedFigures{FromS: 86400, CostUSD: 70}}
	usd, of := monthUSD(f)
	same(t, "a week", monthText(Money(usd), of), "$ 304.38 (30.4 days at the rate of 7 d)")
	f.DurationS = 86400 + 3600
	f.CostUSD = 25
	usd, of = monthUSD(f)
	same(t, "an hour", monthText(Money(usd), of), "$ 730.50 (30.4 days at the rate of 1 d 1 h)")
	f.DurationS, f.Judged.FromS = 3600, 600
	usd, of = monthUSD(f)
	same(t, "less than a day", monthText(Money(usd), of), "$ 18 262.50 (30.4 days at the rate of 1 h, which do not show the course of a day)")
	if usd, _ := monthUSD(&sim.Figures{}); !math.IsNaN(usd) {
		t.Errorf("nothing costs %v a month", usd)
	}
}

// The verdict of a comparison names the cheapest policy that kept its promises,
// and says what may be chance.
func TestCompareVerdict(t *testing.T) {
	one := &Comparison{}
	one.Add(contest("week", 3, 7))
	text, kept := one.verdict()
	if !kept || !strings.HasPrefix(text, "tuned is the cheapest of the 2 that kept every promise: $ ") || !strings.Contains(text, " % against skynet (p") {
		t.Errorf("one scenario: %t, %s", kept, text)
	}
	c := contest("week", 1, 7)
	c.Entries = c.Entries[2:]
	broken := &Comparison{}
	broken.Add(c)
	text, kept = broken.verdict()
	same(t, "one policy", text, "static kept every promise in 0 of 1 run")
	if kept {
		t.Error("what broke a promise kept it")
	}
	many := &Comparison{}
	for _, name := range []string{"a", "b", "c"} {
		many.Add(contest(name, 2, 7))
	}
	text, kept = many.verdict()
	same(t, "three scenarios", text, "tuned ranks best over 3 scenarios (mean rank 1.00 of 3) and kept every promise in 3 of them")
	if !kept {
		t.Error("what kept its promises broke one")
	}
}

// The median is a run whose cost is in the middle, the cheaper of two.
func TestMedian(t *testing.T) {
	r := Runs{}
	for _, cost := range []float64{5, 1, 9, 3} {
		r.Runs = append(r.Runs, &sim.Figures{CostUSD: cost})
	}
	if got := r.Median(); got != 3 {
		t.Errorf("run %d, want 3, which cost 3", got)
	}
}

// Of a forecast the share within its upper end is counted where both are known.
func TestForecastPlot(t *testing.T) {
	res := synthetic(2*time.Hour, hourly)
	nan := math.NaN()
	for i := range res.Ticks {
		r := &res.Ticks[i]
		r.ForecastMean, r.ForecastHigh, r.ForecastActual = 10, 20, float64(15+10*(i%4/3)) // one in four is above
		if i < 10 {
			r.ForecastHigh = nan
		}
	}
	p := forecastPlot(res, onPaper)
	share := p.figure.Panels[1].Series[0]
	if !math.IsNaN(share.Y[0]) || math.Abs(share.Y[3]-0.75) > 0.06 {
		t.Errorf("shares within the forecast %v, want none at first and then about 0.75", share.Y)
	}
	if !strings.Contains(p.caption, "89.96 % of 9\u202f957 ticks were within the p90") || !strings.Contains(p.caption, "loses 11.9 % less") {
		t.Errorf("caption %q", p.caption)
	}
	if name := p.figure.Panels[0].Series[0].Name; name != "came" {
		t.Errorf("what came is called %q", name)
	}
	res.Ticks[20].ForecastActual = 90
	p = forecastPlot(res, onPaper)
	if panel := p.figure.Panels[0]; panel.Series[0].Name != "came, bursts to 90" || panel.Y.Max != 40 {
		t.Errorf("a burst of 90 cores is drawn as %q up to %v, want its height in the legend", panel.Series[0].Name, panel.Y.Max)
	}
	res.Figures.Forecast = nil
	for _, p := range plots(res, Options{}, onPaper) {
		if p.name == "8-forecast" {
			t.Error("a policy that does not forecast has a plot of forecasts")
		}
	}
}

// A decision stands in the lanes of what it did, and a clamped one in the
// guard's.
func TestDecisionEvents(t *testing.T) {
	res := synthetic(time.Hour, hourly)
	res.Ticks[7].Clamped = 3
	res.Decisions = []sim.DecisionRow{
		{At: 7 * time.Minute, Decision: policy.Decision{Launches: []policy.Launch{{Type: 4, Count: 2}}, Drains: make([]policy.InstanceID, 1), Because: []policy.Reason{shortRule.Because(8, 4)}}},
		{At: 9 * time.Minute, Decision: policy.Decision{Drains: make([]policy.InstanceID, 5)}},
	}
	for i := range res.Ticks {
		if i != 7 {
			res.Ticks[i].Clamped = 0
		}
	}
	e := decisionEvents(res).List
	same(t, "title", e[0].Title, "launch 2×c1.xlarge, drain 1 (the guard removed 3)")
	same(t, "text", strings.Join(e[0].Text, "; "), "test.short: need 8 slots, have 4")
	if len(e) != 2 || len(e[0].Lanes) != 3 || len(e[1].Lanes) != 1 || e[1].Lanes[0] != laneDrain || e[0].Weight != 6 {
		t.Errorf("events %+v", e)
	}
}
