package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

const policyPath = "github.com/skynet-ec2/skynet/policy"

// blind are the folders of policy that do not decide: what they read says
// nothing about who needs it.
var blind = []string{"observe", "detmath", "dispatch", "journal", "explain", "testdata"}

// readers is findReaders, worked out once: it type-checks the whole of policy.
var readers = sync.OnceValues(findReaders)

// findReaders returns, by "Owner.Field", the rules that read each field: the files
// under policy/ with a selector of it, resolved by type and not by name. A
// field that is only assigned to is not read.
func findReaders() (map[string][]string, error) {
	found := map[string][]string{}
	set := token.NewFileSet()
	imported := importer.ForCompiler(set, "source", nil)
	err := filepath.WalkDir(filepath.Join(root, "policy"), func(folder string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if slices.Contains(blind, d.Name()) {
			return fs.SkipDir
		}
		return readersIn(set, imported, folder, found)
	})
	for key := range found { // map order: each list is put in order by itself
		slices.Sort(found[key])
		found[key] = slices.Compact(found[key])
	}
	return found, err
}

// readersIn adds what the files of one folder read.
func readersIn(set *token.FileSet, imported types.Importer, folder string, found map[string][]string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	var files []*ast.File
	var rules []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
		rules = append(rules, ruleOf(folder, name))
	}
	if len(files) == 0 {
		return nil
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: imported}
	path := policyPath
	if rest, err := filepath.Rel(filepath.Join(root, "policy"), folder); err == nil && rest != "." {
		path += "/" + filepath.ToSlash(rest)
	}
	if _, err := config.Check(path, set, files, info); err != nil {
		return err
	}
	for i, file := range files {
		written := assigned(file)
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || written[s] {
				return true
			}
			if selection := info.Selections[s]; selection != nil {
				for _, key := range fieldsOf(selection) {
					found[key] = append(found[key], rules[i])
				}
			}
			return true
		})
	}
	return nil
}

// ruleOf names what a file decides: the guard is one rule in several files, and
// the files of a folder are the rules of one policy.
func ruleOf(folder, name string) string {
	stem := strings.TrimSuffix(filepath.Base(name), ".go")
	if strings.HasPrefix(stem, "guard") {
		return "guard"
	}
	if filepath.Base(folder) == "policy" {
		return stem
	}
	return filepath.Base(folder) + "/" + stem
}

// assigned returns the selectors that a file only writes to.
func assigned(file *ast.File) map[*ast.SelectorExpr]bool {
	written := map[*ast.SelectorExpr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && (a.Tok == token.ASSIGN || a.Tok == token.DEFINE) {
			for _, left := range a.Lhs {
				if s, ok := left.(*ast.SelectorExpr); ok {
					written[s] = true
				}
			}
		}
		return true
	})
	return written
}

// fieldsOf returns the fields of package policy that a selection goes through,
// embedded ones included: a method promoted from an embedded Reading reads it.
func fieldsOf(s *types.Selection) []string {
	var keys []string
	t := s.Recv()
	path := s.Index()
	if s.Kind() != types.FieldVal {
		path = path[:len(path)-1] // the method itself
	}
	for _, i := range path {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		structure, ok := t.Underlying().(*types.Struct)
		if !ok {
			break
		}
		field := structure.Field(i)
		if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == policyPath {
			keys = append(keys, named.Obj().Name()+"."+field.Name())
		}
		t = field.Type()
	}
	return keys
}
