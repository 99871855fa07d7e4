//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a command from the terminal's Ctrl-C.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
