package reports

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Compare writes what the contests came to, for people: two policies of one
// scenario side by side, otherwise a row for each scenario and policy.
func Compare(w io.Writer, c *Comparison, o Options) error {
	s := o.sheet()
	for i, b := range c.boards {
		if i > 0 {
			s.b.WriteByte('\n')
		}
		s.contest(b, len(c.boards) == 1)
	}
	if c.Ranking != nil {
		s.b.WriteByte('\n')
		s.matrix(c.Ranking.table())
		s.note(c.Ranking.says())
		s.b.WriteByte('\n')
		s.matrix(c.bests())
		s.note(c.Ranking.saysBest(c.boards[0].rows[0].Name))
	}
	for _, line := range c.legend() {
		s.note(line)
	}
	s.footer(o)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// contest writes one scenario's rows.
func (s *sheet) contest(b *board, alone bool) {
	s.write(part{{b.Scenario, bold}, {": " + b.says(), plain}})
	s.b.WriteByte('\n')
	if alone && len(b.rows) <= 2 {
		s.matrix(b.beside())
		for _, line := range b.pairing() {
			s.note(line)
		}
		return
	}
	s.matrix(b.overview())
}

// note writes a line below a table.
func (s *sheet) note(text string) {
	if text != "" {
		s.write(part{{text, faint}})
		s.b.WriteByte('\n')
	}
}

// says tells what was run.
func (b *board) says() string {
	r := b.rows[0]
	seeds := fmt.Sprintf("seed %d", b.Seeds[0])
	if n := len(b.Seeds); n > 1 {
		seeds = fmt.Sprintf("seeds %d–%d", b.Seeds[0], b.Seeds[n-1])
	}
	text := fmt.Sprintf("n = %d (%s), intervals over %s", r.Runs, seeds, b.units())
	if lower := float64(r.LowerUSD); lower > 0 {
		text += ", " + r.bound() + " " + Money(lower)
	}
	if r.PlanUSD > 0 {
		text += ", best plan known " + Money(r.PlanUSD)
	}
	return text
}

// units names what is resampled.
func (b *board) units() string {
	r := b.rows[0]
	blocks := times(int64(r.Blocks), r.BlockIs)
	if r.Runs == 1 {
		return blocks
	}
	return fmt.Sprintf("%d seeds × %s", r.Runs, blocks)
}

// matrix is a table: its first row is the head.
type matrix [][]string

// matrix writes the table with columns apart, the first to the left.
func (s *sheet) matrix(m matrix) {
	s.table(m)
}

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

// beside is the table of one or two policies side by side, with a row for each
// figure and, of two, the difference.
func (b *board) beside() matrix {
	head := []string{""}
	for _, r := range b.rows {
		head = append(head, r.Name)
	}
	pair := len(b.rows) == 2
	if pair {
		head = append(head, "delta", "")
	}
	m := matrix{head}
	add := func(name string, of func(*CompareRow) string, delta ...string) {
		row := []string{name}
		for _, r := range b.rows {
			row = append(row, of(r))
		}
		if pair {
			row = append(row, append(delta, "", "")[:2]...)
		}
		m = append(m, row)
	}
	var against CompareAgainst
	if pair {
		against = *b.rows[1].Against
	}
	diff := func(c Change, show measure) []string {
		if !pair {
			return nil
		}
		return delta(c, show)
	}
	add("promises", keptText)
	judged := diff(against.Cost, relative)
	whole := judged
	apart := b.judgedApart()
	if apart {
		whole = nil
	}
	add("cost", func(r *CompareRow) string { return plusMinus(r.CostUSD.interval(), Money) }, whole...)
	if apart {
		add("judged cost", func(r *CompareRow) string { return plusMinus(r.JudgedUSD.interval(), Money) }, judged...)
	}
	add("cost ÷ "+b.rows[0].bound(), overText)
	for _, name := range b.Classes {
		if !b.hasJobs(name) {
			continue
		}
		var of ClassAgainst
		if pair {
			of = *against.Classes[name]
		}
		class := func(show func(*CompareClass) string) func(*CompareRow) string {
			return func(r *CompareRow) string { return show(r.Classes[name]) }
		}
		add(name+" attained", class(func(c *CompareClass) string { return plusMinus(c.attained().interval(), percents) }), diff(of.Attained, points)...)
		add(name+" p95", class(func(c *CompareClass) string { return plusMinus(c.p95().interval(), seconds) }), b.p95Delta(name, of.P95S, pair)...)
	}
	add("miss budget used", budgetText)
	add("slack", func(r *CompareRow) string { return percents(float64(r.SlackMean)) }, diff(against.Slack, points)...)
	add("slack over 24 h, p5 to p95", func(r *CompareRow) string {
		if math.IsNaN(float64(r.SlackP5)) {
			return noValue
		}
		return fmt.Sprintf("%s to %s", percents(float64(r.SlackP5)), percents(float64(r.SlackP95)))
	})
	for _, f := range rowFigures {
		add(f.name, f.of)
	}
	return m
}

// hasJobs reports whether a class had any to judge.
func (b *board) hasJobs(class string) bool {
	for _, r := range b.rows {
		if c := r.Classes[class]; c != nil && !math.IsNaN(float64(c.Attained)) {
			return true
		}
	}
	return false
}

// rowFigures are the figures of the fleet, without intervals.
var rowFigures = []struct {
	name string
	of   func(*CompareRow) string
}{
	{"launches/day", func(r *CompareRow) string { return Number(float64(r.LaunchesPerDay)) }},
	{"churn/day", func(r *CompareRow) string { return Number(float64(r.ChurnPerDay)) }},
	{"wasted minutes/day", func(r *CompareRow) string { return Number(float64(r.WastedPerDay)) }},
	{"θ_U, θ_O", elasticText(0, 1)},
	{"τ_U, τ_O", elasticText(2, 3)},
	{"υ", elasticText(4)},
	{"deviation", func(r *CompareRow) string { return Number(float64(r.Deviation)) + " %" }},
}

// elasticText writes figures of the rigid demand and, where there is a plan,
// those of the plan's.
func elasticText(which ...int) func(*CompareRow) string {
	return func(r *CompareRow) string {
		if r.Rigid == nil {
			return noValue
		}
		var parts []string
		for _, i := range which {
			text := Number(*r.Rigid.Figures()[i])
			if r.Planned != nil {
				text += " [" + Number(*r.Planned.Figures()[i]) + "]"
			}
			parts = append(parts, text+" %")
		}
		return strings.Join(parts, ", ")
	}
}

// judgedApart reports whether the judged cost is another than the whole bill.
func (b *board) judgedApart() bool {
	for _, r := range b.rows {
		if r.CostUSD.Mean != r.JudgedUSD.Mean {
			return true
		}
	}
	return false
}

// p95Delta is relative where the first policy's p95 is not 0.
func (b *board) p95Delta(class string, c Change, pair bool) []string {
	if !pair {
		return nil
	}
	base := float64(b.rows[0].Classes[class].P95S)
	if base > 0 {
		c.Mean, c.Lo, c.Hi = c.Mean/Maybe(base), c.Lo/Maybe(base), c.Hi/Maybe(base)
		return delta(c, relative)
	}
	return delta(c, func(x float64) string { return signed(x, func(x float64) string { return seconds(x) }) })
}

// delta writes a difference and its p: ~ where it may be chance.
func delta(c Change, show measure) []string {
	p := float64(c.P)
	if math.IsNaN(p) {
		if math.IsNaN(float64(c.Mean)) {
			return []string{noValue, ""}
		}
		return []string{show(float64(c.Mean)), "no interval"}
	}
	if !(p < 0.05) {
		return []string{"~", pText(p)}
	}
	return []string{plusMinus(c.interval(), show), pText(p)}
}

// pText writes a p-value.
func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return noValue
	case p < 0.001:
		return "p<0.001"
	}
	return "p=" + strconv.FormatFloat(p, 'g', 2, 64)
}

// signed writes + before what is above 0.
func signed(x float64, show measure) string {
	if x > 0 {
		return "+" + show(x)
	}
	return show(x)
}

// relative writes a fraction as a change in percent; points a difference of
// fractions in percentage points.
func relative(x float64) string {
	return signed(x, func(x float64) string { return fixed(x*100, 1) + " %" })
}

func points(x float64) string {
	return signed(x, func(x float64) string { return fixed(x*100, 2) + " pp" })
}

// bound names what costs are compared with.
func (r *CompareRow) bound() string {
	if r.Bound == "floor" {
		return "floor"
	}
	return "bound"
}

func keptText(r *CompareRow) string {
	m := markKept
	if !r.Kept {
		m = markBroken
	}
	return fmt.Sprintf("%s %d of %d", m, r.KeptRuns, r.Runs)
}

func overText(r *CompareRow) string {
	return plusMinus(Interval{Mean: float64(r.OverBound), Lo: float64(r.OverBoundLo), Hi: float64(r.OverBoundHi)}, factor)
}

func budgetText(r *CompareRow) string {
	if math.IsNaN(float64(r.Budget)) {
		return noValue
	}
	return fixed(float64(r.Budget)*100, 0) + " % (" + r.BudgetOf + ")"
}

// overview is the table of several policies in one scenario, a row for each.
func (b *board) overview() matrix {
	head := []string{"policy", "promises", "cost", "÷ " + b.rows[0].bound(), "against " + b.rows[0].Name, "miss budget used", "slack", "launches/day", "rank"}
	if len(b.rows) == 1 {
		head = append(head[:4:4], head[5:8]...)
	}
	m := matrix{head}
	for _, r := range b.rows {
		row := []string{
			r.Name, keptText(r), plusMinus(r.JudgedUSD.interval(), Money), overText(r), againstText(r),
			budgetText(r), percents(float64(r.SlackMean)), Number(float64(r.LaunchesPerDay)), Number(r.Rank),
		}
		if len(b.rows) == 1 {
			row = append(row[:4:4], row[5:8]...)
		}
		m = append(m, row)
	}
	return m
}

// againstText is the difference in judged cost to the first policy, in brackets
// where it may be chance.
func againstText(r *CompareRow) string {
	if r.Against == nil {
		return ""
	}
	c := r.Against.Cost
	c.P = c.PHolm
	parts := delta(c, relative)
	if parts[0] == "~" {
		parts[0] = "~ (" + relative(float64(c.Mean)) + ")"
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// pairing tells what the same weather is worth.
func (b *board) pairing() []string {
	var lines []string
	if len(b.rows) == 2 {
		if x := float64(b.rows[1].Against.Reduction); !math.IsNaN(x) {
			lines = append(lines, fmt.Sprintf("the same weather makes the variance of the difference in cost %s times smaller", Number(x)))
		}
	}
	for _, r := range b.rows {
		if len(r.Broken) > 0 {
			lines = append(lines, r.Name+" broke: "+oneLine(strings.Join(r.Broken, ", ")))
		}
	}
	return lines
}

// table ranks the policies.
func (r *CompareRanking) table() matrix {
	m := matrix{{"all scenarios", "mean rank", "promises kept in", "cost ÷ bound, geometric mean"}}
	for _, p := range r.Policies {
		m = append(m, []string{p.Name, fixed(float64(p.MeanRank), 2), Count(p.Kept), factorOf(p.OverBound)})
	}
	return m
}

// says tells how sure the ranks are.
func (r *CompareRanking) says() string {
	if math.IsNaN(float64(r.Critical)) {
		return ""
	}
	return fmt.Sprintf("ranks: Friedman %s; by Nemenyi's test mean ranks differ from %s on", pText(float64(r.FriedmanP)), fixed(float64(r.Critical), 2))
}

// bests sets the first policy beside the best of the others, by scenario.
func (c *Comparison) bests() matrix {
	m := matrix{{"scenario", c.boards[0].rows[0].Name + " ÷ bound", "best other that kept all promises", "÷ bound", "ratio"}}
	for _, x := range c.Ranking.Best {
		mark := ""
		if !x.Kept {
			mark = " " + markBroken
		}
		rival := x.Rival
		if rival == "" {
			rival = "none"
		}
		m = append(m, []string{x.Scenario, factor(float64(x.OverBound)) + mark, rival, factorOf(x.RivalOver), ratioText(x.Ratio)})
	}
	return m
}

// factorOf writes a factor, or that there is none.
func factorOf(x Maybe) string {
	if math.IsNaN(float64(x)) {
		return noValue
	}
	return factor(float64(x))
}

func ratioText(x Maybe) string { return fixed(float64(x), 3) }

// saysBest tells how the first policy's cost compares with the best others'.
func (r *CompareRanking) saysBest(first string) string {
	if math.IsNaN(float64(r.BestRatio)) {
		return "in no scenario did both " + first + " and another policy keep all promises"
	}
	return fmt.Sprintf("where both kept all promises %s costs %s of the best other, in the geometric mean; %s marks a scenario where it broke one", first, ratioText(r.BestRatio), markBroken)
}

// legend tells which policy a name stands for, where the name does not.
func (c *Comparison) legend() []string {
	if len(c.boards) == 0 {
		return nil
	}
	var lines []string
	for _, r := range c.boards[0].rows {
		if r.Name != r.Policy && r.File != "" {
			lines = append(lines, fmt.Sprintf("%s: %s of %s", r.Name, r.Policy, r.File))
		}
	}
	return lines
}

// tableOf is a scenario's table.
func (c *Comparison) tableOf(b *board) matrix {
	if len(c.boards) == 1 && len(b.rows) <= 2 {
		return b.beside()
	}
	return b.overview()
}

const allNote = "judged cost ÷ bound; " + string(markBroken) + " marks a promise that was broken in some run"

// all is a table of cost ÷ bound by policy and scenario.
func (c *Comparison) all() matrix {
	head := []string{"policy"}
	for _, b := range c.boards {
		head = append(head, b.Scenario)
	}
	m := matrix{head}
	for i, first := range c.boards[0].rows {
		row := []string{first.Name}
		for _, b := range c.boards {
			r := b.rows[i]
			text := fixed(float64(r.OverBound), 2)
			if !r.Kept {
				text += " " + string(markBroken)
			}
			row = append(row, text)
		}
		m = append(m, row)
	}
	return m
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
	if c.Ranking != nil {
		section("Cost ÷ "+c.boards[0].rows[0].bound(), c.all(), allNote)
		section("Ranks", c.Ranking.table(), c.Ranking.says())
		section("The best of the others", c.bests(), c.Ranking.saysBest(c.boards[0].rows[0].Name))
	}
	for _, board := range c.boards {
		section(board.Scenario, c.tableOf(board), "")
		fmt.Fprintf(&b, "\n%s.\n", board.says())
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

// fleets is a table of how every fleet moved.
func (c *Comparison) fleets() matrix {
	head := []string{"scenario", "policy"}
	for _, f := range rowFigures {
		head = append(head, f.name)
	}
	m := matrix{append(head, "pairwise score", "elastic speed-up")}
	for _, b := range c.boards {
		for _, r := range b.rows {
			row := []string{b.Scenario, r.Name}
			for _, f := range rowFigures {
				row = append(row, f.of(r))
			}
			m = append(m, append(row, Number(float64(r.Pairwise)), Number(float64(r.SpeedUp))))
		}
	}
	return m
}

// upperFirst begins a sentence.
func upperFirst(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(string(r)) + text[n:]
}
