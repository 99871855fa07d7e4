// Release builds what a version of SkyNet is delivered as, and checks it.
//
//	go run ./scripts/release build -out dist -key FILE
//	go run ./scripts/release verify -pub FILE DIR
//	go run ./scripts/release key FILE
//
// See docs/releasing.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

// errUsage marks what is wrong with the command line or with the repository.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "release:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(3)
}

// usage returns an error of the command line or of what it was given.
func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

type usageError struct{ error }

func (e *usageError) Is(target error) bool { return target == errUsage }
func (e *usageError) Unwrap() error        { return e.error }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return usage("missing verb: build, verify or key")
	}
	verb, args := args[0], args[1:]
	set := flag.NewFlagSet(verb, flag.ContinueOnError)
	parse := func(names ...string) error {
		if err := set.Parse(args); err != nil {
			return usage("%w", err)
		}
		if set.NArg() != len(names) {
			return usage("%s takes %d arguments %v, got %d", verb, len(names), names, set.NArg())
		}
		return nil
	}
	switch verb {
	case "build":
		out := set.String("out", "dist", "`folder` that the release's own folder appears in")
		key := set.String("key", "", "minisign secret key `file`; else the key's text in "+keyVariable)
		unsigned := set.Bool("unsigned", false, "make an unsigned snapshot of a commit that need not have a tag")
		only := set.String("only", "", "of a snapshot, this `target` alone, such as linux/amd64")
		if err := parse(); err != nil {
			return err
		}
		targets, err := chosen(*only, *unsigned)
		if err != nil {
			return err
		}
		return release(ctx, ".", *out, targets, signing{file: *key, unsigned: *unsigned}, stdout)
	case "verify":
		pub := set.String("pub", "", "minisign public key `file`")
		rebuild := set.Bool("rebuild", false, "build the release once more, from this repository, and compare every byte")
		if err := parse("DIR"); err != nil {
			return err
		}
		if err := verify(set.Arg(0), *pub, stdout); err != nil || !*rebuild {
			return err
		}
		return compare(ctx, ".", set.Arg(0), stdout)
	case "key":
		if err := parse("FILE"); err != nil {
			return err
		}
		return newKey(filepath.Clean(set.Arg(0)), stdout)
	}
	return usage("unknown verb %q: build, verify or key", verb)
}

// chosen returns the targets to build. A release has all of them.
func chosen(only string, unsigned bool) ([]target, error) {
	if only == "" {
		return targets, nil
	}
	for _, t := range targets {
		if only == t.String() && unsigned {
			return []target{t}, nil
		}
	}
	return nil, usage("-only %s: must be one of %v, and -unsigned: a release has all of them", only, targets)
}
