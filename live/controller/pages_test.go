package controller_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// A journal begins a page a day, and all of it replays as one.
func TestAJournalTurnsItsPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.config("a"))
		w.minutes(k, 5, 1)
		w.finished(k, 10)
		first := w.journal.Len()
		time.Sleep(24 * time.Hour)
		w.minutes(k, 2, 0)
		time.Sleep(24 * time.Hour)
		w.minutes(k, 2, 0)
		if err := k.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.journal.Len() == first {
			t.Fatal("nothing was written")
		}
		if r := w.replay(); r.Headers != 3 || len(r.Breaks) != 0 {
			t.Errorf("%d pages in three days, %d breaks", r.Headers, len(r.Breaks))
		}
	})
}
