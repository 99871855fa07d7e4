package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"

	"github.com/skynet-ec2/skynet/reports/chart"
)

//go:embed compare_page.html
var compareText string

var compareTemplate = newPage(compareText)

// compareContent is what the template shows.
type compareContent struct {
	Style    template.CSS
	Title    string
	Subtitle string
	Tables   []compareTable
	Plots    []pagePlot
	Footer   []labelled
}

type compareTable struct {
	Title, Note string
	Head        []string
	Rows        [][]string
}

func (m matrix) titled(title, note string) compareTable {
	return compareTable{Title: title, Note: note, Head: m[0], Rows: m[1:]}
}

// WriteCompare fills the folder dir, which it makes, with a report of the
// comparison: its plots as SVG and PNG, and index.html, a page that holds all of
// it and needs nothing else. It returns the path of the page, which is written
// last.
func WriteCompare(dir string, c *Comparison, title string) (page string, err error) {
	if err := PrepareFolder(dir); err != nil {
		return "", err
	}
	list := c.plots()
	if err := writePlots(dir, list); err != nil {
		return "", err
	}
	page = filepath.Join(dir, "index.html")
	return page, WriteFile(page, func(w io.Writer) error { return c.pageTo(w, title, list) })
}

// pageTo writes the page of a comparison.
func (c *Comparison) pageTo(w io.Writer, title string, list []plot) error {
	p := compareContent{
		Style: template.CSS(chart.Style()), Title: title,
		Subtitle: fmt.Sprintf("%s, %s", times(int64(len(c.boards)), "scenario"), c.policies()),
	}
	if c.Ranking != nil {
		p.Tables = append(p.Tables,
			c.all().titled("Cost ÷ "+c.boards[0].rows[0].bound(), allNote),
			c.Ranking.table().titled("All scenarios", c.Ranking.says()),
			c.bests().titled("The best of the others", c.Ranking.saysBest(c.boards[0].rows[0].Name)))
	}
	for _, b := range c.boards {
		p.Tables = append(p.Tables, c.tableOf(b).titled(b.Scenario, b.says()))
	}
	p.Tables = append(p.Tables, c.fleets().titled("Fleets", "θ, τ and υ: how closely ready capacity followed the work as it arrived; in brackets, the best plan that knows the future."))
	var err error
	if p.Plots, err = pagePlots(list); err != nil {
		return err
	}
	for _, line := range c.legend() {
		p.Footer = append(p.Footer, labelled{"policy", line})
	}
	if c.Command != "" {
		p.Footer = append(p.Footer, labelled{"reproduce", c.Command})
	}
	if c.Version != "" {
		p.Footer = append(p.Footer, labelled{"version", c.Version})
	}
	if c.Inputs != "" {
		p.Footer = append(p.Footer, labelled{"inputs", c.Inputs})
	}
	var b bytes.Buffer
	if err := compareTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// policies counts those compared.
func (c *Comparison) policies() string {
	switch n := len(c.boards[0].rows); n {
	case 1:
		return "1 policy"
	default:
		return Count(n) + " policies"
	}
}
