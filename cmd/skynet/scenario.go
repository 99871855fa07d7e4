package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces"
)

func newScenarioCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "scenario",
		Short: "write, check and show scenario files",
		Long:  `Scenario works on the files that simulate reads. Every key is described in docs/scenario.md.`,
	}
	c.AddCommand(newScenarioNewCommand(a), newScenarioLintCommand(a), newScenarioShowCommand(a))
	return c
}

func newScenarioNewCommand(a *app) *cobra.Command {
	var trace string
	var force bool
	c := &cobra.Command{
		Use:   "new [FILE]",
		Short: "write a commented scenario that runs",
		Long: `New writes a scenario to start from, to FILE or to standard output: an evening
of a small photo site or, with --from-trace, classes for the jobs of a trace.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("unexpected argument %q", args[1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			return newScenario(a, path, trace, force)
		},
	}
	c.Flags().StringVar(&trace, "from-trace", "", "make classes for the jobs of this trace `file`")
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	return c
}

func newScenario(a *app, path, trace string, force bool) error {
	title := "New scenario"
	if path != "" {
		title = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if _, err := os.Lstat(path); err == nil && !force {
			return inputError(fmt.Errorf("%s: it is there already: --force replaces it", path))
		}
		if err := spareInputs([]output{{"force", path}}, trace); err != nil {
			return err
		}
	}
	text := scenarios.Example(title)
	if trace != "" {
		src, err := traces.Open(trace, traces.Options{Context: a.ctx})
		if err != nil {
			return err
		}
		defer src.Close()
		if text, err = scenarios.ExampleFor(title, nameFrom(path, trace), stoppable{src, a.ctx}); err != nil {
			return inputError(err)
		}
	}
	if path == "" {
		_, err := a.stdout.Write(text)
		return err
	}
	if err := writeFile(path, text); err != nil {
		return err
	}
	if !a.quiet {
		fmt.Fprintf(a.stdout, "wrote %s: run it with skynet simulate %s\n", path, spell.Shell(path))
	}
	return nil
}

// nameFrom returns what a scenario at path calls the file trace: relative to
// its folder where that is possible.
func nameFrom(path, trace string) string {
	here, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return trace
	}
	there, err := filepath.Abs(trace)
	if err != nil {
		return trace
	}
	if name, err := filepath.Rel(here, there); err == nil {
		return filepath.ToSlash(name)
	}
	return there
}

func newScenarioLintCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE...",
		Short: "report everything that is wrong with scenario files",
		Long: `Lint reads scenario files and the traces they name and reports everything that
is wrong with them, each problem on a line of its own. It also names what the
simulator does not model.`,
		Args: atLeastOne("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return lintScenarios(a, args) },
	}
}

func lintScenarios(a *app, paths []string) error {
	var worst error
	for _, path := range paths {
		s, err := scenarios.LoadWith(a.ctx, path, scenarios.Replace{})
		var notes []string
		if err == nil {
			err = a.fetch(s)
		}
		if err == nil {
			notes, err = s.Lint(a.ctx)
		}
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(a.stderr, err) // a problem a line, as listProblems does
			if worst == nil || exitCode(err, false) > exitCode(worst, false) {
				worst = err
			}
			continue
		}
		if !a.quiet {
			fmt.Fprintf(a.stdout, "%s: ok\n", path)
			for _, note := range notes {
				fmt.Fprintf(a.stdout, "%s: note: %s\n", path, note)
			}
		}
	}
	if worst != nil {
		return exitError{Code: exitCode(worst, false)} // all has been said
	}
	if !a.quiet {
		fmt.Fprintf(a.stdout, "not modelled by the simulator: %s\n", strings.Join(scenarios.NotModelled, ", "))
	}
	return nil
}

func newScenarioShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "print a scenario with every value in effect",
		Args:  exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := scenarios.LoadWith(a.ctx, args[0], scenarios.Replace{})
			if err != nil {
				return a.listProblems(err)
			}
			return s.Show(a.stdout)
		},
	}
}

// listProblems prints the problems of a file, if that is what err is, each on
// a line that begins with file and line, and returns an error that has nothing
// to add. Other errors are returned as they are.
func (a *app) listProblems(err error) error {
	var problems scenarios.Problems
	if !errors.As(err, &problems) {
		return err
	}
	fmt.Fprintln(a.stderr, problems)
	return inputError(nil)
}

// listAll is listProblems for several files: everything wrong with any of them
// is printed, each problem once.
func (a *app) listAll(errs []error) error {
	if len(errs) < 2 {
		return a.listProblems(errors.Join(errs...))
	}
	if err := a.ctx.Err(); err != nil {
		return err // what was read in part has problems of its own
	}
	code := 0
	said := map[string]bool{}
	for _, err := range errs {
		code = max(code, exitCode(err, false))
		text := err.Error()
		if !said[text] {
			fmt.Fprintln(a.stderr, text)
		}
		said[text] = true
	}
	return exitError{Code: code}
}
