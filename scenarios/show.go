package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Show writes the scenario with every value in effect, defaults included, as a
// scenario file that says the same. Keys without a value stand in comments
// that tell what leaving them out means. Paths of files are those of the
// original; the policy stands in the file itself.
func (s *Scenario) Show(w io.Writer) error {
	e := s.effective()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s with every value in effect\n", s.Name)
	p := printer{&b}
	p.table(reflect.ValueOf(&e).Elem(), "")
	p.policy(s.policy, e.Policy.State)
	_, err := w.Write(b.Bytes())
	return err
}

// effective returns the scenario with what follows from other values filled
// in.
func (s *Scenario) effective() Scenario {
	e := *s
	if len(e.Cloud.Types) == 0 && e.Cloud.Catalog == "" {
		e.Cloud.Catalog = s.catalog.Name
	}
	e.Cloud.Billing = s.catalog.Billing.Name
	if g := s.guard; g != nil {
		dollars := func(m policy.MicroUSD) *float64 { x := m.Dollars(); return &x }
		e.Guard = &Guard{
			LaunchMax: &g.LaunchMax, InFlightMax: &g.InFlightMax, FleetMax: &g.FleetMax, CoresMax: &g.CoresMax,
			HourMax: dollars(g.HourMax), DayMax: dollars(g.DayMax), MonthMax: dollars(g.MonthMax),
			DrainMax: &g.DrainMax, StaleAfter: &g.StaleAfter,
			BreakerBoots: &g.BreakerBoots, BreakerStall: &g.BreakerStall, BeyondBounds: g.BeyondBounds,
		}
	}
	return e
}

// printer writes TOML.
type printer struct{ *bytes.Buffer }

// table writes the keys of a table and then the tables in it.
func (p printer) table(v reflect.Value, path string) {
	keys := fields(v.Type())
	selected := ""
	for i := range keys {
		if f := &keys[i]; f.selects {
			selected = v.Field(f.index).String()
		}
	}
	for i := range keys {
		if f := &keys[i]; !f.rest && shapeOf(f.typ) == aValue && f.appliesTo(selected) {
			p.value(f, v.Field(f.index))
		}
	}
	for i := range keys {
		f := &keys[i]
		if f.rest || !f.appliesTo(selected) || path == "" && f.name == "policy" {
			continue
		}
		at, inner := join(path, f.name), v.Field(f.index)
		switch shapeOf(f.typ) {
		case aTable:
			if inner.Kind() == reflect.Pointer {
				if inner.IsNil() {
					continue
				}
				inner = inner.Elem()
			}
			fmt.Fprintf(p, "\n[%s]\n", at)
			p.table(inner, at)
		case someTables:
			for j := range inner.Len() {
				fmt.Fprintf(p, "\n[[%s]]\n", at)
				p.table(inner.Index(j), at)
			}
		case namedTables:
			p.named(inner, at)
		}
	}
}

// named writes tables in the order of their names.
func (p printer) named(v reflect.Value, path string) {
	tables := map[string]reflect.Value{}
	for _, key := range v.MapKeys() {
		tables[key.String()] = v.MapIndex(key)
	}
	for _, name := range sortedKeys(tables) {
		at := join(path, name)
		fmt.Fprintf(p, "\n[%s]\n", at)
		p.table(tables[name], at)
	}
}

// value writes a key, in a comment if it has no value.
func (p printer) value(f *field, v reflect.Value) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	} else if v.IsZero() && f.def == "" && !f.required {
		if f.unset != "" {
			fmt.Fprintf(p, "# %s: %s\n", f.name, f.unset)
		}
		return
	}
	fmt.Fprintf(p, "%s = %s\n", f.name, literalOf(v))
}

// literalOf returns a value as TOML.
func literalOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration, time.Time, float64:
		return tomlValue(x)
	case weekTime:
		return quoted(x.String())
	case string:
		return quoted(x)
	case []string:
		if len(x) == 1 {
			return quoted(x[0])
		}
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = quoted(x[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []time.Duration:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = tomlValue(x[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// quoted returns s as a basic string of TOML.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// policy writes the policy with all its parameters.
func (p printer) policy(of *Policy, state string) {
	fmt.Fprintf(p, "\n[policy]\nname = %s\n", quoted(of.Name))
	if state != "" {
		fmt.Fprintf(p, "state = %s\n", quoted(state))
	}
	for _, s := range of.Steps {
		fmt.Fprintf(p, "\n[[policy.step]]\n")
		p.table(reflect.ValueOf(Step{At: s.At, Launch: s.Launch, Type: s.Type, Keep: s.Keep}), "policy.step")
	}
	if of.Spec == nil || len(of.Spec.Params) == 0 {
		return
	}
	fmt.Fprintf(p, "\n[policy.params]\n")
	for i := range of.Spec.Params {
		param := &of.Spec.Params[i]
		if text := of.valueText(param); text != "" {
			fmt.Fprintf(p, "%s = %s\n", param.Name, text)
		}
	}
}

// paramDefault returns the default of a parameter as TOML, "" if it has none.
func paramDefault(p *policy.Param) string {
	switch p.Kind {
	case policy.TypeList:
		return ""
	case policy.Choice:
		return quoted(p.Choices[int(p.Default)])
	}
	return paramText(p, p.Default)
}

// Literal returns a value as a scenario file writes it: text, a list of text, a
// duration, an instant or a number.
func Literal(v any) string { return literalOf(reflect.ValueOf(v)) }
