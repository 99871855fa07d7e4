package reports

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of a JUnit file, as build servers read them.
type (
	junitSuites struct {
		XMLName  xml.Name      `xml:"testsuites"`
		Name     string        `xml:"name,attr"`
		Tests    int           `xml:"tests,attr"`
		Failures int           `xml:"failures,attr"`
		Skipped  int           `xml:"skipped,attr"`
		Suites   []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		File     string      `xml:"file,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string         `xml:"classname,attr"`
		Name    string         `xml:"name,attr"`
		File    string         `xml:"file,attr"`
		Line    int            `xml:"line,attr,omitempty"`
		Failure *junitFailure  `xml:"failure"`
		Skipped *junitSkipped  `xml:"skipped"`
		Out     *junitVerbatim `xml:"system-out"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitVerbatim struct {
		Text string `xml:",chardata"`
	}
)

// CheckJUnit writes a check as JUnit XML: a suite for each scenario, in it a
// case for each promise and expectation and one for each figure that is
// compared.
func CheckJUnit(w io.Writer, c *Check) error {
	all := &junitSuites{Name: "skynet check"}
	for _, k := range c.Scenarios {
		s := k.junit()
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junit returns the suite of a scenario.
func (c *CheckCase) junit() *junitSuite {
	s := &junitSuite{Name: oneLine(c.Scenario), File: c.File}
	add := func(name string, line int) *junitCase {
		s.Tests++
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: name, File: c.File, Line: line})
		return &s.Cases[len(s.Cases)-1]
	}
	fail := func(k *junitCase, kind, text string) {
		s.Failures++
		k.Failure = &junitFailure{Message: text, Type: kind, Text: fmt.Sprintf("%s: %s", c.File, text)}
	}
	if c.Skipped != "" {
		s.Skipped++
		add("scenario", 0).Skipped = &junitSkipped{oneLine(c.Skipped)}
		return s
	}
	for i := range c.Promises {
		p := &c.Promises[i]
		k := add(fmt.Sprintf("%s %s", oneLine(p.Name), oneLine(p.Want)), p.Line)
		if p.Kept {
			k.Out = &junitVerbatim{p.says()}
		} else {
			fail(k, "promise", p.says())
		}
	}
	for _, f := range c.Figures {
		if f.Pairs+f.Lost == 0 {
			continue
		}
		k := add(f.Name()+" against before", f.Line)
		if c.fails[f.Outcome] {
			fail(k, string(f.Outcome), f.says())
		} else {
			k.Out = &junitVerbatim{f.says()}
		}
	}
	return s
}
