package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/desk"

	"github.com/spf13/cobra"
)

// deskHelp ends the help of verbs that talk to a controller.
const deskHelp = `

The controller is the one at SKYNET_CONTROLLER (default ` + desk.DefaultURL + `), which
was started with --listen; SKYNET_TOKEN holds the token to show it, an operator's to
change anything, SKYNET_CA the authorities that may vouch for it.`

// ordering returns the RunE of a verb that talks to a controller.
func (a *app) ordering(do func(d *desk.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		d, err := desk.FromEnv()
		if err != nil {
			return inputError(err)
		}
		return explainDesk(do(d, args))
	}
}

// explainDesk adds to an error of the controller what may help.
func explainDesk(err error) error {
	switch {
	case client.IsCode(err, "unauthorized"):
		return fmt.Errorf("%w; set %s to a token of the file that the controller's configuration names under tokens", err, client.EnvToken)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; is there a controller (skynetd controller --listen 127.0.0.1:7421)? %s says where", err, desk.EnvController)
	}
	return err
}

// because defines --reason, which must be given.
func because(c *cobra.Command, reason *string) {
	c.Flags().StringVar(reason, "reason", "", "say why; this `text` stands with who did it")
	cli.Require(c, "reason")
}

// told prints an instant, or a dash.
func told(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}
