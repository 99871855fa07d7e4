package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPageIsCurrent: docs/rivals.md is what would be generated now, and every
// policy has a comment to be found in it.
func TestPageIsCurrent(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/rivals.md is out of date: go generate ./docs/rivals\n%s", cmp.Diff(string(got), string(want)))
	}
}

// TestShort: a duration as people write it.
func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Hour: "1h", 100 * time.Minute: "1h40m", 3601 * time.Second: "1h0m1s",
	} {
		if got := short(d); got != want {
			t.Errorf("%d ns: got %s, want %s", d, got, want)
		}
	}
}
