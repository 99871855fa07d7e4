package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

//go:embed page.html
var pageText string

// pageParts are what pages share: their head, and how a plot is shown.
//
//go:embed page_parts.html
var pageParts string

var pageTemplate = newPage(pageText)

func newPage(text string) *template.Template {
	return template.Must(template.Must(template.New("page").Parse(pageParts)).Parse(text))
}

// pageContent is what the template shows.
type pageContent struct {
	Style    template.CSS
	Title    string
	Subtitle string
	Kept     bool
	Verdict  string
	Promises []promiseRow
	Figures  []labelled
	Plots    []pagePlot
	Footer   []labelled
}

// labelled is a name with what it stands for.
type labelled struct{ Name, Text string }

type pagePlot struct {
	ID, Title, Caption string
	SVG                template.HTML
	Note               string
	Columns            []string
	Rows               [][]string
}

// Methods of the template.

func (r promiseRow) Mark() string { return r.mark }

func (r promiseRow) Class() string {
	return map[mark]string{markKept: "kept", markBroken: "broken", markShown: "shown"}[r.mark]
}

func (r promiseRow) Spoken() string {
	return map[mark]string{markKept: "kept", markBroken: "broken", markShown: "nothing promised"}[r.mark]
}
func (r promiseRow) Name() string { return r.name }
func (r promiseRow) Got() string  { return r.got }
func (r promiseRow) Times() []string {
	if r.class == nil {
		return []string{"", "", "", ""}
	}
	t := &r.class.Sojourn
	if r.class.On == "wait" {
		t = &r.class.Wait
	}
	return []string{Seconds(t.P50), Seconds(t.P95), Seconds(t.P99), Seconds(t.Max)}
}

// pageTo writes the page of a run.
func pageTo(w io.Writer, res *sim.Result, verdicts []sim.Verdict, list []plot, o Options) error {
	f := &res.Figures
	c := pageContent{
		Style: template.CSS(chart.Style()),
		Title: f.Scenario,
		Subtitle: fmt.Sprintf("%s from %s (%s), %s jobs, policy %s, seed %d",
			Seconds(&f.DurationS), moment(res, 0), zone(res.Config.UTCOffset), Count(f.Jobs.Arrived), f.Policy, f.Seed),
		Promises: promiseRows(f, verdicts),
		Figures:  keyFigures(res),
	}
	c.Verdict, c.Kept = summaryOf(verdicts)
	var err error
	if c.Plots, err = pagePlots(list); err != nil {
		return err
	}
	if o.Reproduce != "" {
		c.Footer = append(c.Footer, labelled{"reproduce", o.Reproduce})
	}
	c.Footer = append(c.Footer, labelled{"digest", f.Digest})
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, c); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// pagePlots returns plots as pages show them.
func pagePlots(list []plot) ([]pagePlot, error) {
	var shown []pagePlot
	for i := range list {
		p := &list[i]
		var svg bytes.Buffer
		if err := p.drawing().EmbedSVG(&svg); err != nil {
			return nil, err
		}
		shown = append(shown, pagePlot{
			ID: p.name, Title: p.title(), Caption: p.caption,
			SVG:  template.HTML(svg.String()), // chart escapes every text
			Note: p.table.note, Columns: p.table.columns, Rows: p.table.rows,
		})
	}
	return shown, nil
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

// keyFigures are what the verdict says of cost, fleet, slack and guard.
func keyFigures(res *sim.Result) []labelled {
	f := &res.Figures
	list := []labelled{{"cost", Money(f.CostUSD)}}
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
