package main

import (
	"os"
	"testing"
)

// beWorker in the environment makes this very binary a skynet-worker.
const beWorker = "SKYNET_TEST_BE_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(beWorker) != "" {
		os.Exit(execute(os.Args[1:]))
	}
	os.Exit(m.Run())
}
