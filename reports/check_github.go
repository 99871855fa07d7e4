package reports

import (
	"fmt"
	"io"
	"strings"
)

// annotationsMax is how many annotations GitHub shows of one step.
const annotationsMax = 10

// CheckAnnotations writes what is wrong as commands that GitHub shows at the
// lines of the files: promises first, then regressions, then stale baselines;
// ten at most, of which the last says how many are left out. place returns a
// file's path from the root of the repository.
func CheckAnnotations(w io.Writer, c *Check, place func(file string) string) error {
	all := c.annotations(place)
	left := 0
	if len(all) > annotationsMax {
		left = len(all) - annotationsMax + 1
		all = all[:annotationsMax-1]
	}
	var b strings.Builder
	for _, a := range all {
		b.WriteString(a.command())
	}
	if left > 0 {
		a := annotation{level: "error", title: "skynet check", text: fmt.Sprintf("%d more: see the job's summary", left)}
		if c.Good {
			a.level = "warning"
		}
		b.WriteString(a.command())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation is a message at a line of a file.
type annotation struct {
	level, file string
	line        int
	title, text string
}

// command returns the annotation as a line that the runner reads.
func (a annotation) command() string {
	var where []string
	if a.file != "" {
		where = append(where, "file="+commandValue(a.file))
		if a.line > 0 {
			where = append(where, fmt.Sprintf("line=%d", a.line))
		}
	}
	where = append(where, "title="+commandValue(a.title))
	return fmt.Sprintf("::%s %s::%s\n", a.level, strings.Join(where, ","), commandText(a.text))
}

// commandText escapes what would end a command; commandValue also what would
// end one of its values.
func commandText(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func commandValue(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText(text))
}

func (c *Check) annotations(place func(string) string) []annotation {
	var promises, regressions, rest []annotation
	for _, k := range c.Scenarios {
		at := func(level string, line int, kind, text string) annotation {
			return annotation{level, place(k.File), max(line, 1), fmt.Sprintf("%s: %s", oneLine(k.Scenario), kind), text}
		}
		if k.Skipped != "" {
			rest = append(rest, at("warning", 0, "not run", oneLine(k.Skipped)))
		}
		for i := range k.Promises {
			if p := &k.Promises[i]; !p.Kept {
				promises = append(promises, at("error", p.Line, "promise broken", p.says()))
			}
		}
		for _, f := range k.Figures {
			level := "warning"
			if k.fails[f.Outcome] {
				level = "error"
			}
			switch f.Outcome {
			case Regression:
				regressions = append(regressions, at(level, f.Line, "regression", f.says()))
			case Improvement:
				if f.stale {
					rest = append(rest, at(level, f.Line, "baseline stale", f.says()))
				}
			}
		}
	}
	return append(append(promises, regressions...), rest...)
}
