package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag whose value is one of a few words.
type choice struct {
	value   *string
	allowed []string
}

// ChoiceVar defines a flag that accepts the words of allowed only. Back quotes
// in usage name the value in help.
func ChoiceVar(flags *pflag.FlagSet, value *string, name, def, usage string, allowed []string) {
	*value = def
	flags.Var(choice{value, allowed}, name, usage+": "+OneOf(allowed))
}

func (c choice) String() string { return *c.value }

func (c choice) Type() string { return "word" }

func (c choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be %s%s", OneOf(c.allowed), spell.DidYouMean(s, c.allowed))
	}
	*c.value = s
	return nil
}

// OneOf returns words as "a, b or c".
func OneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// ExactArgs accepts exactly the arguments that names name.
func ExactArgs(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("missing %s", strings.Join(names[len(args):], ", "))
		case len(args) > len(names):
			return fmt.Errorf("unexpected argument %q", args[len(names)])
		}
		return nil
	}
}

// Complete lets a shell complete the value of a flag of c by words; directive says
// whether files may follow too.
func Complete(c *cobra.Command, flag string, directive cobra.ShellCompDirective, words []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, directive)); err != nil {
		panic(err) // the flag is not there, or has been given words before
	}
}

// required marks a flag that must be given.
const required = "required"

// Require makes c refuse a command line without the flags of these names, which
// it has. It may be called again with others; all that are missing are named.
func Require(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.Flags().SetAnnotation(name, required, nil); err != nil {
			panic(err)
		}
	}
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		var missing []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if _, must := f.Annotations[required]; must && !f.Changed {
				value, _ := pflag.UnquoteUsage(f)
				missing = append(missing, "--"+f.Name+" "+value)
			}
		})
		if len(missing) > 0 {
			return fmt.Errorf("missing %s", strings.Join(missing, ", "))
		}
		return nil
	}
}

// refuseEmpty returns an error if an argument, or a flag that names a file or a
// folder, is given and empty. It comes of a variable of the shell that is not set,
// and to run without the file would be to run something else.
func refuseEmpty(c *cobra.Command, args []string) error {
	if c.DisableFlagParsing { // completion asks for what may follow
		return nil
	}
	if slices.Contains(args, "") {
		return errors.New("an argument is empty")
	}
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		kind, usage := pflag.UnquoteUsage(f)
		meant := strings.Contains(usage, "empty:") // says what that is
		if f.Value.String() == "" && !meant && slices.Contains([]string{"file", "folder", "FILE"}, kind) {
			err = errors.Join(err, fmt.Errorf("--%s: is empty: it takes a %s", f.Name, strings.ToLower(kind)))
		}
	})
	return err
}

// explainFlagError says what a flag takes, or adds the nearest known flag to
// err. A wrong flag of a wrong verb is the verb's mistake.
func explainFlagError(c *cobra.Command, err error) error {
	if c.HasSubCommands() && c.Flags().NArg() > 0 {
		return unknownVerb(c, c.Flags().Arg(0))
	}
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		return fmt.Errorf("--%s %s: %w", value.GetFlag().Name, value.GetValue(), plainCause(value))
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	if near := spell.Nearest(unknown.GetSpecifiedName(), known); near != "" {
		return fmt.Errorf("%w (did you mean --%s?)", err, near)
	}
	for _, verb := range c.Commands() {
		if verb.Name() == unknown.GetSpecifiedName() { // --version
			return fmt.Errorf("%w (did you mean %q?)", err, verb.CommandPath())
		}
	}
	return err
}

// plainCause returns what is wrong with the value of a flag, without the words
// of Go's parsers.
func plainCause(e *pflag.InvalidValueError) error {
	cause := errors.Unwrap(e)
	var number *strconv.NumError
	isNumber := errors.As(cause, &number)
	switch kind := e.GetFlag().Value.Type(); {
	case isNumber && (kind == "uint8" || kind == "uint64" && errors.Is(number, strconv.ErrRange)):
		most := map[string]uint64{"uint8": math.MaxUint8, "uint64": math.MaxUint64}[kind]
		return fmt.Errorf("must be a whole number from 0 to %d", most)
	case isNumber && errors.Is(number, strconv.ErrRange):
		return errors.New("is too large or too small")
	case isNumber && kind == "bool":
		return errors.New("must be true or false")
	case isNumber && strings.HasPrefix(kind, "uint"):
		return errors.New("must be a whole number from 0")
	case isNumber && strings.HasPrefix(kind, "int"):
		return errors.New("must be a whole number")
	case isNumber:
		return errors.New("must be a number")
	case kind == "duration":
		return errors.New("must be a time with its unit, such as 30s or 5m")
	case kind == "stringToString":
		return errors.New("must be KEY=VALUE")
	}
	return cause
}

// unknownVerb returns the error for name, which is no verb of c.
func unknownVerb(c *cobra.Command, name string) error {
	if other := c.Annotations[name]; other != "" {
		return fmt.Errorf("unknown verb %q (did you mean %q?)", name, other)
	}
	var known []string
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			known = append(known, child.Name())
		}
	}
	return fmt.Errorf("unknown verb %q%s", strings.TrimPrefix(c.CommandPath()+" "+name, c.Root().Name()+" "), spell.DidYouMean(name, known))
}
