package chart

import (
	"bytes"
	"html/template"
	"io"
)

// Chart is a figure as a page shows it: with its title, a caption and the data
// behind it. A figure on a clock axis is drawn in the browser, by Script, with a
// crosshair and a zoom that all such charts of the page share; any other is a
// drawing. The zero Chart is an empty one.
//
// A page that shows charts carries Style and Script once:
//
//	<style>{{.Style}}</style> … {{range .Charts}}{{.HTML}}{{end}} … <script>{{.Script}}</script>
//
// A page that stays open sends new data to the browser as Data returns them and
// hands them to charts.update(ID, data).
type Chart struct {
	// ID is unique in the page: letters, digits and hyphens.
	ID      string
	Title   string
	Caption string
	Figure  *Figure
	// Drawing is shown in the place of Figure; nil: Figure.
	Drawing Drawing
	// Still is the address of a drawing for browsers without scripts; empty: they are
	// sent to the table.
	Still string
	// Table holds the data behind the figure, short enough to read.
	Table Table
	// Events are moments on the clock of the figure; nil: none.
	Events *Events
}

// Drawing draws itself into a page: a Heat, a Tornado.
type Drawing interface{ EmbedSVG(w io.Writer) error }

// Table is rows of text below their names.
type Table struct {
	// Note says what the rows are; may be empty.
	Note    string
	Columns []string
	Rows    [][]string
}

// Live reports whether the browser draws the chart.
func (c *Chart) Live() bool { return c.Drawing == nil && c.Figure != nil && c.Figure.X.Scale == Clock }

// chartParts is what the template shows of a chart.
type chartParts struct {
	*Chart
	// SVG is the drawing, JSON the element that holds the data of a live chart.
	SVG, JSON template.HTML
}

// HTML returns the chart as a section of a page. Every text is escaped.
func (c *Chart) HTML() (template.HTML, error) {
	parts := chartParts{Chart: c}
	var b bytes.Buffer
	switch {
	case c.Live():
		data, err := c.Data()
		if err != nil {
			return "", err
		}
		// the encoder of JSON writes < > & as escapes: no text ends the element
		parts.JSON = template.HTML(`<script type="application/json" id="` + template.HTMLEscapeString(c.ID) + `-data">` + string(data) + `</script>`)
	case c.Drawing != nil:
		if err := c.Drawing.EmbedSVG(&b); err != nil {
			return "", err
		}
	case c.Figure != nil:
		if err := c.Figure.EmbedSVG(&b); err != nil {
			return "", err
		}
	}
	parts.SVG = template.HTML(b.String()) // EmbedSVG escapes every text
	b.Reset()
	if err := chartTemplate.Execute(&b, parts); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}
