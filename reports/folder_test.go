package reports

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// text is a file of a folder with a text in it.
func text(name, says string) folderFile {
	return folderFile{name, func(w io.Writer) error {
		_, err := io.WriteString(w, says)
		return err
	}}
}

// Of a folder whose writing fails nothing appears, and what was there stays as
// it was.
func TestFolderAllOrNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	if err := writeFolder(dir, []folderFile{text("1.svg", "old"), text("index.html", "old")}); err != nil {
		t.Fatal(err)
	}
	full := folderFile{"2.svg", func(w io.Writer) error {
		io.WriteString(w, "half")
		return syscall.ENOSPC
	}}
	err := writeFolder(dir, []folderFile{text("1.svg", "new"), full, text("index.html", "new")})
	if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "write "+filepath.Join(dir, "2.svg")+": ") {
		t.Errorf("a full disk: %v", err)
	}
	same(t, "files", strings.Join(files(t, dir), " "), "1.svg index.html")
	for _, name := range files(t, dir) {
		if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != "old" {
			t.Errorf("%s holds %q", name, got)
		}
	}

	if err := os.Mkdir(filepath.Join(dir, "9.svg"), 0o777); err != nil {
		t.Fatal(err)
	}
	err = writeFolder(dir, []folderFile{text("1.svg", "new"), text("9.svg", "new")})
	if err == nil || !strings.Contains(err.Error(), "9.svg: is a directory") {
		t.Errorf("a folder in a file's place: %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "1.svg")); string(got) != "old" {
		t.Errorf("1.svg holds %q", got)
	}
	if err := writeFolder(dir, []folderFile{text("1.svg", "new"), text("index.html", "new")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "index.html")); string(got) != "new" {
		t.Errorf("index.html holds %q", got)
	}
}

// A report over one of another kind leaves none of its plots, and nothing else
// that lies there is touched.
func TestFolderHoldsOneReport(t *testing.T) {
	dir := t.TempDir()
	for _, files := range [][]folderFile{
		{text("1-demand.svg", "old"), text("11-heat-01-week-skynet.png", "old"), text("notes.txt", "mine"), text("1-demand.csv", "mine"), text("index.html", "old")},
		{text("5-front.svg", "new"), text("10-tornado.svg", "new"), text("index.html", "new")},
	} {
		if err := writeFolder(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "files", strings.Join(files(t, dir), " "), "1-demand.csv 10-tornado.svg 5-front.svg index.html notes.txt")
}

// The next report in a folder knows every plot of this one by its name.
func TestPlotNamesAreKnown(t *testing.T) {
	for _, r := range []*Report{RunReport(synthetic(26*time.Hour, hourly), syntheticVerdicts(), shown), severalRuns(t), comparison(), tuningReport()} {
		for _, p := range r.plots {
			if !plotFile.MatchString(p.name + ".svg") {
				t.Errorf("plotFile does not know %s: it would stay in a folder beside another report", p.name)
			}
		}
	}
}
