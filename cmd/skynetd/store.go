package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// storeKinds are what a store's name begins with.
var storeKinds = []string{"sqlite", "postgres", "memory"}

// openStore opens the store that a flag names.
func openStore(ctx context.Context, spec string) (queue.Store, error) {
	var store queue.Store
	var err error
	switch kind, at := storeOf(spec); kind {
	case "memory":
		return queue.NewMemory(), nil
	case "sqlite:":
		store, err = sqlite.Open(ctx, at)
	case "postgres://":
		store, err = postgres.Open(ctx, at)
	default:
		return nil, unknownStore(spec)
	}
	if err != nil {
		return nil, cli.OutsideError(err)
	}
	return store, nil
}

// storeAgainMax is how long a service waits at most before it asks again for a
// database that was not there.
const storeAgainMax = 2 * time.Second

// awaitStore opens the store that a flag names. A database that is not there
// yet, because it starts beside its service, is waited for that long.
func awaitStore(ctx context.Context, spec string, wait time.Duration, log *slog.Logger) (queue.Store, error) {
	late := time.After(wait)
	for again, warned := storeAgainMax/20, false; ; again = min(2*again, storeAgainMax) {
		store, err := openStore(ctx, spec)
		switch {
		case err == nil:
			return store, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case wait == 0 || !postgres.Absent(err):
			return nil, err
		case !warned:
			log.Warn("the database of the queue is not there yet; waiting for it", "store", shownStore(spec), "for", wait, "err", err)
			warned = true
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
		case <-late:
			return nil, cli.OutsideError(fmt.Errorf("waited %v (--store-wait) for the database of the queue: %w", wait, err))
		}
	}
}

// statusOf returns how far the tables of a store are.
func statusOf(ctx context.Context, spec string) (s queue.Schema, err error) {
	switch kind, at := storeOf(spec); kind {
	case "sqlite:":
		s, err = sqlite.Status(ctx, at)
	case "postgres://":
		s, err = postgres.Status(ctx, at)
	case "memory":
		return s, cli.UsageError(errors.New("--store memory has no tables"))
	default:
		return s, unknownStore(spec)
	}
	return s, err
}

// storeOf returns the kind of store that a flag names, "" for none, and where it
// is.
func storeOf(spec string) (kind, at string) {
	file, isFile := strings.CutPrefix(spec, "sqlite:")
	switch {
	case spec == "memory":
		return spec, ""
	case isFile && file != "":
		return "sqlite:", file
	case strings.HasPrefix(spec, "postgres://"), strings.HasPrefix(spec, "postgresql://"):
		return "postgres://", spec
	}
	return "", ""
}

func unknownStore(spec string) error {
	kind, _, _ := strings.Cut(spec, ":")
	return cli.UsageError(fmt.Errorf("--store %q: must be sqlite:FILE, postgres://… or memory%s", shownStore(spec), spell.DidYouMean(kind, storeKinds)))
}

// checkStore returns an error for a file that is not there: opening would make
// it.
func checkStore(spec string) error {
	if kind, file := storeOf(spec); kind == "sqlite:" {
		_, err := os.Stat(file)
		return err
	}
	return nil
}
