package reports

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

var errHalfway = errors.New("halfway")

// files lists a folder, hidden files too.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteFileWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(text string, err error) error {
		return WriteFile(path, func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		})
	}
	if err := write("new", errHalfway); !errors.Is(err, errHalfway) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("a failed write left %v", left)
	}
	if err := write("first", nil); err != nil {
		t.Fatal(err)
	}
	if err := write(strings.Repeat("second", 100_000), errHalfway); !errors.Is(err, errHalfway) {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "first" {
		t.Errorf("a failed write changed the file to %d bytes", len(text))
	}
	if err := write("second", nil); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "second" {
		t.Errorf("the file holds %q", text)
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("beside the file there is %v", left)
	}
}

// Where nothing can be written, the error names what the user named.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "report")
	if err := PrepareFolder(below); err == nil || !strings.Contains(err.Error(), below) {
		t.Errorf("folder below a file: %v", err)
	}
	if _, err := RunReport(synthetic(time.Hour, hourly), nil, Options{}).Write(below); err == nil || !strings.Contains(err.Error(), below) {
		t.Errorf("report below a file: %v", err)
	}
	missing := filepath.Join(dir, "missing", "t.csv")
	if err := WriteTimeline(missing, nil); err == nil || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("timeline in a missing folder: %v", err)
	}
	if err := WriteFile(dir, nil); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder as file: %v", err)
	}
	fresh := filepath.Join(dir, "a", "b")
	if err := PrepareFolder(fresh); err != nil || len(files(t, fresh)) != 0 {
		t.Errorf("new folder: %v, %v", err, files(t, fresh))
	}
}

func TestWriteJSON(t *testing.T) {
	f := syntheticFigures(time.Hour, 1)
	var out bytes.Buffer
	if err := WriteJSON("-", &out, &f); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "f.json")
	if err := WriteJSON(path, nil, &f); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(text, out.Bytes()) {
		t.Errorf("file and standard output differ, or %v", err)
	}
	if !strings.HasPrefix(string(text), "{\n  \"scenario\": \"photo-week\",\n  \"policy\": ") || text[len(text)-1] != '\n' {
		t.Errorf("begins %.60s", text)
	}
	f.CostUSD = math.NaN()
	if err := WriteJSON(path, nil, &f); err == nil {
		t.Error("NaN was written as JSON")
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(again, text) {
		t.Error("a failed write changed the file")
	}
}

func TestTimeline(t *testing.T) {
	nan := math.NaN()
	ticks := []sim.TickRow{
		{Slack: nan, Slack24h: nan, ForecastMean: nan, ForecastHigh: nan, ForecastActual: nan},
		{
			At: time.Minute + 500*time.Millisecond, Ready: 16, Busy: 12, Booting: 8, Draining: 4, Demand: 112, Pending: 100, Instances: 3,
			Launches: 1, Drains: 2, Undrains: 3, Clamped: 4, Refused: 5, Slack: 0.25, Slack24h: 0.3, Cost: 2_400_001,
			BusySlotS: 720, IdleSlotS: 240, BootSlotS: 480, GoneSlotS: 1e-7, ForecastMean: 12.5, ForecastHigh: 20, ForecastActual: 13, Offered: 9,
		},
	}
	path := filepath.Join(t.TempDir(), "timeline.csv")
	if err := WriteTimeline(path, ticks); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	names, meanings := TimelineColumns()
	if lines[0] != strings.Join(names, ",") || len(meanings) != len(names) {
		t.Errorf("head %q, want %v", lines[0], names)
	}
	if want := "0,0,0,0,0,0,0,0,0,0,0,0,0,,,0,0,0,0,0,0,,,"; lines[1] != want {
		t.Errorf("first row %q, want %q", lines[1], want)
	}
	if want := "60.5,3,16,12,8,4,100,112,1,2,3,4,5,0.25,0.3,2.400001,720,240,480,1e-07,9,12.5,20,13"; lines[2] != want {
		t.Errorf("second row %q, want %q", lines[2], want)
	}
	if len(lines) != 4 || lines[3] != "" {
		t.Errorf("%d lines", len(lines))
	}
	for i, row := range lines[:3] {
		if n := strings.Count(row, ","); n != len(names)-1 {
			t.Errorf("line %d has %d columns of %d", i+1, n+1, len(names))
		}
	}
}

func TestAppendDecimals(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 1: "0.000001", -1: "-0.000001", 1_500_000: "1.5", -2_000_000: "-2", math.MinInt64: "-9223372036854.775808",
	} {
		if got := string(appendDecimals(nil, n, 6)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
