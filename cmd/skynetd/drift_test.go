package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/scenarios/incident"
)

// The day before a controller's first start is no trouble: nothing is logged as
// such, nothing kept, and the day is not looked at again.
func TestADayWithoutAJournalIsNoTrouble(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "controller.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log buffer
	d := &daily{
		fleet: "render", from: past.Sources{Journal: past.Store(t.Context(), store, "render")},
		store: store, log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	to := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	r := d.compare(t.Context(), incident.Span{Start: to.Add(-25 * time.Hour), From: to.Add(-24 * time.Hour), To: to})
	if r.Problem != "" || !r.To.Equal(to) || log.String() != "" {
		t.Errorf("%+v\n%s", r, log.String())
	}
	if text, err := store.Drift(t.Context(), "render"); err != nil || text != nil {
		t.Errorf("kept: %s, %v", text, err)
	}
}
