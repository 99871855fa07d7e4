package main

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// workerProcesses are the workers of simulated instances: one process each, with
// a metadata service at an address of its own.
type workerProcesses struct {
	command []string
	sts     string // URL
	log     *slog.Logger
	server  *ec2api.Server // once attached is closed

	attached chan struct{}

	mu      sync.Mutex
	running map[string]*workerProcess
	done    sync.WaitGroup
}

type workerProcess struct {
	cmd      *exec.Cmd
	metadata *http.Server
	told     bool // to end
}

// stopGrace is what a worker has to end its jobs, as on EC2 before its instance
// is gone.
const stopGrace = 2 * time.Minute

func newWorkerProcesses(command []string, sts string, log *slog.Logger) *workerProcesses {
	return &workerProcesses{command: command, sts: sts, log: log, running: map[string]*workerProcess{}, attached: make(chan struct{})}
}

// attach says whom to tell of workers that end by themselves. A server that was
// restored starts workers before it is known here.
func (w *workerProcesses) attach(s *ec2api.Server) {
	w.server = s
	close(w.attached)
}

// exited tells the server that a worker has ended by itself.
func (w *workerProcesses) exited(id string, clean bool) {
	<-w.attached
	w.server.Exited(id, clean)
}

// Start implements ec2api.Launcher.
func (w *workerProcesses) Start(m ec2api.Machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.start(m)
	if err != nil {
		w.log.Error("a worker did not start", "instance", m.ID, "error", err)
		w.done.Go(func() { w.exited(m.ID, false) })
		return
	}
	w.running[m.ID] = p
	w.log.Info("worker starts", "instance", m.ID, "type", m.Type, "zone", m.Zone, "pid", p.cmd.Process.Pid)
	w.done.Go(func() { w.wait(m.ID, p) })
}

func (w *workerProcesses) start(m ec2api.Machine) (*workerProcess, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &workerProcess{cmd: exec.Command(w.command[0], w.command[1:]...), metadata: httpServer(m.Metadata, nil, w.log)}
	p.cmd.Env = append(os.Environ(),
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+listener.Addr().String(), "AWS_ENDPOINT_URL_STS="+w.sts,
		"SKYNET_INSTANCE_ID="+m.ID, "SKYNET_INSTANCE_TYPE="+m.Type, "SKYNET_INSTANCE_ZONE="+m.Zone,
		"SKYNET_INSTANCE_MARKET="+m.Market, "SKYNET_INSTANCE_SLOTS="+strconv.Itoa(m.Slots),
		"SKYNET_INSTANCE_SPEED="+strconv.FormatFloat(m.Speed, 'g', -1, 64),
	)
	p.cmd.Stdout, p.cmd.Stderr = os.Stderr, os.Stderr
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		listener.Close()
		return nil, err
	}
	go p.metadata.Serve(listener)
	return p, nil
}

// wait says when a worker has ended by itself.
func (w *workerProcesses) wait(id string, p *workerProcess) {
	err := p.cmd.Wait()
	p.metadata.Close()
	w.mu.Lock()
	told := p.told
	delete(w.running, id)
	w.mu.Unlock()
	w.log.Info("worker ended", "instance", id, "state", p.cmd.ProcessState.String())
	if !told {
		w.exited(id, err == nil)
	}
}

// Stop implements ec2api.Launcher.
func (w *workerProcesses) Stop(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.running[id]; p != nil {
		p.told = true
		signalGroup(p.cmd, syscall.SIGTERM)
		time.AfterFunc(stopGrace, func() { w.Kill(id) })
	}
}

// Kill implements ec2api.Launcher.
func (w *workerProcesses) Kill(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.running[id]; p != nil {
		p.told = true
		signalGroup(p.cmd, syscall.SIGKILL)
	}
}

// stopAll ends every worker, kindly for ten seconds.
func (w *workerProcesses) stopAll() {
	w.signalAll(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { w.done.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		w.signalAll(syscall.SIGKILL)
		<-ended
	}
}

func (w *workerProcesses) signalAll(s syscall.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.running {
		p.told = true
		signalGroup(p.cmd, s)
	}
}
