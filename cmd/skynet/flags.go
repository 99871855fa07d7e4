package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// seedMax is the largest seed that JSON keeps exactly.
const seedMax = 1<<53 - 1

// checkRuns returns an error if the flags of a verb that runs several seeds make
// no sense.
func checkRuns(runs, parallel int, seed uint64) error {
	switch {
	case runs < 1 || runs > 100_000:
		return fmt.Errorf("--runs %d: must be from 1 to 100000", runs)
	case parallel < 1 || parallel > 4096:
		return fmt.Errorf("--parallel %d: must be from 1 to 4096", parallel)
	case seed > seedMax-uint64(runs-1):
		return fmt.Errorf("--seed %d: must be at most %d", seed, seedMax-uint64(runs-1))
	}
	return nil
}

// atLeastOne accepts one argument or more.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("missing %s", name)
		}
		return nil
	}
}
