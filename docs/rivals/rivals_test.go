package main

import (
	"bytes"
	"os"
	"testing"

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
