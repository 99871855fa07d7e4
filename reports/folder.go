package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// folderFile is a file that belongs into a folder with others.
type folderFile struct {
	name  string
	write func(io.Writer) error
}

// writeFolder puts files into the folder dir, which it makes: all of them or
// none. They are written in a folder beside their places and moved once all are
// on disk, in their order: the last is there when all are.
func writeFolder(dir string, files []folderFile) (err error) {
	if err := PrepareFolder(dir); err != nil {
		return err
	}
	stage, err := os.MkdirTemp(dir, ".report-*")
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, cause(err))
	}
	defer os.RemoveAll(stage)
	for _, f := range files {
		place := filepath.Join(dir, f.name)
		if info, err := os.Stat(place); err == nil && info.IsDir() {
			return fmt.Errorf("write %s: %w", place, syscall.EISDIR)
		}
		if err := WriteFile(filepath.Join(stage, f.name), f.write); err != nil {
			return fmt.Errorf("write %s: %w", place, errors.Unwrap(err)) // the user knows no stage
		}
	}
	for _, f := range files {
		place := filepath.Join(dir, f.name)
		if err := os.Rename(filepath.Join(stage, f.name), place); err != nil {
			return fmt.Errorf("write %s: %w", place, cause(err))
		}
	}
	return nil
}
