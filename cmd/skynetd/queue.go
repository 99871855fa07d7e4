package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/dash"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/server"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// queueVerb holds the flags of skynetd queue.
type queueVerb struct {
	*cli.App
	listen, store, tokens, cluster, fleet string
	standby                               bool
	rate                                  float64
	age, lease, wait                      time.Duration
	fair                                  bool
	signResults                           string
	tls                                   tlsFlags
	bootstrap                             bootstrapFlags
}

func newQueueCommand(a *cli.App) *cobra.Command {
	q := &queueVerb{App: a}
	c := &cobra.Command{
		Use:   "queue",
		Short: "serve the queue over HTTP",
		Long: `Serve the queue: producers submit jobs, workers ask for work, over HTTP.

The store keeps every job that was accepted, whatever dies: an SQLite file, a
PostgreSQL database, or, for trials, memory. One process leads a store; a second
one started with --standby takes over within seconds when the first is gone.

Callers show a bearer token. The first start writes a token file with one token
of each role (operator, producer, worker, reader) and says where; the file is
read again whenever it changes. The page at / shows queues and workers.`,
		Example: `  skynetd queue
  skynetd queue --store postgres://skynet@db/skynet --listen 0.0.0.0:7420 --tls-cert q.pem --tls-key q.key
  skynetd queue --store postgres://skynet@db/skynet --listen 0.0.0.0:7420 --standby`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return q.run() },
	}
	f := c.Flags()
	q.add(f)
	f.StringVar(&q.tokens, "tokens", "skynet-tokens", "take tokens from this `file`; the first start writes it")
	f.StringVar(&q.cluster, "cluster", "default", "serve this `cluster`; workers of another one are refused")
	f.StringVar(&q.fleet, "controller", "", "show the page of the controller that listens at this `URL`, too, behind the same login")
	f.BoolVar(&q.standby, "standby", false, "wait while another process leads the store, and take over when it is gone")
	return c
}

// add adds the flags that every way to serve the queue has.
func (q *queueVerb) add(f *pflag.FlagSet) {
	f.StringVar(&q.listen, "listen", "127.0.0.1:7420", "serve the queue at this `address`; port 0 picks a free one")
	f.StringVar(&q.store, "store", "sqlite:skynet-queue.db", "keep jobs in this `store`: sqlite:FILE, postgres://… or memory")
	f.DurationVar(&q.wait, "store-wait", 30*time.Second, "wait so much `time` for a PostgreSQL that is not there yet; 0: fail at once")
	f.Float64Var(&q.rate, "rate", 10_000, "let one client make so many `calls` a second on average")
	f.DurationVar(&q.age, "age", 0, "a waiting job rises one priority each `time` it has waited so long; 0: never")
	f.DurationVar(&q.lease, "lease", 30*time.Second, "take jobs away from a worker that was silent for so much `time`; it beats three times as often")
	f.BoolVar(&q.fair, "fair", true, "share each priority among its tenants, by weight")
	f.StringVar(&q.signResults, "sign-results", "", "hand each job out with a signed address below this s3://`bucket/prefix` for its result, so that workers need no credentials of AWS; default: workers have a place of their own")
	q.tls.add(f)
	q.bootstrap.add(f)
}

func (q *queueVerb) run() error { return q.serve(func(string) {}) }

// serve serves the queue until its context ends. It tells leads, once, where the
// queue is reached, when it first leads.
func (q *queueVerb) serve(leads func(url string)) error {
	if err := q.checkFlags(); err != nil {
		return err
	}
	secure, err := q.tls.config()
	if err != nil {
		return err
	}
	verifiers, err := q.bootstrap.verifiers(q.cluster, q.Log)
	if err != nil {
		return err
	}
	fleet, err := q.controllerURL()
	if err != nil {
		return err
	}
	sign, err := q.resultSigner()
	if err != nil {
		return err
	}
	listener, err := listen("listen", q.listen) // before anything is written
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := q.firstTokens(); err != nil {
		return err
	}
	keeper, err := access.Open(access.Options{File: q.tokens, Cluster: q.cluster, Log: q.Log, Bootstrap: verifiers, WorkerFor: q.bootstrap.tokenFor})
	if err != nil {
		return err
	}
	store, err := awaitStore(q.Ctx, q.store, q.wait, q.Log)
	if err != nil {
		return err
	}
	defer store.Close()

	page := dash.New(dash.Options{Keeper: keeper, Secure: secure != nil, Log: q.Log, Fleet: fleet})
	s := server.New(server.Options{Cluster: q.cluster, Keeper: keeper, Log: q.Log, Page: page, RatePerS: q.rate, Burst: int(2*q.rate) + 1, SignResult: sign})
	web := httpServer(s, secure, q.Log)
	failed := make(chan error, 1)
	go func() { failed <- serve(web, listener) }()
	defer web.Close()
	url := urlOf(listener, secure != nil)
	q.Log.Info("queue listens", "url", url, "store", shownStore(q.store), "cluster", q.cluster)
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); secure == nil && !net.ParseIP(host).IsLoopback() {
		q.Log.Warn("tokens and jobs cross the network unencrypted: give --tls-cert and --tls-key, or put a TLS proxy before it")
	}
	watching, stopWatching := context.WithCancel(q.Ctx)
	defer stopWatching()
	go keeper.Watch(watching, time.Second)

	var first sync.Once
	err = q.lead(store, func(e *queue.Engine) {
		if e == nil {
			s.Lead(nil)
			page.Lead(nil)
			return
		}
		keeper.Serve(e)
		s.Lead(e)
		page.Lead(e)
		first.Do(func() { leads(url) })
	}, func() { s.Drain(); page.Drain() }, failed)
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	if e := web.Shutdown(ctx); e != nil && err == nil {
		q.Log.Warn("calls were broken off", "err", e)
	}
	return err
}

// checkFlags returns what is wrong with the command line.
func (q *queueVerb) checkFlags() error {
	switch {
	case q.rate <= 0:
		return cli.UsageError(fmt.Errorf("--rate %v: must be more than 0", q.rate))
	case q.age < 0:
		return cli.UsageError(fmt.Errorf("--age %v: must not be negative", q.age))
	case q.lease < leaseMin || q.lease > leaseMax:
		return cli.UsageError(fmt.Errorf("--lease %v: must be from %v to %v", q.lease, leaseMin, leaseMax))
	case q.wait < 0 || q.wait > storeWaitMax:
		return cli.UsageError(fmt.Errorf("--store-wait %v: must be from 0 to %v", q.wait, storeWaitMax))
	}
	return nil
}

// controllerURL returns where the controller listens; nil: nobody has said so.
func (q *queueVerb) controllerURL() (*url.URL, error) {
	if q.fleet == "" {
		return nil, nil
	}
	u, err := url.Parse(q.fleet)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, cli.UsageError(fmt.Errorf("--controller %q: must be a URL such as http://127.0.0.1:7421", q.fleet))
	}
	return u, nil
}

// Bounds of a lease: a network's hiccup, and a day's work lost with its worker.
const (
	leaseMin = time.Second
	leaseMax = time.Hour
)

// storeWaitMax is the longest --store-wait: what restarts a service should
// learn that its database is away.
const storeWaitMax = time.Hour

// leaveWithin is how long a clean end may take.
const leaveWithin = 10 * time.Second

// lead leads the store again and again: once, or as long as there is a standby.
// It tells present who leads, nil for nobody, and returns once Ctrl-C or SIGTERM
// came and everything is written, or when the queue cannot go on.
func (q *queueVerb) lead(store queue.Store, present func(*queue.Engine), drain func(), failed <-chan error) error {
	for {
		engine, err := q.openEngine(store)
		if err != nil {
			return err
		}
		present(engine)
		select {
		case <-q.Ctx.Done():
			drain()
			ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
			defer cancel()
			if err := engine.Close(ctx); err != nil {
				return cli.OutsideError(fmt.Errorf("stop: %w", err))
			}
			q.Log.Info("queue stopped; everything accepted is stored")
			return nil
		case err := <-failed:
			engine.Close(context.Background())
			return cli.OutsideError(err)
		case <-engine.Done():
			present(nil)
			if !q.standby {
				return cli.OutsideError(fmt.Errorf("the queue leads no longer: %w", engine.Err()))
			}
			q.Log.Error("the queue leads no longer; it is a standby now", "err", engine.Err())
		}
	}
}

// takeOverWithin is how long a start without --standby waits for a leader that
// died to be given up.
const takeOverWithin = 15 * time.Second

func (q *queueVerb) openEngine(store queue.Store) (*queue.Engine, error) {
	ctx, cancel := q.Ctx, context.CancelFunc(func() {})
	if !q.standby {
		ctx, cancel = context.WithTimeout(q.Ctx, takeOverWithin)
	}
	defer cancel()
	options := queue.Options{Cluster: q.cluster, Log: q.Log}
	options.Dispatch.Fair, options.Dispatch.AgeStep = q.fair, q.age
	options.Dispatch.LeaseTTL, options.Dispatch.ConfirmWithin, options.BeatEvery = q.lease, q.lease/3, q.lease/3
	engine, err := queue.Open(ctx, store, options)
	switch {
	case err == nil:
		return engine, nil
	case q.Ctx.Err() != nil:
		return nil, q.Ctx.Err()
	case errors.Is(err, queue.ErrHeld):
		return nil, cli.OutsideError(errors.New("another process leads this store; --standby waits until it is gone"))
	}
	return nil, cli.OutsideError(err)
}

// firstTokens writes the token file if there is none.
func (q *queueVerb) firstTokens() error {
	if _, err := os.Stat(q.tokens); err == nil || !os.IsNotExist(err) {
		return err
	}
	if err := access.Create(q.tokens); err != nil {
		return err
	}
	fmt.Fprintf(q.Stderr, "skynetd: wrote %s, readable by its owner alone: a token each for operator, producer, worker and reader\n", q.tokens)
	return nil
}

// urlOf returns where a listener is reached.
func urlOf(l net.Listener, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}

// shownStore returns a store's name without a password.
func shownStore(spec string) string {
	scheme, rest, ok := strings.Cut(spec, "://")
	if !ok {
		return spec
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + rest[at:]
	}
	host, _, _ := strings.Cut(rest, "?") // parameters may hold a password
	return scheme + "://" + host
}

// serve serves until the server is shut down.
func serve(s *http.Server, l net.Listener) error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(l, "", "")
	} else {
		err = s.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
