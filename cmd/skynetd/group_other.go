//go:build !linux

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup does nothing where nothing is known of groups.
func ownGroup(*exec.Cmd) {}

// signalGroup sends a signal to a command.
func signalGroup(c *exec.Cmd, s syscall.Signal) { c.Process.Signal(s) }
