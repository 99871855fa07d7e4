package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// foreignRow is a trace as another program may write it.
type foreignRow struct {
	Arrival  int64   `parquet:"arrival_ns"`
	Service  int64   `parquet:"service_ns"`
	Type     string  `parquet:"type"`
	Priority int32   `parquet:"priority"`
	Tenant   *string `parquet:"tenant,optional"`
	BytesIn  *int64  `parquet:"bytes_in,optional"`
}

// foreignDict is the same with dictionaries and deltas, and priority as a
// nullable 64-bit column, as pandas writes it.
type foreignDict struct {
	Arrival  int64  `parquet:"arrival_ns,delta"`
	Service  int64  `parquet:"service_ns,dict"`
	Type     string `parquet:"type,dict"`
	Priority *int64 `parquet:"priority,dict,optional"`
	BytesIn  *int64 `parquet:"bytes_in,optional"`
	Tenant   string `parquet:"tenant,dict"`
}

func TestParquetOfOtherProgramsIsRead(t *testing.T) {
	src := mixed(30_000, true)
	want := jobsOf(t, src)
	for i := range want {
		want[i].Estimate, want[i].Deadline, want[i].BytesOut = 0, 0, 0
	}
	null := func(v int64) *int64 {
		if v == 0 {
			return nil
		}
		return &v
	}
	var plain []foreignRow
	var dict []foreignDict
	for i := range want {
		j := &want[i]
		if i%1000 > 500 { // long runs of nulls
			j.BytesIn, j.Kind.Size = 0, 0
		}
		r := foreignRow{Arrival: j.Arrival, Service: j.Service, Type: j.Kind.Type, Priority: int32(j.Kind.Priority), BytesIn: null(j.BytesIn)}
		if j.Tenant != "" {
			r.Tenant = &j.Tenant
		}
		plain = append(plain, r)
		p := int64(j.Kind.Priority)
		dict = append(dict, foreignDict{
			Arrival: j.Arrival, Service: j.Service, Type: j.Kind.Type, Priority: &p, BytesIn: null(j.BytesIn), Tenant: j.Tenant,
		})
	}
	codecs := map[string]compress.Codec{
		"uncompressed": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd,
	}
	for name, codec := range codecs {
		for _, version := range []int{1, 2} {
			options := []parquet.WriterOption{
				parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(10_000), parquet.MaxRowsPerRowGroup(7000),
			}
			t.Run(fmt.Sprintf("plain/%s/v%d", name, version), func(t *testing.T) {
				sameJobs(t, want, jobsOf(t, openForeign(t, plain, options)))
			})
			t.Run(fmt.Sprintf("dict/%s/v%d", name, version), func(t *testing.T) {
				sameJobs(t, want, jobsOf(t, openForeign(t, dict, options)))
			})
		}
	}
}

func openForeign[T any](t *testing.T, rows []T, options []parquet.WriterOption) Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[T](f, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	src, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestOtherProgramsReadOurParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	if _, err := Write(path, mixed(70_000, true), WriteOptions{Tool: "skynet test"}); err != nil {
		t.Fatal(err)
	}
	type ours struct {
		Arrival  int64  `parquet:"arrival_ns"`
		Service  int64  `parquet:"service_ns"`
		Type     string `parquet:"type"`
		Priority int32  `parquet:"priority"`
		Estimate int64  `parquet:"estimate_ns"`
		Deadline int64  `parquet:"deadline_ns"`
		BytesIn  int64  `parquet:"bytes_in"`
		BytesOut int64  `parquet:"bytes_out"`
		Tenant   string `parquet:"tenant"`
	}
	rows, err := parquet.ReadFile[ours](path)
	if err != nil {
		t.Fatal(err)
	}
	var got []job
	for _, r := range rows {
		got = append(got, job{
			r.Arrival, r.Service,
			Kind{r.Type, uint8(r.Priority), SizeBucket(r.BytesIn)},
			r.Estimate, r.Deadline, r.BytesIn, r.BytesOut, r.Tenant,
		})
	}
	sameJobs(t, jobsOf(t, mixed(70_000, true)), got)

	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	pf, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	meta := pf.Metadata()
	if meta.CreatedBy != "skynet test" {
		t.Errorf("created by %q", meta.CreatedBy)
	}
	if v, ok := pf.Lookup(keyStart); !ok || v != "2008-06-01T00:00:00.000000005Z" {
		t.Errorf("%s = %q", keyStart, v)
	}
	for i, g := range pf.RowGroups() {
		if s := g.SortingColumns(); len(s) != 1 || s[0].Path()[0] != "arrival_ns" || s[0].Descending() {
			t.Errorf("row group %d is sorted by %v", i, s)
		}
	}
}

// damagedParquet returns a valid file, for tests to damage.
func damagedParquet(t testing.TB, n int, optional bool) []byte {
	var b bytes.Buffer
	if _, err := writeParquet(&b, mixed(n, optional), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parquetInput returns an input over bytes.
func parquetInput(b []byte) (*input, error) {
	in, err := newInput("x.parquet", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	in.at, in.size = bytes.NewReader(b), int64(len(b))
	return in, nil
}

func TestDamagedParquetIsAnError(t *testing.T) {
	whole := damagedParquet(t, 3000, true)
	for n := range whole {
		if n%37 != 0 && n > 64 && n < len(whole)-64 {
			continue
		}
		in, err := parquetInput(whole[:n])
		if err == nil {
			_, err = openAs(in, Options{Format: "parquet"})
		}
		if err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(whole))
		}
	}
	// a flipped byte may change values, but must not break anything else
	s := draw.New(2, "flip")
	for range 2000 {
		b := bytes.Clone(whole)
		b[s.Below(uint64(len(b)))] ^= byte(1 << s.Below(8))
		drain(t, b)
	}
}

// drain reads a Parquet file that may be damaged.
func drain(t testing.TB, b []byte) {
	in, err := parquetInput(b)
	if err != nil {
		return
	}
	src, err := openAs(in, Options{Format: "parquet", IgnoreColumns: true})
	if err != nil {
		return
	}
	defer src.Close()
	var batch Batch
	for rows := 0; rows < 1<<22; rows += batch.Len() {
		if src.Next(&batch) != nil {
			return
		}
	}
}

func TestParquetErrorsNameRowAndColumn(t *testing.T) {
	for _, c := range []struct {
		name string
		job  job
		want string
	}{
		{"negative arrival", job{Arrival: -1, Service: 1}, `:3: arrival_ns = "-1": must be from 0`},
		{"zero service", job{Arrival: 30, Service: 0}, `:3: service_ns = "0": must be from 1`},
		{"far", job{Arrival: 1 << 62, Service: 1}, `:3: arrival_ns = "4611686018427387904": must be from 0`},
		{"back", job{Arrival: 5, Service: 1}, `:3: arrival_ns = "5": arrives before the job in the row ahead (20)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			jobs := []job{{Arrival: 10, Service: 1}, {Arrival: 20, Service: 1}, c.job}
			path := filepath.Join(t.TempDir(), "x.parquet")
			if _, err := Write(path, &made{n: 3, make: func(i int) job { return jobs[i] }}, WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			src, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = readJobs(t, src)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasSuffix(err.Error(), "run: skynet trace import "+path+" -o OUT") {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

// arrivingAs returns the schema of a trace whose arrivals are of a kind.
func arrivingAs(arrival parquet.Node) parquet.WriterOption {
	return parquet.NewSchema("trace", parquet.Group{
		"arrival_ns": arrival, "service_ns": parquet.Int(64), "type": parquet.String(), "priority": parquet.Int(32),
	})
}

// Arrivals that another program keeps as times of another unit are not taken for
// nanoseconds.
func TestParquetOfAnotherUnitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		arrival parquet.Node
		want    string
	}{
		"ms":           {parquet.Timestamp(parquet.Millisecond), `column "arrival_ns" must hold nanoseconds: its unit is the ms`},
		"µs":           {parquet.Timestamp(parquet.Microsecond), `column "arrival_ns" must hold nanoseconds: its unit is the µs`},
		"µs, local":    {parquet.TimestampAdjusted(parquet.Microsecond, false), `column "arrival_ns" must hold nanoseconds: its unit is the µs`},
		"time of day":  {parquet.Time(parquet.Microsecond), `column "arrival_ns" must hold nanoseconds: its unit is the µs`},
		"date":         {parquet.Date(), `column "arrival_ns" must hold nanoseconds: its unit is the day`},
		"decimal":      {parquet.Decimal(3, 18, parquet.Int64Type), `column "arrival_ns" must hold nanoseconds, not decimal numbers`},
		"ns":           {parquet.Timestamp(parquet.Nanosecond), ""},
		"ns of a day":  {parquet.Time(parquet.Nanosecond), ""},
		"integer":      {parquet.Int(64), ""},
		"unsigned":     {parquet.Uint(64), ""},
		"plain":        {parquet.Leaf(parquet.Int64Type), ""},
		"optional":     {parquet.Optional(parquet.Int(64)), ""},
		"optional, ms": {parquet.Optional(parquet.Timestamp(parquet.Millisecond)), "its unit is the ms"},
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := parquet.NewGenericWriter[any](f, arrivingAs(c.arrival)).Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		src, err := Open(path, Options{})
		switch {
		case err == nil:
			src.Close()
			if c.want != "" {
				t.Errorf("%s: opened, want %q", name, c.want)
			}
		case c.want == "" || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Integers of 32 bits without a sign go up to four billion.
func TestParquetReadsUnsignedIntegers(t *testing.T) {
	type unsigned struct {
		Arrival  uint32 `parquet:"arrival_ns"`
		Service  uint32 `parquet:"service_ns,dict"`
		Type     string `parquet:"type"`
		Priority uint8  `parquet:"priority"`
	}
	rows := []unsigned{{5, 3_000_000_000, "x", 255}, {4_294_967_295, 7, "x", 0}}
	sameJobs(t, []job{
		{Arrival: 5, Service: 3_000_000_000, Kind: Kind{Type: "x", Priority: 255}},
		{Arrival: 4_294_967_295, Service: 7, Kind: Kind{Type: "x"}},
	}, jobsOf(t, openForeign(t, rows, nil)))
}

// A foreign file whose arrivals count from 1970 is imported from the midnight
// before the first; one that says when it starts counts from there.
func TestImportOfParquetThatCountsFrom1970(t *testing.T) {
	first := time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC).UnixNano()
	path := filepath.Join(t.TempDir(), "x.parquet")
	write := func(rows []foreignDict, options ...parquet.WriterOption) {
		t.Helper()
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewGenericWriter[foreignDict](f, options...)
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	write([]foreignDict{{Arrival: first, Service: 1, Type: "x"}, {Arrival: 5, Service: 1, Type: "x"}, {Arrival: first + 1, Service: 1, Type: "x"}})
	src, sum, err := Import(path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	jobs := jobsOf(t, src)
	if start := src.Meta().Start.Format(time.RFC3339); start != "2024-03-01T00:00:00Z" || len(jobs) != 2 || jobs[0].Arrival != 8*3600e9 {
		t.Errorf("starts %s: %v", start, jobs)
	}
	if want := `out of range 1, first at line 2: arrival_ns = "5"`; !strings.Contains(sum.String(), want) {
		t.Errorf("%s, want %s", sum, want)
	}

	write([]foreignDict{{Arrival: 5, Service: 1, Type: "x"}, {Arrival: unixFrom, Service: 1, Type: "x"}}, parquet.KeyValueMetadata(keyStart, "2024-03-01T00:00:00Z"))
	src, sum, err = Import(path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if jobs := jobsOf(t, src); len(jobs) != 2 || jobs[1].Arrival != unixFrom || len(sum.Dropped) > 0 {
		t.Errorf("%v: %s", jobs, sum)
	}
}

func TestParquetNamesTheCompressionItDoesNotRead(t *testing.T) {
	src := openForeign(t, []foreignDict{{Arrival: 1, Service: 1, Type: "x"}}, []parquet.WriterOption{parquet.Compression(&parquet.Brotli)})
	if _, err := readJobs(t, src); err == nil || !strings.Contains(err.Error(), "is compressed with Brotli; snappy, gzip and zstd are read") {
		t.Errorf("got %v", err)
	}
}

// A reference speed that no scenario may state is refused, not left out: the work of
// every job hangs on it.
func TestParquetReferenceSpeed(t *testing.T) {
	for speed, good := range map[string]bool{
		"0.001": true, "1000": true, "2.5": true,
		"0.0009": false, "1000.1": false, "0": false, "-1": false, "NaN": false, "+Inf": false, "1e400": false, "fast": false,
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewGenericWriter[foreignDict](f, parquet.KeyValueMetadata(keySpeed, speed))
		if _, err := w.Write([]foreignDict{{Arrival: 1, Service: 1, Type: "x"}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		src, err := Open(path, Options{})
		var bad *InputError
		switch want := path + `: skynet.reference_speed = "` + speed + `": must be from 0.001 to 1000, in the file's metadata`; {
		case good && err == nil:
			if got := fmt.Sprint(src.Meta().ReferenceSpeed); got != speed {
				t.Errorf("speed %s is read as %s", speed, got)
			}
			src.Close()
		case good || !errors.As(err, &bad) || err.Error() != want:
			t.Errorf("speed %s: got %v, want %s", speed, err, want)
		}
	}
}

func FuzzParquet(f *testing.F) {
	f.Add(damagedParquet(f, 0, false))
	f.Add(damagedParquet(f, 1, false))
	f.Add(damagedParquet(f, 50, true))
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[foreignDict](&b, parquet.Compression(codec))
		one := int64(1)
		if _, err := w.Write([]foreignDict{{1, 2, "x", &one, nil, "t"}, {3, 4, "y", nil, &one, ""}}); err != nil {
			f.Fatal(err)
		}
		w.Close()
		f.Add(b.Bytes())
	}
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, b []byte) { drain(t, b) })
}

func benchTrace(b *testing.B, ext string) (path string, jobs int64) {
	b.Helper()
	c := DefaultPhotoSite()
	c.Duration = 7 * 24 * time.Hour
	src, err := c.Source()
	if err != nil {
		b.Fatal(err)
	}
	path = filepath.Join(b.TempDir(), "x"+ext)
	meta, err := Write(path, src, WriteOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return path, meta.Jobs
}

func benchRead(b *testing.B, ext string) {
	path, jobs := benchTrace(b, ext)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		src, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		var batch Batch
		n := int64(0)
		for src.Next(&batch) != io.EOF {
			n += int64(batch.Len())
		}
		if n != jobs {
			b.Fatalf("read %d of %d jobs", n, jobs)
		}
		src.Close()
	}
	b.ReportMetric(float64(jobs)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
	b.ReportMetric(float64(info.Size())/float64(jobs), "file-B/job")
}

func BenchmarkReadParquet(b *testing.B) { benchRead(b, ".parquet") }

func BenchmarkWriteParquet(b *testing.B) {
	c := DefaultPhotoSite()
	c.Duration = 2 * 24 * time.Hour
	src, err := c.Source()
	if err != nil {
		b.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := writeParquet(io.Discard, p.Source(), WriteOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mjobs/s")
}
