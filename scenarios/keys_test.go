package scenarios

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

func TestDocumentIsCurrent(t *testing.T) {
	golden(t, filepath.Join("..", "docs", "scenario.md"), Document())
}

// TestEveryKeyIsDescribed holds the tags of all tables to their rules.
func TestEveryKeyIsDescribed(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(path string, table reflect.Type)
	check = func(path string, table reflect.Type) {
		if seen[table] {
			return
		}
		seen[table] = true
		var selector *field
		keys := fields(table)
		for i := range keys {
			if keys[i].selects {
				selector = &keys[i]
			}
		}
		for i := range keys {
			f := &keys[i]
			at := join(path, f.name)
			if f.rest {
				continue
			}
			if !strings.HasSuffix(f.doc, ".") {
				t.Errorf("%s: its doc is not a sentence: %q", at, f.doc)
			}
			for _, of := range f.of {
				if selector == nil || !slices.Contains(selector.choices, of) {
					t.Errorf("%s: of %q, which selects nothing", at, of)
				}
			}
			scalar := shapeOf(f.typ) == aValue
			numeric := scalar && (f.typ == durationType || f.typ.Kind() == reflect.Int || f.typ.Kind() == reflect.Float64)
			if numeric && (f.min == "" || f.max == "") {
				t.Errorf("%s: a number without bounds", at)
			}
			if scalar && !f.required && f.def == "" && f.unset == "" && f.typ.Kind() != reflect.String {
				t.Errorf("%s: nobody says what leaving it out means", at)
			}
			if f.required && f.def != "" || f.def != "" && f.unset != "" {
				t.Errorf("%s: required, default and unset exclude each other", at)
			}
			if f.def != "" {
				d := newDocument("tags")
				d.value(f, reflect.New(table).Elem().Field(f.index), literal(f), at)
				for _, p := range d.problems {
					t.Errorf("its default: %v", &p)
				}
			}
			switch shapeOf(f.typ) {
			case aTable, someTables, namedTables:
				check(at, tableType(f.typ))
			}
		}
	}
	check("", reflect.TypeFor[Scenario]())
	check("", reflect.TypeFor[policyFile]())
	check("", reflect.TypeFor[catalogFile]())
}

// TestGeneratorDefaults compares the tags with the generator's own defaults.
func TestGeneratorDefaults(t *testing.T) {
	g := Generate{}
	d := newDocument("generate")
	d.table(map[string]any{"model": "photo-site"}, reflect.ValueOf(&g).Elem(), "generate")
	if len(d.problems) > 0 {
		t.Fatal(d.problems)
	}
	want := traces.DefaultPhotoSite()
	got := g.photoSite(time.Time{}, want.UTCOffset, want.Duration, want.Seed)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-traces +scenario):\n%s", diff)
	}
	for key, l := range map[string]traces.Lognormal{
		"photo_service": want.Service.Photo, "video_sd_service": want.Service.VideoSD, "video_hd_service": want.Service.VideoHD,
		"rotate_service": want.Service.Rotate, "watermark_service": want.Service.Watermark,
		"rotate_batch_service": want.Service.RotateBatch, "rerender_service": want.Service.Rerender,
	} {
		text := fmt.Sprintf("%s, %v, at most %s", FormatDuration(l.Median), l.Sigma, FormatDuration(l.Max))
		for _, f := range fields(reflect.TypeFor[Generate]()) {
			if f.name == key && f.unset != text {
				t.Errorf("%s: unset means %q, want %q", key, f.unset, text)
			}
		}
	}
}

func TestFaultKinds(t *testing.T) {
	var want, meanings []string
	for _, k := range sim.FaultKinds() {
		want = append(want, string(k))
	}
	for _, m := range faultMeaning {
		meanings = append(meanings, m.kind)
	}
	for _, f := range fields(reflect.TypeFor[Fault]()) {
		if f.selects {
			if diff := cmp.Diff(want, f.choices); diff != "" {
				t.Errorf("kinds (-sim +scenario):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(want, meanings); diff != "" {
		t.Errorf("documented kinds (-sim +scenario):\n%s", diff)
	}
}

// TestShowSaysTheSame shows every scenario, reads what was shown, and shows it
// again.
func TestShowSaysTheSame(t *testing.T) {
	paths, err := filepath.Glob("*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "testdata/rich.toml") {
		t.Run(path, func(t *testing.T) {
			s, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			var shown, twice bytes.Buffer
			if err := s.Show(&shown); err != nil {
				t.Fatal(err)
			}
			again, err := read(path, shown.Bytes(), Replace{})
			if err != nil {
				t.Fatalf("%v\nin what was shown:\n%s", err, &shown)
			}
			if err := again.Show(&twice); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(shown.String(), twice.String()); diff != "" {
				t.Errorf("(-once +twice):\n%s", diff)
			}
			meta := traces.Meta{}
			a, b := s.config(meta), again.config(meta)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("another world (-file +shown):\n%s", diff)
			}
			if s.PolicyLabel() != again.PolicyLabel() {
				t.Errorf("another policy: %s and %s", s.PolicyLabel(), again.PolicyLabel())
			}
		})
	}
}

func TestExamplesRun(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new.toml")
	if err := os.WriteFile(path, Example("x \"y\""), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Title != `x "y"` {
		t.Errorf("title %q", s.Title)
	}
	write(t, filepath.Join(dir, "t.csv"), "arrival_s,service_s,type,priority\n0,1,a b,0\n2,100,a/b,0\n5,0.001,rest,1\n5,0.001,rest,1\n")
	src, err := traces.Open(filepath.Join(dir, "t.csv"), traces.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	text, err := ExampleFor("from a trace", "t.csv", src)
	if err != nil {
		t.Fatal(err)
	}
	s, err = read(filepath.Join(dir, "from.toml"), text, Replace{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if notes, err := s.Lint(t.Context()); err != nil || len(notes) != 1 {
		t.Errorf("notes %q, error %v, want one: nothing is left for the class rest", notes, err)
	}
}

func TestPolicyLabel(t *testing.T) {
	label := func(params string) string {
		t.Helper()
		s, err := read("s.toml", []byte(small+params), Replace{})
		if err != nil {
			t.Fatal(err)
		}
		return s.PolicyLabel()
	}
	spelled := func(text string) string {
		t.Helper()
		s, err := read("s.toml", []byte(strings.Replace(small, "instances = 1\n", text, 1)), Replace{})
		if err != nil {
			t.Fatal(err)
		}
		return s.PolicyLabel()
	}
	if a, b := label(""), spelled("params = { instances = 1 }\n"); a != b || !strings.HasPrefix(a, "static@") || len(a) != len("static@")+6 {
		t.Errorf("one policy, labels %q and %q", a, b)
	}
	if a, b := label(""), label("type = \"m1.small\"\n"); a == b {
		t.Errorf("two policies, one label %q", a)
	}
	if got := spelled("instances = 10\n"); got != "static" {
		t.Errorf("all default: label %q, want static", got)
	}
}
