package reports

import (
	"fmt"
	"io"
)

// CheckText writes what a check came to, for people: a line for each scenario,
// then what is wrong with those that are not as they should be, with the places
// to look at.
func CheckText(w io.Writer, c *Check, o Options) error {
	s := o.sheet()
	rows := matrix{{"", "promises", "cost", "before", "change", "verdict"}}
	for _, k := range c.Scenarios {
		row := []string{k.mark() + " " + oneLine(k.Scenario), "", "", "", "", k.verdict()}
		if k.Skipped == "" {
			row[1] = k.promised()
		}
		if f := k.cost(); f != nil {
			row[2], row[3], row[4] = f.show(f.After), f.show(f.Before), f.showChange()
		}
		rows = append(rows, row)
	}
	s.matrix(rows)
	for _, k := range c.Scenarios {
		s.checkCase(k)
	}
	s.b.WriteByte('\n')
	p := green
	if !c.Good {
		p = red
	}
	line := part{{c.says(), p}}
	var took part
	if c.WallS > 0 {
		took = part{{Seconds(&c.WallS), faint}}
	}
	s.line(line, 0, 4, took)
	if c.Reason != "" {
		s.note(fmt.Sprintf("%s written: %s", times(int64(c.Written), "baseline"), oneLine(c.Reason)))
	} else if c.Own && c.Improvements > 0 {
		s.note(`baselines become current with skynet check --update --reason "…"`)
	}
	s.footer(o)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// checkCase writes what there is to say about a scenario.
func (s *sheet) checkCase(k *CheckCase) {
	var lines []part
	add := func(m mark, line int, text string) {
		where := k.File
		if line > 0 {
			where = fmt.Sprintf("%s:%d", k.File, line)
		}
		lines = append(lines, part{{"  ", plain}, {m, paintOf(m)}, {" " + where + ": ", faint}, {text, plain}})
	}
	if k.Skipped != "" {
		add(markShown, 0, "not run: "+oneLine(k.Skipped))
	}
	for i := range k.Promises {
		if p := &k.Promises[i]; !p.Kept {
			add(markBroken, p.Line, p.says())
		}
	}
	for _, o := range []Outcome{Regression, Improvement, Unproven} {
		for _, f := range k.Figures {
			if f.Outcome == o {
				m := markShown
				if k.fails[o] {
					m = markBroken
				}
				add(m, f.Line, f.says())
			}
		}
	}
	for _, note := range k.Notes {
		add(markShown, 0, oneLine(note))
	}
	if len(lines) == 0 {
		return
	}
	s.b.WriteByte('\n')
	s.write(part{{oneLine(k.Scenario), bold}})
	if k.Skipped == "" {
		s.write(say(fmt.Sprintf(": %s, promises on seed %d, figures on %s", k.policies(), k.Seed, k.seedRange())))
	}
	s.b.WriteByte('\n')
	for _, l := range lines {
		s.write(l)
		s.b.WriteByte('\n')
	}
}
