package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/reports"

	"github.com/spf13/cobra"
)

func newPolicyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "plan, deploy and roll back what a controller decides by",
		Long:  "Plan, deploy and roll back the policy that a running controller decides by." + deskHelp,
	}
	c.AddCommand(newPolicyPlan(a), newPolicyDeploy(a), newPolicyRollback(a), newPolicyList(a))
	return c
}

var deployAs = []string{"active", "shadow"}

func newPolicyPlan(a *app) *cobra.Command {
	p := &planning{app: a}
	var out string
	c := &cobra.Command{
		Use:   "plan FILE",
		Short: "say what deploying a policy would change, and whether anything speaks against it",
		Long: `Say what deploying a policy's file would change: its parameters against those of the
policy that decides now; its provenance; its check, as skynet check has it; the last
seven days of the controller's journal decided again; and the last seven days of the
queue's history simulated under both, which tells what it would have cost.

It exits 1 if something speaks against it. With --out the plan is kept, and deploy
deploys exactly that, unless somebody else has deployed meanwhile.` + deskHelp,
		Example: `  skynet policy plan tuned.toml
  skynet policy plan tuned.toml --check scenarios --only 'photo-*' --out plan.json`,
		Args: exactArgs("FILE"),
	}
	p.add(c)
	c.Flags().StringVar(&out, "out", "", "keep the plan in this `file`, for deploy")
	c.RunE = a.ordering(func(d *desk.Client, args []string) error {
		plan, err := p.make(d, args[0])
		if err != nil {
			return err
		}
		if out != "" {
			text, err := json.MarshalIndent(plan, "", "  ")
			if err != nil {
				return err
			}
			if err := writeFile(out, append(text, '\n')); err != nil {
				return err
			}
		}
		if len(plan.Against) > 0 {
			return brokenError(nil)
		}
		return nil
	})
	return c
}

func newPolicyDeploy(a *app) *cobra.Command {
	p := &planning{app: a}
	var reason, as, override string
	c := &cobra.Command{
		Use:   "deploy FILE | PLAN.json --reason TEXT",
		Short: "have the controller decide by a policy from its next decision on",
		Long: `Plan a policy's file, and deploy it unless something speaks against it; or deploy what
was planned before, unless somebody else has deployed since. The controller takes it
over between two decisions. As shadow it decides beside the active policy, and nothing
comes of it but a journal of its own.

--override deploys a policy whose check fails, or which was not checked: its reason
stands in the store for ever.` + deskHelp,
		Example: `  skynet policy deploy tuned.toml --as shadow --reason "tuned on November"
  skynet policy deploy plan.json --reason "a week in the shadow: 6 % cheaper"`,
		Args: exactArgs("FILE"),
	}
	p.add(c)
	because(c, &reason)
	choiceVar(c.Flags(), &as, "as", "active", "deploy it as", deployAs)
	c.Flags().StringVar(&override, "override", "", "deploy it though something speaks against it, for this `reason`")
	c.RunE = a.ordering(func(d *desk.Client, args []string) error {
		plan, err := p.planned(d, args[0])
		if err != nil {
			return err
		}
		if len(plan.Against) > 0 && override == "" {
			return brokenError(fmt.Errorf("not deployed: %s; --override REASON deploys it all the same", strings.Join(plan.Against, "; ")))
		}
		if len(plan.Against) == 0 {
			override = ""
		}
		v, err := d.Deploy(a.ctx, desk.Deployment{
			Revision: plan.Revision, As: as, Text: plan.Text, Why: reason, Override: override,
			Checked: plan.Checked, Passed: len(plan.Against) == 0, TunedOn: plan.TunedOn, JudgedOn: plan.JudgedOn,
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "deployed version %d, %s, as %s: from the next decision on\n", v.Number, v.Label, as)
		return err
	})
	return c
}

// planned reads a plan that was kept, or makes one.
func (p *planning) planned(d *desk.Client, file string) (*plan, error) {
	if !strings.HasSuffix(file, ".json") {
		return p.make(d, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kept plan
	if err := json.Unmarshal(text, &kept); err != nil || kept.Format != planFormat || kept.Text == "" {
		return nil, inputError(errors.Join(fmt.Errorf("%s: is no plan of skynet policy plan --out", file), err))
	}
	if kept.SHA256 != hashOf(kept.Text) {
		return nil, inputError(fmt.Errorf("%s: the policy in it was changed after it was planned: plan again", file))
	}
	if kept.Controller != d.URL() {
		return nil, inputError(fmt.Errorf("%s: is a plan for %s, not for %s", file, kept.Controller, d.URL()))
	}
	return &kept, nil
}

func newPolicyRollback(a *app) *cobra.Command {
	var reason, as string
	c := &cobra.Command{
		Use:     "rollback --reason TEXT",
		Short:   "return to the version before",
		Long:    "Return to the version that decided before, or end the shadow. It is never refused." + deskHelp,
		Example: `  skynet policy rollback --reason "it launches at night"`,
		Args:    exactArgs(),
	}
	because(c, &reason)
	choiceVar(c.Flags(), &as, "as", "active", "roll back what is", deployAs)
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		r, err := d.Rollback(a.ctx, desk.Rollback{As: as, Why: reason})
		if err != nil {
			return err
		}
		if as == "shadow" {
			_, err = fmt.Fprintf(a.stdout, "version %d decides beside it no longer\n", r.Was)
		} else {
			_, err = fmt.Fprintf(a.stdout, "back from version %d to %s: from the next decision on\n", r.Was, versionName(r.Version))
		}
		return err
	})
	return c
}

// versionName names a version.
func versionName(number int) string {
	if number == 0 {
		return "the configuration's policy"
	}
	return fmt.Sprintf("version %d", number)
}

func newPolicyList(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "show the versions that were deployed, and which decides",
		Args:  exactArgs(),
	}
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		v, err := d.Orders(a.ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return reports.WriteJSON("-", a.stdout, v)
		}
		return a.showVersions(&v)
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// showVersions prints what was deployed, the latest first.
func (a *app) showVersions(v *desk.View) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tIS\tPOLICY\tSHA-256\tDEPLOYED\tBY\tREASON\tCHECK\tTUNED ON\t")
	o := &v.Orders
	for i := len(o.Versions) - 1; i >= 0; i-- {
		x := &o.Versions[i]
		check := x.Checked
		if x.Override != "" {
			check += "; overridden: " + x.Override
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%.12s\t%s\t%s\t%s\t%s\t%s\t\n", x.Number, roleOf(o, x.Number), x.Label, x.Hash, told(x.At), x.By, x.Why, check, orDash(x.TunedOn))
	}
	fmt.Fprintf(w, "0\t%s\tthe configuration's\t\t\t\t\t\t\t\n", roleOf(o, 0))
	if err := w.Flush(); err != nil {
		return err
	}
	s := v.Serving
	if s == nil {
		_, err := fmt.Fprintln(a.stdout, "the process that answers stands by, or has not decided yet")
		return err
	}
	fmt.Fprintf(a.stdout, "%s decides: %s, since %s, its state %s\n", versionName(s.Version), s.Label, told(s.Since), s.State)
	if s.Shadow != "" {
		fmt.Fprintf(a.stdout, "beside it: %s\n", s.Shadow)
	}
	if s.Problem != "" {
		fmt.Fprintf(a.stdout, "PROBLEM: %s\n", s.Problem)
	}
	return nil
}

// roleOf says what a version is.
func roleOf(o *controller.Orders, number int) string {
	switch {
	case o.Active == number:
		return "active"
	case number != 0 && o.Shadow == number:
		return "shadow"
	case len(o.Before) > 0 && o.Before[len(o.Before)-1] == number:
		return "before"
	}
	return "-"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
