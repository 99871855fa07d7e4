package reports

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/skynet-ec2/skynet/sim"
)

// Report is what a reader looks at: plots and a page that holds all of them.
// RunReport, RunsReport, CompareReport and TuningReport make one.
type Report struct {
	plots []plot // as they are on paper
	page  func(io.Writer) error
}

// pageName is the file of a page in its folder.
const pageName = "index.html"

// Write fills the folder dir, which it makes, with every plot as SVG and PNG and
// with index.html, a page that needs nothing else. All files appear or none
// does, the page last. It returns the path of the page.
func (r *Report) Write(dir string) (page string, err error) {
	files := append(r.drawings(".svg", ".png"), folderFile{pageName, r.page})
	return filepath.Join(dir, pageName), writeFolder(dir, files)
}

// WritePlots fills the folder dir, which it makes, with every plot as SVG, PNG
// and PDF: all files or none.
func (r *Report) WritePlots(dir string) error {
	return writeFolder(dir, r.drawings(".svg", ".png", ".pdf"))
}

// drawings are the files of the plots.
func (r *Report) drawings(formats ...string) []folderFile {
	var files []folderFile
	for i := range r.plots {
		d := r.plots[i].onFile()
		write := map[string]func(io.Writer) error{".svg": d.SVG, ".png": d.PNG, ".pdf": d.PDF}
		for _, format := range formats {
			files = append(files, folderFile{r.plots[i].name + format, write[format]})
		}
	}
	return files
}

// RunReport is the report of a run, which must have been made with
// sim.Options.Timeline.
func RunReport(res *sim.Result, verdicts []sim.Verdict, o Options) *Report {
	return &Report{about(subjectOf(res), plots(res, o, onPaper)), func(w io.Writer) error { return pageTo(w, res, verdicts, o) }}
}

// subjectOf names a run: its scenario, policy and seed.
func subjectOf(res *sim.Result) string {
	f := &res.Figures
	return fmt.Sprintf("%s, %s, seed %d", f.Scenario, f.Policy, f.Seed)
}
