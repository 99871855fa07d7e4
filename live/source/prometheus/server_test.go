package prometheus

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/source"
)

// A real Prometheus scrapes a queue's exporter, and a reader asks it. When the
// exporter dies, the figures become unknown within seconds.
func TestAgainstPrometheus(t *testing.T) {
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("needs prometheus, of Debian's package prometheus (scripts/install-prometheus)")
	}
	var depth, down atomic.Int64
	depth.Store(42)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "jobs_waiting{shard=\"a\"} %d\njobs_waiting{shard=\"b\"} 0\njobs_done_total 7\n", depth.Load())
		fmt.Fprintf(w, "worker_busy{instance_id=\"i-1\"} 2\nworker_busy{instance_id=\"i-2\"} 0\n")
	}))
	defer exporter.Close()
	r := open(t, serve(t, program, exporter.Listener.Addr().String()), Queries{
		Depth: "sum(jobs_waiting)", Completed: "jobs_done_total", OldestS: `0 * max(jobs_waiting)`,
	}, "worker_busy")
	until(t, r, func(got source.Reading, err error) bool {
		return err == nil && got.Kinds[0].Waiting == 42 && got.Kinds[0].Completed.Total == source.Known(7) && len(got.Workers) == 2 && got.Workers[0] == source.Worker{Instance: "i-1", Busy: 2}
	})
	depth.Store(0)
	until(t, r, func(got source.Reading, err error) bool { return err == nil && got.Kinds[0].Waiting == 0 })
	down.Store(1)
	until(t, r, func(_ source.Reading, err error) bool {
		return err != nil && strings.Contains(err.Error(), "answers with 0 series")
	})
}

// until reads until a reading is as wanted, or a minute is over.
func until(t *testing.T, r *Reader, wanted func(source.Reading, error) bool) {
	t.Helper()
	var got source.Reading
	var err error
	for range 600 {
		if got, err = r.Read(t.Context()); wanted(got, err) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("read %+v, %v", got, err)
}

// serve starts a Prometheus that scrapes target every second, and returns its URL.
func serve(t *testing.T, program, target string) string {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs: [{job_name: queue, static_configs: [{targets: ['%s']}]}]\n", target)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		server.Wait()
	})
	return "http://" + address
}
