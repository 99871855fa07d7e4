// Package pgtest starts a PostgreSQL, and a PgBouncer in front of it, for tests
// and benchmarks: on free ports of the loopback interface, in a folder that goes
// away with them.
package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrMissing is that of a machine without the programs.
var ErrMissing = errors.New("not installed (Debian: apt-get install postgresql pgbouncer)")

// Server is a running server.
type Server struct {
	Dir  string
	Port int
	PID  int

	processes []*exec.Cmd
	logs      []string
	run       *syscall.Credential // who runs it: PostgreSQL refuses root
}

// find returns the path of a program that Debian keeps out of PATH.
func find(name string) (string, error) {
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	slices.Sort(versions)
	for _, path := range slices.Backward(versions) {
		return path, nil
	}
	for _, path := range []string{"/usr/sbin/" + name, name} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, ErrMissing)
}

// freePort returns a port nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Start makes a database cluster and runs it, with these settings more.
func Start(settings ...string) (*Server, error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if s.Dir, err = os.MkdirTemp("", "skynet-pg-"); err != nil {
		return nil, err
	}
	if err := s.start(initdb, settings); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) start(initdb string, settings []string) error {
	if os.Getuid() == 0 {
		postgres, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("user postgres: %w", ErrMissing)
		}
		uid, _ := strconv.Atoi(postgres.Uid)
		gid, _ := strconv.Atoi(postgres.Gid)
		s.run = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.Dir, uid, gid); err != nil {
			return err
		}
	}
	data := filepath.Join(s.Dir, "data")
	if out, err := s.command(initdb, "-D", data, "-U", "skynet", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	var err error
	if s.Port, err = freePort(); err != nil {
		return err
	}
	postgres, err := find("postgres")
	if err != nil {
		return err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.Dir}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	if s.PID, err = s.launch(postgres, args...); err != nil {
		return err
	}
	return s.await(s.Port)
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.run, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// launch starts a program that goes on until Stop.
func (s *Server) launch(program string, args ...string) (pid int, err error) {
	cmd := s.command(program, args...)
	name := filepath.Join(s.Dir, fmt.Sprintf("log-%d", len(s.logs)))
	log, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	s.processes, s.logs = append(s.processes, cmd), append(s.logs, name)
	return cmd.Process.Pid, nil
}

// await waits until a server answers.
func (s *Server) await(port int) error {
	isReady, err := find("pg_isready")
	if err != nil {
		return err
	}
	var out []byte
	for range 300 {
		if out, err = exec.Command(isReady, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "skynet", "-d", "postgres").CombinedOutput(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(s.logs[len(s.logs)-1])
	return fmt.Errorf("the server does not come up: %w: %s\n%s", err, out, log)
}

// URL returns where a database of the server is, through the given port.
func (s *Server) URL(port int, database string) string {
	return fmt.Sprintf("postgres://skynet@127.0.0.1:%d/%s", port, database)
}

// CreateDatabase makes a database.
func (s *Server) CreateDatabase(name string) error {
	psql, err := find("psql")
	if err != nil {
		return err
	}
	out, err := exec.Command(psql, "-X", "-q", "-d", s.URL(s.Port, "postgres"), "-c", `create database "`+name+`"`).CombinedOutput()
	if err != nil {
		return fmt.Errorf("create database %s: %w\n%s", name, err, out)
	}
	return nil
}

// Bounce starts a PgBouncer in transaction mode with few connections, and
// returns its port.
func (s *Server) Bounce() (port int, err error) {
	program, err := find("pgbouncer")
	if err != nil {
		return 0, err
	}
	if port, err = freePort(); err != nil {
		return 0, err
	}
	users := filepath.Join(s.Dir, "users.txt")
	file := filepath.Join(s.Dir, "pgbouncer.ini")
	config := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = trust\nauth_file = %s\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n", s.Port, port, users)
	if err := errors.Join(os.WriteFile(users, []byte("\"skynet\" \"\"\n"), 0o644), os.WriteFile(file, []byte(config), 0o644)); err != nil {
		return 0, err
	}
	if _, err := s.launch(program, file); err != nil {
		return 0, err
	}
	return port, s.await(port)
}

// Stop ends what was started and removes the folder.
func (s *Server) Stop() error {
	for _, cmd := range slices.Backward(s.processes) {
		cmd.Process.Signal(syscall.SIGINT) // both end at once on it
		cmd.Wait()
	}
	return os.RemoveAll(s.Dir)
}

// CPU returns how long the server's processes have used a processor, those that
// have ended included.
func (s *Server) CPU() (time.Duration, error) {
	return treeCPU(s.PID)
}

// treeCPU returns the processor time of a process, its children and those of
// its children that it has waited for, from Linux's /proc.
func treeCPU(pid int) (time.Duration, error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	sum := func(pid int, fields ...int) (time.Duration, int, error) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, 0, err
		}
		after := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		var ticks int64
		for _, f := range fields {
			n, err := strconv.ParseInt(after[f-3], 10, 64)
			if err != nil {
				return 0, 0, err
			}
			ticks += n
		}
		parent, err := strconv.Atoi(after[1])
		return time.Duration(ticks) * tick, parent, err
	}
	total, _, err := sum(pid, 14, 15, 16, 17) // its own, and those of children that ended
	if err != nil {
		return 0, err
	}
	others, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, path := range others {
		child, _ := strconv.Atoi(filepath.Base(path))
		if own, parent, err := sum(child, 14, 15); err == nil && parent == pid {
			total += own
		}
	}
	return total, nil
}
