package pgtest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends PostgreSQL and all its processes as kill -9 does. Restart starts it
// again.
func (s *Server) Kill() error {
	if err := s.Freeze(); err != nil {
		return err
	}
	children, err := s.children()
	if err != nil {
		return err
	}
	if err := s.signal(syscall.SIGKILL); err != nil {
		return err
	}
	s.processes[0].Wait()
	for _, pid := range children {
		for range 1000 { // or its memory would still be shared when the next one starts
			if gone(pid) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// gone reports whether a process has ended, whether anybody waited for it or
// not.
func gone(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	state := bytes.TrimLeft(stat[bytes.LastIndexByte(stat, ')')+1:], " ")
	return len(state) == 0 || state[0] == 'Z' || state[0] == 'X'
}

// Restart starts PostgreSQL after Kill, or after it ended by itself, where it
// was, and waits until it answers.
func (s *Server) Restart() error {
	ended := s.processes[0]
	ended.Process.Kill()
	ended.Wait()
	pid, err := s.launch(ended.Path, ended.Args[1:]...)
	if err != nil {
		return err
	}
	last := len(s.processes) - 1
	s.processes[0], s.processes = s.processes[last], s.processes[:last]
	s.PID = pid
	return s.await(s.Port)
}

// Freeze stops all processes of PostgreSQL where they are, as a machine or disk
// that hangs does. Thaw lets them go on.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw ends what Freeze began.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// signal sends a signal to the server's processes, to the first one last:
// nothing is left to be its child once it has gone.
func (s *Server) signal(signal syscall.Signal) error {
	if signal == syscall.SIGSTOP { // the first one first, or it would start others
		if err := syscall.Kill(s.PID, signal); err != nil {
			return err
		}
	}
	children, err := s.children()
	if err != nil {
		return err
	}
	for _, pid := range append(children, s.PID) {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// children returns the processes that the server's first has started.
func (s *Server) children() ([]int, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.PID), "task", strconv.Itoa(s.PID), "children"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
