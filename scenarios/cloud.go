package scenarios

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces/pipe"
)

// catalogFile is a file that cloud.catalog names.
type catalogFile struct {
	Name    string         `toml:"name" unset:"the file's" doc:"The catalog's name."`
	Source  string         `toml:"source" doc:"Where its figures come from, and of what date they are."`
	Billing string         `toml:"billing" default:"hourly" choices:"hourly|per-second" doc:"The billing rule it is sold by."`
	Types   []InstanceType `toml:"type" required:"yes" doc:"An instance type."`
}

// checkCloud resolves what the [cloud] table refers to.
func (s *Scenario) checkCloud(d *document) {
	c := &s.Cloud
	s.catalog = s.findCatalog(d)
	if rule, ok := policy.BillingByName(c.Billing); ok {
		s.catalog.Billing = rule
	}
	for i, z := range c.Zones {
		if slices.Contains(c.Zones[:i], z) {
			d.bad("cloud.zones", c.Zones, "without repetition")
			break
		}
	}
	s.boots = map[string]sim.BootModel{"": s.boot(d, &c.Boot, "cloud.boot")}
	for _, name := range sortedKeys(c.BootOf) {
		b := c.BootOf[name]
		path := join("cloud.boot_of", name)
		d.instanceTypes(path, []string{name}, &s.catalog)
		s.boots[name] = s.boot(d, &b, path)
	}
	if c.Spot != nil {
		s.spot = s.market(d, c.Spot)
	}
	for i, x := range c.Standing {
		at := element("cloud.standing", i+1)
		d.instanceTypes(at+".type", []string{x.Type}, &s.catalog)
		if x.Market == policy.Spot.String() && c.Spot == nil {
			d.wrong(at+".market", "there is no spot market: add a [cloud.spot] table")
		}
	}
	if q := &s.Queue; q.Beat >= q.Lease && d.clean("queue") {
		d.bad("queue.beat", q.Beat, "less than queue.lease ("+FormatDuration(q.Lease)+")")
	}
}

// findCatalog returns the catalog of the scenario; one without types if there
// is none.
func (s *Scenario) findCatalog(d *document) policy.Catalog {
	c := &s.Cloud
	switch {
	case len(c.Types) > 0 && c.Catalog != "":
		d.wrong("cloud.type", "cloud.catalog is given as well: there is one or the other")
		return policy.Catalog{}
	case len(c.Types) > 0:
		return catalogOf(d, s.Name, policy.Hourly, c.Types, "cloud.type")
	case c.Catalog == "":
		return policy.EC2in2008()
	}
	if known, ok := policy.CatalogByName(c.Catalog); ok {
		return known
	}
	path := s.refer(c.Catalog)
	text, err := readFile(s.ctx, path)
	if err != nil {
		d.badWord("cloud.catalog", c.Catalog, policy.CatalogNames(),
			strings.Join(policy.CatalogNames(), ", ")+" or a file that can be read ("+plain(err).Error()+")")
		return policy.Catalog{}
	}
	file, raw := parse(path, text)
	var f catalogFile
	if len(file.problems) == 0 {
		file.table(raw, reflect.ValueOf(&f).Elem(), "")
	}
	if f.Name == "" {
		f.Name = stem(path)
	}
	rule, _ := policy.BillingByName(f.Billing)
	found := catalogOf(file, f.Name, rule, f.Types, "type")
	found.Source = f.Source
	d.problems = append(d.problems, file.problems...)
	return found
}

// catalogOf returns the catalog of the tables at path.
func catalogOf(d *document, name string, rule policy.Billing, types []InstanceType, path string) policy.Catalog {
	c := policy.Catalog{Name: name, Billing: rule}
	for i, t := range types {
		price, _ := policy.FromDollars(t.PerHour) // the decoder keeps it within bounds
		slots := t.Slots
		if slots == 0 {
			slots = t.Cores
		}
		at := element(path, i+1)
		if t.Name != "" && c.Index(t.Name) >= 0 {
			d.bad(at+".name", t.Name, "another name: a type before has it")
		}
		c.Types = append(c.Types, policy.InstanceType{Name: t.Name, Cores: t.Cores, Slots: slots, Speed: t.Speed, PerHour: price})
	}
	if !d.clean(path) {
		return policy.Catalog{}
	}
	return c
}

// boot returns the boot lag that the table at path describes.
func (s *Scenario) boot(d *document, b *Boot, path string) sim.BootModel {
	m := sim.BootModel{Model: b.Model, Value: b.Value, Median: b.Median, P99: b.P99, Max: b.Max, NeverBoots: b.Never}
	if !d.clean(path) {
		return m
	}
	switch b.Model {
	case "lognormal":
		if b.Median > b.P99 {
			d.bad(path+".median", b.Median, "at most p99 ("+FormatDuration(b.P99)+")")
		} else if b.P99 > b.Max {
			d.bad(path+".p99", b.P99, "at most max ("+FormatDuration(b.Max)+")")
		}
	case "empirical":
		file := s.refer(b.File)
		rows, err := readTable(s.ctx, file, "boot_s")
		if err != nil {
			d.wrong(path+".file", err.Error())
			return m
		}
		for _, row := range rows {
			lag, err := seconds(row.fields[0], 24*time.Hour)
			if err != nil {
				d.problems = append(d.problems, Problem{File: file, Line: row.line, Key: "boot_s", Value: row.fields[0], Allowed: "seconds from 0 to 86400"})
				continue
			}
			m.Samples = append(m.Samples, lag)
		}
		slices.Sort(m.Samples)
		if len(rows) == 0 {
			d.wrong(path+".file", fmt.Sprintf("%s: no boot lag in it", file))
		}
	}
	return m
}

// market returns the spot market.
func (s *Scenario) market(d *document, t *Spot) *sim.SpotMarket {
	m := &sim.SpotMarket{
		Discount: t.Discount, Volatility: t.Volatility, Revert: t.Revert, InterruptRate: t.InterruptRate, Notice: t.Notice,
	}
	if t.File == "" {
		return m
	}
	file := s.refer(t.File)
	rows, err := readTable(s.ctx, file, "at_s", "type", "usd_per_hour")
	if err != nil {
		d.wrong("cloud.spot.file", err.Error())
		return m
	}
	m.Series = map[string][]sim.PricePoint{}
	last := map[string]time.Duration{}
	for _, row := range rows {
		bad := func(column, allowed string) {
			value := row.fields[slices.Index([]string{"at_s", "type", "usd_per_hour"}, column)]
			d.problems = append(d.problems, Problem{File: file, Line: row.line, Key: column, Value: value, Allowed: allowed})
		}
		at, err := seconds(row.fields[0], 20*365*24*time.Hour)
		name := row.fields[1]
		dollars, wrong := strconv.ParseFloat(row.fields[2], 64)
		price, odd := policy.FromDollars(dollars)
		switch {
		case err != nil || at < last[name]:
			bad("at_s", "seconds from 0 on, in order of time")
		case len(s.catalog.Types) > 0 && s.catalog.Index(name) < 0:
			bad("type", "a type of "+s.catalog.Name+": "+strings.Join(s.catalog.Names(), ", "))
		case wrong != nil || odd != nil || dollars > 1e6:
			bad("usd_per_hour", "dollars from 0 to 1000000")
		default:
			last[name] = at
			m.Series[name] = append(m.Series[name], sim.PricePoint{At: at, Price: price})
		}
	}
	for _, name := range sortedKeys(m.Series) {
		if m.Series[name][0].At > 0 {
			d.wrong("cloud.spot.file", fmt.Sprintf("%s: no price of %s at 0", file, name))
		}
	}
	return m
}

// tableRow is a line of a small CSV file.
type tableRow struct {
	line   int
	fields []string
}

// readTable reads a small CSV file that has exactly the given columns.
func readTable(ctx context.Context, path string, columns ...string) ([]tableRow, error) {
	f, err := pipe.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	defer f.Close()
	const most = 16 << 20 // bytes; a year of prices of fifty types by the hour is less
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	if len(text) > most {
		return nil, fmt.Errorf("%s: must be at most %d MiB", path, most>>20)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = len(columns)
	r.Comment = '#'
	head, err := r.Read()
	if err != nil && !errors.Is(err, io.EOF) || !slices.Equal(head, columns) {
		return nil, fmt.Errorf("%s: its header must be %s", path, strings.Join(columns, ","))
	}
	var rows []tableRow
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		rows = append(rows, tableRow{line, fields})
	}
}

// seconds reads a number of seconds from 0 to most.
func seconds(s string, most time.Duration) (time.Duration, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x <= most.Seconds()) {
		return 0, errors.New("not a number of seconds in bounds")
	}
	return time.Duration(math.Round(x * 1e9)), nil
}
