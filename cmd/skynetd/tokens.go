package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"

	"github.com/spf13/cobra"
)

func newTokensCommand(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "tokens",
		Short: "make, list and hash the tokens in a token file",
	}
	file := c.PersistentFlags().String("tokens", "skynet-tokens", "the token `file`")
	c.AddCommand(newTokensNewCommand(a, file), newTokensListCommand(a, file), newTokensHashCommand(a, file))
	return c
}

func newTokensNewCommand(a *cli.App, file *string) *cobra.Command {
	var role string
	var lasts time.Duration
	var caller access.Caller
	var roles []string
	for _, r := range api.Roles {
		roles = append(roles, string(r))
	}
	c := &cobra.Command{
		Use:   "new",
		Short: "make a token, keep its hash in the file and print it",
		Long: `Make a token, keep its hash in the token file and print it: the only time it can
be seen. A queue that reads the file takes it within seconds. To rotate a token,
make a new one, hand it out, and remove the old one's line.`,
		Example: `  skynetd tokens new --role producer --name gallery --tenant smith`,
		Args:    cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			caller.Role = api.Role(role)
			if lasts > 0 {
				caller.ExpiresAt = time.Now().Add(lasts)
			}
			token, err := access.AddToFile(*file, caller)
			if err != nil {
				return cli.InputError(err)
			}
			_, err = fmt.Fprintln(a.Stdout, token)
			return err
		},
	}
	f := c.Flags()
	cli.ChoiceVar(f, &role, "role", string(api.RoleReader), "what the token opens, a `role`", roles)
	f.StringVar(&caller.Name, "name", "", "a `name` for people")
	f.StringVar(&caller.Tenant, "tenant", "", "bind a producer's or reader's token to this `tenant`")
	f.StringVar(&caller.InstanceID, "instance", "", "bind a worker's token to this `instance`")
	f.DurationVar(&lasts, "lasts", 0, "how much `time` it is good for; 0: until its line is removed")
	return c
}

func newTokensListCommand(a *cli.App, file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the tokens in the file, without the tokens",
		Args:  cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			entries, err := access.ReadFile(*file)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tROLE\tNAME\tBOUND TO\tEXPIRES\tKEPT AS")
			for _, e := range entries {
				c, expires, kept := e.Caller, "", "hash"
				if !c.ExpiresAt.IsZero() {
					expires = c.ExpiresAt.UTC().Format(time.RFC3339)
				}
				if e.Plain != "" {
					kept = "token"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Role, c.Name, c.Tenant+c.InstanceID, expires, kept)
			}
			return w.Flush()
		},
	}
}

func newTokensHashCommand(a *cli.App, file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "hash",
		Short: "replace the tokens in the file by their hashes",
		Args:  cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			n, err := access.HashFile(*file)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Stdout, "%s: %d tokens replaced by their hashes\n", *file, n)
			return err
		},
	}
}
