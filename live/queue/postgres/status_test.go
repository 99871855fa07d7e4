package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/skynet-ec2/skynet/live/queue/postgres"
)

// TestStatus: a database without tables has version 0, and asking changes
// nothing; opening brings it up to date.
func TestStatus(t *testing.T) {
	s := needServer(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, s.URL(s.Port, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "create database fresh", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	url := s.URL(s.Port, "fresh")
	for range 2 {
		if is, err := postgres.Status(ctx, url); err != nil || is.Have != 0 || is.Want < 1 {
			t.Errorf("%+v, %v", is, err)
		}
	}
	store, err := postgres.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if is, err := postgres.Status(ctx, url); err != nil || is.Have != is.Want {
		t.Errorf("%+v, %v", is, err)
	}
	if _, err := postgres.Status(ctx, "postgres://127.0.0.1:1/none"); err == nil {
		t.Error("no database, and no error")
	}
}
