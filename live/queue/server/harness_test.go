package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/server"
)

var _ server.Engine = (*queue.Engine)(nil)

// Tokens of the queue under test.
const (
	operatorToken = "operator-token-operator-token-operator"
	producerToken = "producer-token-producer-token-producer"
	workerToken   = "worker-token-worker-token-worker-token"
	readerToken   = "reader-token-reader-token-reader-token"
	smithToken    = "smith-token-smith-token-smith-token-smith"    // a producer bound to tenant smith
	jonesToken    = "jones-token-jones-token-jones-token-jones"    // a producer bound to tenant jones
	smithReader   = "smith-reader-smith-reader-smith-reader-smith" // a reader bound to tenant smith
	boundToken    = "bound-token-bound-token-bound-token-bound"    // a worker bound to instance i-1
)

const tokenFile = `operator ` + operatorToken + `
producer ` + producerToken + `
worker ` + workerToken + `
reader ` + readerToken + `
producer ` + smithToken + ` tenant=smith
producer ` + jonesToken + ` tenant=jones
reader ` + smithReader + ` tenant=smith
worker ` + boundToken + ` instance=i-1
`

const cluster = "test"

// rig is a queue served over loopback.
type rig struct {
	t      testing.TB
	engine *queue.Engine
	keeper *access.Keeper
	server *server.Server
	http   *httptest.Server
}

// newRig starts a queue in memory and serves it.
func newRig(t testing.TB, change ...func(*server.Options, *access.Options)) *rig {
	t.Helper()
	r := &rig{t: t}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := queue.Open(t.Context(), queue.NewMemory(), queue.Options{Cluster: cluster, Holder: t.Name(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	r.engine = engine
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(tokenFile), 0o600); err != nil {
		t.Fatal(err)
	}
	opened := access.Options{File: file, Cluster: cluster, Log: log}
	opt := server.Options{Cluster: cluster, Log: log}
	for _, c := range change {
		c(&opt, &opened)
	}
	if r.keeper, err = access.Open(opened); err != nil {
		t.Fatal(err)
	}
	r.keeper.Serve(engine)
	opt.Keeper = r.keeper
	r.server = server.New(opt)
	r.server.Lead(engine)
	r.http = httptest.NewServer(r.server)
	t.Cleanup(func() {
		r.http.CloseClientConnections()
		r.http.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := engine.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

// client returns a client with a token.
func (r *rig) client(token string) *client.Client {
	r.t.Helper()
	c, err := client.New(client.Options{URL: r.http.URL, Token: token, RetryFor: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one raw call; what it sends need not make sense.
func (r *rig) send(method, path, token, body string, header ...string) answer {
	r.t.Helper()
	out, err := http.NewRequest(method, r.http.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		out.Header.Set(header[i], header[i+1])
	}
	in, err := r.http.Client().Do(out)
	if err != nil {
		r.t.Fatal(err)
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{in.StatusCode, in.Header, text}
}

// refused checks that an answer is an error with a status and a code, and
// returns it.
func refused(t testing.TB, a answer, status int, code api.Code) api.Error {
	t.Helper()
	var e api.ErrorResponse
	if err := json.Unmarshal(a.body, &e); err != nil {
		t.Fatalf("status %d, not an error in JSON: %.300q", a.status, a.body)
	}
	if a.status != status || e.Error.Code != code || e.Error.Message == "" {
		t.Fatalf("status %d, error %+v; want %d, %s", a.status, e.Error, status, code)
	}
	return e.Error
}

// register makes a worker.
func register(t testing.TB, c *client.Client, instance string, slots int) api.RegisterResponse {
	t.Helper()
	w, err := c.Register(t.Context(), api.RegisterRequest{
		InstanceID: instance, InstanceType: "c7i.large", Slots: slots, Cluster: cluster, BootID: "boot-of-" + instance, Roles: []string{"photos"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.Encode(v)
	return b.String()
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
