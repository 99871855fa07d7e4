package skynet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// opens are the calls that open a port, and the place of their address.
var opens = map[string]int{
	"net.Listen": 1, "net.ListenPacket": 1, "net.ListenTCP": 1, "net.ListenUDP": 1, "tls.Listen": 1,
	"http.ListenAndServe": 0, "http.ListenAndServeTLS": 0,
}

// listensAt is where the addresses that an operator gives are opened.
const listensAt = "cmd/skynetd/web.go"

// loopback reports whether an address is one of this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// Nothing listens beyond this machine unless an operator says so: a port is opened
// on loopback, or at the address of a flag, whose default is loopback, or none.
func TestHouseListensOnLoopback(t *testing.T) {
	ports, flags := 0, 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || entry.Name() == "testdata" || entry.Name() == "out") {
			if err == nil {
				return fs.SkipDir
			}
			return err
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, isName := s.X.(*ast.Ident); isName {
				if at, isOpen := opens[of.Name+"."+s.Sel.Name]; isOpen && len(call.Args) > at {
					ports++
					if address, ok := literal(call.Args[at]); !(ok && loopback(address)) && filepath.ToSlash(name) != listensAt {
						t.Errorf("%s: a port must be opened on loopback, or by listen of %s", set.Position(call.Pos()), listensAt)
					}
				}
			}
			if s.Sel.Name == "StringVar" && len(call.Args) > 2 {
				if flag, ok := literal(call.Args[1]); ok && flag == "listen" {
					flags++
					if address, ok := literal(call.Args[2]); !ok || address != "" && !loopback(address) {
						t.Errorf("%s: --listen must be loopback, or nothing, unless it is given", set.Position(call.Pos()))
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if ports < 4 || flags < 3 {
		t.Errorf("%d ports and %d flags were found: the rule looks in the wrong place", ports, flags)
	}
}

// literal returns the text of a string literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
