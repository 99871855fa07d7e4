package reports

import (
	"io"
	"path/filepath"

	"github.com/skynet-ec2/skynet/sim"
)

// Write fills the folder dir, which it makes, with a report of the run: every
// plot as SVG and PNG, and index.html, a page that holds all of them and needs
// nothing else. It returns the path of the page, which is written last. The run
// must have been made with sim.Options.Timeline.
func Write(dir string, res *sim.Result, verdicts []sim.Verdict, o Options) (page string, err error) {
	if err := PrepareFolder(dir); err != nil {
		return "", err
	}
	list := plots(res, o)
	if err := writePlots(dir, list); err != nil {
		return "", err
	}
	page = filepath.Join(dir, "index.html")
	return page, WriteFile(page, func(w io.Writer) error { return pageTo(w, res, verdicts, list, o) })
}

// writePlots writes every plot as SVG and PNG.
func writePlots(dir string, list []plot) error {
	for i := range list {
		for _, f := range []struct {
			extension string
			draw      func(io.Writer) error
		}{{".svg", list[i].drawing().SVG}, {".png", list[i].drawing().PNG}} {
			if err := WriteFile(filepath.Join(dir, list[i].name+f.extension), f.draw); err != nil {
				return err
			}
		}
	}
	return nil
}
