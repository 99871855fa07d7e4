package main

import (
	"bytes"
	"os"
	"testing"
)

// TestUpToDate: the committed document is the one that the source makes.
func TestUpToDate(t *testing.T) {
	want, err := describe("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("live/api/openapi.json is out of date: go generate ./live/api")
	}
}
