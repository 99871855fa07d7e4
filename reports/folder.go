package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
)

// folderFile is a file that belongs into a folder with others.
type folderFile struct {
	name  string
	write func(io.Writer) error
}

// writeFolder puts files into the folder dir, which it makes: all of them or
// none. They are written in a folder beside their places and moved once all are
// on disk, in their order: the last is there when all are. Plots of an earlier
// report that this one has not go when it is whole, so that a folder never mixes
// two reports.
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
	return removeOldPlots(dir, files)
}

// plotFile matches the files of plots: those of every kind of report, and no
// other that somebody may keep beside them.
var plotFile = regexp.MustCompile(`^(1-demand|2-slack|3-sojourn|4-latency|5-cost-p95(-.+)?|5-front|5-sweep|6-cost|7-decisions|8-forecast|9-ended|10-tornado|11-heat(-.+)?)\.(svg|png|pdf)$`)

// removeOldPlots removes the plots in dir that are not among files.
func removeOldPlots(dir string, files []folderFile) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, cause(err))
	}
	for _, f := range found {
		isNew := slices.ContainsFunc(files, func(g folderFile) bool { return g.name == f.Name() })
		if isNew || f.IsDir() || !plotFile.MatchString(f.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("remove the old plot %s: %w", filepath.Join(dir, f.Name()), cause(err))
		}
	}
	return nil
}
