package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/input"
	"github.com/skynet-ec2/skynet/live/photo"
	"github.com/skynet-ec2/skynet/live/photo/sample"
)

// A bench has a set of handlers and photos to work on.
type bench struct {
	t      *testing.T
	set    *Set
	photos string
}

func newBench(t *testing.T, set *Set) *bench {
	t.Helper()
	b := &bench{t, set, t.TempDir()}
	set.Fetch = &input.Fetcher{Folders: []string{b.photos}}
	file := sample.JPEG(sample.Options{Width: 320, Height: 240, Orientation: 6, ICC: sample.Profile("RGB ")})
	for name, content := range map[string][]byte{"in.jpg": file, "bad.jpg": []byte("no photo")} {
		if err := os.WriteFile(filepath.Join(b.photos, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// do does a job. %s in args is the photos' folder.
func (b *bench) do(ctx context.Context, kind, args string) (Result, string, error) {
	b.t.Helper()
	dir, scratch := b.t.TempDir(), b.t.TempDir()
	args = strings.ReplaceAll(args, "%s", "file://"+b.photos)
	r, err := b.set.Run(ctx, Job{ID: 7, Token: 9, Attempt: 2, Type: kind, Args: json.RawMessage(args)}, dir, scratch)
	return r, dir, err
}

func TestPhotoJobs(t *testing.T) {
	b := newBench(t, Defaults(false))
	for _, tt := range []struct {
		kind, args string
		files      map[string][2]int // width and height
	}{
		{"resize", `{"input":"%s/in.jpg","sizes":[{"name":"a","width":60,"height":60},{"name":"b","width":50,"height":50,"fit":"cover"}]}`, map[string][2]int{"a.jpg": {45, 60}, "b.jpg": {50, 50}}},
		{"resize", `{"input":"%s/in.jpg","format":"png"}`, map[string][2]int{"thumb.png": {150, 150}, "small.png": {240, 320}, "medium.png": {240, 320}, "large.png": {240, 320}}},
		{"rotate", `{"input":"%s/in.jpg","degrees":90}`, map[string][2]int{"in.jpg": {320, 240}}},
		{"rotate", `{"input":"%s/in.jpg","degrees":180,"name":"../Our Trip (2026).JPEG"}`, map[string][2]int{"Our-Trip-2026.jpg": {240, 320}}},
		{"watermark", `{"input":"%s/in.jpg","text":"© Ada","position":"top","opacity":0.9,"quality":70}`, map[string][2]int{"in.jpg": {240, 320}}},
		{"watermark", `{"input":"%s/in.jpg","mark":"%s/in.jpg"}`, map[string][2]int{"in.jpg": {240, 320}}},
	} {
		r, dir, err := b.do(t.Context(), tt.kind, tt.args)
		if err != nil {
			t.Errorf("%s %s: %v", tt.kind, tt.args, err)
			continue
		}
		if len(r.Files) != len(tt.files) || r.BytesIn == 0 || r.BytesOut == 0 {
			t.Errorf("%s %s: %+v", tt.kind, tt.args, r)
		}
		for _, f := range r.Files {
			want, known := tt.files[f.Name]
			in, err := os.Open(filepath.Join(dir, f.Name))
			if err != nil {
				t.Fatal(err)
			}
			p, err := photo.Read(in, photo.Bounds{})
			in.Close()
			if err != nil {
				t.Fatal(err)
			}
			w, h := p.Dimensions()
			if !known || w != want[0] || h != want[1] || f.Width != w || f.Height != h || p.ICC == nil {
				t.Errorf("%s %s: %s is %d × %d with a profile of %d bytes, listed as %+v; want %v", tt.kind, tt.args, f.Name, w, h, len(p.ICC), f, want)
			}
		}
	}
}

func TestPhotoJobsThatCannotBeDone(t *testing.T) {
	b := newBench(t, Defaults(false))
	for _, tt := range []struct{ kind, args, says string }{
		{"resize", ``, "input: must be given"},
		{"resize", `{`, "unexpected EOF"},
		{"resize", `{} {}`, "more than one value"},
		{"resize", `[]`, "array"},
		{"resize", `{"input":"%s/in.jpg","sizs":[]}`, `unknown "sizs" (did you mean "sizes"?)`},
		{"resize", `{"input":"%s/in.jpg","sizes":[{"name":"a","width":"60","height":60}]}`, "width"},
		{"resize", `{"input":"%s/in.jpg","sizes":[{"name":"../a","width":60,"height":60}]}`, "file name"},
		{"resize", `{"input":"%s/in.jpg","sizes":[{"name":"a","width":0,"height":60}]}`, "width 0: must be from 1"},
		{"resize", `{"input":"%s/in.jpg","sizes":[{"name":"a","width":5,"height":5},{"name":"a","width":9,"height":9}]}`, "two files"},
		{"resize", `{"input":"%s/in.jpg","sizes":[` + strings.Repeat(`{"name":"a","width":5,"height":5},`, 50) + `{"name":"a","width":9,"height":9}]}`, "51 sizes: must be at most 50"},
		{"resize", `{"input":"%s/in.jpg","format":"jpg"}`, `format "jpg": must be jpeg or png (did you mean "jpeg"?)`},
		{"rotate", `{"input":"%s/in.jpg","degrees":45}`, "degrees 45: must be 0, 90, 180 or 270"},
		{"rotate", `{"input":"%s/bad.jpg"}`, "neither JPEG nor PNG"},
		{"rotate", `{"input":"%s/none.jpg"}`, "no such file"},
		{"rotate", `{"input":"file:///etc/passwd"}`, "files may be read below"},
		{"watermark", `{"input":"%s/in.jpg"}`, "neither text nor mark"},
		{"watermark", `{"input":"%s/in.jpg","text":"x","opacity":7}`, "opacity 7: must be from 0 to 1"},
		{"watermark", `{"input":"%s/in.jpg","text":"x","quality":101}`, "quality 101: must be from 1 to 100"},
		{"exec", `{"command":["true"]}`, `job type "exec": this worker has no handler for it`},
	} {
		if _, _, err := b.do(t.Context(), tt.kind, tt.args); !errors.Is(err, ErrFinal) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s %s: %v, want one for good that says %q", tt.kind, tt.args, err, tt.says)
		}
	}
}

func TestResultIsBounded(t *testing.T) {
	b := newBench(t, Defaults(false))
	b.set.Files = 1000
	if _, _, err := b.do(t.Context(), "rotate", `{"input":"%s/in.jpg"}`); !errors.Is(err, ErrFinal) || !strings.Contains(err.Error(), "may be 1000") {
		t.Errorf("%v", err)
	}
}

func TestProgram(t *testing.T) {
	set, err := parse("handlers.toml", `
[[handler]]
type = "copy"
command = ["sh", "-c", 'cp "$1" "$2/copy.jpg"; echo "$SKYNET_JOB $SKYNET_ATTEMPT $SKYNET_TYPE $SKYNET_ARGS" > "$2/told.txt"; pwd > "$2/where.txt"', "sh", "{input}", "{output}"]
`)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SKYNET_TOKEN", "secret")
	b := newBench(t, set)
	r, dir, err := b.do(t.Context(), "copy", `{"input":"%s/in.jpg","of the program":[1,2]}`)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := os.ReadFile(filepath.Join(b.photos, "in.jpg"))
	out, err := os.ReadFile(filepath.Join(dir, "copy.jpg"))
	if err != nil || string(in) != string(out) || r.BytesIn != int64(len(in)) {
		t.Errorf("%d of %d bytes copied, %v", len(out), len(in), err)
	}
	told, _ := os.ReadFile(filepath.Join(dir, "told.txt"))
	if !strings.HasPrefix(string(told), `7 2 copy {"input":"file:`) || !strings.Contains(string(told), `"of the program":[1,2]`) {
		t.Errorf("told %q", told)
	}
	var types []string
	for _, f := range r.Files {
		types = append(types, f.Name+" "+f.ContentType)
	}
	if !slices.Contains(types, "copy.jpg image/jpeg") || len(types) != 3 {
		t.Errorf("%v", types)
	}
	if r.MemoryPeak == 0 {
		t.Error("its memory is not known")
	}
}

// anyProgram returns a set whose exec jobs have limits.
func anyProgram(l limits) *Set {
	s := Defaults(true)
	s.kinds["exec"] = &program{limits: l}
	return s
}

// execArgs returns args that run a shell script.
func execArgs(script string) string {
	text, err := json.Marshal(map[string][]string{"command": {"sh", "-c", script}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestProgramSeesNoSecrets(t *testing.T) {
	t.Setenv("SKYNET_TOKEN", "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	b := newBench(t, Defaults(true))
	_, dir, err := b.do(t.Context(), "exec", execArgs(`env > "$SKYNET_OUTPUT/env.txt"`))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "env.txt"))
	if len(text) == 0 || strings.Contains(string(text), "secret") {
		t.Errorf("it sees %s", text)
	}
}

func TestProgramThatFails(t *testing.T) {
	b := newBench(t, Defaults(true))
	for _, tt := range []struct {
		args, says string
		final      bool
	}{
		{execArgs(`echo first; echo the reason >&2; exit 3`), "exec sh: exit status 3: first\nthe reason", false},
		{execArgs(`kill -9 $$`), "signal: killed", false},
		{execArgs(`i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; exit 1`), "line 1999", false},
		{`{"command":["no-such-program-here"]}`, "not found", true},
		{`{"command":["/no/such/program"]}`, "no such file", true},
		{`{"command":["/etc/passwd"]}`, "permission denied", true},
		{`{"command":["./handler.go"]}`, "./handler.go", true},
		{`{"command":[]}`, "command: must be given", true},
		{`{"comand":["x"]}`, `unknown "comand" (did you mean "command"?)`, true},
		{execArgs(`ln -s /etc/passwd "$SKYNET_OUTPUT/passwd"`), "no regular file", true},
		{execArgs(`mkdir "$SKYNET_OUTPUT/d"`), "no regular file", true},
		{execArgs(`touch "$SKYNET_OUTPUT/a b"`), "file name", true},
	} {
		_, _, err := b.do(t.Context(), "exec", tt.args)
		if err == nil || errors.Is(err, ErrFinal) != tt.final || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 3000 {
			t.Errorf("%s: %v, want one that says %q, for good %t", tt.args, err, tt.says, tt.final)
		}
	}
}

func TestProgramLimits(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		limits limits
		script string
		says   string
		final  bool
	}{
		"time":       {limits{time: 300 * time.Millisecond, output: mib}, `sleep 60`, "killed after 300ms: time_max", false},
		"one file":   {limits{time: time.Minute, output: mib}, `head -c 9000000 /dev/zero > "$SKYNET_OUTPUT/f"`, "", false},
		"many files": {limits{time: time.Minute, output: mib}, `i=0; while :; do head -c 500000 /dev/zero > "$SKYNET_OUTPUT/f$i"; i=$((i+1)); sleep 0.01; done`, "output_max", true},
		"result":     {limits{time: time.Minute, output: mib}, `for i in 1 2 3; do head -c 500000 /dev/zero > "$SKYNET_OUTPUT/f$i"; done`, "more than output_max", true},
		"memory":     {limits{time: time.Minute, memory: 100 * mib, output: mib}, `exec head -c 400000000 /dev/zero | tail -c 300000000 > /dev/null`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, anyProgram(tt.limits))
			started := time.Now()
			_, _, err := b.do(t.Context(), "exec", execArgs(tt.script))
			if err == nil || errors.Is(err, ErrFinal) != tt.final || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want one that says %q, for good %t", err, tt.says, tt.final)
			}
			if took := time.Since(started); took > 50*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestProgramsChildrenAreKilled(t *testing.T) {
	b := newBench(t, anyProgram(limits{time: 400 * time.Millisecond, output: 1 << 20}))
	pids := filepath.Join(b.photos, "pid")
	b.do(t.Context(), "exec", execArgs(fmt.Sprintf(`sleep 300 & echo $! > %q; wait`, pids)))
	gone(t, pids)
}

func TestWhatAProgramLeavesRunningIsKilled(t *testing.T) {
	b := newBench(t, Defaults(true))
	pids := filepath.Join(b.photos, "pid")
	if _, _, err := b.do(t.Context(), "exec", execArgs(fmt.Sprintf(`sleep 300 & echo $! > %q`, pids))); err != nil {
		t.Errorf("%v", err)
	}
	gone(t, pids)
}

func TestCancelledProgramIsKilled(t *testing.T) {
	b := newBench(t, Defaults(true))
	pids := filepath.Join(b.photos, "pid")
	why := errors.New("not wanted any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(300*time.Millisecond, func() { cancel(why) })
	if _, _, err := b.do(ctx, "exec", execArgs(fmt.Sprintf(`echo $$ > %q; sleep 300`, pids))); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	gone(t, pids)
}

// gone waits until the process whose id is in a file is no more.
func gone(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d lives", pid)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "handlers.toml")
	text := `
[[handler]]
type = "photo"
builtin = "resize"

[[handler]]
type = "video"
command = ["./bin/encode", "{input}"]
time_max = "90s"
memory_max = "2GiB"
output_max = "500MB"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Types(), []string{"photo", "video"}) {
		t.Errorf("%v", s.Types())
	}
	p := s.kinds["video"].(*program)
	if p.command[0] != filepath.Join(dir, "bin/encode") || p.limits != (limits{90 * time.Second, 2 << 30, 500_000_000}) {
		t.Errorf("%+v", p)
	}
	if d := Defaults(false).Types(); !slices.Equal(d, []string{"resize", "rotate", "watermark"}) {
		t.Errorf("%v", d)
	}
}

func TestParseNamesEveryProblem(t *testing.T) {
	text := `title = "x"
[[handler]]
type = "a"
builtn = "resize"

[[handler]]
type = "b"
builtin = "resice"

[[handler]]
type = "c"
command = ["x"]
time_max = "60"

[[handler]]
type = "d"
command = ["x"]
memory_max = "lots"

[[handler]]
type = "e"
builtin = "rotate"
time_max = "1s"

[[handler]]
Type = "f"
builtin = "rotate"

[[handler]]
type = "g"
command = []

[[handler]]
type = "h"
builtin = "rotate"

[[handler]]
type = "h"
builtin = "rotate"
`
	_, err := parse("h.toml", text)
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	for _, says := range []string{
		`h.toml:1: unknown key "title"`,
		`h.toml:4: unknown key "builtn" (did you mean "builtin"?)`,
		`h.toml:3: handler for "a": must have either builtin or command`,
		`h.toml:8: builtin = "resice": must be resize, rotate, watermark (did you mean "resize"?)`,
		`h.toml:13: time_max = "60": must be a duration above 0, such as "90s", of at most 24h`,
		`h.toml:18: memory_max = "lots": must be a size such as "512MiB", of at least 1.0 MiB`,
		`h.toml:22: builtin = "rotate": time_max, memory_max and output_max are limits of a command`,
		`h.toml:26: unknown key "Type" (did you mean "type"?)`,
		`h.toml:31: command = []: must name a program`,
		`h.toml:38: type = "h": it has a handler above`,
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q:\n%v", says, err)
		}
	}
	for _, text := range []string{"", "[[handler]\n", "handler = 3"} {
		if _, err := parse("h.toml", text); err == nil || !strings.HasPrefix(err.Error(), "h.toml") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzArgs(f *testing.F) {
	f.Add("resize", `{"input":"x","sizes":[{"name":"a","width":60,"height":60}]}`)
	f.Add("rotate", `{"input":"x","degrees":90}`)
	f.Add("watermark", `{"input":"x","text":"y","opacity":0.3}`)
	f.Add("program", `{"input":"x"}`)
	set := Defaults(false)
	set.Fetch = &input.Fetcher{}
	set.kinds["program"] = &program{command: []string{"/nonexistent/program"}, limits: limits{time: time.Second, output: 1}}
	f.Fuzz(func(t *testing.T, kind, args string) {
		if strings.Contains(strings.ToLower(args), "http") {
			return // nothing is fetched from the network
		}
		dir, scratch := t.TempDir(), t.TempDir()
		_, err := set.Run(context.Background(), Job{Type: kind, Args: json.RawMessage(args)}, dir, scratch)
		if !errors.Is(err, ErrFinal) {
			t.Errorf("%s %q: %v", kind, args, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%s %q: files are left", kind, args)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("[[handler]]\ntype = \"a\"\nbuiltin = \"resize\"\n")
	f.Add("[[handler]]\ntype = \"a\"\ncommand = [\"x\"]\ntime_max = \"1s\"\nmemory_max=\"1MB\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse("h.toml", text)
		if err == nil && len(s.Types()) == 0 {
			t.Errorf("%q has no handlers", text)
		}
	})
}

func TestExampleInTheDocs(t *testing.T) {
	s, err := Load("../../docs/worker/handlers.toml")
	if err != nil || !slices.Equal(s.Types(), []string{"photo", "proof", "video"}) {
		t.Errorf("%v, %v", s, err)
	}
}
