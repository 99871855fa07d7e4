package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/reports"

	"github.com/spf13/cobra"
)

func newStatusCommand(a *app) *cobra.Command {
	var asJSON, watch bool
	c := &cobra.Command{
		Use:   "status",
		Short: "show what waits, what runs and who works",
		Long: `Show what the queue looks like now. With SKYNET_CONTROLLER set, that controller is
asked too: which policy decides, who has stopped it, and how far the simulator was from
what happened yesterday.` + remoteHelp,
		Example: "  skynet status --watch",
		Args:    exactArgs(),
	}
	c.RunE = a.asking(func(q *client.Client, _ []string) error {
		if watch && asJSON {
			return usageError(errors.New("--watch with --json: it is for people; a program reads the events of /v1/stats/stream"))
		}
		if watch {
			return q.StreamStats(a.ctx, 2*time.Second, func(s api.Stats) error {
				if a.isTerminal {
					fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
				}
				return printStatus(a.stdout, s, nil)
			})
		}
		s, err := q.Stats(a.ctx)
		if err != nil {
			return err
		}
		workers, err := q.Workers(a.ctx)
		if err != nil && !client.IsCode(err, api.CodeForbidden) { // a tenant sees no workers
			return err
		}
		fares, unasked := faresOf(a.ctx)
		if asJSON {
			all := map[string]any{"stats": s, "workers": workers}
			if fares.Drift != nil {
				all["drift"] = fares.Drift
			}
			if fares.Stop != nil {
				all["stop"] = fares.Stop
			}
			return reports.WriteJSON("-", a.stdout, all)
		}
		if err := printStatus(a.stdout, s, workers); err != nil {
			return err
		}
		return printFares(a.stdout, fares, unasked)
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&watch, "watch", false, "show it again every 2 s")
	return c
}

// faresOf asks the controller that the environment names, if it names one. The
// queue's figures do not depend on the answer: it has 5 s.
func faresOf(ctx context.Context) (desk.Fares, error) {
	if os.Getenv(desk.EnvController) == "" {
		return desk.Fares{}, nil
	}
	d, err := desk.FromEnv()
	if err != nil {
		return desk.Fares{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return d.Fares(ctx)
}

// printFares writes how a controller fares, if one was asked.
func printFares(out io.Writer, f desk.Fares, unasked error) error {
	if unasked != nil {
		_, err := fmt.Fprintf(out, "\nFLEET     not known: %v\n", unasked)
		return err
	}
	if f.Fleet == "" {
		return nil
	}
	fmt.Fprintf(out, "\nFLEET     %s: %s, %s decides\n", f.Fleet, f.Mode, f.Policy)
	if f.Stop != nil {
		fmt.Fprintf(out, "STOP      %s\n", f.Stop)
	}
	if f.Drift != nil {
		_, err := fmt.Fprintf(out, "DRIFT     %s\n", f.Drift)
		return err
	}
	return nil
}

// printStatus writes what a queue looks like.
func printStatus(out io.Writer, s api.Stats, workers []api.Worker) error {
	fmt.Fprintf(out, "cluster %s, leader %d, up %s\n", s.Cluster, s.Epoch, seconds(s.UptimeS))
	fmt.Fprint(out, "JOBS    ")
	for _, state := range api.States {
		fmt.Fprintf(out, "  %s %d", state, s.States[state])
	}
	fmt.Fprintf(out, "\nWORKERS   heard of %d  silent %d  draining %d  slots %d  busy %d\n", s.Workers.Workers, s.Workers.Silent, s.Workers.Draining, s.Workers.Slots, s.Workers.SlotsBusy)
	var speeds string // of the types that have done work here
	for _, name := range slices.Sorted(maps.Keys(s.Speeds)) {
		if works(s.Services, name) {
			speeds += fmt.Sprintf("  %s %.3g", name, s.Speeds[name])
		}
	}
	if speeds != "" {
		fmt.Fprintf(out, "SPEEDS  %s\n", speeds)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(s.Pending) > 0 {
		fmt.Fprintln(w, "\nTYPE\tPRIORITY\tWAITING\tWORK\tOLDEST\tDELAYED\tRUNNING\tDONE 5 MIN\tFAILED 5 MIN\t")
	}
	flows := map[[2]any]api.Flow{}
	for _, f := range s.Flows {
		flows[[2]any{f.Type, f.Priority}] = f
	}
	for _, p := range s.Pending {
		paused := ""
		if p.Paused {
			paused = "paused"
		}
		f := flows[[2]any{p.Type, p.Priority}]
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%d\t%d\t%.0f\t%.0f\t%s\n", p.Type, p.Priority, p.Waiting, workOf(p), seconds(p.OldestS), p.Delayed, p.Leased, f.Completed.M5, f.Failed.M5, paused)
	}
	if len(workers) > 0 {
		fmt.Fprintln(w, "\nINSTANCE\tTYPE\tSLOTS\tBUSY\tHEARD OF\tRELEASE\tTOLD TO\tCOMPLETED\tFAILED\t")
	}
	for _, k := range workers {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s ago\t%s\t%s\t%d\t%d\t\n", k.InstanceID, k.InstanceType, k.Slots, k.SlotsBusy, seconds(k.SeenS), k.BundleVersion, k.Directive.Op, k.Completed, k.Failed)
	}
	return w.Flush()
}

// works reports whether jobs ran on an instance type lately.
func works(services []api.Service, instanceType string) bool {
	return slices.ContainsFunc(services, func(s api.Service) bool { return s.InstanceType == instanceType })
}

// workOf prints what is expected of the jobs that wait.
func workOf(p api.Pending) string {
	work := fmt.Sprintf("%.0f core-s", p.EstimateS)
	switch {
	case p.Unknown == 0:
		return work
	case p.Unknown == p.Waiting:
		return "not known"
	}
	return "over " + work
}

// seconds prints a number of seconds as a duration, to the tenth of a second.
func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond).String()
}
