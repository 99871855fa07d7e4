package reports

import (
	"fmt"
	"io"
	"slices"
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
		s.matrix(c.ranks())
		s.note(c.Ranking.says())
		s.b.WriteByte('\n')
		s.matrix(c.bests())
		s.note(c.Ranking.saysBest(c.boards[0].rows[0].Name))
	}
	for _, line := range slices.Concat([]string{c.tuned()}, c.tunedLines(), c.legend()) {
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
	switch {
	case r.Runs == 1:
		return blocks
	case b.alike:
		return blocks + ", every seed being the same run"
	}
	return fmt.Sprintf("%d seeds × %s", r.Runs, blocks)
}

// matrix writes the table with columns apart, the first to the left.
func (s *sheet) matrix(m matrix) {
	s.table(m)
}
