package reports

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

// pageTo writes the page of a run.
func pageTo(w io.Writer, res *sim.Result, verdicts []sim.Verdict, o Options) error {
	f := &res.Figures
	c := pageContent{
		Title: f.Scenario,
		Subtitle: fmt.Sprintf("%s from %s (%s), %s jobs, policy %s, seed %d",
			Seconds(&f.DurationS), moment(res, 0), zone(res.Config.UTCOffset), Count(f.Jobs.Arrived), f.Policy, f.Seed),
		Promises: promiseRows(f, verdicts),
		Figures:  keyFigures(res, o),
	}
	var kept bool
	if c.Verdict, kept = summaryOf(verdicts); kept {
		c.Class = classKept
	} else {
		c.Class = classBroken
	}
	if err := c.add(plots(res, o, onScreen)); err != nil {
		return err
	}
	c.footed("reproduce", o.Reproduce)
	c.footed("digest", f.Digest)
	return c.writeTo(w)
}

// summaryOf says how many promises were kept.
func summaryOf(verdicts []sim.Verdict) (text string, kept bool) {
	broken := 0
	for _, v := range verdicts {
		if !v.Kept {
			broken++
		}
	}
	switch {
	case len(verdicts) == 0:
		return "Nothing was promised", true
	case broken == 0 && len(verdicts) == 1:
		return "The promise was kept", true
	case broken == 0:
		return fmt.Sprintf("All %d promises were kept", len(verdicts)), true
	}
	return fmt.Sprintf("%d of %d promises broken", broken, len(verdicts)), false
}

// monthDays is the length of a month, on average.
const monthDays = 365.25 / 12

// monthUSD returns what a month costs at the rate of a run, and the time that
// tells the rate: what was judged or, where that is less than a day, the whole
// run. NaN without any.
func monthUSD(f *sim.Figures) (usd float64, of time.Duration) {
	seconds, cost := f.DurationS-f.Judged.FromS, f.Judged.CostUSD
	if seconds < dayLong.Seconds() {
		seconds, cost = f.DurationS, f.CostUSD
	}
	if !(seconds > 0) {
		return math.NaN(), 0
	}
	return cost / seconds * monthDays * dayLong.Seconds(), time.Duration(seconds * 1e9)
}

// monthText writes what a month costs, and what that was concluded from.
func monthText(cost string, of time.Duration) string {
	text := fmt.Sprintf("%s (%s days at the rate of %s", cost, fixed(monthDays, 1), Duration(of.Round(time.Minute)))
	if of < dayLong {
		text += ", which do not show the course of a day"
	}
	return text + ")"
}

// keyFigures are what the verdict says of cost, fleet, slack and guard.
func keyFigures(res *sim.Result, o Options) []labelled {
	f := &res.Figures
	list := []labelled{{"cost", Money(f.CostUSD)}}
	if month, of := monthUSD(f); !math.IsNaN(month) {
		list = append(list, labelled{"cost of a month", monthText(Money(month), of)})
	}
	if lower := o.LowerUSD; lower > 0 {
		list = append(list, labelled{"judged cost ÷ bound", fmt.Sprintf("%s× (%s, which no policy that keeps the promises could pay less than)", fixed(f.Judged.CostUSD/lower, 2), Money(lower))})
	}
	if f.Floor.Over != nil {
		list = append(list, labelled{"cost ÷ floor of work", fixed(*f.Floor.Over, 2) + "×"})
	}
	if p := f.Paid; p.Busy+p.Slack+p.Boot+p.Gone > 0 {
		busy, slack, boot, gone := split100(p)
		list = append(list, labelled{"paid time", fmt.Sprintf("busy %d %%, slack %d %%, boot %d %%, paid but gone %d %%", busy, slack, boot, gone)})
	}
	if f.Slack.Mean != nil && !math.IsNaN(*f.Slack.Mean) {
		list = append(list, labelled{"mean slack", percents(*f.Slack.Mean)})
	}
	i := &f.Instances
	list = append(list,
		labelled{"instances at once", fmt.Sprintf("%s to %s, mean %s", Count(i.Min), Count(i.Max), fixed(i.Mean, 1))},
		labelled{"launched, drained, refused", fmt.Sprintf("%s, %s, %s", Count(i.Launched), Count(i.Drained), Count(i.Refused))},
	)
	if n := f.Guard.Clamped; n > 0 {
		list = append(list, labelled{"guard", fmt.Sprintf("clamped %s, first %s", times(n, "decision"), firstClamp(res))})
	}
	j := &f.Jobs
	if j.Lost+j.Pending+j.Retried > 0 {
		list = append(list, labelled{"jobs lost, not done, retried", fmt.Sprintf("%s, %s, %s", Count(j.Lost), Count(j.Pending), Count(j.Retried))})
	}
	return list
}
