package reports

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
