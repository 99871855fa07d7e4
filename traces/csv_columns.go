package traces

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// What an import takes from a CSV file in the place of colService: when the
// job began and ended.
const (
	colStart = colIgnored + 1 + iota
	colFinish
)

var spanNames = [...]string{"start_s", "finish_s"}

// importNames are the columns that a file may be mapped to.
var importNames = append(slices.Clone(columnNames[:]), spanNames[:]...)

// nameOf returns how a trace calls col.
func nameOf(col uint8) string {
	if col >= colStart {
		return spanNames[col-colStart]
	}
	return columnNames[col]
}

// numberOf returns the column that a trace calls name.
func numberOf(name string) (col uint8, known bool) {
	if i := slices.Index(columnNames[:], name); i >= 0 {
		return uint8(i), true
	}
	if i := slices.Index(spanNames[:], name); i >= 0 {
		return uint8(colStart + i), true
	}
	return colIgnored, false
}

// CheckColumns returns what is wrong with a mapping of columns as
// ImportOptions has it, whatever the file: a name that no trace has, or a
// service or arrival time said twice.
func CheckColumns(columns map[string]string) error {
	for _, name := range sortedColumns(columns) {
		if _, known := numberOf(name); !known {
			return fmt.Errorf("column %q: a trace has no such column%s; it has %s", name, spell.DidYouMean(name, importNames), strings.Join(importNames, ", "))
		}
	}
	switch {
	case columns["service_s"] == "":
	case columns["start_s"] != "":
		return errors.New("column start_s: service_s says already how long a job runs")
	case columns["finish_s"] != "" && columns["arrival_s"] != "":
		return errors.New("column finish_s: service_s says already how long a job runs, and arrival_s when it came")
	}
	return nil
}

// derivesArrival reports whether a mapping says by a job's end and length when it
// began, and that it arrived then.
func derivesArrival(columns map[string]string) bool {
	return columns["service_s"] != "" && columns["finish_s"] != ""
}

// sortedColumns returns the keys of a mapping in the order of importNames,
// behind them what is unknown.
func sortedColumns(columns map[string]string) []string {
	var names []string
	for _, name := range importNames {
		if _, ok := columns[name]; ok {
			names = append(names, name)
		}
	}
	unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(columns)), func(name string) bool { return slices.Contains(importNames, name) })
	return append(names, unknown...)
}

// take says which field of a row holds a column.
type take struct {
	field int
	col   uint8
}

// mapColumns decides which fields an import takes, from the header's names and
// the mapping: columns go by their own names where the mapping does not say
// otherwise. It returns everything that is wrong with them.
func (r *csvReader) mapColumns(names []string, opt ImportOptions) (problems []string) {
	mapped := map[string]bool{} // columns of a trace that are not taken by name
	for _, name := range sortedColumns(opt.Columns) {
		from := opt.Columns[name]
		mapped[name] = true
		if from == "" {
			continue
		}
		field := slices.Index(names, from)
		switch {
		case field < 0:
			problems = append(problems, fmt.Sprintf("--map %s=%s: no such column%s", name, from, spell.DidYouMean(from, names)))
			continue
		case slices.Contains(names[field+1:], from):
			problems = append(problems, fmt.Sprintf("--map %s=%s: that column stands twice", name, from))
		}
		col, _ := numberOf(name)
		r.takes = append(r.takes, take{field, col})
	}
	mapped["arrival_s"] = mapped["arrival_s"] || derivesArrival(opt.Columns)
	service := opt.Columns["service_s"] != "" || !mapped["service_s"] && slices.Contains(names, "service_s")
	spans := opt.Columns["start_s"] != "" || opt.Columns["finish_s"] != ""
	for field, name := range names {
		col, known := numberOf(name)
		span := col == colStart || col == colFinish
		switch {
		case mapped[name] || slices.Contains(names[:field], name):
		case span && !service, known && !span && !(col == colService && spans):
			r.takes = append(r.takes, take{field, col})
		}
	}
	// a start is read ahead of its finish
	slices.SortStableFunc(r.takes, func(a, b take) int { return int(a.col) - int(b.col) })
	return problems
}

// taken reports whether the import takes col.
func (r *csvReader) taken(col uint8) bool {
	return slices.ContainsFunc(r.takes, func(t take) bool { return t.col == col })
}
