package main

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// meanings returns what package policy says of each field of its structs, by
// "Owner.Field". A comment also speaks for the fields that follow it without
// one of their own, up to the next blank line.
func meanings() (map[string]string, error) {
	set := token.NewFileSet()
	files, err := filepath.Glob(filepath.Join(root, "policy", "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					fieldMeanings(set, spec.Name.Name, s, found)
				}
			}
			return true
		})
	}
	return found, nil
}

func fieldMeanings(set *token.FileSet, owner string, s *ast.StructType, found map[string]string) {
	text, last := "", 0
	for _, f := range s.Fields.List {
		start := f.Pos()
		own := ""
		if f.Doc != nil {
			start, own = f.Doc.Pos(), oneLine(f.Doc.Text())
		}
		if set.Position(start).Line > last+1 {
			text = ""
		}
		if own != "" {
			text = own
		}
		last = set.Position(f.End()).Line
		for _, name := range fieldNames(f) {
			found[owner+"."+name] = text
			if f.Doc == nil && f.Comment != nil {
				found[owner+"."+name] = oneLine(f.Comment.Text())
			}
		}
	}
}

// fieldNames returns the names a field declaration declares; an embedded field
// is named like its type.
func fieldNames(f *ast.Field) []string {
	if len(f.Names) == 0 {
		if id, ok := f.Type.(*ast.Ident); ok {
			return []string{id.Name}
		}
		return nil
	}
	var names []string
	for _, n := range f.Names {
		names = append(names, n.Name)
	}
	return names
}

// oneLine returns a comment's text as one line of Markdown, its links as plain
// words.
func oneLine(text string) string {
	var p comment.Parser
	plain := (&comment.Printer{TextWidth: -1}).Text(p.Parse(text))
	return strings.ReplaceAll(strings.Join(strings.Fields(string(plain)), " "), "|", "\\|")
}
