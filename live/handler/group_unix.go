//go:build unix

package handler

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// A group is a program and everything it starts, unless that leaves the group.
type group struct{ pid int }

// startGroup starts a command in a group of its own, with its limits on memory
// and file size. A shell sets them on itself and then becomes the program, so
// there is no moment without them.
func startGroup(c *exec.Cmd, l limits) (group, error) {
	var script strings.Builder
	script.WriteString("ulimit -c 0; ")
	const block = 512 // bytes, of ulimit -f
	fmt.Fprintf(&script, "ulimit -f %d || exit 125; ", (l.output+block-1)/block)
	if l.memory > 0 {
		fmt.Fprintf(&script, "ulimit -v %d || exit 125; ", (l.memory+1023)/1024)
	}
	script.WriteString(`exec "$@"`)
	c.Args = append([]string{"sh", "-c", script.String(), "sh", c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(c.SysProcAttr)
	runtime.LockOSThread() // what dies with its parent, dies with the parent's thread
	defer runtime.UnlockOSThread()
	if err := c.Start(); err != nil {
		return group{}, err
	}
	return group{c.Process.Pid}, nil
}

// kill ends everything in the group at once.
func (g group) kill() { syscall.Kill(-g.pid, syscall.SIGKILL) }

// peakMemory returns the most memory that a process and its children had, in bytes.
func peakMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) * maxrssUnit
	}
	return 0
}
