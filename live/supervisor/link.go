//go:build unix

package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The words between supervisor and worker.
const (
	wordHealthy = "healthy" // of the worker: it works
	wordAway    = "away"    // of the worker: no queue answers, which is not its fault
	wordLook    = "look"    // of the worker: the queue says that there is another release
	wordDrain   = "drain"   // to the worker: finish your jobs and end
)

// What a worker learns from its environment.
const (
	envLink    = "SKYNET_SUPERVISOR"
	envRelease = "SKYNET_RELEASE"
	envVersion = "SKYNET_RELEASE_VERSION"
	envFolder  = "SKYNET_RELEASE_FOLDER"
	envBad     = "SKYNET_RELEASES_BAD"
	envFetch   = "SKYNET_RELEASE_FETCH"
	envUnpack  = "SKYNET_RELEASE_UNPACK"
)

// A Link is a worker's end of its supervisor. The nil Link is that of a worker
// without one: nobody listens, and nobody asks for anything.
type Link struct {
	Release       int64
	Version       string
	Folder        string // of the release's files
	Bad           []int64
	Fetch, Unpack time.Duration // what the installation took; 0: it was there

	// Drain is closed when the worker is to finish its jobs and end.
	Drain <-chan struct{}
	// Gone is closed when the supervisor has ended: the worker is to end soon.
	Gone <-chan struct{}

	mu sync.Mutex
	to io.WriteCloser
}

// Linked returns the link to the supervisor that started this process, or nil
// where none did.
func Linked() (*Link, error) {
	spec := os.Getenv(envLink)
	if spec == "" {
		return nil, nil
	}
	var up, down uintptr
	if _, err := fmt.Sscanf(spec, "%d,%d", &up, &down); err != nil {
		return nil, fmt.Errorf("%s=%q: must be two file descriptors", envLink, spec)
	}
	os.Unsetenv(envLink) // nothing that the worker starts is supervised
	syscall.CloseOnExec(int(up))
	syscall.CloseOnExec(int(down))
	drain, gone := make(chan struct{}), make(chan struct{})
	l := &Link{
		Version: os.Getenv(envVersion), Folder: os.Getenv(envFolder),
		Drain: drain, Gone: gone, to: os.NewFile(up, "supervisor"),
	}
	l.Release, _ = strconv.ParseInt(os.Getenv(envRelease), 10, 64)
	l.Fetch, _ = time.ParseDuration(os.Getenv(envFetch))
	l.Unpack, _ = time.ParseDuration(os.Getenv(envUnpack))
	for _, word := range strings.Split(os.Getenv(envBad), ",") {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			l.Bad = append(l.Bad, n)
		}
	}
	from := os.NewFile(down, "supervisor")
	go func() {
		defer close(gone)
		lines, asked := bufio.NewScanner(from), false
		for lines.Scan() {
			if lines.Text() == wordDrain && !asked {
				asked = true
				close(drain)
			}
		}
	}()
	return l, nil
}

// Healthy tells the supervisor that this release works.
func (l *Link) Healthy() { l.say(wordHealthy) }

// Away tells the supervisor that the queue is out of reach: a release on trial
// cannot prove itself meanwhile.
func (l *Link) Away() { l.say(wordAway) }

// Look asks the supervisor to look for another release now.
func (l *Link) Look() { l.say(wordLook) }

// say sends a word; a supervisor that is gone does not hear it.
func (l *Link) say(word string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	io.WriteString(l.to, word+"\n")
}
