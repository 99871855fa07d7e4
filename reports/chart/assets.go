package chart

import (
	_ "embed"
	"html/template"
	"strings"
)

// uPlot 1.6.32, by Leon Sorokin; uplot/LICENSE says what may be done with it.
var (
	//go:embed uplot/uPlot.iife.min.js
	uPlotScript string
	//go:embed uplot/uPlot.min.css
	uPlotStyle string
)

var (
	//go:embed chart.js
	chartScript string
	//go:embed chart.css
	chartStyle string
	//go:embed chart.html
	chartText string
)

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

// Script is what draws the live charts of a page once it is loaded. It asks
// nobody for anything.
func Script() string { return uPlotScript + "\n" + chartScript }

// Style is the style sheet of a page with charts and embedded figures: the
// colours as custom properties, light unless the reader prefers dark or the
// page's root says data-theme, and how charts and their tables look.
func Style() string {
	var light, dark strings.Builder
	for _, t := range tones {
		light.WriteString("--" + t.name + ":" + t.light.hex() + ";")
		dark.WriteString("--" + t.name + ":" + t.dark.hex() + ";")
	}
	return ":root{color-scheme:light;" + light.String() + "}\n" +
		"@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;" + dark.String() + "}}\n" +
		":root[data-theme=dark]{color-scheme:dark;" + dark.String() + "}\n" +
		uPlotStyle + "\n" + chartStyle
}
