package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
	"github.com/skynet-ec2/skynet/live/queue/torture"
)

// The environment of a longer torture, or of one that failed.
const (
	envTortureSeed = "SKYNET_TORTURE_SEED" // default 1
	envTortureOps  = "SKYNET_TORTURE_OPS"  // operations; default 1200
)

func fromEnv(t *testing.T, key string, otherwise uint64) uint64 {
	text := os.Getenv(key)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return n
}

// TestTorture tortures two processes of skynetd queue, one of them standing by,
// over each store that lasts: processes, database and disk fail at random
// moments while workers, producers and network misbehave. Then everything that
// was accepted must have been done once.
func TestTorture(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		g := &ground{t: t, dir: t.TempDir()}
		g.disk = smallDisk(t)
		g.store = "sqlite:" + g.dir + "/queue.db"
		if g.disk != "" {
			g.store = "sqlite:" + g.disk + "/queue.db"
		}
		g.torture()
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database, err := pgtest.Start("fsync=off") // processes die here, machines do not
		if errors.Is(err, pgtest.ErrMissing) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { database.Stop() })
		g := &ground{t: t, dir: t.TempDir(), database: database, store: database.URL(database.Port, "postgres")}
		g.torture()
	})
}

// lease is how long leases last here: short, so that many end.
const tortureLease = 3 * time.Second

// torture runs one torture and checks what was seen.
func (g *ground) torture() {
	t := g.t
	seed, operations := fromEnv(t, envTortureSeed, 1), fromEnv(t, envTortureOps, 1200)
	g.draw = rand.New(rand.NewPCG(seed, 3))
	for i := range g.processes {
		g.start(i)
	}
	network := &torture.Network{Under: &http.Transport{MaxIdleConnsPerHost: 256}, Hosts: g.hosts, Patience: 2 * time.Second, Late: tortureLease / 6, Seed: seed}
	through := func(role api.Role, patience time.Duration) *client.Client {
		c, err := client.New(client.Options{Token: token(t, g.dir, role), RetryFor: patience})
		if err != nil {
			t.Fatal(err)
		}
		c.Through(network)
		return c
	}
	operator := through(api.RoleOperator, time.Minute)
	crowd := 1
	if operations > 10_000 {
		crowd = 5
	}
	stop, stopped, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var record *torture.Record
	var failure error
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute+time.Duration(operations)*20*time.Millisecond)
	defer cancel()
	go func() {
		defer close(over)
		record, failure = torture.Run(ctx, torture.Options{
			Seed: seed, Operations: int(operations), LeaseTTL: tortureLease, Cluster: "default", Producers: 4 * crowd, Workers: 16 * crowd,
			Producer: through(api.RoleProducer, 5*time.Second), Worker: through(api.RoleWorker, 5*time.Second), Operator: operator,
			Calm: func() error {
				close(stop)
				<-stopped
				network.Calm()
				return operator.Ready(ctx)
			},
		})
	}()
	began := time.Now()
	g.rage(stop, over)
	raged := time.Since(began)
	close(stopped)
	<-over
	network.Close()
	for i := range g.processes {
		g.kill(i)
	}
	problems := record.Check()
	if failure != nil {
		problems = append(problems, failure.Error())
	}
	t.Logf("seed %d: %v of faults and %v to its end; processes %s; network %+v; %+v", seed, raged.Round(time.Second), time.Since(began).Round(time.Second), g.counts(), network.Faults(), record.Figures())
	if len(problems) > 0 {
		t.Errorf("%d faults, the first of them:\n%s\nagain: %s=%d %s=%d go test -count=1 -timeout 2h -run '%s' ./cmd/skynetd",
			len(problems), strings.Join(problems[:min(10, len(problems))], "\n"), envTortureSeed, seed, envTortureOps, operations, t.Name())
		for i, p := range g.processes {
			lines := strings.Split(strings.TrimSpace(p.text()), "\n")
			t.Logf("the end of process %d's log:\n%s", i, strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	}
	if f := record.Figures(); g.faults() < ragesMin || network.Faults().Sum() == 0 || f.Leaders < 2 || f.Jobs == 0 {
		t.Errorf("too tame: %d faults of processes, %d of the network, %d leaders", g.faults(), network.Faults().Sum(), f.Leaders)
	}
}

// counts returns what failed how often.
func (g *ground) counts() string {
	var b strings.Builder
	for i, f := range rages {
		if g.done[i] > 0 {
			fmt.Fprintf(&b, "%s %d, ", f.name, g.done[i])
		}
	}
	fmt.Fprintf(&b, "ended by itself %d", g.ended)
	return b.String()
}

func (g *ground) faults() (n int) {
	for _, k := range g.done {
		n += k
	}
	return n
}
