package main

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// named finds the policies that a declaration's comment is about.
var named = regexp.MustCompile(`^[\w ]+ (?:is|are) the polic(?:y|ies) "([a-z0-9-]+)"(?: and "([a-z0-9-]+)")?`)

// comments returns the comments of the policies' declarations, as Markdown, by
// the policies' names.
func comments() (map[string]string, error) {
	found := map[string]string{}
	files, err := filepath.Glob(filepath.Join(root, "policy", "baseline", "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range append(files, filepath.Join(root, "policy", "static.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				text := g.Doc.Text()
				if m := named.FindStringSubmatch(text); m != nil {
					found[m[1]], found[m[2]] = markdown(text), markdown(text)
				}
			}
		}
	}
	return found, nil
}

// markdown returns a comment as Markdown, without links to code.
func markdown(text string) string {
	var p comment.Parser
	printer := comment.Printer{HeadingLevel: 4, DocLinkURL: func(*comment.DocLink) string { return "" }}
	return string(printer.Markdown(p.Parse(text)))
}
