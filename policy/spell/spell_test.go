package spell

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"simulate", "scenario", "trace", "version", "billing", "boot", "at"}
	for _, c := range []struct{ word, want string }{
		{"simulat", "simulate"},
		{"Trase", "trace"},
		{"biling", "billing"},
		{"sim", "simulate"}, // a beginning
		{"tarce", "trace"},
		{"boto", "boot"},
		{"utterly-different", ""},
		{"x", ""},  // one letter is near everything short
		{"at", ""}, // known already
		{"", ""},   //
	} {
		if got := Nearest(c.word, known); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
	if got := Nearest(string(make([]byte, 1000)), known); got != "" {
		t.Errorf("a word of 1000 bytes is near %q", got)
	}
	if got := DidYouMean("tracee", known); got != ` (did you mean "trace"?)` {
		t.Errorf("DidYouMean = %q", got)
	}
}

func TestShell(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"week.parquet", "week.parquet"},
		{"résumé-1.csv", "résumé-1.csv"},
		{"CI jobs.csv", "'CI jobs.csv'"},
		{"it's", `'it'\''s'`},
		{"$HOME", "'$HOME'"},
		{"", "''"},
	} {
		if got := Shell(c.text); got != c.want {
			t.Errorf("Shell(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("edits(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
