package main

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a command from the terminal's Ctrl-C, and from outliving this
// process however that ends. The signal comes when the thread that has started the
// command ends: with the process, since no goroutine here is locked to a thread.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// signalGroup sends a signal to a command and what it has started.
func signalGroup(c *exec.Cmd, s syscall.Signal) { syscall.Kill(-c.Process.Pid, s) }
