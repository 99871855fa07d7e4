package torture_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/server"
)

// Tokens of the queue under test.
const (
	operatorToken = "operator-token-operator-token-operator"
	producerToken = "producer-token-producer-token-producer"
	workerToken   = "worker-token-worker-token-worker-token"
)

const cluster = "torture"

// world is a queue of several processes in this one, over one store:
// for tests in a bubble of time, where calls cross no network.
type world struct {
	t      *testing.T
	store  queue.Store
	opt    queue.Options
	keeper *access.Keeper
	tended sync.WaitGroup

	mu    sync.Mutex
	nodes map[string]*node
}

// node is one process of the queue.
type node struct {
	server *server.Server
	engine *queue.Engine // nil while it does not lead
	ctx    context.Context
	kill   context.CancelFunc
}

var names = []string{"a", "b"}

func newWorld(t *testing.T, store queue.Store, opt queue.Options) *world {
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, fmt.Appendf(nil, "operator %s\nproducer %s\nworker %s\n", operatorToken, producerToken, workerToken), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	opt.Cluster, opt.Log = cluster, log
	w := &world{t: t, store: store, opt: opt, nodes: map[string]*node{}}
	var err error
	if w.keeper, err = access.Open(access.Options{File: file, Cluster: cluster, Log: log}); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		w.start(name)
	}
	return w
}

// start starts a process, which leads or stands by.
func (w *world) start(name string) {
	n := &node{server: server.New(server.Options{Cluster: cluster, Keeper: w.keeper, Log: w.opt.Log, RatePerS: 1e6, Burst: 1e6})}
	n.ctx, n.kill = context.WithCancel(context.Background())
	w.mu.Lock()
	w.nodes[name] = n
	w.mu.Unlock()
	w.tended.Go(func() {
		opt := w.opt
		opt.Holder = name
		for n.ctx.Err() == nil {
			e, err := queue.Open(n.ctx, w.store, opt)
			if err != nil {
				continue // it was killed before it led
			}
			w.mu.Lock()
			n.engine = e
			w.mu.Unlock()
			w.keeper.Serve(e)
			n.server.Lead(e)
			select {
			case <-e.Done():
			case <-n.ctx.Done():
				e.Kill()
			}
			n.server.Lead(nil)
			w.mu.Lock()
			n.engine = nil
			w.mu.Unlock()
		}
	})
}

// kill ends a process as kill -9 would: whoever waits for it gets no answer.
func (w *world) kill(name string) {
	w.mu.Lock()
	n := w.nodes[name]
	delete(w.nodes, name)
	w.mu.Unlock()
	if n != nil {
		n.kill()
	}
}

// leader returns the process that leads; "" if none does.
func (w *world) leader() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		if n := w.nodes[name]; n != nil && n.engine != nil {
			return name
		}
	}
	return ""
}

// close ends all processes.
func (w *world) close() {
	for _, name := range names {
		w.kill(name)
	}
	w.tended.Wait()
}

// RoundTrip implements http.RoundTripper: the host is the name of a process.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	n := w.nodes[r.URL.Host]
	w.mu.Unlock()
	if n == nil {
		return nil, fmt.Errorf("process %q: connection refused", r.URL.Host)
	}
	answer := httptest.NewRecorder()
	r.RemoteAddr = "127.0.0.1:1"
	n.server.ServeHTTP(answer, r)
	if n.ctx.Err() != nil {
		return nil, fmt.Errorf("process %q: connection reset", r.URL.Host)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// client returns a client that calls through t and is patient for so long.
func (w *world) client(token string, through http.RoundTripper, patience time.Duration) *client.Client {
	c, err := client.New(client.Options{URL: "http://queue", Token: token, RetryFor: patience})
	if err != nil {
		w.t.Fatal(err)
	}
	c.Through(through)
	return c
}
