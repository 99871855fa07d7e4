package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/spf13/cobra"
)

func newFleetCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "ask something of the fleet for a time: drain, cordon, floor",
		Long: `Ask something of the fleet for a time. What is asked for is an input of every
decision: it stands in the journal, replays, and explain names it. It ends by itself.
Caps and the guard hold against it.` + deskHelp,
	}
	c.AddCommand(newFleetList(a), newFleetDrain(a), newFleetCordon(a), newFleetUncordon(a), newFleetFloor(a), newFleetEnd(a))
	return c
}

func newFleetList(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "show what is asked for, by whom and until when, and who did what lately",
		Args:  exactArgs(),
	}
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		v, err := d.Orders(a.ctx)
		if err != nil {
			return err
		}
		acts, err := d.Acts(a.ctx, 20)
		if err != nil {
			return err
		}
		if asJSON {
			return reports.WriteJSON("-", a.stdout, map[string]any{"wishes": v.Orders.Wishes, "stop": v.Stop, "file_stop": v.FileStop, "acts": acts.Acts})
		}
		for _, s := range []*controller.Stopped{v.Stop, v.FileStop} {
			if s != nil {
				fmt.Fprintln(a.stdout, s)
			}
		}
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		if len(v.Orders.Wishes) == 0 {
			fmt.Fprintln(w, "nothing is asked of the fleet")
		} else {
			fmt.Fprintln(w, "NUMBER\tWHAT\tUNTIL\tBY\tREASON\t")
		}
		for _, x := range v.Orders.Wishes {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t\n", x.Number, x, told(x.Until), x.By, x.Why)
		}
		if len(acts.Acts) > 0 {
			fmt.Fprintln(w, "\nAT\tBY\tDID\tREASON\t")
		}
		for _, x := range acts.Acts {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", told(x.At), x.By, x.What, x.Why)
		}
		return w.Flush()
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// wishing adds the flags that every wish has, and returns what asks for it.
func (a *app) wishing(c *cobra.Command) func(wish func(args []string) (desk.WishRequest, error)) {
	var reason, lasts string
	because(c, &reason)
	c.Flags().StringVar(&lasts, "for", "", fmt.Sprintf("end by itself after this `time`, such as 90m or 2d, at most %dd", int(controller.WishMax.Hours())/24))
	cli.Require(c, "for")
	return func(wish func(args []string) (desk.WishRequest, error)) {
		c.RunE = a.ordering(func(d *desk.Client, args []string) error {
			span, err := scenarios.ParseDuration(lasts)
			if err != nil {
				return usageError(fmt.Errorf("--for: %w", err))
			}
			r, err := wish(args)
			if err != nil {
				return err
			}
			r.Why, r.ForS = reason, span.Seconds()
			w, err := d.Wish(a.ctx, r)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "#%d %s until %s: from the next decision on\n", w.Number, w, told(w.Until))
			if w.Note != "" {
				_, err = fmt.Fprintf(a.stdout, "  mind: %s\n", w.Note)
			}
			return err
		})
	}
}

func newFleetDrain(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "drain INSTANCE --for TIME --reason TEXT",
		Short:   "have an instance take no new job and end when it is idle",
		Example: `  skynet fleet drain i-0123456789abcdef0 --for 6h --reason "its disk is failing"`,
		Args:    exactArgs("INSTANCE"),
	}
	a.wishing(c)(func(args []string) (desk.WishRequest, error) {
		return desk.WishRequest{Kind: policy.WishDrain, Instance: args[0]}, nil
	})
	return c
}

// typeOrZone adds the flags that name one of both.
func typeOrZone(c *cobra.Command, typ, zone *string) func() error {
	c.Flags().StringVar(typ, "type", "", "the instance `type`")
	c.Flags().StringVar(zone, "zone", "", "the availability `zone`")
	return func() error {
		if (*typ == "") == (*zone == "") {
			return usageError(errors.New("give --type or --zone, one of them"))
		}
		return nil
	}
}

func newFleetCordon(a *app) *cobra.Command {
	var typ, zone string
	c := &cobra.Command{
		Use:   "cordon --type TYPE | --zone ZONE --for TIME --reason TEXT",
		Short: "buy nothing of a type, or in a zone",
		Long: `Buy nothing of a type, or in a zone, until it is over. Of a type, what would stand in
if EC2 refused it does. A zone needs subnets in the fleet's file: where EC2 would choose
the zone, nothing is bought while one is cordoned. What runs there goes on.`,
		Example: `  skynet fleet cordon --zone us-east-1b --for 3h --reason "see EC2's status page"`,
		Args:    exactArgs(),
	}
	check := typeOrZone(c, &typ, &zone)
	a.wishing(c)(func([]string) (desk.WishRequest, error) {
		return desk.WishRequest{Kind: policy.WishCordon, Type: typ, Zone: zone}, check()
	})
	return c
}

// ended prints wishes that have ended.
func (a *app) ended(w desk.Wishes) error {
	for _, x := range w.Wishes {
		if _, err := fmt.Fprintf(a.stdout, "#%d %s has ended\n", x.Number, x); err != nil {
			return err
		}
	}
	return nil
}

func newFleetUncordon(a *app) *cobra.Command {
	var typ, zone, reason string
	c := &cobra.Command{
		Use:   "uncordon --type TYPE | --zone ZONE --reason TEXT",
		Short: "end the cordons of a type or a zone before their time",
		Args:  exactArgs(),
	}
	check := typeOrZone(c, &typ, &zone)
	because(c, &reason)
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		if err := check(); err != nil {
			return err
		}
		w, err := d.End(a.ctx, desk.EndRequest{Type: typ, Zone: zone, Why: reason})
		return errors.Join(err, a.ended(w))
	})
	return c
}

func newFleetFloor(a *app) *cobra.Command {
	var typ string
	c := &cobra.Command{
		Use:   "floor N[cores] --for TIME --reason TEXT",
		Short: "keep at least so many instances, or cores",
		Long: `Keep the fleet at least so large until it is over, as before a launch: what the policy
would drain stays, and what is missing is bought, within the guard and the caps.`,
		Example: `  skynet fleet floor 40 --for 3h --reason "the launch at noon"
  skynet fleet floor 256cores --type c1.xlarge --for 3h --reason "the launch at noon"`,
		Args: exactArgs("N"),
	}
	c.Flags().StringVar(&typ, "type", "", "of this `type`; default: of any")
	a.wishing(c)(func(args []string) (desk.WishRequest, error) {
		text, cores := strings.CutSuffix(args[0], "cores")
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return desk.WishRequest{}, usageError(fmt.Errorf("%q: must be a number of instances, or of cores such as 256cores", args[0]))
		}
		r := desk.WishRequest{Kind: policy.WishFloor, Type: typ, Instances: n}
		if cores {
			r.Instances, r.Cores = 0, n
		}
		return r, nil
	})
	return c
}

func newFleetEnd(a *app) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "end NUMBER --reason TEXT",
		Short: "end what was asked for before its time",
		Args:  exactArgs("NUMBER"),
	}
	because(c, &reason)
	c.RunE = a.ordering(func(d *desk.Client, args []string) error {
		n, err := strconv.Atoi(strings.TrimPrefix(args[0], "#"))
		if err != nil || n < 1 {
			return usageError(fmt.Errorf("%q: must be a number that skynet fleet list shows", args[0]))
		}
		w, err := d.End(a.ctx, desk.EndRequest{Number: n, Why: reason})
		return errors.Join(err, a.ended(w))
	})
	return c
}
