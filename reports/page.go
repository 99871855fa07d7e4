package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"sync"

	"github.com/skynet-ec2/skynet/reports/chart"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
)

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pageContent is what the template shows of a run, of several, of a comparison
// or of a tuning: the verdict first.
type pageContent struct {
	Title, Subtitle string
	// Verdict is a sentence; Class says whether it is good.
	Verdict, Class string
	// Remarks are sentences below it.
	Remarks  []string
	Promises []promiseRow
	Figures  []labelled
	Tables   []pageTable
	// Before are charts of the whole; Lead stands above the others, where there
	// are such.
	Before []template.HTML
	Lead   string
	Charts []template.HTML
	// Live says that there are charts on a clock.
	Live   bool
	Footer []labelled

	Style    template.CSS
	Script   template.JS
	Security string
}

// The classes of a verdict.
const (
	classKept   = "kept"
	classBroken = "broken"
)

// labelled is a name with what it stands for.
type labelled struct{ Name, Text string }

// pageTable is a table with the names of its rows in the first column.
type pageTable struct {
	Title, Note string
	Head        []string
	Rows        [][]string
}

// Methods of the template.

func (r promiseRow) Mark() string { return r.mark }

func (r promiseRow) Class() string {
	return map[mark]string{markKept: classKept, markBroken: classBroken, markShown: "shown"}[r.mark]
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

// security allows the page its own script and style sheet and nothing else: no
// name in a trace can make a browser run or fetch anything.
var security = sync.OnceValue(func() string {
	hash := sha256.Sum256([]byte(chart.Script()))
	return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src 'sha256-" +
		base64.StdEncoding.EncodeToString(hash[:]) + "'"
})

// writeTo writes the page, which needs nothing else.
func (c *pageContent) writeTo(w io.Writer) error {
	c.Style = template.CSS(chart.Style() + pageStyle)
	c.Script = template.JS(chart.Script())
	c.Security = security()
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, c); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// add puts plots into the page.
func (c *pageContent) add(list []plot) error {
	for i := range list {
		x := list[i].chart()
		html, err := x.HTML()
		if err != nil {
			return err
		}
		c.Charts = append(c.Charts, html)
		c.Live = c.Live || x.Live()
	}
	return nil
}

// footed names what the page came from, where there is something to name.
func (c *pageContent) footed(name, text string) {
	if text != "" {
		c.Footer = append(c.Footer, labelled{name, text})
	}
}
