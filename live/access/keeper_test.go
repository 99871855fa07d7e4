package access

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// memory keeps facts as a queue does.
type memory struct {
	mu    sync.Mutex
	facts map[string][]byte
}

func (m *memory) SetFact(_ context.Context, kind, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if value == nil {
		delete(m.facts, kind+" "+key)
	} else {
		m.facts[kind+" "+key] = value
	}
	return nil
}

func (m *memory) Facts(kind string) map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string][]byte{}
	for key, value := range m.facts {
		if rest, ok := strings.CutPrefix(key, kind+" "); ok {
			all[rest] = value
		}
	}
	return maps.Clone(all)
}

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const (
	plainReader   = "reader-reader-reader-reader-reader"
	plainOperator = "operator-operator-operator-operator"
	plainExpired  = "expired-expired-expired-expired-expired"
)

// open returns a keeper and its log.
func open(t testing.TB, file string, verifiers ...Verifier) (*Keeper, *memory, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	k, err := Open(Options{File: file, Cluster: "test", Log: slog.New(slog.NewTextHandler(&log, nil)), Bootstrap: verifiers})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{facts: map[string][]byte{}}
	k.Serve(m)
	return k, m, &log
}

func TestCaller(t *testing.T) {
	file := writeTokens(t, "reader "+plainReader+" tenant=smith name=x\noperator "+HashOf(plainOperator).String()+"\nworker "+plainExpired+" expires=2026-05-01T00:00:00Z\n")
	k, _, log := open(t, file)
	for token, want := range map[string]api.Role{
		plainReader: api.RoleReader, plainOperator: api.RoleOperator, plainExpired: "", "": "", "x": "",
		HashOf(plainOperator).String(): "", strings.ToUpper(plainReader): "", plainReader + " ": "",
	} {
		c, ok := k.Caller(token, now)
		if c.Role != want || ok != (want != "") {
			t.Errorf("%q: role %q, %t; want %q", token, c.Role, ok, want)
		}
	}
	if c, _ := k.Caller(plainReader, now); c.Tenant != "smith" || c.Name != "x" || !c.MayCall([]api.Role{api.RoleReader}) || c.MayCall([]api.Role{api.RoleOperator}) {
		t.Errorf("%+v", c)
	}
	if (Caller{}).MayCall([]api.Role{"", api.RoleReader}) {
		t.Error("nobody may call")
	}
	for _, secret := range []string{plainReader, plainOperator, plainExpired, HashOf(plainOperator).String()} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, log)
		}
	}
}

// TestRotation: tokens are exchanged while the queue runs; a file that is wrong
// changes nothing.
func TestRotation(t *testing.T) {
	file := writeTokens(t, "reader "+plainReader+"\n")
	k, _, _ := open(t, file)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { k.Watch(ctx, time.Millisecond) })
	defer watching.Wait()
	defer cancel()
	change := func(text string, modified time.Time) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	await := func(token string, want bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, ok := k.Caller(token, now); ok == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("token good: %t, want %t", !want, want)
			}
		}
	}
	change("reader "+plainReader+"\noperator "+plainOperator+"\n", now)
	await(plainOperator, true)
	await(plainReader, true)
	change("nonsense\n", now.Add(time.Second))
	time.Sleep(20 * time.Millisecond) // long enough to read it, if it did harm
	await(plainOperator, true)
	change("# half written\n", now.Add(time.Second+1))
	time.Sleep(20 * time.Millisecond)
	await(plainOperator, true)
	change("operator "+plainOperator+"\n", now.Add(2*time.Second))
	await(plainReader, false)
	await(plainOperator, true)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	await(plainOperator, true)
}

func TestMadeTokens(t *testing.T) {
	ctx := t.Context()
	file := writeTokens(t, "operator "+plainOperator+"\n")
	k, facts, _ := open(t, file)
	made, err := k.Make(ctx, Caller{Role: api.RoleProducer, Tenant: "smith", ExpiresAt: now.Add(time.Hour)}, "", now)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range facts.Facts(factKind) {
		if strings.Contains(key+string(value), made.Token) {
			t.Error("the token is stored, not its hash")
		}
	}
	if c, ok := k.Caller(made.Token, now); !ok || c.Tenant != "smith" || c.ID != made.ID {
		t.Errorf("%+v, %t", c, ok)
	}
	if _, ok := k.Caller(made.Token, now.Add(time.Hour)); ok {
		t.Error("it is good beyond its time")
	}
	// a standby that takes over knows it
	other, _, _ := open(t, file)
	other.Serve(facts)
	if c, ok := other.Caller(made.Token, now); !ok || c.Tenant != "smith" {
		t.Errorf("after a takeover: %+v, %t", c, ok)
	}
	if r := k.Records(now); len(r) != 2 || r[0].Cluster != "test" {
		t.Errorf("%+v", r)
	}
	if err := k.Revoke(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := k.Caller(made.Token, now); ok || len(facts.Facts(factKind)) > 0 {
		t.Error("it is good after it was revoked")
	}
	for id, code := range map[string]api.Code{made.ID: api.CodeNotFound, HashOf(plainOperator).ID(): api.CodeConflict} {
		err := k.Revoke(ctx, id)
		if e, ok := err.(*api.Error); !ok || e.Code != code {
			t.Errorf("revoke %s: %v, want %s", id, err, code)
		}
	}
}
