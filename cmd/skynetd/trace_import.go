package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/importer"
	"github.com/skynet-ec2/skynet/traces"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/spf13/cobra"
)

func newTraceImportCommand(a *cli.App) *cobra.Command {
	var flags importer.Flags
	var place, query, output string
	c := &cobra.Command{
		Use:   "import --from DATABASE --query SQL -o OUT",
		Short: "make a trace of what a query on any database answers",
		Long: `Import reads the rows of a query, one a job, from a database of yours. Nothing
is written there: the query runs in a transaction, or a file, that is only read.

Rows are read as skynet trace import reads a CSV file: the bad ones are dropped
and counted, the others sorted by arrival. --map says which column of the answer
holds which of a trace's: arrival_s, service_s (or start_s and finish_s, whose
difference it is), type, priority, estimate_s, deadline_s, bytes_in, bytes_out,
tenant.`,
		Example: "  skynetd trace import --from postgres://app@127.0.0.1/app -o jobs.parquet \\\n" +
			"    --query \"SELECT kind, created_at, started_at, finished_at FROM jobs WHERE created_at >= '2026-03-02'\" \\\n" +
			"    --map arrival_s=created_at,start_s=started_at,finish_s=finished_at,type=kind",
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			opt, err := flags.Options()
			if err != nil {
				return err
			}
			if err := traces.CheckWritable(output); err != nil {
				return err
			}
			db, err := openForReading(place)
			if err != nil {
				return err
			}
			defer db.Close()
			return importQuery(a, db, query, output, opt)
		},
	}
	c.Flags().StringVar(&place, "from", "", "ask this `database`: sqlite:FILE or postgres://…")
	c.Flags().StringVar(&query, "query", "", "ask it this `SQL`: a row a job")
	c.Flags().StringVarP(&output, "output", "o", "", "write the trace to `FILE`: "+traces.Writable)
	cli.Require(c, "from", "query", "output")
	flags.Add(c.Flags(), "the query")
	return c
}

// openForReading opens a database of somebody's, at sqlite:FILE or postgres://…,
// so that nothing can be written there.
func openForReading(place string) (*sql.DB, error) {
	switch kind, at := storeOf(place); kind {
	case "sqlite:":
		if _, err := os.Stat(at); err != nil {
			return nil, err
		}
		return sql.Open("sqlite", "file:"+(&url.URL{Path: at}).EscapedPath()+"?mode=ro&_pragma=query_only(1)")
	case "postgres://":
		config, err := pgx.ParseConfig(at)
		if err != nil {
			return nil, cli.UsageError(fmt.Errorf("--from: %w", err))
		}
		config.RuntimeParams["default_transaction_read_only"] = "on"
		config.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing prepared stays in a pooled connection
		return stdlib.OpenDB(*config), nil
	}
	return nil, cli.UsageError(errors.New("--from must be sqlite:FILE or postgres://…"))
}

// importQuery makes the trace at output of the rows that db answers to query.
func importQuery(a *cli.App, db *sql.DB, query, output string, opt traces.ImportOptions) error {
	ctx, cancel := context.WithCancel(a.Ctx)
	defer cancel()
	told := time.Now()
	opt.Format = "csv"
	opt.Progress = func(rows int64) error {
		if now := time.Now(); now.Sub(told) >= 10*time.Second {
			told = now
			a.Log.Info("read", "rows", rows)
		}
		return ctx.Err()
	}
	r, w := io.Pipe()
	asked := make(chan error, 1)
	go func() {
		err := writeRows(ctx, w, db, query)
		w.CloseWithError(err)
		asked <- err
	}()
	src, sum, err := traces.ImportFrom("query", r, opt)
	r.CloseWithError(errDone) // a query that goes on is of no use
	if asked := <-asked; asked != nil && !errors.Is(asked, errDone) {
		return asked // what the database says, not that reading ended for it
	}
	if err != nil {
		return err
	}
	defer src.Close()
	if !a.Quiet {
		fmt.Fprintln(a.Stdout, sum)
	}
	meta, err := traces.Write(output, src, traces.WriteOptions{Tool: cli.BuildVersion(a.Program.Name).String()})
	if err == nil && !a.Quiet {
		fmt.Fprintf(a.Stdout, "wrote %s: %d jobs in %v\n", output, meta.Jobs, meta.Span.Round(time.Second))
	}
	return err
}

// errDone ends a query whose rows nobody reads any more.
var errDone = errors.New("the import has ended")

// writeRows writes the answer to query as CSV with a header.
func writeRows(ctx context.Context, w io.Writer, db *sql.DB, query string) error {
	if err := db.PingContext(ctx); err != nil {
		return cli.OutsideError(err)
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return cli.InputError(fmt.Errorf("--query: %w", err))
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(names); err != nil {
		return err
	}
	values, text := make([]any, len(names)), make([]string, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			text[i] = csvText(v)
		}
		if err := out.Write(text); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return cli.OutsideError(fmt.Errorf("read the query's rows: %w", err))
	}
	out.Flush()
	return out.Error()
}

// csvText returns a database's value as an import reads it; NULL is empty.
func csvText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []byte:
		return string(v)
	case string:
		return strings.TrimSpace(v)
	}
	return fmt.Sprint(v)
}
