package scenarios

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
)

// Document returns docs/scenario.md: every key of scenario, policy and catalog
// files, from the same tags that the decoder follows.
func Document() []byte {
	var b bytes.Buffer
	b.WriteString(`# Scenario files

A scenario says what world a policy is tried in and what it promises there. This page lists every key;
` + "`skynet scenario new`" + ` writes a commented example, ` + "`skynet scenario lint`" + ` checks a file and
` + "`skynet scenario show`" + ` prints all values in effect. It is generated from the loader.

Durations are texts with their units (ns, µs, ms, s, m, h, d): "90s", "1h30m", "7d". Keys are case-sensitive,
and one that is not listed here is an error. Paths of files are relative to the file they stand in.
`)
	d := documenter{&b}
	d.table("The scenario", "", reflect.TypeFor[Scenario]())
	b.WriteString("\n## Kinds of faults\n\n| kind | what goes wrong |\n|---|---|\n")
	for _, k := range faultMeaning {
		fmt.Fprintf(&b, "| `%s` | %s |\n", k.kind, k.meaning)
	}
	b.WriteString(`
## Figures that a promise can name

CLASS, WINDOW and TYPE stand for the names of the scenario's classes, windows and instance types; ` + "`slack.per_day.0`" + `
is the first day. Money is in dollars (` + "`_usd`" + `), times are in seconds (` + "`_s`" + `).

`)
	for _, m := range metrics(&names{classes: []string{"CLASS"}, windows: []string{"WINDOW"}, types: []string{"TYPE"}}) {
		fmt.Fprintf(&b, "- `%s`\n", m)
	}
	d.table("Policy files", "A file that `policy.file` or `--policy` names.", reflect.TypeFor[policyFile]())
	d.provenance()
	d.policies()
	d.table("Catalog files", "A file that `cloud.catalog` names. Its `[[type]]` tables are those of `[[cloud.type]]`.", reflect.TypeFor[catalogFile]())
	d.table("Fleet files", "A file that `skynetd controller --config` names.", reflect.TypeFor[Fleet]())
	return b.Bytes()
}

// faultMeaning tells what each kind of fault does.
var faultMeaning = []struct{ kind, meaning string }{
	{"refuse", "EC2 does not sell the types (in the zones)."},
	{"throttle", "Launch calls are throttled."},
	{"api-outage", "Every EC2 call fails, listing included."},
	{"lost-reply", "Launches happen, but their reply is lost; EC2's list shows them `delay` later."},
	{"stale", "The signals keep the values they had at `from`."},
	{"zero", "The signals read zero and claim to be complete."},
	{"blind", "The signals cannot be read."},
	{"slow-boot", "Boot lags are `factor` times as long."},
	{"dead-boot", "Launches never become workers."},
	{"slow-work", "Service times are `factor` times as long."},
	{"crash", "Workers crash: at `rate` while the fault lasts, or once at `from`."},
	{"spot-interruption", "Spot instances are taken back at `from`."},
	{"partition", "Workers run but cannot report; their results arrive when the partition heals."},
	{"store-down", "Results cannot be delivered: nothing completes, and workers hold what they finished."},
	{"queue-outage", "Nothing is handed out, reported or read."},
	{"price", "On-demand prices of the types are `factor` times as high."},
}

// documenter writes Markdown.
type documenter struct{ *bytes.Buffer }

// table writes a section about a table and the tables in it.
func (d documenter) table(title, doc string, t reflect.Type) {
	fmt.Fprintf(d, "\n## %s\n", title)
	if doc != "" {
		fmt.Fprintf(d, "\n%s\n", doc)
	}
	d.keys(t)
	if t != reflect.TypeFor[catalogFile]() && t != reflect.TypeFor[policyFile]() {
		d.inner("", t)
	}
}

// keys writes the table of a table's keys.
func (d documenter) keys(t reflect.Type) {
	d.WriteString("\n| key | type | unit | default | bounds | meaning |\n|---|---|---|---|---|---|\n")
	for _, f := range fields(t) {
		if f.rest {
			continue
		}
		meaning := f.doc
		if len(f.of) > 0 && len(f.of) < 16 {
			meaning = "(" + strings.Join(f.of, ", ") + ") " + meaning
		}
		fmt.Fprintf(d, "| `%s` | %s | %s | %s | %s | %s |\n",
			f.name, kindName(&f), f.unit, cell(defaultText(&f)), cell(boundsText(&f)), cell(meaning))
	}
}

// inner writes a section about every table in t.
func (d documenter) inner(path string, t reflect.Type) {
	for _, f := range fields(t) {
		at := join(path, f.name)
		heading := "[" + at + "]"
		switch shapeOf(f.typ) {
		case someTables:
			heading = "[[" + at + "]]"
		case namedTables:
			heading = "[" + at + ".NAME]"
		case aTable:
		default:
			continue
		}
		inner := tableType(f.typ)
		fmt.Fprintf(d, "\n### `%s`\n\n%s\n", heading, f.doc)
		switch {
		case inner == reflect.TypeFor[Service]() && f.name != "photo_service":
			d.WriteString("\nIts keys are those of `[generate.photo_service]`.\n")
		case inner == reflect.TypeFor[Boot]() && f.name != "boot":
			d.WriteString("\nIts keys are those of `[cloud.boot]`.\n")
		default:
			d.keys(inner)
		}
		d.inner(at, inner)
	}
}

// provenance writes a section about the table that tune writes.
func (d documenter) provenance() {
	t := reflect.TypeFor[Provenance]()
	d.WriteString("\n### `[provenance]`\n\nOf a policy file.\n")
	d.keys(t)
	d.inner("provenance", t)
}

// policies writes the parameters of every policy.
// Those of the rivals stand in docs/rivals.md.
func (d documenter) policies() {
	for _, s := range Policies() {
		if _, rival := baseline.Lookup(s.Name); rival {
			continue
		}
		fmt.Fprintf(d, "\n### Parameters of `%s`\n\nThe policy: %s.\n", s.Name, strings.TrimSuffix(s.Doc, "."))
		d.WriteString("\n| key | type | unit | default | bounds | meaning |\n|---|---|---|---|---|---|\n")
		for i := range s.Params {
			p := &s.Params[i]
			fmt.Fprintf(d, "| `%s` | %s | %s | %s | %s | %s |\n",
				p.Name, paramKind(p), p.Unit, cell(paramDefault(p)), cell(paramBounds(p)), cell(p.Doc))
		}
	}
	d.WriteString("\n### Parameters of other policies\n\n[rivals.md](rivals.md) lists those of every other policy, from ")
	all := baseline.Specs()
	fmt.Fprintf(d, "`%s` to `%s`.\n", all[0].Name, all[len(all)-1].Name)
	d.WriteString("\n### Steps of `scripted`\n")
	d.keys(reflect.TypeFor[Step]())
}

func paramKind(p *policy.Param) string {
	return map[policy.ParamKind]string{
		policy.Number: "number", policy.Integer: "whole number", policy.Duration: "duration",
		policy.Choice: "word", policy.TypeList: "text or list of texts",
	}[p.Kind]
}

func paramBounds(p *policy.Param) string {
	switch p.Kind {
	case policy.Choice:
		return strings.Join(p.Choices, ", ")
	case policy.TypeList:
		return "types of the catalog"
	case policy.Duration:
		return FormatDuration(time.Duration(p.Min)) + " to " + FormatDuration(time.Duration(p.Max))
	}
	return fmt.Sprintf("%v to %v", p.Min, p.Max)
}

// kindName returns the type of a key's value.
func kindName(f *field) string {
	switch shapeOf(f.typ) {
	case aTable:
		return "table"
	case someTables:
		return "tables"
	case namedTables:
		return "tables by name"
	case anyParameters:
		return "table"
	}
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case durationType:
		return "duration"
	case timeType:
		return "date and time"
	case weekTimeType:
		return "weekday and hour, or duration"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Uint64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		if t.Elem() == durationType {
			return "list of " + f.length + " durations"
		}
		return "text or list of texts"
	}
	if f.choices != nil {
		return "word"
	}
	return "text"
}

func defaultText(f *field) string {
	switch {
	case f.required:
		return "must be given"
	case f.def != "" && (f.typ == durationType || f.typ.Kind() == reflect.String || f.typ.Kind() == reflect.Slice):
		return quoted(f.def)
	case f.def != "":
		return f.def
	}
	return f.unset
}

func boundsText(f *field) string {
	if f.choices != nil {
		return strings.Join(f.choices, ", ")
	}
	return strings.TrimPrefix(strings.TrimPrefix(bounds(f), " from "), " ")
}

// cell makes a text fit for a cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
