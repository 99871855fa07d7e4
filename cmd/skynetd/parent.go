package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// parentEnv holds the number of a descriptor: the end of a pipe that nobody writes
// to. When it can be read, the process that holds the other end is gone, however it
// ended.
const parentEnv = "SKYNETD_PARENT"

// tie makes a command of this program end with this process, cleanly, wherever there
// are pipes. The pipe's other end must stay open as long as this process lives; f is
// the end that is read.
func tie(c *exec.Cmd, f *os.File) {
	c.ExtraFiles = append(c.ExtraFiles, f)
	const first = 3 // of the descriptors that ExtraFiles become
	c.Env = append(c.Environ(), fmt.Sprintf("%s=%d", parentEnv, first+len(c.ExtraFiles)-1))
}

// untilParentEnds returns a context that ends with ctx, and with the process that
// has tied this one to itself, if one has.
func untilParentEnds(ctx context.Context) context.Context {
	descriptor, err := strconv.ParseUint(os.Getenv(parentEnv), 10, 31)
	if err != nil {
		return ctx
	}
	os.Unsetenv(parentEnv) // what this one starts is its own
	pipe := os.NewFile(uintptr(descriptor), "parent")
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		pipe.Read(make([]byte, 1))
		cancel()
	}()
	return ctx
}
