package whole

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// names lists what stands in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}

	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("before Commit the file reads %q, want the old text", got)
	}
	f.Abort()
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("after Abort the file reads %q, want the old text", got)
	}

	f, err = Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("after Commit the file reads %q, want the new text", got)
	}
	if list := names(t, dir); len(list) != 1 {
		t.Errorf("the folder holds %q, want the file alone", list)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a folder: %v, want EISDIR", err)
	}
	if _, err := Create(filepath.Join(dir, "no", "out")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v, want not exist", err)
	}
	f, err := Create("/dev/full")
	if err != nil {
		t.Skipf("no /dev/full here: %v", err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v, want ENOSPC", err)
	}
	f.Abort()
}

func TestErrorsNameThePath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "no", "out")
	_, err := Create(path)
	want(t, err, "write "+path+": no such file or directory")

	path = filepath.Join(dir, "out")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o777); err != nil { // a folder takes the file's place
		t.Fatal(err)
	}
	if err = f.Commit(); err == nil {
		t.Fatal("a file took the place of a folder")
	}
	var named *os.PathError
	if !errors.As(err, &named) || named.Path != path {
		t.Errorf("Commit: %v, want an error that names %s", err, path)
	}
	_, err = f.Write([]byte("x"))
	want(t, err, "write "+path+": file already closed")
	if list := names(t, dir); len(list) != 1 {
		t.Errorf("the folder holds %q, want the folder alone", list)
	}
}

func want(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("error %v, want %s", err, text)
	}
}
