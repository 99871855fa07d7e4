package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// commentMax is how many bytes a comment may have. GitHub takes 65 536
// characters; what was there before may have to stand beside it.
const commentMax = 60_000

// CheckMarker returns the hidden first line of a check's comment, by which it is
// found again and replaced: about tells the checks of one repository apart.
func CheckMarker(about string) string {
	about = strings.NewReplacer("--", "- -", "<", "", ">", "").Replace(oneLine(about))
	return "<!-- skynet check: " + about + " -->"
}

// CheckMarkdown writes a check as the comment of a pull request, below 60 kB:
// the verdict, money, latency, what is wrong, and all figures folded. What does
// not fit is left out from the end, and counted.
func CheckMarkdown(w io.Writer, c *Check, marker string) error {
	m := &comment{left: commentMax - 1000} // room for the end
	m.add(marker + "\n")
	sign := markKept
	if !c.Good {
		sign = markBroken
	}
	m.add(fmt.Sprintf("### %s skynet check\n\n%s.\n", sign, upperFirst(c.says())))
	order := slices.Clone(c.Scenarios)
	slices.SortStableFunc(order, func(a, b *CheckCase) int { return urgency(b) - urgency(a) })
	m.money(order)
	m.findings(order)
	m.latency(order)
	for _, k := range order {
		m.details(k)
	}
	if m.omitted > 0 {
		m.b.WriteString(fmt.Sprintf("\n%s left out for want of room: `--json` and `--junit` have everything.\n", times(int64(m.omitted), "line")))
	}
	m.b.WriteString("\n<sub>")
	if c.Against != "" {
		m.b.WriteString("Compared with " + inMarkdown(shortened(c.Against, 100)) + ", seed by seed; a change counts where it is beyond its tolerance and p < 0.05 over the scenario's figures. ")
	}
	m.b.WriteString(inMarkdown(shortened(c.Version, 100)) + "</sub>\n")
	_, err := io.WriteString(w, m.b.String())
	return err
}

// urgency orders scenarios: what is wrong stands first, then what changed.
func urgency(k *CheckCase) int {
	switch {
	case k.mark() == markBroken:
		return 3
	case k.count(Improvement)+k.count(Unproven) > 0:
		return 2
	case !k.Identical:
		return 1
	}
	return 0
}

// comment is Markdown that must not grow too long.
type comment struct {
	b       strings.Builder
	left    int // bytes
	omitted int // lines
}

// add appends text if there is room, and counts its lines otherwise.
func (m *comment) add(text string) bool {
	if len(text) > m.left {
		m.omitted += max(strings.Count(text, "\n"), 1)
		return false
	}
	m.left -= len(text)
	m.b.WriteString(text)
	return true
}

// rows appends a table whose rows are added one by one.
func (m *comment) rows(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
	if !m.add("\n" + line(head) + "|---" + strings.Repeat("|--:", len(head)-1) + "|\n") {
		return
	}
	for _, r := range rows {
		m.add(line(r))
	}
}

func (m *comment) money(cases []*CheckCase) {
	var rows [][]string
	for _, k := range cases {
		row := []string{k.mark() + " " + cellName(k.Scenario), "", "", "", "", k.verdict()}
		if k.Skipped == "" {
			row[4] = k.promised()
		}
		if f := k.cost(); f != nil {
			row[1], row[2], row[3] = f.show(f.Before), f.show(f.After), f.showChange()
		}
		rows = append(rows, row)
	}
	m.rows([]string{"scenario", "cost before", "cost after", "change", "promises", "verdict"}, rows)
}

// latency lists the classes that changed.
func (m *comment) latency(cases []*CheckCase) {
	var rows [][]string
	same := 0
	for _, k := range cases {
		for _, f := range k.Figures {
			if f.Class == "" || f.isShare() {
				continue
			}
			if float64(f.Change.Mean) == 0 && f.Lost == 0 || f.Pairs == 0 {
				same++
				continue
			}
			row := []string{cellName(k.Scenario), cellName(f.Class), f.show(f.Before), f.show(f.After), f.showChange(), "", ""}
			for _, x := range k.Figures {
				if x.Class == f.Class && strings.HasSuffix(x.Metric, ".attained") {
					row[5], row[6] = x.show(x.Before), x.show(x.After)
				}
			}
			rows = append(rows, row)
		}
	}
	m.rows([]string{"scenario", "class", "p95 before", "p95 after", "change", "in time before", "after"}, rows)
	if same > 0 {
		m.add(fmt.Sprintf("\nThe p95 of %s is what it was.\n", countOf(same, "class", "classes")))
	}
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// findings lists what is wrong, and what was noted.
func (m *comment) findings(cases []*CheckCase) {
	first := true
	add := func(k *CheckCase, text string) {
		if first {
			m.add("\n")
			first = false
		}
		m.add(fmt.Sprintf("- **%s**: %s\n", cellName(k.Scenario), inMarkdown(shortened(text, 500))))
	}
	for _, k := range cases {
		for i := range k.Promises {
			if p := &k.Promises[i]; !p.Kept {
				add(k, markBroken+" "+p.says())
			}
		}
		for _, f := range k.Figures {
			switch f.Outcome {
			case Regression:
				add(k, markBroken+" "+f.says())
			case Improvement, Unproven:
				add(k, f.says())
			}
		}
		if k.Skipped != "" {
			add(k, "not run: "+oneLine(k.Skipped))
		}
		for _, n := range k.Notes {
			add(k, oneLine(n))
		}
	}
}

// details folds all promises and figures of a scenario.
func (m *comment) details(k *CheckCase) {
	if k.Skipped != "" {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s: %s, %s</summary>\n\n", cellName(k.Scenario), inMarkdown(k.policies()), k.seedRange())
	b.WriteString("| promise | got | wanted | kept on |\n|---|--:|--:|--:|\n")
	for i := range k.Promises {
		p := &k.Promises[i]
		kept, sign := " ", markKept
		if p.Seeds > 0 {
			kept = fmt.Sprintf("%d of %d", p.KeptOn, p.Seeds)
		}
		if !p.Kept {
			sign = markBroken
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", sign, cellName(p.Name), inMarkdown(oneLine(p.Got)), inMarkdown(oneLine(p.Want)), kept)
	}
	if len(k.Figures) > 0 {
		b.WriteString("\n| figure | before | after | change | tolerance | |\n|---|--:|--:|--:|--:|---|\n")
		for _, f := range k.Figures {
			if f.Pairs+f.Lost == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", cellName(f.Name()), f.show(f.Before), f.show(f.After), f.showChange(), f.showTolerance(), f.Outcome)
		}
	}
	b.WriteString("\n</details>\n")
	m.add(b.String())
}

// cellName returns a name for a cell.
func cellName(text string) string { return inMarkdown(shortened(oneLine(text), 80)) }

// shortened cuts a text to n characters.
func shortened(text string, n int) string {
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	return string(r[:n-1]) + "…"
}

// inMarkdown escapes what Markdown, HTML or GitHub would take for more than
// text.
func inMarkdown(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "|", `\|`, "`", "\\`",
		"*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`, "\n", " ",
	).Replace(text)
}
