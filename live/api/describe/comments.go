package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// comments is what the source says of types, fields and words.
type comments struct {
	types  map[string]string            // by type
	fields map[string]map[string]string // by type, then Go name of the field
	enums  map[string][]string          // values of the constants of a string type, in order
}

func readComments(folder string) (comments, error) {
	c := comments{types: map[string]string{}, fields: map[string]map[string]string{}, enums: map[string][]string{}}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return c, err
	}
	for _, name := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return c, err
		}
		for _, d := range syntax.Decls {
			if group, ok := d.(*ast.GenDecl); ok {
				c.read(group)
			}
		}
	}
	return c, nil
}

func (c *comments) read(group *ast.GenDecl) {
	for _, spec := range group.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = group.Doc
			}
			c.types[s.Name.Name] = oneLine(doc.Text())
			if t, ok := s.Type.(*ast.StructType); ok {
				c.fields[s.Name.Name] = fieldsOf(t)
			}
		case *ast.ValueSpec:
			kind, ok := s.Type.(*ast.Ident)
			if group.Tok != token.CONST || !ok || len(s.Values) == 0 {
				continue
			}
			if value, ok := s.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING {
				word, err := strconv.Unquote(value.Value)
				if err == nil {
					c.enums[kind.Name] = append(c.enums[kind.Name], word)
				}
			}
		}
	}
}

func fieldsOf(t *ast.StructType) map[string]string {
	fields := map[string]string{}
	for _, f := range t.Fields.List {
		text := f.Doc.Text() + f.Comment.Text()
		for _, name := range f.Names {
			fields[name.Name] = oneLine(text)
		}
	}
	return fields
}

// oneLine joins the lines of a comment.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
