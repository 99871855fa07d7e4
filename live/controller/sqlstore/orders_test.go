package sqlstore_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
)

// desk is what operators use of a store.
type desk interface {
	controller.Book
	controller.Switch
}

// The law of every book: nothing is overwritten that nobody has read, every change
// stands in the acts once, and a fleet's orders are its own.
func TestOrders(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		ctx := t.Context()
		a, b := open().(desk), open().(desk)
		if o, err := a.Orders(ctx, "render"); err != nil || o.Revision != 0 || o.Wishes != nil {
			t.Fatalf("empty: %+v, %v", o, err)
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		wish := controller.Wish{Kind: policy.WishFloor, Instances: 4, By: "ann", Why: "noon", Until: now.Add(time.Hour)}
		var wait sync.WaitGroup
		for i, d := range []desk{a, b, a, b} {
			wait.Go(func() {
				_, err := controller.Change(ctx, d, "render", func(o *controller.Orders) (controller.Act, error) {
					w, err := o.Add(now, wish, nil)
					return controller.Act{At: now, By: "ann", What: w.String(), Why: "noon"}, err
				})
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wait.Wait()
		o, err := b.Orders(ctx, "render")
		if err != nil || o.Revision != 4 || len(o.Wishes) != 4 || o.Wishes[3].Number != 4 {
			t.Fatalf("four changes at once: %+v, %v", o, err)
		}
		o.Revision--
		if err := a.Order(ctx, "render", o, controller.Act{At: now}); !errors.Is(err, controller.ErrStale) {
			t.Errorf("over what was not read: %v", err)
		}
		if err := a.Note(ctx, "render", controller.Act{At: now, By: "controller a", What: "decides by version 1"}); err != nil {
			t.Fatal(err)
		}
		acts, err := b.Acts(ctx, "render", 3)
		if err != nil || len(acts) != 3 || acts[0].By != "controller a" || acts[1] != (controller.Act{At: now, By: "ann", What: "floor 4 instances", Why: "noon"}) {
			t.Errorf("acts %+v, %v", acts, err)
		}
		if all, err := b.Acts(ctx, "render", 100); err != nil || len(all) != 5 {
			t.Errorf("%d acts, %v", len(all), err)
		}
		if o, err := b.Orders(ctx, "other"); err != nil || o.Revision != 0 {
			t.Errorf("another fleet: %+v, %v", o, err)
		}
	})
}

// The switch: the last stop stands, resuming says what it was, and both are acts.
func TestSwitch(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		ctx := t.Context()
		a, b := open().(desk), open().(desk)
		now := time.Now().UTC().Truncate(time.Second)
		is := controller.RowStops(b, "render")
		if s := is(now); s.Is(now) {
			t.Fatalf("%v", s)
		}
		first := controller.Stopped{Reason: "looks odd", By: "ann", Since: now}
		second := controller.Stopped{Reason: "EC2 is down", By: "bob", Since: now, Until: now.Add(time.Hour)}
		for _, s := range []controller.Stopped{first, second} {
			if err := a.Stop(ctx, "render", s); err != nil {
				t.Fatal(err)
			}
			if got := is(now); got != s {
				t.Errorf("%+v, want %+v", got, s)
			}
		}
		if s := is(now.Add(2 * time.Hour)); s.Reason != "" {
			t.Errorf("beyond its time: %v", s)
		}
		if other := controller.RowStops(b, "other")(now); other.Is(now) {
			t.Errorf("another fleet: %v", other)
		}
		was, err := b.Resume(ctx, "render", controller.Act{At: now, By: "bob", What: "resume", Why: "it is up"})
		if err != nil || was != second || is(now).Is(now) {
			t.Errorf("was %+v, %v; is %v", was, err, is(now))
		}
		acts, err := a.Acts(ctx, "render", 10)
		whats := make([]string, len(acts))
		for i := range acts {
			whats[i] = acts[i].By + " " + acts[i].What
		}
		want := []string{"bob resume", "bob stop until " + second.Until.Format(time.RFC3339), "ann stop"}
		if err != nil || !slices.Equal(whats, want) {
			t.Errorf("acts %q, %v, want %q", whats, err, want)
		}
	})
}

// A store that does not answer stops.
func TestAnUnreadableRowStops(t *testing.T) {
	stores(t, func(t *testing.T, open func() controller.Store) {
		s := open()
		closer, can := s.(interface{ Close() error })
		if !can {
			t.Skip("a store in memory can always be read")
		}
		closer.Close()
		if stop := controller.RowStops(s.(desk), "render")(time.Now()); !stop.Is(time.Now()) {
			t.Error("it does not stop")
		}
	})
}
