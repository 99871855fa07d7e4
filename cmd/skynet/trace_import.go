package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/importer"
	"github.com/skynet-ec2/skynet/traces"
)

func newTraceImportCommand(a *app) *cobra.Command {
	var output, width string
	var flags importer.Flags
	var format traces.Options
	c := &cobra.Command{
		Use:   "import FILE... -o OUT",
		Short: "read foreign traces leniently and write them as one",
		Long: `Import reads traces in any known format, leniently: it drops rows that no
simulation should see, sorts by arrival, and says in a line per file what it
did. Several files become one trace.

A CSV file that a database wrote is imported by --map, which says which of its
columns holds which of a trace's: arrival_s, service_s (or start_s and finish_s,
whose difference it is), type, priority, estimate_s, deadline_s, bytes_in,
bytes_out, tenant. Times may be dates. Of jobs that did not wait, finish_s and
service_s say it all.`,
		Example: "  skynet trace import wagap-2013.swf.gz -o metacentrum.parquet --timezone Europe/Prague\n" +
			"  skynet trace import jobs.csv -o jobs.parquet --map arrival_s=created_at,start_s=started_at,finish_s=finished_at,type=kind",
		Args: atLeastOne("FILE"),
		RunE: func(_ *cobra.Command, files []string) error {
			opt, err := flags.Options()
			if err != nil {
				return err
			}
			opt.Options = format
			opt.Context = a.ctx
			if opt.Width, err = traces.ParseWidth(width); err != nil {
				return usageError(err)
			}
			if err := spareTraces(output, files...); err != nil {
				return err
			}
			src, err := a.importTraces(files, opt)
			if err != nil {
				return err
			}
			defer src.Close()
			return a.writeTrace(output, src)
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &format)
	flags.Add(c.Flags(), "the CSV file")
	choiceVar(c.Flags(), &width, "width", "one", "make of a job on n cores one job, n jobs, or one with the work of all", []string{"one", "expand", "multiply"})
	return c
}

// importTraces imports files and merges them.
func (a *app) importTraces(files []string, opt traces.ImportOptions) (traces.Source, error) {
	var all []traces.Source
	for _, file := range files {
		progress := a.newProgress("read "+file, 0)
		opt.Progress = func(rows int64) error {
			progress.Set(rows)
			return a.ctx.Err()
		}
		src, sum, err := traces.Import(file, opt)
		progress.End()
		if err != nil {
			return nil, err
		}
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		if !a.quiet {
			fmt.Fprintln(a.stdout, sum)
		}
		all = append(all, src)
	}
	merged := traces.Merge(all...)
	if a.quiet || merged.Meta().ReferenceSpeed > 0 {
		return merged, nil
	}
	for i, src := range all { // a core of unknown speed is taken for one of 1
		if speed := cmp.Or(src.Meta().ReferenceSpeed, 1); speed != 1 {
			fmt.Fprintf(a.stderr, "note: service times of %s are of a core of speed %v, and not those of all files: they are joined as they are\n", files[i], speed)
		}
	}
	return merged, nil
}
