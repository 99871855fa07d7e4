// Package cli is what every program of SkyNet does alike: verbs and their help,
// flags, exit codes, the log, Ctrl-C, errors that suggest the right word.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// A Program is one that has verbs.
type Program struct {
	Name  string // as it is called
	Short string // one sentence: what it does
	// Other is a program that has the verbs Elsewhere, which people look for here.
	Other     string
	Elsewhere []string
}

// App is what every verb shares: where to write, how, and for how long.
type App struct {
	Program Program
	Ctx     context.Context // canceled by Ctrl-C; a verb then stops cleanly and returns Ctx.Err()
	Stdout  io.Writer       // results
	Stderr  io.Writer       // errors, the log, progress
	Log     *slog.Logger    // to Stderr; follows --log-level, --log-format and --quiet
	Quiet   bool            // print results and errors only
	OnStart func()          // called once Log and Quiet are what the flags say; may be nil

	logLevel, logFormat string // the flags, as given
	started             bool   // a verb was found and its command line is good
	unhelped            error  // help was asked for about a verb that there is not
}

// New returns an App that writes to stdout and stderr.
func New(p Program, ctx context.Context, stdout, stderr io.Writer) *App {
	return &App{Program: p, Ctx: ctx, Stdout: stdout, Stderr: stderr, Log: newLogger(stderr, "info", "text", false)}
}

// Run executes one command line, of a program with the verbs that build
// returns, and returns the process's exit code.
func Run(p Program, args []string, build func(*App) []*cobra.Command) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)   // a second Ctrl-C does not wait for a clean end
	signal.Ignore(syscall.SIGPIPE) // a reader that leaves is an error of writing: half-written files go

	a := New(p, ctx, os.Stdout, os.Stderr)
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.Stderr, "%s: internal error: %v\n\n%s", a.Program.Name, p, debug.Stack())
			code = ExitFailure
		}
	}()
	return a.Execute(build(a), args)
}

// Execute runs the verb that args name, prints what went wrong, and returns
// the exit code.
func (a *App) Execute(verbs []*cobra.Command, args []string) int {
	root := a.newRootCommand(verbs)
	root.SetArgs(args)
	verb, err := root.ExecuteContextC(a.Ctx)
	if err == nil {
		err = a.unhelped
	}
	if err != nil && !a.started {
		err = UsageError(err) // cobra refused the command line before any verb ran
	}
	code := ExitCode(err, a.Ctx.Err() != nil)
	a.PrintError(verb, err, code)
	return code
}

// newRootCommand returns the program with all its verbs.
func (a *App) newRootCommand(verbs []*cobra.Command) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           a.Program.Name,
		Short:         a.Program.Short,
		SilenceErrors: true,
		Annotations:   map[string]string{},
		SilenceUsage:  true,
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := refuseEmpty(c, args); err != nil {
				return err
			}
			a.Log = newLogger(a.Stderr, a.logLevel, a.logFormat, a.Quiet)
			if a.OnStart != nil {
				a.OnStart()
			}
			return nil
		},
	}
	for _, verb := range a.Program.Elsewhere {
		root.Annotations[verb] = a.Program.Other + " " + verb
	}
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c.HasSubCommands() && c.Flags().NArg() > 0 {
			a.unhelped = unknownVerb(c, c.Flags().Arg(0))
			return
		}
		PrintHelp(a.Stdout, c)
	})
	root.SetFlagErrorFunc(explainFlagError)

	flags := root.PersistentFlags()
	flags.BoolP("help", "h", false, "describe the verb and its flags")
	flags.BoolVarP(&a.Quiet, "quiet", "q", false, "print results and errors only")
	ChoiceVar(flags, &a.logLevel, "log-level", "info", "log from this `level` up", logLevels)
	ChoiceVar(flags, &a.logFormat, "log-format", "text", "log as this `format`", logFormats)

	root.AddCommand(verbs...)
	root.InitDefaultCompletionCmd()
	describeCompletion(root)
	root.SetHelpCommand(newHelpCommand(a))
	root.InitDefaultHelpCmd()
	a.prepare(root)
	return root
}

// prepare makes c and the commands below it report that they started, makes
// those that only hold other verbs refuse unknown ones, and lets a shell complete
// flags that take one of a few words.
func (a *App) prepare(c *cobra.Command) {
	for _, child := range c.Commands() {
		a.prepare(child)
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if x, ok := f.Value.(choice); ok {
			Complete(c, f.Name, cobra.ShellCompDirectiveNoFileComp, x.allowed)
		}
	})
	if !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UsageError(unknownVerb(c, args[0]))
			}
			PrintHelp(a.Stderr, c)
			return UsageError(nil)
		}
	}
	if verb := c.RunE; verb != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.started = true
			return verb(c, args)
		}
	}
}

// PrintError tells the user about err, unless there is nothing to add.
func (a *App) PrintError(verb *cobra.Command, err error, code int) {
	name := a.Program.Name
	switch {
	case err == nil || err.Error() == "":
		return
	case code == ExitInterrupted && errors.Is(err, context.Canceled):
		fmt.Fprintf(a.Stderr, "%s: interrupted%s\n", name, kept(verb))
		return
	}
	fmt.Fprintf(a.Stderr, "%s: %v%s\n", name, err, nearestFile(err))
	var chosen ExitError
	if errors.As(err, &chosen) && chosen.Usage {
		if verb.Name() == "help" {
			verb = verb.Root()
		}
		fmt.Fprintf(a.Stderr, "Run %q for usage.\n", helpFor(name, verb))
	}
}

// kept says what is left of the work of an interrupted verb that can go on from a
// folder, which is its flag --resume; "" for other verbs, and for a shard, which
// takes no such folder.
func kept(verb *cobra.Command) string {
	f, shard := verb.Flags().Lookup("resume"), verb.Flags().Lookup("shard")
	switch {
	case f == nil || shard != nil && shard.Changed:
		return ""
	case f.Value.String() == "":
		return ": nothing is kept, as it would be with --resume FOLDER"
	}
	return ": what was done is in " + f.Value.String() + ", and the same command goes on from there"
}

// nearestFile returns a suggestion of what stands beside a file that does not: what
// has its name and another ending, or its ending and nearly its name; or says that
// its folder is missing; "" where there is nothing of the kind.
func nearestFile(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(path, fs.ErrNotExist) || strings.Contains(err.Error(), "\n") {
		return ""
	}
	dir, name := filepath.Split(path.Path)
	beside, err := os.ReadDir(cmp.Or(dir, "."))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf(" (there is no folder %q)", filepath.Clean(dir))
	case err != nil:
		return ""
	}
	ending := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ending)
	var alike []string // in name but for the ending
	for _, entry := range beside {
		other := entry.Name()
		otherEnding := filepath.Ext(other)
		switch otherStem := strings.TrimSuffix(other, otherEnding); {
		case otherStem == stem:
			return fmt.Sprintf(" (did you mean %q?)", dir+other)
		case otherEnding == ending:
			alike = append(alike, otherStem)
		}
	}
	if near := spell.Nearest(stem, alike); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", dir+near+ending)
	}
	return ""
}

// IsTerminal reports whether what is written to w is seen by a person.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"text", "json"}
)

// newLogger returns a logger to w. level and format are words of logLevels
// and logFormats; a quiet logger keeps warnings and errors only.
func newLogger(w io.Writer, level, format string, quiet bool) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		panic(err) // the flag accepts the words of logLevels only
	}
	if quiet {
		least = max(least, slog.LevelWarn)
	}
	options := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
