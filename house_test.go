// Package skynet_test keeps the house of docs/ARCHITECTURE.md in order: which
// folder may import which, and what must never appear in a folder whose output
// has to be the same bytes on every machine. A failure says why the rule is
// there. Rules of arithmetic, clocks and order are in house_determinism_test.go.
package skynet_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/skynet-ec2/skynet"

// A room is a folder and what its non-test code may import of ours. What is
// inside one room may import itself and its neighbors in it.
type room struct {
	folder string
	may    []string // "*": everything
	why    string
}

// rooms are ordered so that a room within a room comes first.
var rooms = []room{
	{"policy", nil, "two worlds obey the policy, so it knows neither"},
	{"traces", []string{"policy"}, "a trace is what was, whoever replays it"},
	{"sim", []string{"policy", "traces"}, "the simulator must run without scenarios, reports or anything live; and sim and live never know each other, or one would be tested by itself"},
	{"live", []string{"policy", "traces", "reports/chart"}, "production must not link the simulator; sim and live never know each other"},
	{"scenarios", []string{"policy", "sim", "traces"}, "a scenario sets up a simulation; nothing live, nothing printed"},
	{"reports/chart", nil, "the live dashboard draws with it, and must not link the simulator by way of it"},
	{"reports", []string{"policy", "sim", "traces", "reports/chart"}, "a report shows results; it does not load scenarios or talk to servers"},
	{"bench", []string{"policy", "sim", "traces", "scenarios", "live"}, "benchmarks measure the packages, not the programs"},
	{"docs", []string{"policy", "sim", "traces", "scenarios", "reports"}, "documents are generated from packages, not from programs"},
	{"cmd", []string{"*"}, "programs wire everything"},
	{"scripts", nil, "what builds and ships the programs knows nothing of what is in them"},
}

// within reports whether folder is outer or lies in it.
func within(folder, outer string) bool {
	return folder == outer || strings.HasPrefix(folder, outer+"/")
}

// roomOf returns the room that folder lies in.
func roomOf(folder string) (room, bool) {
	for _, r := range rooms {
		if within(folder, r.folder) {
			return r, true
		}
	}
	return room{}, false
}

// forbiddenArrow returns why from must not import to (both folders), or "".
func forbiddenArrow(from, to string) string {
	source, known := roomOf(from)
	if !known {
		return "the folder is no room of the house; give it one in house_test.go, with what it may import and why"
	}
	target, _ := roomOf(to)
	if target.folder == source.folder || slices.Contains(source.may, "*") || slices.Contains(source.may, target.folder) {
		return ""
	}
	return source.why
}

// A goFile is one parsed file of the tree.
type goFile struct {
	name   string // from the root of the repository, with slashes
	folder string
	test   bool
	syntax *ast.File
}

var fileSet = token.NewFileSet()

// goFiles parses every Go file of the module once.
var goFiles = sync.OnceValues(func() ([]goFile, error) {
	var files []goFile
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && foreign(entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		syntax, err := parser.ParseFile(fileSet, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		files = append(files, goFile{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), syntax})
		return nil
	})
	return files, err
})

// foreign reports whether a folder of this name holds no code of the module.
func foreign(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") ||
		slices.Contains([]string{"testdata", "tools", "bin", "out"}, name)
}

func allGoFiles(t *testing.T) []goFile {
	t.Helper()
	files, err := goFiles()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// An imported is one import of a file.
type imported struct {
	path string
	at   token.Position
}

// imports returns what f imports, and where it says so.
func (f goFile) imports() []imported {
	var all []imported
	for _, spec := range f.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			all = append(all, imported{p, fileSet.Position(spec.Pos())})
		}
	}
	return all
}

func TestHouseArrows(t *testing.T) {
	for _, f := range allGoFiles(t) {
		if f.test {
			continue // tests may look into other rooms
		}
		for _, i := range f.imports() {
			if to, ours := strings.CutPrefix(i.path, module+"/"); ours {
				if why := forbiddenArrow(f.folder, to); why != "" {
					t.Errorf("%s: %s must not import %s: %s", i.at, f.folder, to, why)
				}
			}
		}
	}
}

// outside are packages of others that only some folders may import.
var outside = []struct {
	prefix string
	only   []string
	why    string
}{
	{"github.com/aws/aws-sdk-go-v2/service/ec2", []string{"live/ec2fleet"}, "it takes minutes to compile; one package talks to EC2"},
	{"github.com/aws/aws-sdk-go-v2/service/s3", []string{"live/objects"}, "one package knows which objects are written once, and never over another"},
	{"github.com/aws/aws-sdk-go-v2/service/sqs", []string{"live/source/sqs"}, "one package knows what SQS counts, and how late"},
	{"github.com/aws/aws-sdk-go-v2/service/cloudwatch", []string{"live/source/sqs"}, "it is asked about queues, and nothing else"},
	{"github.com/aws/aws-sdk-go-v2/service/ssm", []string{"live/secret"}, "one package reads secrets, and none shows them"},
	{"github.com/aws/aws-sdk-go-v2/service/sts", []string{"live/instance", "cmd/skynetd"}, "an instance proves by it who it is, and the doctor asks whose credentials it has; nobody takes a role"},
	{"github.com/go-jose/go-jose", []string{"live/access/webidentity", "sim/ec2api"}, "one package believes web identity tokens, and the simulated STS makes them"},
}

// pureImports are the packages that would let the policy read a clock, a file,
// a socket or its surroundings.
var pureImports = []string{"os", "os/exec", "os/signal", "net", "net/http", "syscall", "log", "log/slog", "flag", "runtime", "hash/maphash", "crypto/rand"}

func TestHouseImportsOfOthers(t *testing.T) {
	for _, f := range allGoFiles(t) {
		if f.test {
			continue
		}
		for _, i := range f.imports() {
			for _, o := range outside {
				if within(i.path, o.prefix) && !slices.ContainsFunc(o.only, func(room string) bool { return within(f.folder, room) }) {
					t.Errorf("%s: only %s may import %s: %s", i.at, strings.Join(o.only, " and "), i.path, o.why)
				}
			}
			if why := impure(i.path); within(f.folder, "policy") && f.syntax.Name.Name != "main" && why != "" {
				t.Errorf("%s: policy must not import %s: %s", i.at, i.path, why)
			}
		}
	}
}

// impure returns why the policy must not import p, or "".
func impure(p string) string {
	standard := !strings.Contains(strings.Split(p, "/")[0], ".")
	switch {
	case slices.Contains(pureImports, p):
		return "it decides from what it is handed, without clock, randomness or input"
	case !standard && !within(p, module+"/policy") && !within(p, "gonum.org/v1/gonum"):
		return "it is the standard library and gonum, so that anything may link it"
	}
	return ""
}

// programs are what must not be linked into a program, directly or not.
var programs = []struct {
	folder string
	never  []string
	why    string
}{
	{
		"cmd/skynet",
		[]string{"github.com/aws", "github.com/go-jose", "database/sql", "github.com/jackc/pgx", "modernc.org/sqlite", module + "/live/ec2fleet", module + "/live/queue"},
		"the planner's tool talks to skynetd over HTTP; it must build in seconds, without AWS and databases",
	},
	{
		"cmd/skynet-worker",
		[]string{"github.com/aws/aws-sdk-go-v2/service/ec2", "github.com/go-jose", "database/sql", "github.com/jackc/pgx", "modernc.org/sqlite", "gonum.org/v1/plot"},
		"a worker boots on every instance; it must be small and dumb",
	},
}

func TestHousePrograms(t *testing.T) {
	for _, p := range programs {
		t.Run(path.Base(p.folder), func(t *testing.T) {
			for _, linked := range strings.Fields(goOutput(t, "list", "-deps", "./"+p.folder)) {
				for _, never := range p.never {
					// the Parquet reader links a UUID type that declares, through
					// database/sql/driver, how it would be stored; no database
					if within(linked, never) && linked != "database/sql/driver" {
						t.Errorf("%s links %s: %s", p.folder, linked, p.why)
					}
				}
			}
		})
	}
}

// goOutput runs the go command and returns its standard output.
func goOutput(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// TestHouseIsDescribed: docs/ARCHITECTURE.md names every package, and no other.
func TestHouseIsDescribed(t *testing.T) {
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "\n## Package by package\n")
	if !found {
		t.Fatal("docs/ARCHITECTURE.md has no section Package by package")
	}
	described := map[string]bool{}
	for _, line := range strings.Split(list, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			if described[name[1]] {
				t.Errorf("docs/ARCHITECTURE.md describes %s twice", name[1])
			}
			described[name[1]] = true
		}
	}
	there := map[string]bool{}
	for _, f := range allGoFiles(t) {
		if f.folder != "." && !there[f.folder] {
			there[f.folder] = true
			if !described[f.folder] {
				t.Errorf("docs/ARCHITECTURE.md does not say what %s is: add it to Package by package", f.folder)
			}
		}
	}
	for name := range described {
		if !there[name] {
			t.Errorf("docs/ARCHITECTURE.md describes %s, which is no package", name)
		}
	}
}

// TestHousePackagesAreIntroduced: a reader who opens a package is told what it is.
func TestHousePackagesAreIntroduced(t *testing.T) {
	introduced := map[string]bool{}
	for _, f := range allGoFiles(t) {
		if f.test {
			continue
		}
		text := f.syntax.Doc.Text()
		introduced[f.folder] = introduced[f.folder] || strings.HasPrefix(text, "Package "+f.syntax.Name.Name+" ") ||
			f.syntax.Name.Name == "main" && text != ""
	}
	for folder, told := range introduced {
		if !told {
			t.Errorf("%s: no file begins with a comment that says what the package is", folder)
		}
	}
}

// vague are names that say nothing about what a package is for.
var vague = []string{"util", "utils", "common", "helper", "helpers", "shared", "misc", "base", "pkg"}

func TestHouseNames(t *testing.T) {
	for _, f := range allGoFiles(t) {
		if slices.Contains(vague, path.Base(f.folder)) || slices.Contains(vague, f.syntax.Name.Name) {
			t.Errorf("%s: a package is named for what it is, not %q", f.name, f.syntax.Name.Name)
		}
	}
}

// machinePath finds a path that exists on somebody's machine only.
var machinePath = regexp.MustCompile(`(^|[\s"'(=:` + "`" + `])(/(home|Users|root|work|mnt)/[A-Za-z0-9._-]+|[A-Z]:\\Users)`)

// unfinished finds a mark of work put off.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func TestHouseText(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", "out"}, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if name == ".git" { // of a worktree: it says where the repository is
			return nil
		}
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 4<<20 {
			return err // data, not text that a person wrote
		}
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := machinePath.FindString(line); found != "" {
				t.Errorf("%s:%d: a path of one machine: %s", name, i+1, strings.TrimSpace(found))
			}
			if found := unfinished.FindString(line); found != "" {
				t.Errorf("%s:%d: %s: finish it, or open an issue", name, i+1, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHouseRulesBite shows each rule something that breaks it.
func TestHouseRulesBite(t *testing.T) {
	for _, arrow := range []struct {
		from, to string
		allowed  bool
	}{
		{"policy", "traces", false},
		{"policy/dispatch", "policy", true},
		{"traces", "policy/observe", true},
		{"traces", "sim", false},
		{"sim", "live/client", false},
		{"live/controller", "sim", false},
		{"live/dash", "reports/chart", true},
		{"live/dash", "reports", false},
		{"scenarios", "reports", false},
		{"reports", "reports/chart", true},
		{"reports/chart", "policy", false},
		{"cmd/skynetd", "sim/ec2api", true},
		{"attic", "policy", false},
	} {
		if why := forbiddenArrow(arrow.from, arrow.to); (why == "") != arrow.allowed {
			t.Errorf("%s imports %s: allowed %t, want %t", arrow.from, arrow.to, why == "", arrow.allowed)
		}
	}
	for p, pure := range map[string]bool{
		"math":                          true,
		"encoding/json":                 true,
		"gonum.org/v1/gonum/stat":       true,
		"gonum.org/v1/plot":             false,
		module + "/policy/detmath":      true,
		module + "/traces":              false,
		"os":                            false,
		"github.com/BurntSushi/toml":    false,
		"github.com/klauspost/compress": false,
	} {
		if why := impure(p); (why == "") != pure {
			t.Errorf("policy imports %s: allowed %t, want %t", p, why == "", pure)
		}
	}
	for line, found := range map[string]bool{
		"see /" + "home/ada/notes":      true,
		"open(\"/" + "root/x\")":        true,
		"https://example.com/work/list": false,
		"GET /v1/work":                  false,
	} {
		if machinePath.MatchString(line) != found {
			t.Errorf("machine path in %q: %t, want %t", line, !found, found)
		}
	}
}
