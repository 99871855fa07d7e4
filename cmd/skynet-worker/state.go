package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/skynet-ec2/skynet/cmd/cli"
)

// stateDefault is where workers keep what they need, each in a folder of its own.
const stateDefault = "skynet-worker-state"

// workersMax bounds the workers that share the default folder.
const workersMax = 100

// A state is a folder that one worker has for itself while it runs: finished
// results that are not delivered yet, and scratch.
type state struct {
	dir  string
	lock *os.File
}

// openState locks the folder, or the first free one below the default.
func openState(dir string) (state, error) {
	if dir != "" {
		s, err := lockState(dir)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return s, cli.InputError(fmt.Errorf("--state %s: another worker has it", dir))
		}
		return s, err
	}
	for i := 1; i <= workersMax; i++ {
		s, err := lockState(filepath.Join(stateDefault, strconv.Itoa(i)))
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return s, err
		}
	}
	return state{}, cli.InputError(fmt.Errorf("%s: %d workers run already: give --state", stateDefault, workersMax))
}

func lockState(dir string) (state, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return state{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return state{}, cli.OutsideError(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return state{}, cli.OutsideError(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return state{}, fmt.Errorf("lock %s: %w", dir, err)
	}
	return state{dir, f}, nil
}

func (s state) outbox() string { return filepath.Join(s.dir, "outbox") }

// scratch returns an empty folder for what jobs need while they run.
func (s state) scratch() (string, error) {
	dir := filepath.Join(s.dir, "scratch")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// close lets another worker have the folder.
func (s state) close() { s.lock.Close() }
