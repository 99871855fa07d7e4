package scenarios

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A table that is too large is refused, never read in part; a byte order mark and
// carriage returns, as spreadsheets write them, change nothing.
func TestTables(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rows, err := readTable(context.Background(), file("windows.csv", []byte("\ufeffboot_s\r\n90\r\n100\r\n")), "boot_s")
	if err != nil || len(rows) != 2 || rows[1].fields[0] != "100" || rows[1].line != 3 {
		t.Errorf("read %v, %v", rows, err)
	}
	large := append([]byte("boot_s\n"), bytes.Repeat([]byte("90\n"), 16<<20/3)...)
	if rows, err := readTable(context.Background(), file("large.csv", large), "boot_s"); err == nil || !strings.Contains(err.Error(), "large.csv: must be at most 16 MiB") {
		t.Errorf("%d rows of a table that is too large, error %v", len(rows), err)
	}
}
