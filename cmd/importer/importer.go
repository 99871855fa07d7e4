// Package importer holds the flags that say what an import takes from foreign
// rows, whether they stand in a file (skynet) or in a database (skynetd).
package importer

import (
	"fmt"
	"time"
	_ "time/tzdata" // --timezone works on machines without a time zone database

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/traces"

	"github.com/spf13/pflag"
)

// Flags say what the columns are called and what their values mean.
type Flags struct {
	zone, unit string
	columns    map[string]string
	dedup      bool
}

// Add defines the flags; source is what the columns are those of.
func (f *Flags) Add(flags *pflag.FlagSet, source string) {
	flags.StringVar(&f.zone, "timezone", "UTC", "take wall-clock times, and the midnight that becomes time 0, to be those of `ZONE`")
	flags.StringToStringVar(&f.columns, "map", nil, "`COLUMN=NAME,...`: what a trace calls COLUMN "+source+" calls NAME; an empty NAME takes none")
	flags.Lookup("map").DefValue = "" // help would print an empty mapping as []
	cli.ChoiceVar(flags, &f.unit, "time-unit", "s", "numbers in columns of time count in this", []string{"s", "ms", "us", "ns"})
	flags.BoolVar(&f.dedup, "dedup", false, "keep one of several jobs that agree in everything")
}

// Options returns what the flags say, or what is wrong with them.
func (f *Flags) Options() (opt traces.ImportOptions, err error) {
	// the zone of the machine would make another trace elsewhere
	if opt.Zone, err = time.LoadLocation(f.zone); err != nil || opt.Zone == time.Local {
		return opt, cli.UsageError(fmt.Errorf("--timezone %q: must be a name such as UTC or Europe/Prague", f.zone))
	}
	if opt.TimeUnit, err = traces.ParseTimeUnit(f.unit); err != nil {
		return opt, cli.UsageError(fmt.Errorf("--time-unit: %w", err))
	}
	if err := traces.CheckColumns(f.columns); err != nil {
		return opt, cli.UsageError(fmt.Errorf("--map: %w", err))
	}
	opt.Columns, opt.Dedup = f.columns, f.dedup
	return opt, nil
}
