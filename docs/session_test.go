//go:build unix

package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sessionMost bounds how long the commands of a page may take together, on
// the slowest machine: a command that hangs is found.
const sessionMost = 5 * time.Minute

// A reply is what a command printed, both outputs as a terminal shows them,
// and its exit code.
type reply struct {
	output string
	code   int
	ended  bool // false: the shell came to its end before
}

// mark begins the line that a session writes behind each command's output.
const mark = "\x1e"

// run types commands into one shell in dir, one after the other, and returns
// the replies and the CPU time they took. Programs of bin are found first.
// What a command leaves running ends with the session.
func run(t *testing.T, commands []command, dir, bin string) ([]reply, time.Duration) {
	t.Helper()
	var script bytes.Buffer
	for _, c := range commands {
		// $? of the command before is the command's to see
		fmt.Fprintf(&script, "(exit ${replied:-0})\n%s\nreplied=$?\nprintf '"+`\036`+"%%s\\n' $replied\n", ours(c.text))
	}
	aside := t.TempDir()
	scriptFile, outputFile := filepath.Join(aside, "script"), filepath.Join(aside, "output")
	if err := os.WriteFile(scriptFile, script.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(outputFile)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	ctx, cancel := context.WithTimeout(t.Context(), sessionMost)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", scriptFile)
	shell.Dir = dir
	shell.Env = []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + aside, "TMPDIR=" + aside, "LC_ALL=C.UTF-8", "TZ=UTC"}
	shell.Stdout, shell.Stderr = output, output
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	var failed *exec.ExitError
	if err := shell.Run(); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if err := syscall.Kill(-shell.Process.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	text, err := os.ReadFile(outputFile)
	if err != nil {
		t.Fatal(err)
	}
	cpu := shell.ProcessState.UserTime() + shell.ProcessState.SystemTime()
	return replies(string(text), len(commands)), cpu
}

// replies takes apart what a session of n commands wrote.
func replies(text string, n int) []reply {
	all := make([]reply, n)
	for i := range all {
		var rest, code string
		all[i].output, rest, all[i].ended = strings.Cut(text, mark)
		if code, text, _ = strings.Cut(rest, "\n"); all[i].ended {
			all[i].code, _ = strconv.Atoi(code)
		}
	}
	return all
}

// goRun finds how a clone runs a program that is not installed.
var goRun = regexp.MustCompile(`\bgo run \./cmd/(skynet[a-z-]*)`)

// ours returns a command with the programs of this very tree in the place of
// "go run ./cmd/NAME", which would build them once more.
func ours(text string) string { return goRun.ReplaceAllString(text, "$1") }

// programs returns the folder of all programs of cmd/, built once.
func programs(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

var built = sync.OnceValues(func() (string, error) {
	// What go build reads the test's cache does not know of: looking at every
	// file of the tree makes it run again when one has changed.
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".go" {
			_, err = os.Stat(name)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	bin := filepath.Join(scratch, "bin")
	// Profiles would have every package compiled once more than for the tests.
	build := exec.Command("go", "build", "-pgo=off", "-buildvcs=false", "-o", bin+"/", "../cmd/...")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return bin, nil
})

// scratch is a folder for what tests share.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "docs"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// desk returns a new folder that looks like the repository as far as pages
// need it: scenarios and policies, and the files of docs/samples.
func desk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"scenarios", "docs/samples"} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(name, ".."))
			if entry.IsDir() {
				return os.MkdirAll(to, 0o700)
			}
			if filepath.Ext(name) == ".go" {
				return nil
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return os.WriteFile(to, text, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSessionIsOneShell(t *testing.T) {
	commands := []command{{text: "printf 'no newline'; x=1"}, {text: "ls nowhere >&2"}, {text: "echo $? $x"}, {text: "exit 7"}, {text: "echo never"}}
	got, _ := run(t, commands, t.TempDir(), t.TempDir())
	if got[0].output != "no newline" || got[0].code != 0 {
		t.Errorf("%+v", got[0])
	}
	if got[1].code == 0 || got[1].output == "" || got[2].output != fmt.Sprintf("%d 1\n", got[1].code) {
		t.Errorf("%+v, then %+v", got[1], got[2])
	}
	if got[3].ended || got[4].ended {
		t.Errorf("behind the shell's end: %+v", got[3:])
	}
	if is := ours("go run ./cmd/skynet simulate x"); is != "skynet simulate x" {
		t.Errorf("go run becomes %q", is)
	}
}
