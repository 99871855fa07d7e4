package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elided is the line of a page that stands for any lines that were left out.
const elided = "…"

// took matches a run time, and the rate behind it if there is one.
const took = `[\d.]+ (?:[nµm]?s|[mhd])(?: \d+ [smhd])*(?: \([\d.]+ [kM]? ?(?:jobs|decisions)/s\))?`

// What differs from one run to the next, and is not compared. Everything else
// must be there to the byte, blanks at the ends of lines aside.
var varying = []struct {
	what *regexp.Regexp
	with string
	why  string
}{
	{
		regexp.MustCompile(`^(\S[^:]*: .*(?:seeds? [\d–]+|runs|\))) {2,}` + took + `$`),
		"$1  TIME", "how long a run took, and how much it did in a second",
	},
	{
		regexp.MustCompile(`^(\d+ scenarios?, .*: .*\S) {2,}` + took + `$`),
		"$1  TIME", "how long a check took",
	},
	{
		regexp.MustCompile(`^` + took + `$`),
		"TIME", "the same on a line of its own",
	},
	{
		regexp.MustCompile(`\(devel\)(?: \([0-9a-f]+(?:, modified)?\))? go1\.[0-9.]+ [a-z0-9]+/[a-z0-9]+`),
		"VERSION", "which build this is, of what, for what",
	},
	{
		regexp.MustCompile(`^time=\S+ `),
		"time=TIME ", "when a line was logged",
	},
}

// progress finds a line that tells how far a command is, every ten seconds,
// where standard error is no terminal. Such lines are left out.
var progress = regexp.MustCompile(`^time=\S+ level=INFO msg=.* done=\d+ elapsed=`)

// normal returns a line without what varies.
func normal(line string) string {
	line = strings.TrimRight(line, " \t")
	for _, v := range varying {
		line = v.what.ReplaceAllString(line, v.with)
	}
	return line
}

// printed splits what a command printed into lines.
func printed(output string) []string {
	if output == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(output, "\n"), "\n")
	lines = slices.DeleteFunc(lines, progress.MatchString)
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return lines
}

// agree reports whether a page shows what was printed; "…" alone on a line
// stands for one line or more.
func agree(shown, got []string) bool {
	if len(shown) == 0 {
		return len(got) == 0
	}
	if shown[0] != elided {
		return len(got) > 0 && normal(shown[0]) == normal(got[0]) && agree(shown[1:], got[1:])
	}
	for skip := 1; skip <= len(got); skip++ {
		if agree(shown[1:], got[skip:]) {
			return true
		}
	}
	return false
}

// refresh returns what a page is to show: what was printed, with the page's
// own lines where they differ in nothing but what varies.
func refresh(shown, got []string) []string {
	known := map[string]string{}
	for _, line := range shown {
		known[normal(line)] = line
	}
	fresh := slices.Clone(got)
	for i, line := range got {
		if old, ok := known[normal(line)]; ok {
			fresh[i] = old
		}
	}
	return fresh
}

// difference returns the first line in which shown and got differ.
func difference(shown, got []string) (at int, wants, is string) {
	for at < len(shown) && at < len(got) && normal(shown[at]) == normal(got[at]) && shown[at] != elided {
		at++
	}
	line := func(lines []string) string {
		if at < len(lines) {
			return lines[at]
		}
		return "(nothing)"
	}
	return at, line(shown), line(got)
}

func TestShownAgreesWithPrinted(t *testing.T) {
	for _, tt := range []struct {
		shown, got string
		want       bool
	}{
		{"a\nb", "a\nb\n", true},
		{"a", "a\nb\n", false},
		{"a\nb", "a\n", false},
		{"a\n…\nd", "a\nb\nc\nd\n", true},
		{"a\n…\nd", "a\nd\n", false}, // nothing was left out
		{"…", "", false},
		{"a\n…", "a\nb\n", true},
		{"week: 7 d, seed 1     370 ms (12 M jobs/s)", "week: 7 d, seed 1    1.2 s (900 k jobs/s)\n", true},
		{"week: 7 d, seed 1     370 ms (12 M jobs/s)", "week: 8 d, seed 1    1.2 s (900 k jobs/s)\n", false},
		{"week: seed 1   1 m 3 s", "week: seed 1   8.4 s\n", true},
		{"week tick=2m: 7 d, seed 1   1.1 s", "week tick=2m: 7 d, seed 1   1.2 s\n", true},
		{"skynet: 300 decisions, Sun to Mon (4 h 59 m)   2.7 s", "skynet: 300 decisions, Sun to Mon (4 h 59 m)     1 m 4 s\n", true},
		{"3.7 s (2.7 k decisions/s)", "14.5 s (696 decisions/s)\n", true},
		{"3.7 s late", "14.5 s late\n", false},
		{"3 jobs", "4 jobs\n", false},
		{"week: 20 runs, seeds 1–20   7.5 s (994 k jobs/s)", "week: 20 runs, seeds 1–20   14.9 s (659 k jobs/s)\n", true},
		{"upload 99 % max 1 m 20 s", "upload 99 % max 1 m 21 s\n", false},
		{"skynet (devel) (3f9a1c, modified) go1.26.0 linux/amd64", "skynet (devel) go1.27.1 darwin/arm64\n", true},
		{"a", "time=2026-11-30T01:35:05Z level=INFO msg=\"bound: plan\" done=42 elapsed=10s\na  \n", true},
	} {
		if got := agree(strings.Split(tt.shown, "\n"), printed(tt.got)); got != tt.want {
			t.Errorf("%q and %q agree: %t, want %t", tt.shown, tt.got, got, tt.want)
		}
	}
	fresh := refresh([]string{"week: seed 1   1 m 3 s", "cost 1"}, []string{"week: seed 1   8.4 s", "cost 2"})
	if want := []string{"week: seed 1   1 m 3 s", "cost 2"}; !slices.Equal(fresh, want) {
		t.Errorf("rewritten as %q, want %q", fresh, want)
	}
}
