package main

import (
	"github.com/spf13/pflag"

	"github.com/skynet-ec2/skynet/reports"
)

// reporting is where a report goes: the folders of --report and --plots, empty
// for none.
type reporting struct{ page, plots string }

// addTo declares the flags.
func (r *reporting) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&r.page, "report", "", "write a page that holds all plots, and the plots as SVG and PNG, to this `folder`")
	flags.StringVar(&r.plots, "plots", "", "write the plots as SVG, PNG and PDF to this `folder`")
}

// wanted reports whether there is to be a report.
func (r *reporting) wanted() bool { return r.page != "" || r.plots != "" }

// write writes what is wanted and returns the path of the page, if that is.
func (r *reporting) write(report *reports.Report) (page string, err error) {
	if r.plots != "" {
		if err := report.WritePlots(r.plots); err != nil {
			return "", err
		}
	}
	if r.page == "" {
		return "", nil
	}
	return report.Write(r.page)
}

// prepareFolders makes folders for results, before any work is done for them;
// empty ones are none.
func prepareFolders(dirs ...string) error {
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if err := reports.PrepareFolder(dir); err != nil {
			return namedByUser(err)
		}
	}
	return nil
}
