package reports

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// matrix is a table: its first row is the head.
type matrix [][]string

// markdown writes the table as Markdown does.
func (m matrix) markdown(w *strings.Builder) {
	for i, row := range m {
		for j, cell := range row {
			if cell == "" && j > 0 {
				cell = " "
			}
			fmt.Fprintf(w, "| %s ", strings.ReplaceAll(oneLine(cell), "|", `\|`))
		}
		w.WriteString("|\n")
		if i == 0 {
			w.WriteString("|---" + strings.Repeat("|--:", len(row)-1) + "|\n")
		}
	}
}

// CompareMarkdown writes the comparison as Markdown, with what made it: first
// what all scenarios come to, then each of them.
func CompareMarkdown(w io.Writer, c *Comparison, title string) error {
	var b strings.Builder
	section := func(heading string, m matrix, note string) {
		fmt.Fprintf(&b, "\n## %s\n\n", heading)
		m.markdown(&b)
		if note != "" {
			fmt.Fprintf(&b, "\n%s.\n", upperFirst(note))
		}
	}
	fmt.Fprintf(&b, "# %s\n", title)
	tuned := c.tuned()
	if tuned != "" && c.Ranking == nil {
		fmt.Fprintf(&b, "\n%s.\n", upperFirst(tuned))
	}
	if c.Ranking != nil {
		section("Cost ÷ "+c.yardstick(), c.all(), c.saysAll())
		section("Ranks", c.ranks(), c.Ranking.says())
		note := c.Ranking.saysBest(c.boards[0].rows[0].Name)
		if tuned != "" {
			note += ". " + upperFirst(tuned)
		}
		section("The best of the others", c.bests(), note)
	}
	for _, board := range c.boards {
		section(board.Scenario, c.tableOf(board), "")
		fmt.Fprintf(&b, "\n%s.\n", board.says())
	}
	if m := c.tunings(); m != nil {
		section("Tuning", m, tuningNote)
	}
	section("Fleets", c.fleets(), "")
	b.WriteString("\n## Where this comes from\n\n")
	for _, line := range c.legend() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, x := range []struct{ before, text, after string }{
		{"`", c.Command, "`"}, {"", c.Version, ""}, {"scenarios, traces, policies and seeds: ", c.Inputs, ""},
	} {
		if x.text != "" {
			fmt.Fprintf(&b, "- %s%s%s\n", x.before, x.text, x.after)
		}
	}
	b.WriteString("- how to read it: docs/compare.md\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// upperFirst begins a sentence.
func upperFirst(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(string(r)) + text[n:]
}
