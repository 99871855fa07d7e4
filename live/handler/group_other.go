//go:build !unix

package handler

import (
	"errors"
	"os"
	"os/exec"
)

// A group is a program; what it starts is out of reach on this system.
type group struct{ process *os.Process }

func startGroup(c *exec.Cmd, l limits) (group, error) {
	if l.memory > 0 {
		return group{}, errors.New("memory_max: this system has no limit on a program's memory")
	}
	if err := c.Start(); err != nil {
		return group{}, err
	}
	return group{c.Process}, nil
}

func (g group) kill() { g.process.Kill() }

func peakMemory(*os.ProcessState) int64 { return 0 }
