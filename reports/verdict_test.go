package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

var update = flag.Bool("update", false, "rewrite the expected texts")

// golden compares a text with the one in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// week is a run's result without its history.
func week() *sim.Result {
	length := 168 * time.Hour
	return &sim.Result{
		Config:  &sim.Config{Name: "photo-week", UTCOffset: -7 * time.Hour},
		Figures: syntheticFigures(length, 312_400_000),
	}
}

func verdictText(t *testing.T, res *sim.Result, verdicts []sim.Verdict, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Verdict(&b, res, verdicts, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var shown = Options{Reproduce: "skynet simulate scenarios/photo-week.toml --seed 1", Report: "out/index.html"}

func TestVerdictKept(t *testing.T) {
	golden(t, "kept.txt", verdictText(t, week(), syntheticVerdicts(), shown))
}

func TestVerdictBroken(t *testing.T) {
	res, verdicts := week(), syntheticVerdicts()
	upload := res.Figures.Classes["upload"]
	upload.Attained, upload.Late = value(0.8765), 370_500
	verdicts[0].Kept, verdicts[0].Value = false, upload.Attained
	res.Figures.Jobs.Lost, res.Figures.Jobs.Retried, res.Figures.Jobs.Pending = 3, 1200, 17
	res.Figures.Instances.Crashed = 2
	res.Figures.Guard.Drains = 1
	narrow := shown
	narrow.Width, narrow.Color = 80, true
	golden(t, "broken.txt", verdictText(t, res, verdicts, narrow))
}

// A run without jobs, classes or instances has a verdict too.
func TestVerdictOfNothing(t *testing.T) {
	golden(t, "nothing.txt", verdictText(t, &sim.Result{Config: &sim.Config{}}, nil, Options{}))
}

// No line passes the width, except one that cannot be cut, and colours take no
// room.
func TestVerdictWidth(t *testing.T) {
	for _, width := range []int{40, 80, 100, 200} {
		o := Options{Width: width}
		for _, line := range strings.Split(verdictText(t, week(), syntheticVerdicts(), o), "\n") {
			if n := utf8.RuneCountInString(line); width >= 80 && n > width {
				t.Errorf("%d columns, not %d: %q", n, width, line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("width %d: space at the end of %q", width, line)
			}
		}
		plain := verdictText(t, week(), syntheticVerdicts(), o)
		o.Color = true
		colored := verdictText(t, week(), syntheticVerdicts(), o)
		if plain == colored {
			t.Errorf("width %d: no colour", width)
		}
		for _, code := range []paint{bold, green, red, faint} {
			colored = strings.ReplaceAll(colored, "\x1b["+string(code)+"m", "")
		}
		if colored = strings.ReplaceAll(colored, "\x1b[0m", ""); colored != plain {
			t.Errorf("width %d: colours change the text:\n%s", width, cmp.Diff(plain, colored))
		}
	}
}

// Names from files cannot steer the terminal.
func TestVerdictNamesAreText(t *testing.T) {
	res := week()
	res.Figures.Scenario = "evil\x1b[2Jname\n\u009b1m"
	verdicts := []sim.Verdict{{Name: "a\x1b[31m\r\nb", Want: "\x07", Got: "\x1b]0;x", Kept: true}}
	if text := verdictText(t, res, verdicts, Options{}); strings.ContainsAny(text, "\x1b\r\x07\u009b") {
		t.Errorf("control characters in %q", text)
	}
}

func TestVerdictOfRuns(t *testing.T) {
	var runs []*sim.Figures
	var verdicts [][]sim.Verdict
	for i := range 5 {
		f := syntheticFigures(168*time.Hour, policy.MicroUSD(312_400_000+i*1_000_000))
		f.Seed = uint64(i + 1)
		f.Classes["upload"].Attained = value(0.992 - 0.001*float64(i))
		runs = append(runs, &f)
		v := syntheticVerdicts()
		v[0].Kept = i < 3
		verdicts = append(verdicts, v)
	}
	all, err := Summarize(runs)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := VerdictOfRuns(&b, all, verdicts, 7.4, Options{Reproduce: "skynet simulate scenarios/photo-week.toml --seed 1 --runs 5"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.txt", b.String())
}
