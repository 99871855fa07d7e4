package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// stores opens every store there is, empty, and again as another process would.
func stores(t *testing.T, run func(t *testing.T, open func() controller.Store)) {
	opened := func(t *testing.T, place string) controller.Store {
		t.Helper()
		s, err := sqlstore.Open(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	t.Run("memory", func(t *testing.T) {
		m := controller.NewMemory(time.Now)
		run(t, func() controller.Store { return m })
	})
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a file?.db")
		run(t, func() controller.Store { return opened(t, "sqlite:"+file) })
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := pgtest.Start()
		if err != nil {
			t.Skipf("no PostgreSQL: %v", err)
		}
		t.Cleanup(func() { s.Stop() })
		port, err := s.Bounce()
		if err != nil {
			t.Logf("without PgBouncer: %v", err)
			port = s.Port
		}
		if err := s.CreateDatabase("fleet"); err != nil {
			t.Fatal(err)
		}
		run(t, func() controller.Store { return opened(t, s.URL(port, "fleet")) })
	})
}

// The law of every store: one leader at a time, epochs that grow, and nothing is
// saved by who was fenced.
func TestStores(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		ctx := t.Context()
		a, b := open(), open()
		if text, err := a.Load(ctx, "render"); text != nil || err != nil {
			t.Fatalf("an empty store holds %q, %v", text, err)
		}
		one, err := a.Lead(ctx, "render", "a", 1500*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lead(ctx, "render", "b", time.Second); !errors.Is(err, controller.ErrHeld) {
			t.Errorf("two lead: %v", err)
		}
		if other, err := b.Lead(ctx, "encode", "b", time.Second); err != nil || other != one {
			t.Errorf("another fleet: epoch %d, %v", other, err)
		}
		text := bytes.Repeat([]byte("{\"\x00\xff"), 100_000)
		if err := a.Save(ctx, "render", one, text); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Load(ctx, "render"); err != nil || !bytes.Equal(got, text) {
			t.Errorf("loaded %d bytes of %d, %v", len(got), len(text), err)
		}
		if err := a.Renew(ctx, "render", one, 300*time.Millisecond); err != nil {
			t.Error(err)
		}
		var two int64
		for two == 0 {
			switch two, err = b.Lead(ctx, "render", "b", time.Minute); {
			case errors.Is(err, controller.ErrHeld):
				time.Sleep(20 * time.Millisecond)
			case err != nil:
				t.Fatal(err)
			}
		}
		if two != one+1 {
			t.Errorf("epoch %d after %d", two, one)
		}
		if err := a.Save(ctx, "render", one, []byte("old")); !errors.Is(err, controller.ErrFenced) {
			t.Errorf("a fenced leader saves: %v", err)
		}
		if err := a.Renew(ctx, "render", one, time.Minute); !errors.Is(err, controller.ErrFenced) {
			t.Errorf("a fenced leader renews: %v", err)
		}
		if err := a.Resign(ctx, "render", one); err != nil {
			t.Error(err)
		}
		if _, err := a.Lead(ctx, "render", "a", time.Minute); !errors.Is(err, controller.ErrHeld) {
			t.Errorf("a fenced leader's resignation ended another's lead: %v", err)
		}
		if err := b.Resign(ctx, "render", two); err != nil {
			t.Error(err)
		}
		if three, err := a.Lead(ctx, "render", "a", time.Minute); err != nil || three != two+1 {
			t.Errorf("after the resignation: epoch %d, %v", three, err)
		}
		if got, err := a.Load(ctx, "render"); err != nil || !bytes.Equal(got, text) {
			t.Errorf("loaded %d bytes of %d, %v", len(got), len(text), err)
		}
	})
}

// Of many that want to lead at once one does.
func TestOneOfManyLeads(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		var wait sync.WaitGroup
		led := make(chan int64, 8)
		for range 8 {
			s := open()
			wait.Go(func() {
				epoch, err := s.Lead(t.Context(), "render", "x", time.Minute)
				switch {
				case err == nil:
					led <- epoch
				case !errors.Is(err, controller.ErrHeld):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		close(led)
		n := 0
		for range led {
			n++
		}
		if n != 1 {
			t.Errorf("%d lead", n)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for place, want := range map[string]string{
		"":                        "must be sqlite:FILE or postgres://",
		"sqlite:":                 "must be sqlite:FILE or postgres://",
		"mysql://x":               "must be sqlite:FILE or postgres://",
		"sqlite:/nowhere/at/all":  "open the controller's store: sqlite:/nowhere/at/all: unable",
		"postgres://127.0.0.1:1/": "open the controller's store",
	} {
		s, err := sqlstore.Open(context.Background(), place)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", place, err, want)
		}
	}
}
