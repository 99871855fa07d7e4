package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/spf13/cobra"
)

// allVerb holds the flags of skynetd all: a queue and the controller of its fleet.
type allVerb struct {
	*cli.App
	queue      queueVerb
	controller controllerVerb
}

// queueDefault is where a fleet's file has the queue unless it says otherwise.
const queueDefault = "http://127.0.0.1:7420"

func newAllCommand(a *cli.App) *cobra.Command {
	v := &allVerb{App: a}
	c := &cobra.Command{
		Use:   "all --config FILE",
		Short: "serve the queue and decide about its fleet, in one process",
		Long: `Serve the queue and decide about its fleet, in one process: what skynetd queue and
skynetd controller do, for a fleet that one machine can lead. Workers are not in it.

A fleet's file says what the controller decides about; docs/controller.md lists its
keys. The queue serves the cluster that it names, by the token file that it names,
skynet-tokens beside it if it names none, and the controller shows an operator's token
out of that one. Its key queue need not be given: it is this process's own address.
The queue's page shows the fleet too.

Where one of the two ends, so does the other, with its exit code; when it is asked to
end, the controller ends first. A fleet that must outlive its machine wants both as
processes of their own: each has a standby.`,
		Example: `  skynetd all --config skynet.toml
  skynetd all --config skynet.toml --mode active --store postgres://skynet@db/skynet`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.run() },
	}
	f := c.Flags()
	v.controller.add(f)
	f.StringVar(&v.controller.listen, "controller-listen", "127.0.0.1:7421", "tell at this `address` how the controller fares and take operators' orders; port 0 picks a free one")
	v.queue.add(f)
	return c
}

func (v *allVerb) run() error {
	file, err := scenarios.LoadFleet(v.controller.config)
	if err != nil {
		return v.controller.listProblems(err)
	}
	if file.Source != nil {
		return cli.InputError(fmt.Errorf("%s: source: its jobs wait elsewhere, and this would serve a queue for them: run skynetd controller", file.Path))
	}
	if file.Tokens == "" {
		file.Tokens = filepath.Join(filepath.Dir(file.Path), "skynet-tokens")
	}
	if v.queue.tls.cert != "" && !strings.HasPrefix(file.Queue, "https://") {
		return cli.InputError(fmt.Errorf("%s: queue = %q: with --tls-cert it must be https:// and a name that the certificate holds", file.Path, file.Queue))
	}
	listener, err := listen("controller-listen", v.controller.listen) // before anything is written
	if err != nil {
		return err
	}
	defer listener.Close()
	v.queue.cluster, v.queue.tokens, v.queue.fleet = file.EC2.Cluster, file.Tokens, urlOf(listener, false)
	return v.both(file, listener)
}

// both runs the queue and, from when it leads on, the controller. The queue ends
// last, or the controller's last look at it would be at nothing.
func (v *allVerb) both(file *scenarios.Fleet, listener net.Listener) error {
	deciding, endController := context.WithCancel(v.Ctx)
	defer endController()
	serving, endQueue := context.WithCancel(context.WithoutCancel(v.Ctx))
	defer endQueue()
	v.controller.App, v.queue.App = v.with(deciding), v.with(serving)
	v.controller.beside = true

	leads, queueEnded := make(chan string, 1), make(chan error, 1)
	go func() { queueEnded <- v.queue.serve(func(url string) { leads <- url }) }()
	select {
	case err := <-queueEnded:
		return err
	case <-v.Ctx.Done():
		endQueue()
		return <-queueEnded
	case address := <-leads:
		if file.Queue == queueDefault {
			file.Queue = reachable(address)
		}
	}
	controllerEnded := make(chan error, 1)
	go func() { controllerEnded <- v.controller.decide(file, listener) }()
	select {
	case err := <-queueEnded:
		endController()
		<-controllerEnded
		return err
	case err := <-controllerEnded:
		endQueue()
		if left := <-queueEnded; err == nil {
			err = left
		}
		return err
	}
}

// reachable returns a server's address as its own machine reaches it: what listens
// everywhere listens on the loopback interface too.
func reachable(server string) string {
	u, err := url.Parse(server)
	if err == nil && net.ParseIP(u.Hostname()).IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
		return u.String()
	}
	return server
}

// with returns what verbs share, until another context ends.
func (v *allVerb) with(ctx context.Context) *cli.App {
	a := *v.App
	a.Ctx = ctx
	return &a
}
