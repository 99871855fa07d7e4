package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// PrintHelp writes what c does, how it is called, its verbs and its flags.
func PrintHelp(w io.Writer, c *cobra.Command) {
	about := c.Long
	if about == "" {
		about = c.Short
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n\n  %s\n", strings.TrimSpace(about), usageLine(c))
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nThe verbs are:\n\n")
		columns := tabwriter.NewWriter(w, 0, 0, 4, ' ', 0)
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				fmt.Fprintf(columns, "  %s\t%s\n", child.Name(), child.Short)
			}
		}
		columns.Flush()
		fmt.Fprintf(w, "\nUse %q for more about a verb.\n", helpFor(c.Root().Name(), c)+" VERB")
	}
	printFlags(w, "The flags are", c.NonInheritedFlags(), c.Root().PersistentFlags())
	if !c.HasParent() {
		printFlags(w, "Every verb takes", c.PersistentFlags(), nil)
	}
}

// printFlags writes the flags of set that are not in except, under a title.
func printFlags(w io.Writer, title string, set, except *pflag.FlagSet) {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = set.SortFlags
	set.VisitAll(func(f *pflag.Flag) {
		if except == nil || except.Lookup(f.Name) == nil {
			shown.AddFlag(f)
		}
	})
	if shown.HasAvailableFlags() {
		fmt.Fprintf(w, "\n%s:\n\n%s", title, shown.FlagUsagesWrapped(100))
	}
}

// usageLine returns how c is called.
func usageLine(c *cobra.Command) string {
	if c.HasSubCommands() {
		return c.CommandPath() + " VERB [arguments]"
	}
	return c.UseLine()
}

// helpFor returns the command line that prints the help of c, a verb of a
// program.
func helpFor(program string, c *cobra.Command) string {
	return strings.TrimSpace(program + " help " + strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), program), " "))
}

// newHelpCommand returns the verb that describes the others.
func newHelpCommand(a *App) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "describe a verb and its flags",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			parent, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, child := range parent.Commands() {
				if child.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(child.Name(), child.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			verb, rest, err := c.Root().Find(args)
			if err != nil {
				return UsageError(err)
			}
			if len(rest) > 0 {
				return UsageError(unknownVerb(verb, rest[0]))
			}
			PrintHelp(a.Stdout, verb)
			return nil
		},
	}
}

// describeCompletion gives cobra's completion verb words like the others'.
func describeCompletion(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "print a completion script for a shell"
		c.Long = ""
		for _, shell := range c.Commands() {
			shell.Short = "print the completion script for " + shell.Name()
		}
	}
}
