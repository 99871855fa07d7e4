//go:build unix

package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/skynet-ec2/skynet/live/bundle"
)

// A child is a worker that runs.
type child struct {
	cmd     *exec.Cmd
	to      io.WriteCloser
	words   <-chan string   // but wordHealthy
	healthy <-chan struct{} // closed once it has said so
	ended   <-chan error    // once: how it ended
}

// start starts a release, with one pipe from it and one to it.
func start(s *Supervisor, r bundle.Installed) (*child, error) {
	folder := s.Place.Folder(r.Number)
	program := filepath.Join(folder, filepath.FromSlash(r.Run[0]))
	if !filepath.IsAbs(program) {
		var err error
		if program, err = filepath.Abs(program); err != nil {
			return nil, err
		}
	}
	fromR, fromW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	toR, toW, err := os.Pipe()
	if err != nil {
		fromR.Close()
		fromW.Close()
		return nil, err
	}
	c := exec.Command(program, append(append([]string{}, r.Run[1:]...), s.Args...)...)
	c.Stdout, c.Stderr = s.Output, s.Output
	c.ExtraFiles = []*os.File{fromW, toR} // 3 and 4 there
	c.Env = s.surroundings(r, folder)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(c.SysProcAttr)
	ended := make(chan error, 1)
	began := make(chan error)
	go func() {
		runtime.LockOSThread() // what dies with its parent, dies with the parent's thread
		defer runtime.UnlockOSThread()
		err := c.Start()
		began <- err
		if err == nil {
			ended <- c.Wait()
		}
	}()
	err = <-began
	fromW.Close()
	toR.Close()
	if err != nil {
		fromR.Close()
		toW.Close()
		return nil, fmt.Errorf("release %d: %w", r.Number, err)
	}
	words, healthy := listen(fromR)
	return &child{cmd: c, to: toW, words: words, healthy: healthy, ended: ended}, nil
}

// surroundings returns the environment of a release that lies in a folder.
func (s *Supervisor) surroundings(r bundle.Installed, folder string) []string {
	return append(append(os.Environ(), s.Env...),
		envLink+"=3,4",
		envRelease+"="+strconv.FormatInt(r.Number, 10),
		envVersion+"="+r.Version,
		envFolder+"="+folder,
		envBad+"="+joinNumbers(s.bad()),
		envFetch+"="+s.spent.Fetch.String(),
		envUnpack+"="+s.spent.Unpack.String(),
	)
}

// listen reads what a worker says, a word a line, until it ends. healthy is closed
// once the worker has said that it is.
func listen(from io.ReadCloser) (<-chan string, <-chan struct{}) {
	words, healthy := make(chan string, 16), make(chan struct{})
	go func() {
		defer from.Close()
		lines, said := bufio.NewScanner(from), false
		for lines.Scan() {
			word := strings.TrimSpace(lines.Text())
			if word == wordHealthy { // it is said once, and must not be missed
				if !said {
					said = true
					close(healthy)
				}
				continue
			}
			select {
			case words <- word:
			default: // a worker that talks too much is not waited for
			}
		}
	}()
	return words, healthy
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// drain asks the worker to finish its jobs, however long they take, and to end.
func (c *child) drain() { io.WriteString(c.to, wordDrain+"\n") }

// hurry asks the worker to end soon: it gives back what it cannot finish.
func (c *child) hurry() { c.cmd.Process.Signal(syscall.SIGTERM) }

// kill ends the worker and what it started at once.
func (c *child) kill() {
	syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	c.to.Close()
}

func joinNumbers(numbers []int64) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(words, ",")
}
