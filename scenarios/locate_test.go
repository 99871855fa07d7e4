package scenarios

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestLocate(t *testing.T) {
	const text = `title = "a # b" # comment
long = """
[not.a.table]
x = 1"""
raw = '''
'''''
list = [ # comment
  1, [2,
  3], "]",
]
inline = { a = 1, "b c" = { d = [ { e = 1 }, { e = 2 } ] } }
dotted . key = 1979-05-27T07:32:00Z

[ cloud . boot ]
model = 'x'

[[class]]
name = "\"one\""
[class.more]
z = 1
[[class]]
  [[class.sub]]
  [[class.sub]]
  y = 1
["a.b"]
c = 1
`
	got, err := locate(text)
	if err != nil {
		t.Fatal(err)
	}
	for path, line := range map[string]int{
		"title": 1, "long": 2, "raw": 5, "list": 7, "list[1]": 8, "list[2]": 8, "list[2][2]": 9, "list[3]": 9,
		"inline.a": 11, `inline."b c".d[2].e`: 11, "dotted.key": 12,
		"cloud.boot": 14, "cloud.boot.model": 15,
		"class": 17, "class[1]": 17, "class[1].name": 18, "class[1].more.z": 20,
		"class[2]": 21, "class[2].sub[2].y": 24, `"a.b".c`: 26,
	} {
		if got[path] != line {
			t.Errorf("%s: line %d, want %d", path, got[path], line)
		}
	}
	if n := got.of("class[2].none[4].x"); n != 21 {
		t.Errorf("a key that is not there: line %d, want that of its table, 21", n)
	}
	if n := got.of("none"); n != 0 {
		t.Errorf("a key of no table: line %d, want 0", n)
	}
}

// FuzzLocate compares the scanner with the TOML library: every key that the
// library finds has a line, and the line has the key's last part on it.
func FuzzLocate(f *testing.F) {
	f.Add("a = 1\n[b]\nc.d = \"x\"\n[[e]]\nf = [1, {g = 2}]\n")
	f.Add("a = '''x''''\nb = \"\"\"\\\"\"\"\"\n")
	f.Add("\"a\\u0041\" = 1\n'b\\' = 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := locate(text)
		if err != nil || len(text) > 1<<12 {
			return
		}
		var raw map[string]any
		meta, err := toml.Decode(text, &raw)
		if err != nil {
			return
		}
		lines := strings.Split(text, "\n")
		for _, key := range meta.Keys() {
			path := ""
			for _, part := range key {
				path = join(path, part)
				if _, array := found[element(path, 1)]; array {
					return // the library gives no numbers of elements
				}
			}
			n := found[path]
			if n < 1 || n > len(lines) {
				t.Errorf("%q: key %s has line %d of %d", text, path, n, len(lines))
			}
		}
	})
}
