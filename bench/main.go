package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/skynet-ec2/skynet/bench/profile"
)

// settings of a run, from the command line.
type settings struct {
	rounds int
	jobs   int
	days   int
}

// A section is a part of the report. Its figures are printed when all of them
// are known.
type section struct {
	name  string
	title string
	run   func(set settings) ([]figure, error)
	long  bool // only when asked for
}

var sections = []section{
	{"engine", "The engine against bare loops: M/M/c, load 0.85, four priorities, trace in memory", engineFigures, false},
	{"traces", "Traces: a photo site's week", traceFigures, false},
	{"ticks", "What a tick costs", tickFigures, false},
	{"live", "A decision of the live controller", liveFigures, false},
	{"journal", "Recording and replaying decisions", journalFigures, false},
	{"cores", "Two cores against one", coreFigures, false},
	{"bound", "The bound and the plan of the photo week, made longer", boundFigures, true},
	{"year", "A year of 100 million jobs, generated and streamed", yearFigures, true},
}

// figure is one line of the report.
type figure struct {
	what       string
	value      string
	must, want string // goals: what must be reached, and what would be better; "" when there is none
}

func main() {
	var set settings
	flag.IntVar(&set.rounds, "rounds", 5, "how often everything is measured; figures are medians")
	flag.IntVar(&set.jobs, "jobs", 2_000_000, "jobs of a run of the engine")
	flag.IntVar(&set.days, "days", 0, "the one length that -only bound measures: 30 or 365; 0: both")
	only := flag.String("only", "", "the one section to run: "+sectionNames())
	long := flag.Bool("long", false, "run the long sections too")
	file := flag.String("profile", "", "write a CPU profile of the run to `file`; the builds of bench and cmd/skynet are guided by one")
	child := flag.String("child", "", "run one measurement that needs a process of its own: `year`")
	flag.Parse()
	err := profile.Write(*file, func() error { return run(set, *only, *long, *child) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func sectionNames() string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

func run(set settings, only string, long bool, child string) error {
	if set.rounds < 1 || set.jobs < 1000 {
		return errors.New("-rounds must be at least 1, -jobs at least 1000")
	}
	switch child {
	case "":
	case "year":
		return year(set.jobs)
	default:
		return fmt.Errorf("-child %s: must be year", child)
	}
	fmt.Printf("%d cores, %s, %s/%s, median of %d rounds\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, set.rounds)
	known := false
	for _, s := range sections {
		if only != "" && s.name != only || only == "" && s.long && !long {
			continue
		}
		known = true
		figures, err := s.run(set)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		print(s, figures)
	}
	if !known {
		return fmt.Errorf("-only %s: must be one of %s", only, sectionNames())
	}
	return nil
}

// print writes a section as a Markdown table, aligned for people.
func print(s section, figures []figure) {
	fmt.Printf("\n## %s\n\n`go run ./bench -only %s`\n\n", s.title, s.name)
	rows := [][4]string{{"figure", "measured", "must", "stretch"}, {}}
	for _, f := range figures {
		rows = append(rows, [4]string{f.what, f.value, f.must, f.want})
	}
	var width [4]int
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	rows[1] = [4]string{
		strings.Repeat("-", width[0]), strings.Repeat("-", width[1]-1) + ":",
		strings.Repeat("-", width[2]), strings.Repeat("-", width[3]),
	}
	for _, row := range rows {
		pad := func(i int) string { return strings.Repeat(" ", width[i]-len([]rune(row[i]))) }
		fmt.Printf("| %s%s | %s%s | %s%s | %s%s |\n", row[0], pad(0), pad(1), row[1], row[2], pad(2), row[3], pad(3))
	}
}
