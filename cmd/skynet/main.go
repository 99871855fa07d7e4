// Skynet plans, checks and operates batch fleets on EC2.
//
// Each verb has a file of its own, which holds its flags and its wiring; what
// a verb computes lives in the packages it calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// verbs are the commands of skynet, in the order in which help lists them.
// A new verb is one file and one line here.
var verbs = []func(*app) *cobra.Command{
	newSimulateCommand,
	newCompareCommand,
	newBoundCommand,
	newTuneCommand,
	newCheckCommand,
	newReplayCommand,
	newExplainCommand,
	newScenarioCommand,
	newTraceCommand,
	newVersionCommand,
}

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes one command line and returns the process's exit code.
func run(args []string) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)   // a second Ctrl-C does not wait for a clean end
	signal.Ignore(syscall.SIGPIPE) // a reader that leaves is an error of writing: half-written files go

	a := newApp(ctx, os.Stdout, os.Stderr)
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "skynet: internal error: %v\n\n%s", p, debug.Stack())
			code = exitFailure
		}
	}()
	return a.execute(args)
}

// execute runs the verb that args name, prints what went wrong, and returns
// the exit code.
func (a *app) execute(args []string) int {
	root := newRootCommand(a)
	root.SetArgs(args)
	verb, err := root.ExecuteContextC(a.ctx)
	if err != nil && !a.started {
		err = usageError(err) // cobra refused the command line before any verb ran
	}
	code := exitCode(err, a.ctx.Err() != nil)
	a.printError(verb, err, code)
	return code
}

// newRootCommand returns skynet with all its verbs.
func newRootCommand(a *app) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           "skynet",
		Short:         "SkyNet plans, checks and operates batch fleets on EC2.",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.log = newLogger(a.stderr, a.logLevel, a.logFormat, a.quiet)
			return nil
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { printHelp(a.stdout, c) })
	root.SetFlagErrorFunc(explainFlagError)

	flags := root.PersistentFlags()
	flags.BoolP("help", "h", false, "describe the verb and its flags")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors only")
	choiceVar(flags, &a.logLevel, "log-level", "info", "log from this `level` up", logLevels)
	choiceVar(flags, &a.logFormat, "log-format", "text", "log as this `format`", logFormats)

	for _, newVerb := range verbs {
		root.AddCommand(newVerb(a))
	}
	root.InitDefaultCompletionCmd()
	describeCompletion(root)
	root.SetHelpCommand(newHelpCommand(a))
	root.InitDefaultHelpCmd()
	prepare(a, root)
	return root
}

// prepare makes c and the commands below it report that they started, and
// makes those that only hold other verbs refuse unknown ones.
func prepare(a *app, c *cobra.Command) {
	for _, child := range c.Commands() {
		prepare(a, child)
	}
	if !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(unknownVerb(c, args[0]))
			}
			printHelp(a.stderr, c)
			return usageError(nil)
		}
	}
	if verb := c.RunE; verb != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.started = true
			return verb(c, args)
		}
	}
}

// printError tells the user about err, unless there is nothing to add.
func (a *app) printError(verb *cobra.Command, err error, code int) {
	switch {
	case err == nil || err.Error() == "":
		return
	case code == exitInterrupted && errors.Is(err, context.Canceled):
		fmt.Fprintln(a.stderr, "skynet: interrupted")
		return
	}
	fmt.Fprintf(a.stderr, "skynet: %v\n", err)
	var chosen exitError
	if errors.As(err, &chosen) && chosen.usage {
		if verb.Name() == "help" {
			verb = verb.Root()
		}
		fmt.Fprintf(a.stderr, "Run %q for usage.\n", helpFor(verb))
	}
}
