package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/skynet-ec2/skynet/cmd/cli"
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
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces/compressed"

	"github.com/spf13/cobra"
)

// controllerVerb holds the flags of skynetd controller.
type controllerVerb struct {
	*cli.App
	config, mode, listen string
	once                 bool
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
when the first is gone. While the file that stop names exists nothing is launched
or terminated, whatever is decided.`,
		Example: `  skynetd controller --config skynet.toml --mode observe
  skynetd controller --config skynet.toml --mode active --listen 127.0.0.1:7421
  AWS_ENDPOINT_URL_EC2=http://127.0.0.1:7430 skynetd controller --config skynet.toml --mode active`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.run() },
	}
	f := c.Flags()
	f.StringVar(&v.config, "config", "skynet.toml", "decide as this `file` says")
	cli.ChoiceVar(f, &v.mode, "mode", "observe", "what becomes of decisions", controllerModes)
	f.BoolVar(&v.once, "once", false, "decide once, and end")
	f.StringVar(&v.listen, "listen", "", "tell at this `address` how it fares: a page at /, /metrics, /v1/status, /healthz, /readyz; port 0 picks a free one")
	return c
}

func (v *controllerVerb) run() error {
	if v.once && v.listen != "" {
		return cli.UsageError(errors.New("--once with --listen: it ends before anybody can ask"))
	}
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		return v.listProblems(err)
	}
	c, store, err := v.wire(file)
	if err != nil {
		return err
	}
	defer store.Close()
	if v.listen != "" {
		web, err := v.tell(&c, file, store)
		if err != nil {
			return err
		}
		defer web.Close()
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
	if err := k.Run(v.Ctx); err != nil {
		return cli.OutsideError(err)
	}
	return nil
}

// tell listens, and has c show every tick to what answers there. A controller that
// stands by answers too.
func (v *controllerVerb) tell(c *controller.Config, file *scenarios.Fleet, store *sqlstore.Store) (io.Closer, error) {
	callers, err := v.callersOf(file)
	if err != nil {
		return nil, err
	}
	listener, err := listen(v.listen)
	if err != nil {
		return nil, err
	}
	s := server.New(*c)
	c.Seen = s.Saw
	all := http.NewServeMux()
	all.Handle("/", s)
	orders := desk.Handler(desk.Options{
		Fleet: c.Fleet, Book: store, Switch: store, Caller: callers, Decode: c.Decode, Catalog: &c.Env.Catalog,
		FileStop: controller.Stops(file.Stop), Serving: s.Serving, Journals: file.Journal, Log: v.Log,
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
	go v.remember(s, file)
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
	return web, nil
}

// remember has the past day's decisions read from the journals that are there now.
func (v *controllerVerb) remember(s *server.Server, file *scenarios.Fleet) {
	names, err := filepath.Glob(filepath.Join(file.Journal, file.Name+"-2*.jsonl.zst")) // in the order of time
	if err != nil {
		v.Log.Warn("the past day's decisions cannot be read", "error", err)
		return
	}
	var day []journal.Source
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) < server.DayLong {
			day = append(day, journal.Source{Name: name, Open: func() (io.ReadCloser, error) { return openJournal(name) }})
		}
	}
	if err := s.Remember(day...); err != nil {
		v.Log.Warn("not all of the past day's decisions can be read", "error", err)
	}
}

// openJournal opens a file of a journal.
func openJournal(name string) (io.ReadCloser, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := compressed.NewReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return &journalText{text, file}, nil
}

// journalText is a file that is decompressed as it is read.
type journalText struct {
	*compressed.Reader
	file *os.File
}

// Close closes both.
func (t *journalText) Close() error { return errors.Join(t.Reader.Close(), t.file.Close()) }

// callersOf returns what knows whose a token is: those of the file's tokens, read
// again when they change, and the one that SKYNET_TOKEN holds, an operator's.
func (v *controllerVerb) callersOf(file *scenarios.Fleet) (func(token string) (access.Caller, bool), error) {
	var keeper *access.Keeper
	if file.Tokens != "" {
		var err error
		if keeper, err = access.Open(access.Options{File: file.Tokens, Cluster: file.EC2.Cluster, Log: v.Log}); err != nil {
			return nil, err
		}
		go keeper.Watch(v.Ctx, 5*time.Second)
	}
	own := os.Getenv(client.EnvToken)
	return func(token string) (access.Caller, bool) {
		if keeper != nil {
			if c, known := keeper.Caller(token, time.Now()); known {
				return c, true
			}
		}
		if own != "" && subtle.ConstantTimeCompare([]byte(token), []byte(own)) == 1 {
			return access.Caller{Role: api.RoleOperator}, true
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
		Journal: func() (io.WriteCloser, error) { return newJournalFile(file.Journal, file.Name, "") },
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
	c.ShadowJournal = func() (io.WriteCloser, error) { return newJournalFile(file.Journal, file.Name, "-shadow") }
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
	if c.Queue, err = v.queueOf(file); err != nil {
		return c, nil, err
	}
	if err := v.fleetOf(file, &c); err != nil {
		return c, nil, err
	}
	if store, err = sqlstore.Open(v.Ctx, file.Store); err != nil {
		return c, nil, cli.OutsideError(err)
	}
	c.Store, c.Book = store, store
	c.Stop = controller.EitherStops(controller.Stops(file.Stop), controller.RowStops(store, file.Name))
	return c, store, nil
}

// queueOf returns the client of the file's queue.
func (v *controllerVerb) queueOf(file *scenarios.Fleet) (controller.Queue, error) {
	token := os.Getenv(client.EnvToken)
	if token == "" && file.Tokens != "" {
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
		return nil, cli.UsageError(fmt.Errorf("no token for the queue: give %s, or tokens in %s", client.EnvToken, file.Path))
	}
	q, err := client.New(client.Options{URL: file.Queue, Token: token, RetryFor: -1, Agent: "skynetd controller"})
	if err != nil {
		return nil, cli.InputError(fmt.Errorf("%s: queue: %w", file.Path, err))
	}
	return q, nil
}

// fleetOf gives the controller eyes, and hands where the mode asks for them.
func (v *controllerVerb) fleetOf(file *scenarios.Fleet, c *controller.Config) error {
	var options []func(*config.LoadOptions) error
	if file.EC2.Region != "" {
		options = append(options, config.WithRegion(file.EC2.Region))
	}
	account, err := config.LoadDefaultConfig(v.Ctx, options...)
	if err != nil {
		return cli.OutsideError(fmt.Errorf("AWS configuration: %w", err))
	}
	e := ec2fleet.Config{
		Cluster: file.EC2.Cluster, Role: file.EC2.Role, Catalog: &c.Env.Catalog,
		Launch: ec2fleet.Launch{Image: file.EC2.Image, Template: file.EC2.Template, Version: file.EC2.Version},
	}
	for _, s := range file.EC2.Subnets {
		e.Launch.Subnets = append(e.Launch.Subnets, ec2fleet.Subnet{ID: s.ID, Zone: s.Zone})
	}
	if v.mode == "observe" {
		if c.Observer, err = ec2fleet.Watch(account, e); err != nil {
			return cli.InputError(fmt.Errorf("%s: ec2: %w", file.Path, err))
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
	for _, e := range r.Outcome.Errors {
		say("  error: %s\n", e)
	}
	return err
}

// journalFile is the file of one lead's journal: compressed as it grows, so that
// a crash loses its last line at most.
type journalFile struct {
	file *os.File
	w    compressed.Writer
}

// newJournalFile begins a file in a folder, named after the fleet and the time.
func newJournalFile(folder, fleet, suffix string) (io.WriteCloser, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s%s-%s.jsonl.zst", fleet, suffix, time.Now().UTC().Format("20060102T150405.000Z"))
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	w, err := compressed.NewWriter(file, name)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &journalFile{file, w}, nil
}

// Write writes a line, or a part of one, through to the file.
func (j *journalFile) Write(text []byte) (int, error) {
	n, err := j.w.Write(text)
	if err == nil {
		err = j.w.Flush()
	}
	return n, err
}

// Close ends the file.
func (j *journalFile) Close() error {
	return errors.Join(j.w.Close(), j.file.Sync(), j.file.Close())
}
