package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/dash"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/live/ec2fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// controllerVerb holds the flags of skynetd controller.
type controllerVerb struct {
	*cli.App
	config, mode, listen string
	once                 bool
	beside               bool // the queue is in this process, and knows the file's tokens
}

// The modes, from the safest on.
var controllerModes = []string{"observe", "shadow", "active"}

func newControllerCommand(a *cli.App) *cobra.Command {
	v := &controllerVerb{App: a}
	c := &cobra.Command{
		Use:   "controller --config FILE",
		Short: "decide about a fleet, once a minute",
		Long: `Decide about a fleet: read the queue and EC2, decide with the very policy that
was tuned, and do it.

A file names the fleet, the scenario whose promises, cloud, limits and policy
hold, and where its queue and its files are; docs/controller.md lists its keys.

  observe  decide, record, do nothing; it holds nothing that could act
  shadow   act as the policy says, and record what the file's shadow would do
  active   act

One process leads a fleet; a second one waits, and takes over within 15 seconds
when the first is gone. While somebody has stopped it, by the file that stop names or
by a row of the store, nothing is launched or terminated, whatever is decided.

The policy's file is read anew when it changes, and on SIGHUP. At --listen operators
order, with a token: skynet policy, fleet, stop. --once exits 3 if the queue or EC2
could not be read.`,
		Example: `  skynetd controller --config skynet.toml --mode observe
  skynetd controller --config skynet.toml --mode active --listen 127.0.0.1:7421
  AWS_ENDPOINT_URL_EC2=http://127.0.0.1:7430 skynetd controller --config skynet.toml --mode active`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.run() },
	}
	f := c.Flags()
	v.add(f)
	f.BoolVar(&v.once, "once", false, "decide once, and end")
	f.StringVar(&v.listen, "listen", "", "tell at this `address` how it fares (a page at /, /metrics, /v1/status, /healthz, /readyz) and take operators' orders; port 0 picks a free one")
	return c
}

// add adds the flags that every way to run the controller has.
func (v *controllerVerb) add(f *pflag.FlagSet) {
	f.StringVar(&v.config, "config", "skynet.toml", "decide as this `file` says")
	cli.ChoiceVar(f, &v.mode, "mode", "observe", "what becomes of decisions", controllerModes)
}

func (v *controllerVerb) run() error {
	if v.once && v.listen != "" {
		return cli.UsageError(errors.New("--once with --listen: it ends before anybody can ask"))
	}
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		return v.listProblems(err)
	}
	if v.listen == "" {
		return v.decide(file, nil)
	}
	listener, err := listen("listen", v.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	return v.decide(file, listener)
}

// decide runs the controller of a file until its context ends. It tells at
// listener, unless that is nil, how it fares.
func (v *controllerVerb) decide(file *scenarios.Fleet, listener net.Listener) error {
	c, store, err := v.wire(file)
	if err != nil {
		return err
	}
	defer store.Close()
	var shown *server.Server
	if listener != nil {
		var web io.Closer
		if shown, web, err = v.tell(&c, file, store, listener); err != nil {
			return err
		}
		defer web.Close()
	}
	if !v.once {
		if err := v.outside(file, &c); err != nil {
			return err
		}
	}
	k, err := controller.Open(v.Ctx, c)
	if err != nil && v.Ctx.Err() != nil && !v.once {
		return nil // a standby that is told to end
	}
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Ctx), 5*time.Second)
		defer cancel()
		if err := k.Close(ctx); err != nil {
			v.Log.Warn("end the lead", "error", err)
		}
	}()
	if v.once {
		r, err := k.Tick(v.Ctx)
		if err != nil {
			return cli.OutsideError(err)
		}
		if err := v.show(r, &c.Env.Catalog); err != nil {
			return err
		}
		if err := k.Unread(); err != nil { // what was decided was decided blind
			return cli.OutsideError(err)
		}
		return nil
	}
	if shown != nil {
		go v.remember(shown, file, store)
	}
	if from, ok := sourcesOf(v.Ctx, file.Name, store, c.Queue); ok && file.JournalKeep > 0 {
		d := &daily{fleet: file.Name, file: file.Drift, from: from, store: store, server: shown, log: v.Log}
		go d.run(v.Ctx)
	}
	if err := k.Run(v.Ctx); err != nil {
		return cli.OutsideError(err)
	}
	return nil
}

// tell has c show every tick to what answers at listener. A controller that stands
// by answers too.
func (v *controllerVerb) tell(c *controller.Config, file *scenarios.Fleet, store *sqlstore.Store, listener net.Listener) (*server.Server, io.Closer, error) {
	callers, err := v.callersOf(file)
	if err != nil {
		return nil, nil, err
	}
	s := server.New(*c)
	c.Seen = seenBy(c.Seen, s.Saw)
	all := http.NewServeMux()
	all.Handle("/", s)
	var zones []string
	for i := range file.EC2.Subnets {
		zones = append(zones, file.EC2.Subnets[i].Zone)
	}
	orders := desk.Handler(desk.Options{
		Zones: zones, Fits: s.Fits,
		Fleet: c.Fleet, Book: store, Switch: store, Caller: callers, Decode: c.Decode, Catalog: &c.Env.Catalog,
		FileStop: controller.Stops(file.Stop), Serving: s.Serving, Journals: file.Journal, Pages: store, Log: v.Log,
	})
	for _, route := range desk.Routes {
		all.Handle(route, orders)
	}
	page := dash.NewFleet(dash.FleetOptions{
		Controller: s, Switch: store, Caller: callers, FileStop: controller.Stops(file.Stop),
		Queue: strings.TrimSuffix(file.Queue, "/") + "/", Journals: file.Journal, Log: v.Log,
	})
	for _, route := range dash.Routes {
		all.Handle(route, page)
	}
	web := httpServer(all, nil, v.Log)
	go func() {
		if err := serve(web, listener); err != nil { // the fleet goes on without
			v.Log.Error("nobody can ask the controller any more", "error", err)
		}
	}()
	v.Log.Info("controller listens", "url", urlOf(listener, false))
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); !net.ParseIP(host).IsLoopback() {
		v.Log.Warn("whoever reaches the controller's address sees reasons and money; to change anything takes an operator's token")
	}
	return s, web, nil
}

// remember has the past day's decisions read, whoever made them: from the store,
// which others that led before have written to as well, or where it keeps no journal
// from the files that are here.
func (v *controllerVerb) remember(s *server.Server, file *scenarios.Fleet, store controller.Pages) {
	journals := past.Files([]string{file.Journal}, file.Name)
	if file.JournalKeep > 0 {
		journals = past.Store(v.Ctx, store, file.Name)
	}
	now := time.Now()
	day, err := journals(now.Add(-server.DayLong), now)
	if err == nil {
		err = s.Remember(day...)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // no journal yet
		v.Log.Warn("not all of the past day's decisions can be read", "error", err)
	}
}

// callersOf returns what knows whose a token is: those of the file's tokens, read
// again when they change, and, an operator's, those that SKYNET_TOKEN and the file's
// token hold.
func (v *controllerVerb) callersOf(file *scenarios.Fleet) (func(token string) (access.Caller, bool), error) {
	var keeper *access.Keeper
	if file.Tokens != "" {
		var err error
		if keeper, err = access.Open(access.Options{File: file.Tokens, Cluster: file.EC2.Cluster, Log: v.Log}); err != nil {
			return nil, err
		}
		go keeper.Watch(v.Ctx, 5*time.Second)
	}
	own := []string{os.Getenv(client.EnvToken)}
	if file.Token != "" {
		value, err := v.secretOf(file, "token", file.Token)
		if err != nil {
			return nil, err
		}
		own = append(own, value.Reveal())
	}
	return func(token string) (access.Caller, bool) {
		if keeper != nil {
			if c, known := keeper.Caller(token, time.Now()); known {
				return c, true
			}
		}
		for _, one := range own {
			if one != "" && subtle.ConstantTimeCompare([]byte(token), []byte(one)) == 1 {
				return access.Caller{Role: api.RoleOperator}, true
			}
		}
		return access.Caller{}, false
	}, nil
}

// listProblems returns the problems of a file as the error of a bad input.
func (v *controllerVerb) listProblems(err error) error {
	var p scenarios.Problems
	if errors.As(err, &p) || errors.Is(err, os.ErrNotExist) {
		return cli.InputError(err)
	}
	return err
}

// wire makes the configuration of a controller of what a file says. The caller
// closes the store.
func (v *controllerVerb) wire(file *scenarios.Fleet) (c controller.Config, store *sqlstore.Store, err error) {
	scenario, active, shadow := file.World()
	program := cli.BuildVersion("skynetd").Short()
	header := scenario.LiveHeader(active, program)
	host, _ := os.Hostname()
	c = controller.Config{
		Fleet: file.Name, Holder: fmt.Sprintf("%s/%d", host, os.Getpid()),
		Env: header.Env(), Guard: header.Guard, Described: header.Policy,
		Policy:    func() (policy.Policy, error) { return header.New(scenarios.Policies()) },
		FastTicks: scenario.FastTicks, Lease: scenario.Queue.Lease,
		Journal: func() (io.WriteCloser, error) { return newJournalBoth(file, "", store, v.Log) },
		Release: file.EC2.Release, Program: program, Log: v.Log,
	}
	c.Decode = candidates(header)
	c.Reload = v.reloading(file, header)
	world := scenario.EC2()
	c.BudgetHour, c.BudgetDay, c.BudgetMonth = world.BudgetHour, world.BudgetDay, world.BudgetMonth
	if file.Caps != "" {
		if _, err := file.Limits(); err != nil {
			return c, nil, v.listProblems(err)
		}
		c.Caps = file.Limits
	}
	if file.Shared != "" {
		if _, err := file.SharedLimits(); err != nil {
			return c, nil, v.listProblems(err)
		}
		c.Shared = file.SharedLimits
	}
	c.ShadowJournal = func() (io.WriteCloser, error) { return newJournalBoth(file, "-shadow", store, v.Log) }
	if v.mode == "shadow" {
		if shadow == nil {
			return c, nil, cli.UsageError(fmt.Errorf("--mode shadow: %s names no shadow", v.config))
		}
		other := scenario.LiveHeader(shadow, program)
		c.Shadow = &controller.Shadow{
			Policy:    func() (policy.Policy, error) { return other.New(scenarios.Policies()) },
			Described: other.Policy,
			Journal:   c.ShadowJournal,
		}
	}
	if file.Source == nil {
		if c.Queue, err = v.queueOf(file); err != nil {
			return c, nil, err
		}
	}
	if err := v.fleetOf(file, &c); err != nil {
		return c, nil, err
	}
	if file.Source != nil {
		if err := v.sourceOf(file, &c); err != nil {
			return c, nil, err
		}
	}
	if store, err = sqlstore.Open(v.Ctx, file.Store); err != nil {
		return c, nil, cli.OutsideError(err)
	}
	c.Store, c.Book, c.Claims = store, store, store
	c.Stop = controller.EitherStops(controller.Stops(file.Stop), controller.RowStops(store, file.Name))
	return c, store, nil
}

// queueOf returns the client of the file's queue.
func (v *controllerVerb) queueOf(file *scenarios.Fleet) (controller.Queue, error) {
	token := os.Getenv(client.EnvToken)
	if file.Token != "" {
		value, err := v.secretOf(file, "token", file.Token)
		if err != nil {
			return nil, err
		}
		token = value.Reveal()
	}
	if file.Tokens != "" && (token == "" || v.beside && file.Token == "") {
		entries, err := access.ReadFile(file.Tokens)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Caller.Role == api.RoleOperator && e.Plain != "" {
				token = e.Plain
			}
		}
		if token == "" {
			return nil, cli.InputError(fmt.Errorf("%s: holds no operator token that can be read; give %s", file.Tokens, client.EnvToken))
		}
	}
	if token == "" {
		return nil, cli.UsageError(fmt.Errorf("no token for the queue: give %s, or token or tokens in %s", client.EnvToken, file.Path))
	}
	q, err := client.New(client.Options{URL: file.Queue, Token: token, RetryFor: -1, Agent: "skynetd controller"})
	if err != nil {
		return nil, cli.InputError(fmt.Errorf("%s: queue: %w", file.Path, err))
	}
	return q, nil
}

// ec2Of returns the AWS account that the environment names, and what the file
// says of the fleet in it, but for the user data.
func ec2Of(ctx context.Context, file *scenarios.Fleet, catalog *policy.Catalog) (aws.Config, ec2fleet.Config, error) {
	account, err := accountOf(ctx, file)
	if err != nil {
		return account, ec2fleet.Config{}, err
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL_EC2"); endpoint != "" {
		if err := checkRegionTime(ctx, endpoint); err != nil {
			return account, ec2fleet.Config{}, err
		}
	}
	e := ec2fleet.Config{
		Cluster: file.EC2.Cluster, Role: file.EC2.Role, Catalog: catalog,
		Launch: ec2fleet.Launch{Image: file.EC2.Image, Template: file.EC2.Template, Version: file.EC2.Version},
	}
	for _, s := range file.EC2.Subnets {
		e.Launch.Subnets = append(e.Launch.Subnets, ec2fleet.Subnet{ID: s.ID, Zone: s.Zone})
	}
	return account, e, nil
}

// fleetOf gives the controller eyes, and hands where the mode asks for them.
func (v *controllerVerb) fleetOf(file *scenarios.Fleet, c *controller.Config) error {
	account, e, err := ec2Of(v.Ctx, file, &c.Env.Catalog)
	if err != nil {
		return err
	}
	spot := e.Launch.Template != "" // without one nothing can be bought there
	if v.mode == "observe" {
		r, err := ec2fleet.Watch(account, e)
		if err != nil {
			return cli.InputError(fmt.Errorf("%s: ec2: %w", file.Path, err))
		}
		if c.Observer = r; spot {
			c.Prices = r
		}
		return nil
	}
	if file.EC2.UserData != "" {
		if e.Launch.UserData, err = os.ReadFile(file.EC2.UserData); err != nil {
			return cli.InputError(err)
		}
	}
	w, err := ec2fleet.Open(account, e)
	if err != nil {
		return cli.InputError(fmt.Errorf("%s: ec2: %w", file.Path, err))
	}
	c.Observer, c.Actuator = w, w
	if spot {
		c.Prices = w
	}
	return nil
}

// show prints one decision.
func (v *controllerVerb) show(r *controller.Result, catalog *policy.Catalog) error {
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(v.Stdout, format, args...)
		}
	}
	say("#%d %s\n", r.Decision, r.At.Format(time.RFC3339))
	if r.Decided.IsZero() {
		say("  nothing\n")
	}
	for i := range r.Decided.Launches {
		l := &r.Decided.Launches[i]
		say("  launch %d×%s\n", l.Count, catalog.Types[l.Type].Name)
	}
	if n := len(r.Decided.Drains); n > 0 {
		say("  drain %d\n", n)
	}
	if n := len(r.Decided.Undrains); n > 0 {
		say("  take back %d\n", n)
	}
	for i := range r.Decided.Because {
		because := &r.Decided.Because[i]
		say("    %s: %s\n", because.Rule.Name(), because.Text())
	}
	if r.Outcome.Held != "" {
		say("  held: %s\n", r.Outcome.Held)
	}
	if r.Outcome.Provider != "" {
		say("  provider: %s\n", r.Outcome.Provider)
	}
	for _, e := range r.Outcome.Errors {
		say("  error: %s\n", e)
	}
	return err
}
