package main

import (
	"errors"
	"fmt"
	"syscall"

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
	c.OnAway(func(err error) { a.log.Warn("no answer yet; trying again", "queue", c.URL(), "err", err) })
	return c, nil
}

// explainRefusal adds to an error of the queue what may help.
func explainRefusal(err error) error {
	switch {
	case client.IsCode(err, "unauthorized"):
		return fmt.Errorf("%w; set %s to a token of the queue: its first start wrote some into the file skynet-tokens, in its folder", err, client.EnvToken)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; is there a queue (skynetd queue)? %s says where", err, client.EnvURL)
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
