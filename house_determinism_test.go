package skynet_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reproducible are the folders whose output is a function of their input, to
// the byte, on every architecture and for any number of CPUs.
var reproducible = []string{"policy", "sim", "traces"}

func isReproducible(folder string) bool {
	return slices.ContainsFunc(reproducible, func(outer string) bool { return within(folder, outer) })
}

// A finding is a place that breaks a rule, and how.
type finding struct {
	pos  token.Pos
	text string
}

// excused reports whether the line of pos, or the one above it, carries a
// comment that begins with label and goes on to give a reason.
func excused(set *token.FileSet, file *ast.File, pos token.Pos, label string) bool {
	line := set.Position(pos).Line
	for _, group := range file.Comments {
		for _, c := range group.List {
			at := set.Position(c.Pos()).Line
			_, reason, labeled := strings.Cut(c.Text, "// "+label)
			if labeled && strings.TrimSpace(reason) != "" && (at == line || at == line-1) {
				return true
			}
		}
	}
	return false
}

// A use is where a file names something of another package.
type use struct {
	pos  token.Pos
	name string
}

// usesOf returns what file uses of the package at path p.
func usesOf(file *ast.File, p string) []use {
	local := ""
	for _, spec := range file.Imports {
		if got, _ := strconv.Unquote(spec.Path.Value); got == p {
			local = path.Base(strings.TrimSuffix(p, "/v2"))
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	var uses []use
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && local != "" {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				uses = append(uses, use{s.Pos(), s.Sel.Name})
			}
		}
		return true
	})
	return uses
}

// clocks are the functions of package time that tell or wait for the real time.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep"}

// seeded are the names of math/rand/v2 that do not draw from its global source.
var seeded = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// inexact are the functions of package math whose last bit depends on the
// architecture, because some have assembly and some let products be fused.
var inexact = regexp.MustCompile(`^(A?(Sin|Cos|Tan)h?|Atan2|Sincos|Cbrt|Erf.*|Exp.*|Gamma|Lgamma|Hypot|J[01n]|Y[01n]|Log.*|Pow)$`)

// inexactUses returns where file calls such a function.
func inexactUses(file *ast.File) []finding {
	var found []finding
	for _, u := range usesOf(file, "math") {
		if inexact.MatchString(u.name) {
			found = append(found, finding{u.pos, "math." + u.name + " differs between architectures: use policy/detmath"})
		}
	}
	return found
}

// clockUses returns where file reads the real time.
func clockUses(file *ast.File) []finding {
	var found []finding
	for _, u := range usesOf(file, "time") {
		if slices.Contains(clocks, u.name) {
			found = append(found, finding{u.pos, "time." + u.name + ": time is handed in, so that a run can be repeated"})
		}
	}
	return found
}

// chanceUses returns where file draws numbers that no seed decides.
func chanceUses(file *ast.File) []finding {
	var found []finding
	for _, spec := range file.Imports {
		switch p, _ := strconv.Unquote(spec.Path.Value); {
		case p == "math/rand":
			found = append(found, finding{spec.Pos(), "math/rand: use math/rand/v2 with a seeded source"})
		case p == "math/rand/v2" && spec.Name != nil && spec.Name.Name == ".":
			found = append(found, finding{spec.Pos(), "math/rand/v2 with a dot hides where its global source is used"})
		}
	}
	for _, u := range usesOf(file, "math/rand/v2") {
		if !slices.Contains(seeded, u.name) {
			found = append(found, finding{u.pos, "rand." + u.name + " draws from the global source: use a seeded one"})
		}
	}
	return found
}

func TestHouseClockChanceAndMath(t *testing.T) {
	for _, f := range allGoFiles(t) {
		if !isReproducible(f.folder) {
			continue
		}
		found := chanceUses(f.syntax) // in tests too: a failure must be repeatable
		if !f.test {
			found = append(found, clockUses(f.syntax)...)
			found = append(found, inexactUses(f.syntax)...)
		}
		for _, at := range found {
			t.Errorf("%s: %s", fileSet.Position(at.pos), at.text)
		}
		if !f.test && within(f.folder, "policy") {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: policy starts no goroutine: its caller decides what runs when", fileSet.Position(g.Pos()))
				}
				return true
			})
		}
	}
}

// mapOrder returns where file visits a map in Go's random order. Keys that are
// sorted at once are fine.
func mapOrder(set *token.FileSet, file *ast.File, info *types.Info) []finding {
	var found []finding
	report := func(pos token.Pos, what string) {
		if !excused(set, file, pos, "map order:") {
			found = append(found, finding{pos, what + " comes in random order: sort the keys, or say in a comment on the line why it cannot matter (// map order: …)"})
		}
	}
	called := func(n ast.Node, pkg string) string { // the function of pkg that n calls
		if call, ok := n.(*ast.CallExpr); ok {
			fun := ast.Unparen(call.Fun)
			if index, ok := fun.(*ast.IndexExpr); ok {
				fun = index.X
			}
			if s, ok := fun.(*ast.SelectorExpr); ok {
				if f, ok := info.Uses[s.Sel].(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == pkg {
					return f.Name()
				}
			}
		}
		return ""
	}
	sorted := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if strings.HasPrefix(called(n, "slices"), "Sorted") {
			sorted[ast.Unparen(n.(*ast.CallExpr).Args[0])] = true
		}
		switch name := called(n, "maps"); name {
		case "Keys", "Values", "All":
			if !sorted[n] {
				report(n.Pos(), "maps."+name)
			}
		}
		if r, ok := n.(*ast.RangeStmt); ok {
			if x := info.TypeOf(r.X); x != nil {
				if _, ok := x.Underlying().(*types.Map); ok {
					report(r.Pos(), "a range over a map")
				}
			}
		}
		return true
	})
	return found
}

func TestHouseMapOrder(t *testing.T) {
	patterns := existing(reproducible)
	exports := map[string]string{} // import path to compiled package
	type listed struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
		Standard                bool
		Module                  *struct{ Path string }
	}
	var ours []listed
	decoder := json.NewDecoder(strings.NewReader(goOutput(t, append([]string{
		"list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,Standard,Module",
	}, patterns...)...)))
	for decoder.More() {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Path == module {
			ours = append(ours, p)
		}
	}
	if len(ours) < len(patterns) {
		t.Fatalf("found %d packages of ours in %v", len(ours), patterns)
	}

	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(p string) (io.ReadCloser, error) { return os.Open(exports[p]) })
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ours {
		var files []*ast.File
		for _, name := range p.GoFiles {
			name, err := filepath.Rel(root, filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: imports}
		if _, err := config.Check(p.ImportPath, set, files, info); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, at := range mapOrder(set, file, info) {
				t.Errorf("%s: %s", set.Position(at.pos), at.text)
			}
		}
	}
}

// existing returns the go patterns of those folders that exist.
func existing(folders []string) []string {
	var patterns []string
	for _, folder := range folders {
		if _, err := os.Stat(folder); err == nil {
			patterns = append(patterns, "./"+folder+"/...")
		}
	}
	return patterns
}

// fused matches an arm64 instruction that multiplies and adds with one
// rounding, in the compiler's listing.
var fused = regexp.MustCompile(`\(([^()]+\.go):(\d+)\)\s+(FN?M(?:ADD|SUB)[DS])\b`)

// TestHouseFusedArithmetic compiles for arm64 and looks for x*y+z that the
// compiler fused. amd64 rounds twice there, so the two machines would disagree.
func TestHouseFusedArithmetic(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library for arm64")
	}
	cmd := exec.Command("go", append([]string{"build", "-gcflags=-S"}, existing(reproducible)...)...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	listing, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, firstLines(listing, 20))
	}
	if !bytes.Contains(listing, []byte("TEXT")) {
		t.Fatal("the compiler listed no code")
	}

	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]goFile{}
	for _, f := range allGoFiles(t) {
		files[f.name] = f
	}
	seen := map[string]bool{}
	for _, m := range fused.FindAllStringSubmatch(string(listing), -1) {
		name, err := filepath.Rel(root, m[1])
		if err != nil {
			name = m[1]
		}
		name = filepath.ToSlash(name)
		place := name + ":" + m[2]
		if seen[place] {
			continue
		}
		seen[place] = true
		if f, ours := files[name]; ours {
			line, _ := strconv.Atoi(m[2])
			if pos := fileSet.File(f.syntax.Pos()).LineStart(line); excused(fileSet, f.syntax, pos, "fused:") {
				continue
			}
		}
		t.Errorf("%s: %s rounds once on arm64 and twice on amd64: write float64(x*y) + z, or say in a comment on the line why it cannot matter (// fused: …)", place, m[3])
	}
}

func firstLines(b []byte, n int) string {
	lines := strings.SplitN(string(b), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// TestHouseDeterminismBites shows each rule code that breaks it: a line that
// begins with /* wrong */ must be found, and no other.
func TestHouseDeterminismBites(t *testing.T) {
	const code = `package p

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	clock "time"
)

func f(m map[string]int, r *rand.Rand) {
	/* wrong */ _ = clock.Now()
	/* wrong */ <-clock.After(clock.Second)
	_ = clock.Unix(0, 0)

	/* wrong */ _ = rand.IntN(3)
	_ = rand.New(rand.NewPCG(1, 2)).IntN(3)
	_ = r.IntN(3)

	/* wrong */ _ = math.Log1p(2)
	_ = math.Sqrt(2)

	/* wrong */ for range m {
	}
	/* wrong */ for range m { // map order:
	}
	for range m { // map order: only counts
	}
	// map order: only counts
	for range m {
	}
	for range []int{} {
	}

	/* wrong */ for range maps.Keys(m) {
	}
	for range slices.Sorted(maps.Keys(m)) {
	}
}
`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", code, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	if _, err := config.Check("p", set, []*ast.File{file}, info); err != nil {
		t.Fatal(err)
	}
	var got, want []int
	for _, at := range slices.Concat(clockUses(file), chanceUses(file), inexactUses(file), mapOrder(set, file, info)) {
		got = append(got, set.Position(at.pos).Line)
	}
	for i, line := range strings.Split(code, "\n") {
		if strings.HasPrefix(line, "\t/* wrong */") {
			want = append(want, i+1)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found on lines %v, want %v", got, want)
	}
	if listing := "\t0x0010 00016 (/src/p.go:7)\tFMADDD\tF1, F2, F0, F0"; !fused.MatchString(listing) {
		t.Errorf("no fused instruction in %q", listing)
	}
}
