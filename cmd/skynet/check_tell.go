package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/skynet-ec2/skynet/reports"
)

// tell writes the result, where the flags say.
func (c *checking) tell(result *reports.Check) error {
	marker := reports.CheckMarker(c.about())
	markdown := func(w io.Writer) error { return reports.CheckMarkdown(w, result, marker) }
	for _, x := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{c.junit, func(w io.Writer) error { return reports.CheckJUnit(w, result) }},
		{c.markdown, markdown},
	} {
		if x.path == "" || x.path == "-" {
			continue
		}
		if err := into(x.path, x.write); err != nil {
			return err
		}
	}
	if err := c.app.intoJSON(c.json, func() (any, error) { return result, nil }); err != nil {
		return err
	}
	if err := c.show(result, markdown); err != nil {
		return err
	}
	if !c.comment {
		return nil
	}
	var text strings.Builder
	if err := markdown(&text); err != nil {
		return err
	}
	err := c.app.tellGitHub(c.github, marker, text.String())
	if err != nil && !result.Good {
		c.app.log.Error("the comment could not be written", "why", err)
		return nil // the verdict matters more
	}
	return err
}

// show writes the result to standard output, or to standard error where that is
// for something else.
func (c *checking) show(result *reports.Check, markdown func(io.Writer) error) error {
	w, only := c.app.stdout, c.toStdout() > 0
	switch {
	case c.format == "markdown" || c.markdown == "-":
		if err := markdown(w); err != nil {
			return err
		}
	case c.format == "json":
		return c.app.intoJSON("-", func() (any, error) { return result, nil })
	}
	if c.app.quiet && result.Good || c.format == "markdown" {
		return nil
	}
	if only {
		w = c.app.stderr
	}
	err := reports.CheckText(w, result, reports.Options{Reproduce: result.Command, Color: !c.app.noColor && !only, Width: c.app.width()})
	if err == nil && c.format == "github" {
		err = reports.CheckAnnotations(w, result, c.github.Place)
	}
	return err
}

// about tells this check from others of the same repository.
func (c *checking) about() string {
	words := append([]string{}, c.args...)
	if len(words) == 0 {
		words = append(words, "scenarios")
	}
	for _, x := range []struct{ flag, value string }{{"--only", c.only}, {"--shard", c.shard}, {"--policy", c.policy}} {
		if x.value != "" {
			words = append(words, x.flag, x.value)
		}
	}
	return strings.Join(words, " ")
}

// reproduce returns the command that gives the same results again.
func (c *checking) reproduce() string {
	words := append([]string{"skynet", "check"}, c.args...)
	for _, x := range []struct{ flag, value string }{
		{"--only", c.only}, {"--shard", c.shard}, {"--policy", c.policy}, {"--against", c.against},
	} {
		if x.value != "" {
			words = append(words, x.flag, x.value)
		}
	}
	if c.runs > 0 {
		words = append(words, "--runs", fmt.Sprint(c.runs))
	}
	if c.strict {
		words = append(words, "--strict")
	}
	return commandLine(words)
}
