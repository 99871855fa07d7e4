package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/reports"

	"github.com/spf13/cobra"
)

func newJobsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "jobs",
		Short: "submit jobs to the queue, look at them, retry and cancel them",
	}
	c.AddCommand(newJobsSubmitCommand(a), newJobsListCommand(a), newJobsShowCommand(a), newJobsChangeCommand(a, retrying), newJobsChangeCommand(a, cancelling))
	return c
}

// jobFilterFlags defines the flags that name jobs by what they have in common.
func jobFilterFlags(c *cobra.Command, f *api.Filter, state *string) {
	flags := c.Flags()
	words := []string{"any"}
	for _, s := range api.States {
		words = append(words, string(s))
	}
	choiceVar(flags, state, "state", "any", "only jobs in this `state`", words)
	flags.StringVar(&f.Type, "type", "", "only jobs of this `type`")
	flags.StringVar(&f.Tenant, "tenant", "", "only jobs of this `tenant`")
	flags.StringVar(&f.Group, "group", "", "only jobs of the group with this `id`")
}

// stateOf returns the state that a flag names.
func stateOf(word string) api.State {
	if word == "any" {
		return ""
	}
	return api.State(word)
}

func newJobsListCommand(a *app) *cobra.Command {
	var f api.Filter
	var state string
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "list jobs",
		Long:    "List jobs by id: those that the queue still holds. What is done is in its history." + remoteHelp,
		Example: "  skynet jobs list --state dead",
		Args:    exactArgs(),
	}
	c.RunE = a.asking(func(q *client.Client, _ []string) error {
		f.State = stateOf(state)
		if f.Limit < 1 || f.Limit > 1_000_000 {
			return usageError(fmt.Errorf("--limit %d: must be from 1 to 1000000", f.Limit))
		}
		jobs, more, err := someJobs(a.ctx, q, f)
		if err != nil {
			return err
		}
		if asJSON {
			return reports.WriteJSON("-", a.stdout, jobs)
		}
		if err := a.printJobs(jobs); err != nil {
			return err
		}
		if more && !a.quiet {
			fmt.Fprintf(a.stderr, "there are more; --limit shows them\n")
		}
		if f.State == api.StateDone && len(jobs) == 0 && !a.quiet {
			fmt.Fprintf(a.stderr, "jobs that are done leave for the history: skynet trace export, or %s/v1/history?format=ndjson\n", q.URL())
		}
		return nil
	})
	jobFilterFlags(c, &f, &state)
	c.Flags().IntVar(&f.Limit, "limit", 100, "at most this `number` of jobs")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// someJobs returns up to f.Limit jobs, and whether there are more.
func someJobs(ctx context.Context, q *client.Client, f api.Filter) (jobs []api.Job, more bool, err error) {
	most := f.Limit
	f.Limit = min(most, api.BatchMax)
	jobs = []api.Job{} // in JSON a list, not null
	for job, err := range q.EachJob(ctx, f) {
		if err != nil {
			return nil, false, err
		}
		if len(jobs) == most {
			return jobs, true, nil
		}
		jobs = append(jobs, job)
	}
	return jobs, false, nil
}

func (a *app) printJobs(jobs []api.Job) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tTYPE\tPRIORITY\tSTATE\tATTEMPTS\tARRIVED\tWORKER\tERROR")
	for _, j := range jobs {
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%d\t%s\t%s\t%s\n", j.ID, j.Type, j.Priority, j.State, j.Attempts, j.ArrivedAt.UTC().Format(time.RFC3339), j.Worker, oneLine(j.Error, errorShown))
	}
	return w.Flush()
}

// errorShown is how many characters of an error a list shows: the reason stands
// behind the address of the input. jobs show has all of it.
const errorShown = 200

// oneLine returns the first of a text's characters in one line, for a table.
func oneLine(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > most {
		text = string(letters[:most-1]) + "…"
	}
	return text
}

func newJobsShowCommand(a *app) *cobra.Command {
	var wait bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "print a job as JSON",
		Long:  "Print all that the queue knows of a job, as JSON." + remoteHelp,
		Args:  exactArgs("ID"),
	}
	c.RunE = a.asking(func(q *client.Client, args []string) error {
		id, err := jobID(args[0])
		if err != nil {
			return err
		}
		look := q.Job
		if wait {
			look = q.WaitJob
		}
		job, err := look(a.ctx, id)
		if err != nil {
			return err
		}
		return reports.WriteJSON("-", a.stdout, job)
	})
	c.Flags().BoolVar(&wait, "wait", false, "wait until it has ended")
	return c
}

func jobID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, usageError(fmt.Errorf("%q is no job id: ids are whole numbers from 1", text))
	}
	return id, nil
}

// change is what can be done to jobs, one by one or by what they have in common.
type change struct {
	verb, done, about string
	one               func(*client.Client, context.Context, int64) (api.Job, error)
	many              func(*client.Client, context.Context, api.SelectRequest) (api.SelectResponse, error)
}

var (
	retrying = change{
		verb: "retry", done: "retried",
		about: "Let dead and quarantined jobs stand in line again, their failures forgiven, and delayed ones at once.",
		one:   (*client.Client).Retry, many: (*client.Client).RetrySelected,
	}
	cancelling = change{
		verb: "cancel", done: "cancelled",
		about: "Cancel jobs that are not wanted any more. Those that run are stopped at their workers' next beat.",
		one:   (*client.Client).Cancel, many: (*client.Client).CancelSelected,
	}
)

func newJobsChangeCommand(a *app, what change) *cobra.Command {
	var f api.Filter
	var state string
	var yes bool
	c := &cobra.Command{
		Use:   what.verb + " [ID...]",
		Short: what.verb + " jobs, by id or by what they have in common",
		Long: what.about + `

Jobs are named by their ids, or by flags: then the verb counts those that match,
and does it with --yes.` + remoteHelp,
		Example: fmt.Sprintf("  skynet jobs %s 4711\n  skynet jobs %s --type photo --state dead --yes", what.verb, what.verb),
		Args:    cobra.ArbitraryArgs,
	}
	c.RunE = a.asking(func(q *client.Client, args []string) error {
		f.State = stateOf(state)
		if named := f != (api.Filter{}); named == (len(args) > 0) {
			return usageError(fmt.Errorf("name jobs by their ids, or by --state, --type, --tenant and --group"))
		}
		if len(args) > 0 {
			return a.changeEach(q, what, args)
		}
		selector := api.Selector{Type: f.Type, Tenant: f.Tenant, Group: f.Group, State: f.State}
		counted, err := what.many(q, a.ctx, api.SelectRequest{Selector: selector})
		if err != nil {
			return err
		}
		if !yes || counted.Matched == 0 {
			fmt.Fprintf(a.stdout, "%d jobs match\n", counted.Matched)
			if counted.Matched > 0 {
				fmt.Fprintf(a.stderr, "nothing was changed: --yes will %s them\n", what.verb)
			}
			return nil
		}
		changed, err := what.many(q, a.ctx, api.SelectRequest{Selector: selector, Confirm: counted.Matched})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%d jobs %s\n", changed.Changed, what.done)
		return nil
	})
	jobFilterFlags(c, &f, &state)
	c.Flags().BoolVar(&yes, "yes", false, "do it, do not only count")
	return c
}

// changeEach changes jobs by id, and stops at the first that cannot be.
func (a *app) changeEach(q *client.Client, what change, args []string) error {
	ids := make([]int64, len(args))
	for i, text := range args {
		id, err := jobID(text)
		if err != nil {
			return err
		}
		ids[i] = id
	}
	for _, id := range ids {
		job, err := what.one(q, a.ctx, id)
		if err != nil {
			return fmt.Errorf("job %d: %w", id, err)
		}
		fmt.Fprintf(a.stdout, "%d %s\n", job.ID, job.State)
	}
	return nil
}
