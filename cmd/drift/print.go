package drift

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	const form = "2006-01-02 15:04Z"
	fmt.Fprintf(out, "fleet %s, %s to %s, policy %s; mean of %d simulations\n", r.Fleet, r.From.Format(form), r.To.Format(form), r.Policy, r.Runs)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tMEASURED\tPREDICTED\tOFF\tBOUND\t")
	fmt.Fprintf(w, "cost\t$ %.2f\t$ %.2f\t%+.1f %%\t%.0f %%\t\n", r.Cost.Measured, r.Cost.Predicted, 100*r.Cost.Off, 100*r.Bounds.Cost)
	fmt.Fprintf(w, "slack\t%.3f\t%.3f\t%+.1f %%\t%.0f %%\t\n", r.Slack.Measured, r.Slack.Predicted, 100*r.Slack.Off, 100*r.Bounds.Slack)
	for i := range r.Types {
		t := &r.Types[i]
		bound := fmt.Sprintf("%.0f %%", 100*r.Bounds.Latency)
		if !t.Judged {
			bound = fmt.Sprintf("of %d jobs", t.Jobs)
		}
		for _, x := range []struct {
			what  string
			p     Pair
			bound string
		}{{"mean", t.Mean, ""}, {"p50", t.P50, ""}, {"p95", t.P95, bound}} {
			fmt.Fprintf(w, "%s %s\t%s\t%s\t%+.1f %%\t%s\t\n", t.Type, x.what, took(x.p.Measured), took(x.p.Predicted), 100*x.p.Off, x.bound)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Faults > 0 {
		fmt.Fprintf(out, "%d faults were journaled, and simulated\n", r.Faults)
	}
	for _, note := range r.NotModelled {
		fmt.Fprintf(out, "not modelled: %s\n", note)
	}
	if r.Kept {
		_, err := fmt.Fprintln(out, "✓ within bounds")
		return err
	}
	for _, b := range r.Beyond {
		fmt.Fprintf(out, "✗ %s\n", b)
	}
	return nil
}

// took prints seconds.
func took(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}
