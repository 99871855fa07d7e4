package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// storeKinds are what a store's name begins with.
var storeKinds = []string{"sqlite:", "postgres://", "memory"}

// openStore opens the store that a flag names.
func openStore(ctx context.Context, spec string) (queue.Store, error) {
	file, isFile := strings.CutPrefix(spec, "sqlite:")
	var store queue.Store
	var err error
	switch {
	case spec == "memory":
		return queue.NewMemory(), nil
	case isFile && file != "":
		store, err = sqlite.Open(ctx, file)
	case strings.HasPrefix(spec, "postgres://"), strings.HasPrefix(spec, "postgresql://"):
		store, err = postgres.Open(ctx, spec)
	default:
		kind, _, _ := strings.Cut(spec, ":")
		return nil, cli.UsageError(fmt.Errorf("--store %q: must be sqlite:FILE, postgres://… or memory%s", shownStore(spec), spell.DidYouMean(kind, storeKinds)))
	}
	if err != nil {
		return nil, cli.OutsideError(err)
	}
	return store, nil
}

// checkStore returns an error for a file that is not there: opening would make
// it.
func checkStore(spec string) error {
	if file, ok := strings.CutPrefix(spec, "sqlite:"); ok {
		_, err := os.Stat(file)
		return err
	}
	return nil
}
