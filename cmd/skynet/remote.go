package main

import (
	"fmt"

	"github.com/skynet-ec2/skynet/live/client"

	"github.com/spf13/cobra"
)

// remoteHelp ends the help of verbs that talk to a queue.
const remoteHelp = `

The queue is the one at SKYNET_URL (default ` + client.DefaultURL + `); SKYNET_TOKEN
holds the token to show it, SKYNET_CA the authorities that may vouch for it.`

// queueOf returns a client of the queue that the environment names.
func (a *app) queueOf() (*client.Client, error) {
	c, err := client.FromEnv()
	if err != nil {
		return nil, inputError(err)
	}
	return c, nil
}

// explainRefusal adds to an error of the queue what may help.
func explainRefusal(err error) error {
	if client.IsCode(err, "unauthorized") {
		return fmt.Errorf("%w; set %s to a token of the queue (skynetd says where it keeps them)", err, client.EnvToken)
	}
	return err
}

// asking returns the RunE of a verb that talks to a queue.
func (a *app) asking(do func(c *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		c, err := a.queueOf()
		if err != nil {
			return err
		}
		defer c.Close()
		return explainRefusal(do(c, args))
	}
}
