package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/traces"
)

func newTraceCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "import, generate, measure, reshape and export job traces",
	}
	c.AddCommand(
		newTraceImportCommand(a), newTraceInfoCommand(a), newTraceGenerateCommand(a),
		newTraceCutCommand(a), newTraceConvertCommand(a), newTraceExportCommand(a),
	)
	return c
}

// outputFlag defines -o, which must be given.
func outputFlag(c *cobra.Command, path *string) {
	c.Flags().StringVarP(path, "output", "o", "", "write the trace to `FILE`: "+traces.Writable)
	cli.Require(c, "output")
}

// spareTraces returns an error if the trace that is written would take the place
// of one that it is made of.
func spareTraces(path string, inputs ...string) error {
	return spareInputs([]output{{"output", path}}, inputs...)
}

// stoppable is a source that ends with ctx.
type stoppable struct {
	traces.Source
	ctx context.Context
}

func (s stoppable) Next(b *traces.Batch) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.Source.Next(b)
}

// writeTrace writes src to path, shows its progress, and says what it wrote.
func (a *app) writeTrace(path string, src traces.Source) error {
	progress := a.newProgress("write "+path, src.Meta().Jobs)
	defer progress.End()
	meta, err := traces.Write(path, stoppable{src, a.ctx}, traces.WriteOptions{
		Tool: buildVersion().String(), Progress: progress.Set,
	})
	if err != nil {
		return err
	}
	progress.End()
	if !a.quiet {
		fmt.Fprintf(a.stdout, "wrote %s: %d jobs in %v\n", path, meta.Jobs, meta.Span.Round(time.Second))
		if lost := lostIn(path, meta); lost != "" {
			fmt.Fprintf(a.stderr, "note: a CSV file does not tell %s\n", lost)
		}
	}
	return nil
}

// lostIn says what the file at path does not tell of a trace, and which keys of a
// scenario do; "" if it tells everything that a simulation goes by.
func lostIn(path string, meta traces.Meta) string {
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		return ""
	}
	var lost []string
	if !meta.Start.IsZero() {
		lost = append(lost, "when the trace begins (start = "+meta.Start.Format(time.RFC3339)+" in a scenario)")
	}
	if speed := cmp.Or(meta.ReferenceSpeed, 1); speed != 1 {
		lost = append(lost, fmt.Sprintf("what core it was measured on (reference_speed = %v in its [trace])", speed))
	}
	return strings.Join(lost, ", nor ")
}

// formatFlag defines the flags that say how a file is read.
func formatFlag(c *cobra.Command, opt *traces.Options) {
	c.Flags().StringVar(&opt.Format, "format", "", "read `NAME` (csv, parquet, swf, gwf) instead of what the file looks like")
	c.Flags().BoolVar(&opt.IgnoreColumns, "ignore-columns", false, "skip columns that a trace does not have")
}
