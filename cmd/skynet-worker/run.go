package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/input"
	"github.com/skynet-ec2/skynet/live/instance"
	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/results"
	"github.com/skynet-ec2/skynet/live/supervisor"
	"github.com/skynet-ec2/skynet/live/worker"
)

// runVerb runs a worker.
type runVerb struct {
	*cli.App
	instanceFlags
	authFlags

	handlers    string
	anyProgram  bool
	results     string
	state       string
	keep        string
	inputs      []string
	anyRegion   bool
	private     bool
	orphanAfter time.Duration
	powerOff    string
	rebalance   string
	stopWithin  time.Duration
}

// unknownType is the instance type of a machine that EC2 does not know.
const unknownType = "unknown"

// The answers to EC2's word that an interruption has become more likely.
const (
	rebalanceNote  = "note"
	rebalanceDrain = "drain"
)

func newRunCommand(a *cli.App) *cobra.Command {
	r := &runVerb{App: a}
	c := &cobra.Command{
		Use:   "run",
		Short: "do the queue's jobs until told to end",
		Long: `Run asks the queue for work, does it and delivers the results, until it gets
SIGTERM or Ctrl-C, until the queue tells it to shut down or EC2 takes the
instance back. Then it takes no more work, finishes what it can in the time it
has and gives the rest back, which spends no attempt.

Resize, rotate and watermark work on JPEG and PNG without more ado; --handlers
names a file that maps job types to programs. A result is kept on this machine
until the place for results has it and the queue knows.`,
		Example: `  skynet-worker --queue http://127.0.0.1:7420
  skynet-worker --ec2 --handlers /opt/skynet/current/handlers.toml
  skynet-worker --queue https://queue.example.org:7420 --results s3://photos-done/made --slots 4`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return r.run() },
	}
	f := c.Flags()
	f.SortFlags = false
	r.instanceFlags.add(f)
	r.authFlags.add(f)
	f.StringVar(&r.handlers, "handlers", "", "map job types to work as this `file` says; default: the job types resize, rotate and watermark")
	f.BoolVar(&r.anyProgram, "any-program", false, "also do jobs of type exec, which bring the command to run: whoever submits jobs is then master of this machine")
	f.StringVar(&r.results, "results", "", "put results into this `place`, a folder or s3://bucket/prefix; default: skynet-results")
	f.StringVar(&r.state, "state", "", "keep finished results that are not delivered, and scratch, in this `folder`; default: a free one in "+stateDefault)
	f.StringVar(&r.keep, "keep", "4GiB", "keep finished results of at most this `size` while they cannot be delivered")
	f.StringSliceVar(&r.inputs, "inputs", nil, "jobs may read files from this `folder` and below; may be repeated; default: any, with a queue on this machine, else none")
	f.BoolVar(&r.private, "private-inputs", false, "jobs may fetch from addresses of private networks; default with a queue on this machine")
	f.BoolVar(&r.anyRegion, "any-region", false, "jobs may read from buckets of other regions, which costs money")
	f.DurationVar(&r.orphanAfter, "orphan-after", 15*time.Minute, "power off after no word from the queue for so long a `time`; 0: never")
	f.StringVar(&r.powerOff, "power-off", "", "how to power off, a `command`; default: systemctl poweroff with --ec2, else only to say so")
	cli.ChoiceVar(f, &r.rebalance, "on-rebalance", rebalanceNote, "when EC2 thinks an interruption has become more likely, do this, a `word`", []string{rebalanceNote, rebalanceDrain})
	f.DurationVar(&r.stopWithin, "stop-within", 100*time.Second, "on SIGTERM, finish what can be finished in this `time`")
	return c
}

func (r *runVerb) run() error {
	started := time.Now()
	link, err := supervisor.Linked()
	if err != nil {
		return cli.InputError(err)
	}
	// the verb's end is the worker's, not the first signal's
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Ctx))
	defer cancel()
	s, err := r.learn(r.Ctx)
	if err != nil {
		return err
	}
	queue, err := r.client(s)
	if err != nil {
		return err
	}
	defer queue.Close()
	kept, err := openState(r.state)
	if err != nil {
		return err
	}
	defer kept.close()
	c, err := r.config(ctx, s, kept, link)
	if err != nil {
		return err
	}
	c.Queue = queue
	if c.Authenticate, err = r.authenticator(s, queue, c.Self.BootID); err != nil {
		return err
	}
	c.Self.Boot = bootOf(s, link)
	if c.Authenticate != nil {
		before := time.Now()
		if err := c.Authenticate(r.Ctx); err != nil {
			r.Log.Warn("no token yet", "error", err) // the queue may be away: it is tried again
		}
		c.Self.Boot.AuthMS = max(1, time.Since(before).Milliseconds())
	}
	c.Self.Boot.StartMS = max(1, time.Since(started).Milliseconds())
	w := worker.New(c)
	r.watch(ctx, w, s, link)
	r.Log.Info("worker starts", "queue", s.Queue, "cluster", s.Cluster, "instance", s.identity.ID, "type", s.identity.Type, "slots", s.Slots)
	err = w.Run(ctx)
	var refusal *api.Error
	if errors.As(err, &refusal) {
		if refusal.Code == api.CodeForbidden && os.Getenv(client.EnvToken) != "" {
			err = fmt.Errorf("%w; that is the one in %s: give a worker's", err, client.EnvToken)
		}
		return cli.InputError(err)
	}
	if err == nil && w.ToldToShutDown() {
		r.off(s, "the queue said so")
	}
	return err
}

func (r *runVerb) client(s settings) (*client.Client, error) {
	agent := "skynet-worker"
	tls, err := client.TLSFromEnv()
	if err != nil {
		return nil, err
	}
	return client.New(client.Options{URL: s.Queue, RetryFor: -1, Agent: agent, TLS: tls})
}

// config returns the worker's, but for the queue.
func (r *runVerb) config(ctx context.Context, s settings, kept state, link *supervisor.Link) (worker.Config, error) {
	var c worker.Config
	set, err := r.handlerSet()
	if err != nil {
		return c, err
	}
	s3, err := objects.Open(ctx, objects.Options{Region: s.identity.Region})
	if err != nil {
		return c, cli.OutsideError(err)
	}
	near := onLoopback(s.Queue)
	fetch := &input.Fetcher{S3: s3, AnyRegion: r.anyRegion || s.AnyRegion, Private: r.private || near}
	if fetch.Folders, err = r.folders(near); err != nil {
		return c, err
	}
	set.Fetch = fetch
	if c.Store, err = openResults(first(r.results, s.Results, "skynet-results"), s3); err != nil {
		return c, err
	}
	most, err := humanize.ParseBytes(r.keep)
	if err != nil || most > 1<<50 {
		return c, cli.UsageError(fmt.Errorf("--keep %q: must be a size such as 4GiB, of at most 1PiB", r.keep))
	}
	if c.Outbox, c.Left, err = results.OpenOutbox(kept.outbox(), int64(most)); err != nil {
		return c, cli.OutsideError(err)
	}
	if c.Scratch, err = kept.scratch(); err != nil {
		return c, cli.OutsideError(err)
	}
	signed := &http.Client{Timeout: 10 * time.Minute}
	c.Presigned = func(url string) results.Store { return results.Presigned{Client: signed, URL: url} }
	c.Self = api.RegisterRequest{
		InstanceID: s.identity.ID, InstanceType: first(s.identity.Type, unknownType), Market: s.identity.Market, Zone: s.identity.Zone,
		Slots: s.Slots, Cluster: s.Cluster, Roles: s.Roles, Types: set.Types(), BootID: crand.Text(),
		BundleVersion: cli.BuildVersion(program.Name).Version,
	}
	current := set // replaced by a reload, in the worker's own goroutine; read by jobs
	doing := make(chan *handler.Set, 1)
	doing <- current
	c.Do = func(ctx context.Context, job handler.Job, dir, scratch string) (handler.Result, error) {
		now := <-doing
		doing <- now
		return now.Run(ctx, job, dir, scratch)
	}
	c.Log, c.Load = r.Log, loadAverage
	c.OrphanAfter = r.orphanAfter
	c.Orphan = func(reason string) { r.off(s, reason) }
	if link != nil {
		c.Self.BundleVersion, c.Self.Release, c.Self.BadReleases = link.Version, link.Release, link.Bad
		c.Healthy, c.Update, c.Away = link.Healthy, link.Look, link.Away
	}
	if r.handlers != "" {
		c.Reload = func() ([]string, error) {
			next, err := handler.Load(r.handlers)
			if err != nil {
				return nil, err
			}
			next.Fetch = fetch
			<-doing
			doing <- next
			return next.Types(), nil
		}
	}
	return c, nil
}

func (r *runVerb) handlerSet() (*handler.Set, error) {
	if r.handlers == "" {
		return handler.Defaults(r.anyProgram), nil
	}
	if r.anyProgram {
		return nil, cli.UsageError(errors.New("--any-program: the file of --handlers says what may run"))
	}
	return handler.Load(r.handlers)
}

// folders returns those that jobs may read from.
func (r *runVerb) folders(near bool) ([]string, error) {
	if len(r.inputs) == 0 && near {
		return []string{"/"}, nil
	}
	var folders []string
	for _, dir := range r.inputs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, cli.InputError(fmt.Errorf("--inputs %s: it is no folder", dir))
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		folders = append(folders, dir)
	}
	return folders, nil
}

func openResults(place string, s3 *objects.Store) (results.Store, error) {
	if !strings.HasPrefix(place, "s3://") {
		f, err := results.OpenFolder(place)
		if err != nil {
			return nil, cli.OutsideError(err)
		}
		return f, nil
	}
	at, err := objects.ParseURL(place)
	if err != nil {
		return nil, cli.InputError(fmt.Errorf("--results %w", err))
	}
	return results.OpenBucket(s3, at), nil
}

// watch passes on whatever orders the worker to end.
func (r *runVerb) watch(ctx context.Context, w *worker.Worker, s settings, link *supervisor.Link) {
	context.AfterFunc(r.Ctx, func() { w.End(worker.Order{Within: r.stopWithin, Reason: "SIGTERM"}) })
	if link != nil {
		go func() {
			select {
			case <-link.Drain:
				w.End(worker.Order{Reason: "another release", Stay: true})
			case <-ctx.Done():
				return
			}
		}()
		go func() {
			select {
			case <-link.Gone:
				w.End(worker.Order{Within: r.stopWithin, Reason: "the supervisor has ended"})
			case <-ctx.Done():
			}
		}()
	}
	if s.metadata != nil {
		go s.metadata.Notices(ctx, instance.NoticeEvery, r.Log, func(n instance.Notice) { r.notice(w, n) })
	}
}

// noticeMargin is kept of the time that EC2 leaves, to tell the queue.
const noticeMargin = 10 * time.Second

func (r *runVerb) notice(w *worker.Worker, n instance.Notice) {
	switch {
	case n.Interruption:
		within := max(time.Second, time.Until(n.At)-noticeMargin)
		r.Log.Warn("EC2 takes the instance back", "action", n.Action, "at", n.At)
		w.End(worker.Order{Within: within, Reason: "spot interruption", TakenBackAt: n.At})
	case r.rebalance == rebalanceDrain:
		w.End(worker.Order{Reason: "rebalance recommendation"})
	default:
		r.Log.Warn("EC2 thinks that an interruption has become more likely", "since", n.At)
	}
}

// envMetadata leads to another metadata service than EC2's.
const envMetadata = "AWS_EC2_METADATA_SERVICE_ENDPOINT"

// off powers the instance off, where it is known how.
func (r *runVerb) off(s settings, reason string) {
	command := r.powerOff
	if command == "" && s.metadata != nil && os.Getenv(envMetadata) == "" {
		command = "systemctl poweroff" // not where a stand-in says that this is an instance
	}
	words := strings.Fields(command)
	if len(words) == 0 {
		r.Log.Warn("an instance would be powered off now", "reason", reason)
		return
	}
	r.Log.Warn("powering off", "reason", reason, "command", command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		r.Log.Error("cannot power off", "command", command, "error", err, "output", string(out))
	}
}

// bootOf returns how long the instance took to get here.
func bootOf(s settings, link *supervisor.Link) *api.Boot {
	b := &api.Boot{LaunchedAt: s.identity.LaunchedAt}
	if text, err := os.ReadFile("/proc/uptime"); err == nil {
		if up, err := strconv.ParseFloat(strings.Fields(string(text) + " 0")[0], 64); err == nil {
			b.UptimeMS = int64(up * 1000)
		}
	}
	if link != nil {
		b.FetchMS, b.UnpackMS = link.Fetch.Milliseconds(), link.Unpack.Milliseconds()
	}
	return b
}

// loadAverage returns how many processes wanted a processor over the last
// minute, or 0 where the system does not say.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	load, err := strconv.ParseFloat(strings.Fields(string(text) + " 0")[0], 64)
	if err != nil {
		return 0
	}
	return load
}
